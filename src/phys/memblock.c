/* SPDX-License-Identifier: MIT */
/*
 * memblock.c - two sorted arrays of ranges and what follows from them.
 *
 * To add is to fill the gaps of an interval and to merge neighbours; to remove is to cut it out:
 *
 *      before          [=== 0 ===]      [== 0 ==]
 *      add 1                 [------ 1 -----]
 *      fill the gaps   [=== 0 ===][- 1 -][== 0 ==]          add: the first claim holds
 *
 *      before          [=== 0 ===]      [== 0 ==]
 *      remove                [--------------]
 *      after           [= 0 =]              [= 0]           remove: may split one in two
 *
 * The number of entries that a change needs is counted before anything moves, so a change that does
 * not fit returns -ENOSPC and has changed nothing.
 *
 * Locks: none; the boot hart is alone.
 * Linux's counterpart: memblock_add_range(), memblock_remove_range(), memblock_merge_regions().
 */
#include "phys/memblock.h"

#include "base/errno.h"
#include "base/string.h"

struct memblock memblock = {
    .memory = {.name = "memory"},
    .reserved = {.name = "reserved"},
    .limit = UINT64_MAX,
};

static uint64_t region_end(const struct memblock_region *r)
{
    return r->base.v + r->size;
}

static struct memblock_region make_region(uint64_t base, uint64_t end, int nid)
{
    return (struct memblock_region){mk_paddr(base), end - base, nid};
}

void memblock_init(void)
{
    memblock.memory.count = 0;
    memblock.memory.total = 0;
    memblock.reserved.count = 0;
    memblock.reserved.total = 0;
    memblock.bottom_up = false;
    memblock.limit = UINT64_MAX;
    memblock.left_out = 0;
}

/* --- the two arrays -------------------------------------------------------------------------- */

