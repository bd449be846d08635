/* SPDX-License-Identifier: MIT */
/*
 * init.c - from memblock's ranges to an allocator that stands.
 *
 *      phys_init:  nodes -> pageblocks -> zones -> mem_map -> zonelists
 *      mem_init:   every free range of memblock, in the largest aligned blocks -> freelists
 *
 *      free range    |--------------------------------------------|
 *      blocks        |1|2 |4   |8       |1024 ...        |16 ....|2 |
 *
 * Locks: boot hart alone; free_reserved_range() later, under the zone's lock.
 * Linux's counterpart: mm_core_init(), memblock_free_all().
 */
#include "kern/log.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "phys/buddy.h"
#include "phys/memblock.h"
#include "phys/page_debug.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"

/* The largest block that begins at @pfn, is aligned, and ends by @end. */
static unsigned order_at(uint64_t pfn, uint64_t end)
{
    unsigned order = MIN((unsigned)__builtin_ctzll(pfn | 1UL << MAX_ORDER), (unsigned)MAX_ORDER);
    while (pfn + (1UL << order) > end)
        order--;
    return order;
}

/* Give frames [pfn, end) of one zone to the freelists. */
static void free_range(struct zone *zone, uint64_t pfn, uint64_t end)
{
    spin_lock(&zone->lock);
    zone->managed_pages += end - pfn;
    while (pfn < end) {
        struct page *page = pfn_to_page(mk_pfn(pfn));
        unsigned order = order_at(pfn, end);
        page_set_type(page, PAGE_TAIL);
        buddy_free_locked(zone, page, order, pageblock_type(page));
        pfn += 1UL << order;
    }
    spin_unlock(&zone->lock);
}

/* The same for frames that may cross zones of a node. */
static void free_frames(int nid, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
        struct zone *zone = &NODE_DATA(nid)->node_zones[i];
        uint64_t from = MAX(start, zone->zone_start_pfn), to = MIN(end, zone_end_pfn(zone));
        if (from < to)
            free_range(zone, from, to);
    }
}

/* The frames that memblock keeps: each is PAGE_RESERVED, for ever or until it is freed late. */
static void mark_reserved(void)
{
    struct memblock_region r;
    for_each_reserved_range(&r) {
        uint64_t end = (r.base.v + r.size) >> PAGE_SHIFT;
        for (uint64_t pfn = paddr_to_pfn(r.base).v; pfn < end; pfn++)
            if (pfn_valid(mk_pfn(pfn)))
                page_set_type(pfn_to_page(mk_pfn(pfn)), PAGE_RESERVED);
    }
}

void phys_init(const struct machine *m)
{
    page_wait_init();
    page_debug_init();
    nodes_init(m);
    pageblocks_init();
    zones_init();
    mem_map_init();
    zonelists_init();
    pagesets_init();
}

static void report(void)
{
    struct zone *zone;
    for_each_populated_zone(zone)
        pr_info("Node %u, zone %7s: start_pfn 0x%llx, %llu pages spanned, %llu managed\n",
                zone->nid, zone->name, (unsigned long long)zone->zone_start_pfn,
                (unsigned long long)zone->spanned_pages, (unsigned long long)zone->managed_pages);
    uint64_t total = memblock_node_size(MEMBLOCK_ANY_NODE) >> 10;
    uint64_t free = nr_free_pages() << (PAGE_SHIFT - 10);
    pr_info("Memory: %lluK/%lluK available (%lluK reserved)\n", (unsigned long long)free,
            (unsigned long long)total, (unsigned long long)(total - free));
}

void mem_init(void)
{
    unsigned nid;
    mark_reserved();
    for_each_node(nid) {
        struct memblock_region r;
        for_each_free_range((int)nid, &r) {
            free_frames((int)nid, paddr_to_pfn(r.base).v, (r.base.v + r.size) >> PAGE_SHIFT);
        }
    }
    init_min_free_kbytes();
    setup_per_zone_wmarks();
    report();
}

uint64_t free_reserved_range(paddr_t start, paddr_t end)
{
    uint64_t freed = 0;
    for (uint64_t pfn = paddr_to_pfn(start).v; pfn < paddr_to_pfn(end).v; pfn++) {
        struct page *page = pfn_to_page(mk_pfn(pfn));
        if (!pfn_valid(mk_pfn(pfn)) || page_type(page) != PAGE_RESERVED)
            continue;
        free_range(page_zone(page), pfn, pfn + 1);
        freed++;
    }
    return freed;
}
