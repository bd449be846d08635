/* SPDX-License-Identifier: MIT */
/*
 * migrate_scanner.c - another solution: one frame at a time, a cluster gathered from several
 * pageblocks, and what became of a pageblock decided when the scanner leaves it.
 */
#include "kern/thread.h"
#include "pressure/scanner.h"
#include "virt/lru.h"

/* Take the page if it can be had. Returns how many frames further the next one to look at is. */
static uint64_t visit(struct compact_control *cc, struct page *page)
{
    if (!page)
        return 1;
    switch (page_type(page)) {
    case PAGE_BUDDY: {
        unsigned order = load_relaxed(&page->order);
        return order > MAX_ORDER ? 1 : 1UL << order;
    }
    case PAGE_ANON:
    case PAGE_FILE:
        if (lru_isolate(page) == 0) {
            list_add_tail(&page->lru, &cc->migrate_list);
            cc->nr_migrate++;
        }
        return 1;
    default:
        return 1;
    }
}

uint64_t isolate_migratepages_block(struct compact_control *cc, uint64_t pfn, uint64_t end)
{
    uint64_t looks;
    for (looks = 0; pfn < end; looks++) {
        if (cc->nr_migrate >= COMPACT_CLUSTER_MAX)
            break;
        pfn += visit(cc, page_in_zone(cc->zone, pfn));
        if (pfn > end)
            pfn = end;
    }
    count_scanned(cc, COMPACTMIGRATE_SCANNED, looks);
    return pfn;
}

static bool good_source(const struct compact_control *cc, struct page *page)
{
    enum migratetype mt = pageblock_type(page);
    if (pageblock_is_free(page) || mt == MIGRATE_ISOLATE)
        return false;
    if (cc->mode == MIGRATE_ASYNC && mt != MIGRATE_MOVABLE)
        return false;
    return cc->whole_zone || !pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE);
}

bool isolate_migratepages(struct compact_control *cc)
{
    struct zone *zone = cc->zone;
    uint64_t limit = pageblock_first(zone, cc->free_pfn);
    uint64_t *cached = &zone->compact_cached_migrate_pfn[cc->mode];
    while (cc->nr_migrate < COMPACT_CLUSTER_MAX && cc->migrate_pfn < limit) {
        uint64_t pfn = cc->migrate_pfn, end = pageblock_end(zone, pfn);
        struct page *page = page_in_zone(zone, pfn);
        unsigned had = cc->nr_migrate;
        bool whole = pfn == pageblock_first(zone, pfn);
        if (!page || good_source(cc, page)) {
            cc->migrate_pfn = isolate_migratepages_block(cc, pfn, end);
            whole &= cc->migrate_pfn == end && cc->nr_migrate == had;
            if (whole && page)
                pageblock_set_skip(page, PAGEBLOCK_SKIP_MIGRATE);
        } else {
            cc->migrate_pfn = end;
        }
        if (cc->migrate_pfn == end)
            *cached = MAX(*cached, end);
        cond_resched();
    }
    count_vm_events(COMPACTISOLATED, cc->nr_migrate);
    return cc->nr_migrate != 0;
}
