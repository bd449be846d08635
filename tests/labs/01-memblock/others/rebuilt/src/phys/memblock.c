/* SPDX-License-Identifier: MIT */
/*
 * memblock.c - two sorted arrays of ranges and what follows from them.
 *
 * All changes are one operation: cut the interval out of the array, then perhaps put something in
 * its place, then merge neighbours:
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

/* One region more at the end of a list, or the last one longer. False: it is full. */
static bool append(struct memblock_type *list, struct memblock_region region)
{
    struct memblock_region *last = list->count ? &list->regions[list->count - 1] : NULL;

    if (region.size == 0)
        return true;
    if (last && last->nid == region.nid && region_end(last) == region.base.v)
        last->size += region.size;
    else if (list->count == MEMBLOCK_MAX_REGIONS)
        return false;
    else
        list->regions[list->count++] = region;
    list->total += region.size;
    return true;
}

/*
 * What of [base, end) is in no range yet becomes RAM of node `nid`, or is reserved. -ENOSPC, with
 * nothing changed, if the array has no room for as many ranges as there are gaps to fill.
 */
static int add_range(struct memblock_type *type, uint64_t base, uint64_t end, int nid)
{
    static struct memblock_type fresh; /* the list as it will be */
    bool fits = true;
    uint32_t i = 0;

    fresh.name = type->name;
    fresh.count = 0;
    fresh.total = 0;
    for (; i < type->count && type->regions[i].base.v < base; i++) {
        fits &= append(&fresh, type->regions[i]);
        base = MAX(base, MIN(end, region_end(&type->regions[i])));
    }
    for (; i < type->count && type->regions[i].base.v < end; i++) {
        fits &= append(&fresh, make_region(base, type->regions[i].base.v, nid));
        fits &= append(&fresh, type->regions[i]);
        base = MIN(end, region_end(&type->regions[i]));
    }
    fits &= append(&fresh, make_region(base, end, nid));
    for (; i < type->count; i++)
        fits &= append(&fresh, type->regions[i]);
    if (!fits)
        return -ENOSPC;
    *type = fresh;
    return 0;
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
 * that wraps is -EINVAL. The end of the last page of 64 bits has no number, so that page is in no
 * range. Where nothing is left, *start may be above *end.
 */
static int trim(uint64_t base, uint64_t size, bool inwards, uint64_t *start, uint64_t *end)
{
    const uint64_t page = PAGE_SIZE - 1;
    uint64_t last;

    if (__builtin_add_overflow(base, size, &last))
        return -EINVAL;
    *start = base & ~page;
    *end = last & ~page;
    if (inwards && (base & page) != 0)
        *start = *start == PAGE_MASK ? PAGE_MASK : *start + PAGE_SIZE;
    if (!inwards && (last & page) != 0)
        *end = *end == PAGE_MASK ? PAGE_MASK : *end + PAGE_SIZE;
    return 0;
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
    struct memblock_cursor ram = {c->from};
    struct memblock_region m;

    while (memblock_next_memory(&ram, nid, &m)) {
        uint64_t at = MAX(m.base.v, c->from), end = region_end(&m);
        struct memblock_cursor taken = {at};
        struct memblock_region r;
        while (at < end) {
            uint64_t stop = end;
            bool more = memblock_next_reserved(&taken, &r);
            if (more)
                stop = MIN(end, r.base.v);
            if (at < stop) {
                c->from = stop;
                *out = (struct memblock_region){mk_paddr(at), stop - at, m.nid};
                return true;
            }
            if (!more)
                break;
            at = MAX(at, region_end(&r));
        }
    }
    return false;
}
