/* SPDX-License-Identifier: MIT */
/*
 * zone.c - cutting each node's memory into zones.
 *
 *      all memory  |------ below the DMA32 boundary ------|------------- above -----------|
 *      node 0      [ DMA32 ...................... | MOVABLE ]
 *      node 1                       [ DMA32 ...... ][ NORMAL ............... | MOVABLE ... ]
 *
 * The DMA32 boundary is 4 GiB, or `dma32=SIZE` of RAM, so that a small machine shows several zones.
 * `movablecore=SIZE` (or `kernelcore=SIZE`, its complement) gives the upper end of each node, in
 * proportion to the node, to ZONE_MOVABLE, where only what can be moved is put.
 *
 * Locks: boot only. Linux's counterpart: free_area_init(), find_zone_movable_pfns_for_nodes().
 */
#include "phys/zone.h"

#include "base/string.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "phys/bootargs.h"
#include "phys/memblock.h"
#include "phys/node.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"

static const char *const zone_names[MAX_NR_ZONES] = {"DMA32", "Normal", "Movable"};
static const char *const type_names[MIGRATE_TYPES] = {"Unmovable", "Movable", "Reclaimable",
                                                      "HighAtomic", "Isolate"};

const char *zone_type_name(enum zone_type type)
{
    return type < MAX_NR_ZONES ? zone_names[type] : "?";
}

const char *migratetype_name(enum migratetype mt)
{
    return mt < MIGRATE_TYPES ? type_names[mt] : "?";
}

struct zone *zones[MAX_NODES * MAX_NR_ZONES];
unsigned nr_zones;

/* --- RAM and holes ---------------------------------------------------------------------------- */

uint64_t present_pages_in_range(int nid, uint64_t start, uint64_t end)
{
    struct memblock_region r;
    uint64_t pages = 0;

    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        uint64_t first = r.base.v / PAGE_SIZE, last = first + r.size / PAGE_SIZE;
        if (r.nid != nid || last <= start || first >= end)
            continue;
        pages += last - first;
        pages -= first < start ? start - first : 0;
        pages -= last > end ? last - end : 0;
    }
    return pages;
}

void get_pfn_range_for_nid(int nid, uint64_t *start, uint64_t *end)
{
    struct memblock_region r;
    bool any = false;

    *start = *end = 0;
    for_each_memory_range(nid, &r) { /* they ascend */
        if (!any)
            *start = r.base.v / PAGE_SIZE;
        *end = (r.base.v + r.size) / PAGE_SIZE;
        any = true;
    }
}

/* --- boundaries ------------------------------------------------------------------------------- */

/* First frame that is not DMA32. */
static uint64_t dma32_end_pfn(void)
{
    uint64_t size = bootarg_size("dma32", 0);
    uint64_t end = GIB(4) >> PAGE_SHIFT;
    if (size)
        end = MIN(end, MEMORY_BASE_PFN + ALIGN_UP(size >> PAGE_SHIFT, PAGEBLOCK_PAGES));
    return end;
}

/* How many pages of all the machine are to be movable only. */
static uint64_t movable_pages(uint64_t total)
{
    uint64_t movable = bootarg_size("movablecore", 0) >> PAGE_SHIFT;
    uint64_t kernel = bootarg_size("kernelcore", 0) >> PAGE_SHIFT;
    if (kernel && kernel < total)
        movable = MAX(movable, total - kernel);
    return MIN(movable, total * 3 / 4); /* the monitor itself needs some */
}

/*
 * First frame of ZONE_MOVABLE of a node that spans [start, end): the highest begin of a pageblock
 * with the node's share of the movable pages above it. The share is as the node's part of all RAM.
 * No share: end. Never below start.
 */
static uint64_t movable_start_pfn(int nid, uint64_t start, uint64_t end)
{
    uint64_t all = memblock_node_size(MEMBLOCK_ANY_NODE) / PAGE_SIZE;
    uint64_t mine = present_pages_in_range(nid, start, end);
    uint64_t share = all ? movable_pages(all) * mine / all : 0;
    uint64_t low = start / PAGEBLOCK_PAGES, high = end / PAGEBLOCK_PAGES;

    if (share == 0)
        return end;
    while (low < high) { /* the highest pageblock with the share above its begin */
        uint64_t middle = (low + high + 1) / 2;
        if (present_pages_in_range(nid, middle * PAGEBLOCK_PAGES, end) >= share)
            low = middle;
        else
            high = middle - 1;
    }
    return MAX(low * PAGEBLOCK_PAGES, start);
}

