/* SPDX-License-Identifier: MIT */
/*
 * watermark.c - how much of a zone is kept free, and for whom.
 *
 *      free pages  ------------------------------------------------ plenty
 *        high      - - - - - - - - - - - - -  background helpers stop
 *        low       - - - - - - - - - - - - -  background helpers wake; allocations still succeed
 *        min       - - - - - - - - - - - - -  allocations climb the ladder
 *        min/2, 3/8  - - - - - - - - - - - -  only __GFP_HIGH; and if it cannot wait (GFP_ATOMIC)
 *        0         - - - - - - - - - - - - -  only who frees memory by it (MEMALLOC)
 *
 * lowmem_reserve keeps a part of a lower zone from allocations that could also use a higher one.
 *
 * Locks: written under each zone's lock, read without.
 * Linux's counterpart: __zone_watermark_ok(), setup_per_zone_wmarks().
 */
#include "phys/alloc.h"
#include "phys/bootargs.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"

uint64_t min_free_kbytes;
uint64_t watermark_scale_factor = 10;
uint64_t lowmem_reserve_ratio[MAX_NR_ZONES] = {256, 32, 0};

/* lab zones: begin 4 */
/* What this allocation must not count as free. */
static uint64_t unusable_pages(const struct zone *zone, unsigned order, unsigned alloc_flags)
{
    uint64_t pages = (1UL << order) - 1;
    if (!(alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)))
        pages += load_relaxed(&zone->nr_reserved_highatomic);
    return pages;
}

/* Is there a block big enough on any list that the allocation may use? */
static bool has_block(const struct zone *zone, unsigned order, unsigned alloc_flags)
{
    for (unsigned o = order; o < NR_ORDERS; o++) {
        const struct free_area *area = &zone->free_area[o];
        if (!load_relaxed(&area->nr_free))
            continue;
        for (unsigned mt = 0; mt < MIGRATE_PCPTYPES; mt++)
            if (!list_empty(&area->free_list[mt]))
                return true;
        if ((alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM | ALLOC_NO_WATERMARKS)) &&
            !list_empty(&area->free_list[MIGRATE_HIGHATOMIC]))
            return true;
    }
    return false;
}
/* lab zones: end */

/*
 * What the allocation must not count as free is taken off the free pages: the pages of the block
 * but one, and the highatomic reserve unless it may use that (ALLOC_HIGHATOMIC, ALLOC_OOM). What is
 * left must be more than the mark and the zone's reserve from allocations up to @highest. Flags
 * lower the mark, each by a part of what those before it left: MIN_RESERVE by a half, NON_BLOCK by
 * a quarter but only together with MIN_RESERVE, OOM by a half; the part is rounded down. From order
 * 1 on a block of this order or a larger one must be listed, of one of the first three types, or of
 * the highatomic reserve for who may use it. With NO_WATERMARKS nothing is counted: a block must be
 * listed, of order 0 too, and the reserve will do.
 */
bool zone_watermark_ok(const struct zone *zone, unsigned order, uint64_t mark,
                       enum zone_type highest, unsigned alloc_flags)
{
    /* lab zones: begin 4 */
    uint64_t free = load_relaxed(&zone->nr_free_pages), min = mark;
    if (alloc_flags & ALLOC_NO_WATERMARKS)
        return has_block(zone, order, alloc_flags);
    uint64_t unusable = unusable_pages(zone, order, alloc_flags);
    if (free <= unusable)
        return false;
    if (alloc_flags & ALLOC_MIN_RESERVE)
        min -= min / 2;
    if ((alloc_flags & ALLOC_MIN_RESERVE) && (alloc_flags & ALLOC_NON_BLOCK))
        min -= min / 4; /* GFP_ATOMIC; for GFP_NOWAIT failure is no disaster */
    if (alloc_flags & ALLOC_OOM)
        min -= min / 2;
    if (free - unusable <= min + load_relaxed(&zone->lowmem_reserve[highest]))
        return false;
    return order == 0 || has_block(zone, order, alloc_flags);
    /* lab zones: stub lab_missing("zones", 4, zone, order, mark, highest, alloc_flags); */
    /* lab zones: end */
}

/* --- the sizes -------------------------------------------------------------------------------- */

static uint64_t integer_sqrt(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = 1UL << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    return root;
}

/* Pages that unmovable allocations can use. */
static uint64_t lowmem_pages(void)
{
    struct zone *zone;
    uint64_t pages = 0;
    for_each_populated_zone(zone) pages += zone->index == ZONE_MOVABLE ? 0 : zone->managed_pages;
    return pages;
}

void init_min_free_kbytes(void)
{
    uint64_t kbytes = integer_sqrt(lowmem_pages() * (PAGE_SIZE >> 10) * 16);
    kbytes = bootarg_u64("min_free_kbytes", kbytes);
    min_free_kbytes = MIN(MAX(kbytes, 128UL), 262144UL);
}

/*
 * min: the zone's share of @pages_min by its part of @lowmem, rounded down; of ZONE_MOVABLE, which
 * is no lowmem, a 1024th of itself, 32 to 128 pages. Never above a quarter of the zone. From min to
 * low and from low to high it is a quarter of min, or watermark_scale_factor parts in 10,000 of the
 * zone, whatever is more. A boost ends.
 */
static void zone_set_wmarks(struct zone *zone, uint64_t pages_min, uint64_t lowmem)
{
    /* lab zones: begin 3 */
    uint64_t min = lowmem ? pages_min * zone->managed_pages / lowmem : 0;
    if (zone->index == ZONE_MOVABLE)
        min = MIN(MAX(zone->managed_pages / 1024, 32UL), 128UL);
    min = MIN(min, zone->managed_pages / 4);
    uint64_t gap = MAX(min / 4, zone->managed_pages * watermark_scale_factor / 10000);
    spin_lock(&zone->lock);
    store_relaxed(&zone->watermark[WMARK_MIN], min);
    store_relaxed(&zone->watermark[WMARK_LOW], min + gap);
    store_relaxed(&zone->watermark[WMARK_HIGH], min + 2 * gap);
    store_relaxed(&zone->watermark_boost, 0);
    spin_unlock(&zone->lock);
    /* lab zones: stub lab_missing("zones", 3, zone, pages_min, lowmem); */
    /* lab zones: end */
}

/*
 * What a zone of a node keeps from an allocation that may go up to zone @high: the managed pages of
 * the zones above it, up to @high, divided by the zone's lowmem_reserve_ratio. A ratio of 0: none.
 */
static void node_set_reserves(pg_data_t *pgdat)
{
    /* lab zones: begin 3 */
    for (unsigned low = 0; low < MAX_NR_ZONES; low++) {
        uint64_t above = 0;
        for (unsigned high = low + 1; high < MAX_NR_ZONES; high++) {
            above += pgdat->node_zones[high].managed_pages;
            uint64_t ratio = lowmem_reserve_ratio[low];
            store_relaxed(&pgdat->node_zones[low].lowmem_reserve[high], ratio ? above / ratio : 0);
        }
    }
    /* lab zones: stub lab_missing("zones", 3, pgdat); */
    /* lab zones: end */
}

void setup_per_zone_wmarks(void)
{
    uint64_t pages_min = min_free_kbytes >> (PAGE_SHIFT - 10), lowmem = lowmem_pages();
    struct zone *zone;
    unsigned nid;
    for_each_populated_zone(zone)
    {
        zone_set_wmarks(zone, pages_min, lowmem);
        pageset_size(zone);
    }
    for_each_node(nid)
        node_set_reserves(NODE_DATA(nid));
}
