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

/* lab memblock: begin 6 */
/* Where in the free range [start, end) the block comes to lie; 0 if it does not fit. */
static uint64_t place(uint64_t start, uint64_t end, uint64_t size, uint64_t align)
{
    uint64_t lowest = ALIGN_UP(start, align);

    if (lowest < start || lowest >= end || end - lowest < size)
        return 0;
    return memblock.bottom_up ? lowest : ALIGN_DOWN(end - size, align);
}
/* lab memblock: end */

/*
 * The highest place in [min, max), below memblock.limit and free, or the lowest if bottom_up; 0 if
 * there is none. Page 0 is never given away: address 0 means "none".
 */
static uint64_t find(uint64_t size, uint64_t align, uint64_t min, uint64_t max, int nid)
{
    /* lab memblock: begin 6 */
    struct memblock_region r;
    uint64_t best = 0;

    min = MAX(min, PAGE_SIZE);
    max = MIN(max, memblock.limit);
    for_each_free_range(nid, &r) {
        uint64_t start = MAX(r.base.v, min);
        uint64_t end = MIN(r.base.v + r.size, max);
        uint64_t at = start < end ? place(start, end, size, align) : 0;
        if (at == 0)
            continue;
        best = at;
        if (memblock.bottom_up)
            break;
    }
    return best;
    /* lab memblock: stub lab_missing("memblock", 6, size, align, min, max, nid); */
    /* lab memblock: end */
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