/*
 * Cut [start, end), which a node spans: zone type i lies in [cut[i], cut[i + 1]). What lies above
 * the begin of MOVABLE is MOVABLE even below the DMA32 boundary.
 */
static void cut_node(int nid, uint64_t start, uint64_t end, uint64_t cut[MAX_NR_ZONES + 1])
{
    uint64_t boundary = dma32_end_pfn(), movable = movable_start_pfn(nid, start, end);

    for (unsigned i = 0; i <= MAX_NR_ZONES; i++)
        cut[i] = end;
    cut[ZONE_DMA32] = start;
    cut[ZONE_MOVABLE] = movable;
    if (boundary <= start)
        cut[ZONE_NORMAL] = start;
    else
        cut[ZONE_NORMAL] = boundary < movable ? boundary : movable;
}

/* --- making a zone ---------------------------------------------------------------------------- */

static void zone_lists_init(struct zone *zone)
{
    for (unsigned order = 0; order < NR_ORDERS; order++)
        for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++)
            INIT_LIST_HEAD(&zone->free_area[order].free_list[mt]);
}

/* What a zone at [start, end) spans and holds; a zone without RAM stays as it is, all zero. */
static void zone_measure(struct zone *zone, uint64_t start, uint64_t end)
{
    if (end <= start)
        return;
    uint64_t pages = present_pages_in_range(zone->nid, start, end);
    if (pages == 0)
        return;
    zone->contiguous = end - start == pages;
    zone->present_pages = pages;
    zone->spanned_pages = end - start;
    zone->zone_start_pfn = start;
}

static void zone_init(pg_data_t *pgdat, enum zone_type type, uint64_t start, uint64_t end)
{
    struct zone *zone = &pgdat->node_zones[type];
    zone->name = zone_names[type];
    zone->nid = (uint8_t)pgdat->node_id;
    zone->index = (uint8_t)type;
    zone->zone_pgdat = pgdat;
    spin_init(&zone->lock, "zone", RANK_ZONE);
    zone_lists_init(zone);
    zone_measure(zone, start, end);
    if (!zone_is_populated(zone))
        return;
    zone->compact_init_migrate_pfn = zone->compact_cached_migrate_pfn[0] =
        zone->compact_cached_migrate_pfn[1] = start;
    zone->compact_init_free_pfn = zone->compact_cached_free_pfn =
        ALIGN_DOWN(end - 1, PAGEBLOCK_PAGES);
    zone->compact_order_failed = NR_ORDERS;
    zone->stat_diff = memblock_alloc(sizeof(*zone->stat_diff) * nr_harts, 64, zone->nid);
    if (!zone->stat_diff)
        panic("no memory for the counters of node %u zone %s", zone->nid, zone->name);
    zone->id = (uint8_t)nr_zones;
    zones[nr_zones++] = zone;
    pgdat->nr_zones++;
}

static void node_zones_init(pg_data_t *pgdat)
{
    uint64_t start, end, cut[MAX_NR_ZONES + 1];
    int nid = pgdat->node_id;
    get_pfn_range_for_nid(nid, &start, &end);
    pgdat->node_start_pfn = start;
    pgdat->node_spanned_pages = end - start;
    pgdat->node_present_pages = present_pages_in_range(nid, start, end);
    if (end)
        pgdat->node_mem_map = pfn_to_page(mk_pfn(start));
    cut_node(nid, start, end, cut);
    for (unsigned i = 0; i < MAX_NR_ZONES; i++)
        zone_init(pgdat, (enum zone_type)i, cut[i], cut[i + 1]);
    if (!pgdat->node_present_pages)
        return;
    mask_set(&node_states[N_MEMORY], nid);
    if (zone_is_populated(&pgdat->node_zones[ZONE_DMA32]) ||
        zone_is_populated(&pgdat->node_zones[ZONE_NORMAL]))
        mask_set(&node_states[N_NORMAL_MEMORY], nid);
}

void zones_init(void)
{
    unsigned nid;
    for_each_node(nid)
        node_zones_init(NODE_DATA(nid));
    if (mask_empty(&node_states[N_MEMORY]))
        panic("no node has memory; give the machine some (-m)");
}
