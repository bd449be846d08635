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

/* The largest order of a block that the allocation may take, or -1. */
static int largest_block(const struct zone *zone, bool reserve)
{
    for (int order = MAX_ORDER; order >= 0; order--) {
        for (unsigned mt = 0; mt <= MIGRATE_HIGHATOMIC; mt++) {
            if (mt == MIGRATE_HIGHATOMIC && !reserve)
                break;
            if (!list_empty(&zone->free_area[order].free_list[mt]))
                return order;
        }
    }
    return -1;
}

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
    bool reserve = (alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) != 0;

    if (!(alloc_flags & ALLOC_NO_WATERMARKS)) {
        uint64_t keep = mark;
        if (alloc_flags & ALLOC_MIN_RESERVE) {
            keep = (keep + 1) / 2;
            if (alloc_flags & ALLOC_NON_BLOCK)
                keep = keep - keep / 4;
        }
        if (alloc_flags & ALLOC_OOM)
            keep = (keep + 1) / 2;
        keep += zone->lowmem_reserve[highest];
        if (!reserve)
            keep += zone->nr_reserved_highatomic;
        if (load_relaxed(&zone->nr_free_pages) < keep + (1UL << order))
            return false;
        if (order == 0)
            return true;
    }
    return largest_block(zone, reserve || (alloc_flags & ALLOC_NO_WATERMARKS)) >= (int)order;
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
    uint64_t size = zone->managed_pages, marks[NR_WMARK];

    if (zone->index != ZONE_MOVABLE)
        marks[WMARK_MIN] = lowmem == 0 ? 0 : size * pages_min / lowmem;
    else if (size / 1024 < 32)
        marks[WMARK_MIN] = 32;
    else
        marks[WMARK_MIN] = size / 1024 > 128 ? 128 : size / 1024;
    if (marks[WMARK_MIN] > size / 4)
        marks[WMARK_MIN] = size / 4;
    uint64_t gap = size * watermark_scale_factor / 10000;
    if (gap < marks[WMARK_MIN] / 4)
        gap = marks[WMARK_MIN] / 4;
    for (unsigned i = WMARK_LOW; i < NR_WMARK; i++)
        marks[i] = marks[i - 1] + gap;
    spin_lock(&zone->lock);
    for (unsigned i = 0; i < NR_WMARK; i++)
        store_relaxed(&zone->watermark[i], marks[i]);
    store_relaxed(&zone->watermark_boost, 0);
    spin_unlock(&zone->lock);
}

/*
 * What a zone of a node keeps from an allocation that may go up to zone @high: the managed pages of
 * the zones above it, up to @high, divided by the zone's lowmem_reserve_ratio. A ratio of 0: none.
 */
static void node_set_reserves(pg_data_t *pgdat)
{
    for (unsigned high = MAX_NR_ZONES; high-- > 0;) {
        uint64_t above = 0;
        for (unsigned low = high + 1; low-- > 0;) {
            struct zone *zone = &pgdat->node_zones[low];
            uint64_t reserve = 0;
            if (low < high && lowmem_reserve_ratio[low])
                reserve = above / lowmem_reserve_ratio[low];
            store_relaxed(&zone->lowmem_reserve[high], reserve);
            above += zone->managed_pages;
        }
    }
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
