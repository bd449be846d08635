/* SPDX-License-Identifier: MIT */
/*
 * memblock_alloc.c - finding room: the first allocator of the book, and the simplest.
 *
 *      free ranges of the node          [-------]      [---------------]   [--]
 *      inside [min, max), aligned         |----|          |===========|
 *      top-down takes the highest                               [#####]
 *      bottom-up the lowest               too small       [#####]
 *
 * Top-down is the rule: low memory is scarce (DMA32) and the image lies there.
 *
 * Locks: none; the boot hart is alone.
 * Linux's counterpart: memblock_find_in_range_node(), memblock_alloc_range_nid().
 */
#include "arch/layout.h"
#include "base/string.h"
#include "phys/memblock.h"

/* Does the block at @at lie in the free range and between the bounds? */
static bool fits(const struct memblock_region *r, uint64_t at, uint64_t size, uint64_t min,
                 uint64_t max)
{
    uint64_t start = MAX(r->base.v, min), end = MIN(r->base.v + r->size, max);
    return at >= start && at < end && end - at >= size;
}

/*
 * The highest place in [min, max), below memblock.limit and free, or the lowest if bottom_up; 0 if
 * there is none. Page 0 is never given away: address 0 means "none".
 */
static uint64_t find(uint64_t size, uint64_t align, uint64_t min, uint64_t max, int nid)
{
    struct memblock_region r;
    uint64_t found = 0;

    max = MIN(max, memblock.limit);
    if (min == 0)
        min = 1;
    for_each_free_range(nid, &r) {
        uint64_t at;
        if (memblock.bottom_up) {
            at = MAX(r.base.v, min) + (align - 1);
            at = at < align - 1 ? 0 : at / align * align;
        } else {
            uint64_t end = MIN(r.base.v + r.size, max);
            at = end < size ? 0 : (end - size) / align * align;
        }
        if (!at || !fits(&r, at, size, min, max))
            continue;
        if (!found || (at > found) != memblock.bottom_up)
            found = at;
    }
    return found;
}

paddr_t memblock_alloc_phys_exact(uint64_t size, uint64_t align, paddr_t min, paddr_t max, int nid)
{
    if (size == 0 || size > PAGE_MASK || (align & (align - 1)))
        return mk_paddr(0);
    size = ALIGN_UP(size, PAGE_SIZE);
    uint64_t at = find(size, MAX(align, PAGE_SIZE), min.v, max.v, nid);
    if (at == 0 || memblock_reserve(mk_paddr(at), size))
        return mk_paddr(0);
    return mk_paddr(at);
}

paddr_t memblock_alloc_phys(uint64_t size, uint64_t align, paddr_t min, paddr_t max, int nid)
{
    paddr_t at = memblock_alloc_phys_exact(size, align, min, max, nid);

    if (at.v == 0 && nid != MEMBLOCK_ANY_NODE)
        at = memblock_alloc_phys_exact(size, align, min, max, MEMBLOCK_ANY_NODE);
    return at;
}

void *memblock_alloc(uint64_t size, uint64_t align, int nid)
{
    paddr_t at = memblock_alloc_phys(size, align, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);

    if (at.v == 0)
        return NULL;
    return memset(phys_to_virt(at), 0, ALIGN_UP(size, PAGE_SIZE));
}