/* The first region that ends above `addr`; count if there is none. */
static uint32_t first_above(const struct memblock_type *type, uint64_t addr)
{
    uint32_t low = 0;
    uint32_t high = type->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (region_end(&type->regions[middle]) > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert_region(struct memblock_type *type, uint32_t at, struct memblock_region region)
{
    struct memblock_region *r = &type->regions[at];

    memmove(r + 1, r, (type->count - at) * sizeof(*r));
    *r = region;
    type->count++;
    type->total += region.size;
}

static void delete_region(struct memblock_type *type, uint32_t at)
{
    struct memblock_region *r = &type->regions[at];

    type->total -= r->size;
    type->count--;
    memmove(r, r + 1, (type->count - at) * sizeof(*r));
}

/* lab memblock: begin 4 */
/* Regions that touch and share their node become one. */
static void merge_regions(struct memblock_type *type)
{
    uint32_t last = 0;

    for (uint32_t i = 1; i < type->count; i++) {
        struct memblock_region *r = &type->regions[last];
        const struct memblock_region *next = &type->regions[i];
        if (region_end(r) == next->base.v && r->nid == next->nid)
            r->size += next->size;
        else
            type->regions[++last] = *next;
    }
    if (type->count)
        type->count = last + 1;
}

/* The gaps that [base, end) has in the array: counted, and filled if `fill`. */
static uint32_t walk_gaps(struct memblock_type *type, uint64_t base, uint64_t end, int nid,
                          bool fill)
{
    uint32_t gaps = 0;
    uint32_t at = first_above(type, base);

    while (base < end) {
        uint64_t next = at < type->count ? type->regions[at].base.v : UINT64_MAX;
        uint64_t stop = MIN(end, next);
        if (stop > base) {
            gaps++;
            if (fill)
                insert_region(type, at++, make_region(base, stop, nid));
        }
        if (next >= end)
            break;
        base = region_end(&type->regions[at++]);
    }
    return gaps;
}
/* lab memblock: end */

/*
 * What of [base, end) is in no range yet becomes RAM of node `nid`, or is reserved. -ENOSPC, with
 * nothing changed, if the array has no room for as many ranges as there are gaps to fill.
 */
static int add_range(struct memblock_type *type, uint64_t base, uint64_t end, int nid)
{
    /* lab memblock: begin 4 */
    if (walk_gaps(type, base, end, nid, false) > MEMBLOCK_MAX_REGIONS - type->count)
        return -ENOSPC;
    walk_gaps(type, base, end, nid, true);
    merge_regions(type);
    return 0;
    /* lab memblock: stub lab_missing("memblock", 4, type, base, end, nid); */
    /* lab memblock: end */
}

static int remove_range(struct memblock_type *type, uint64_t base, uint64_t end)
{
    uint32_t at = first_above(type, base);

    while (at < type->count && type->regions[at].base.v < end) {
        struct memblock_region old = type->regions[at];
        bool below = old.base.v < base;
        bool above = region_end(&old) > end;
        /* Only a region that is split needs room, and it is then the only one that is touched. */
        if (below && above && type->count == MEMBLOCK_MAX_REGIONS)
            return -ENOSPC;
        delete_region(type, at);
        if (below)
            insert_region(type, at++, make_region(old.base.v, base, old.nid));
        if (above)
            insert_region(type, at++, make_region(end, region_end(&old), old.nid));
    }
    return 0;
}

/* --- changing -------------------------------------------------------------------------------- */

/*
 * Whole pages only: memory loses what is not a page, a reservation takes all it touches. A range
 * whose end does not fit 64 bits is -EINVAL. The end of the last page of 64 bits has no number, so
 * that page is in no range. Where nothing is left, *start may be above *end.
 */
static int trim(uint64_t base, uint64_t size, bool inwards, uint64_t *start, uint64_t *end)
{
    /* lab memblock: begin 4 */
    uint64_t last = base + size;

    if (last < base)
        return -EINVAL;
    if (inwards) {
        /* The very last page of 64 bits cannot be rounded up to: nothing is left of it. */
        *start = base > PAGE_MASK ? PAGE_MASK : ALIGN_UP(base, PAGE_SIZE);
        *end = ALIGN_DOWN(last, PAGE_SIZE);
    } else {
        *start = ALIGN_DOWN(base, PAGE_SIZE);
        *end = last > PAGE_MASK ? PAGE_MASK : ALIGN_UP(last, PAGE_SIZE);
    }
    return 0;
    /* lab memblock: stub lab_missing("memblock", 4, base, size, inwards, start, end); */
    /* lab memblock: end */
}

/* An empty range, before or after trimming, is no error and no change. */
static int change(struct memblock_type *type, paddr_t base, uint64_t size, bool inwards, bool add,
                  int nid)
{
    uint64_t start, end;
    int error = trim(base.v, size, inwards, &start, &end);

    if (error || size == 0 || start >= end)
        return error;
    return add ? add_range(type, start, end, nid) : remove_range(type, start, end);
}

int memblock_add(paddr_t base, uint64_t size, int nid)
{
    return change(&memblock.memory, base, size, true, true, nid);
}

int memblock_remove(paddr_t base, uint64_t size)
{
    return change(&memblock.memory, base, size, false, false, 0);
}

int memblock_reserve(paddr_t base, uint64_t size)
{
    return change(&memblock.reserved, base, size, false, true, MEMBLOCK_ANY_NODE);
}

int memblock_free(paddr_t base, uint64_t size)
{
    return change(&memblock.reserved, base, size, true, false, 0);
}

/* --- asking ---------------------------------------------------------------------------------- */

paddr_t memblock_start(void)
{
    return memblock.memory.count ? memblock.memory.regions[0].base : mk_paddr(0);
}

paddr_t memblock_end(void)
{
    const struct memblock_type *type = &memblock.memory;

    return mk_paddr(type->count ? region_end(&type->regions[type->count - 1]) : 0);
}

static const struct memblock_region *region_of(const struct memblock_type *type, uint64_t addr)
{
    uint32_t at = first_above(type, addr);

    return at < type->count && type->regions[at].base.v <= addr ? &type->regions[at] : NULL;
}

bool memblock_is_memory(paddr_t addr)
{
    return region_of(&memblock.memory, addr.v) != NULL;
}
bool memblock_is_reserved(paddr_t addr)
{
    return region_of(&memblock.reserved, addr.v) != NULL;
}

int memblock_nid(paddr_t addr)
{
    const struct memblock_region *r = region_of(&memblock.memory, addr.v);

    return r ? r->nid : -1;
}

uint64_t memblock_node_size(int nid)
{
    struct memblock_region r;
    uint64_t size = 0;

    for_each_memory_range(nid, &r)
        size += r.size;
    return size;
}

/* --- iterating ------------------------------------------------------------------------------- */

bool memblock_next_memory(struct memblock_cursor *c, int nid, struct memblock_region *out)
{
    const struct memblock_type *type = &memblock.memory;

    for (uint32_t at = first_above(type, c->from); at < type->count; at++) {
        const struct memblock_region *r = &type->regions[at];
        if (nid != MEMBLOCK_ANY_NODE && r->nid != nid)
            continue;
        *out = *r;
        c->from = region_end(r);
        return true;
    }
    return false;
}

bool memblock_next_reserved(struct memblock_cursor *c, struct memblock_region *out)
{
    const struct memblock_type *type = &memblock.reserved;
    uint32_t at = first_above(type, c->from);

    if (at == type->count)
        return false;
    *out = type->regions[at];
    c->from = region_end(out);
    return true;
}

bool memblock_next_free(struct memblock_cursor *c, int nid, struct memblock_region *out)
{
    /* lab memblock: begin 5 */
    const struct memblock_type *memory = &memblock.memory;
    const struct memblock_type *reserved = &memblock.reserved;

    for (uint32_t at = first_above(memory, c->from); at < memory->count; at++) {
        const struct memblock_region *m = &memory->regions[at];
        if (nid != MEMBLOCK_ANY_NODE && m->nid != nid)
            continue;
        uint64_t start = MAX(c->from, m->base.v);
        uint32_t taken = first_above(reserved, start);
        /* Reservations do not touch, but after one that covers `start` another may begin soon. */
        if (taken < reserved->count && reserved->regions[taken].base.v <= start)
            start = region_end(&reserved->regions[taken++]);
        if (start >= region_end(m))
            continue;
        uint64_t stop = region_end(m);
        if (taken < reserved->count)
            stop = MIN(stop, reserved->regions[taken].base.v);
        *out = make_region(start, stop, m->nid);
        c->from = stop;
        return true;
    }
    return false;
    /* lab memblock: stub lab_missing("memblock", 5, c, nid, out); */
    /* lab memblock: end */
}
