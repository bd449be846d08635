/* SPDX-License-Identifier: MIT */
/*
 * migrate_scanner.c - the scanner that goes up and takes pages which can move.
 *
 *      zone   |a.a.|.aa.|a..a|.a.a|....|a...|.a..|....|..a.|....|
 *              ---- migrate scanner --->              <- free scanner
 *                       ^ cc->migrate_pfn               ^ cc->free_pfn
 *
 * It goes by pageblock. The pages that it takes off the LRU lists are moved to those that the free
 * scanner takes off the freelists, so used pages gather at the upper end and free ones at the
 * lower. It ends where the free scanner's pageblock begins.
 *
 * A pageblock that was looked through from its first frame to its last and gave nothing gets a skip
 * bit; the next run passes it by, until the bits are cleared.
 *
 * Locks: none; page states are read without, and lru_isolate() decides. Linux's counterpart:
 * isolate_migratepages(), isolate_migratepages_block(), mm/compaction.c.
 */
#include "kern/thread.h"
#include "pressure/scanner.h"
#include "virt/lru.h"

uint64_t isolate_migratepages_block(struct compact_control *cc, uint64_t pfn, uint64_t end)
{
    /* lab compaction: begin 1 */
    uint64_t scanned = 0;
    while (pfn < end && cc->nr_migrate < COMPACT_CLUSTER_MAX) {
        struct page *page = page_in_zone(cc->zone, pfn);
        uint8_t type = page ? load_relaxed(&page->type) : PAGE_RESERVED;
        scanned++;
        if (type == PAGE_BUDDY) { /* read without lock: the order may be stale, mind its bounds */
            unsigned order = load_relaxed(&page->order);
            pfn += order <= MAX_ORDER ? 1UL << order : 1;
            continue;
        }
        pfn++;
        if ((type != PAGE_ANON && type != PAGE_FILE) || lru_isolate(page))
            continue;
        list_add_tail(&page->lru, &cc->migrate_list);
        cc->nr_migrate++;
    }
    count_scanned(cc, COMPACTMIGRATE_SCANNED, scanned);
    return MIN(pfn, end);
    /* lab compaction: stub lab_missing("compaction", 1, cc, pfn, end); */
    /* lab compaction: end */
}

/* Is there a point in taking pages from the pageblock of which this is the first page? */
static bool good_source(const struct compact_control *cc, struct page *page)
{
    enum migratetype mt = pageblock_type(page);
    if (mt == MIGRATE_ISOLATE || (!cc->whole_zone && pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE)))
        return false;
    return !pageblock_is_free(page) && (cc->mode != MIGRATE_ASYNC || mt == MIGRATE_MOVABLE);
}

/* lab compaction: begin 2 */
/* Frames [from, to) were looked through, and gave @got pages. */
static void note_progress(const struct compact_control *cc, uint64_t from, uint64_t to,
                          unsigned got)
{
    struct zone *zone = cc->zone;
    struct page *page = page_in_zone(zone, from);
    if (to != pageblock_end(zone, from))
        return;
    if (from == pageblock_first(zone, from) && !got && page)
        pageblock_set_skip(page, PAGEBLOCK_SKIP_MIGRATE);
    if (to > zone->compact_cached_migrate_pfn[cc->mode])
        zone->compact_cached_migrate_pfn[cc->mode] = to;
}
/* lab compaction: end */

bool isolate_migratepages(struct compact_control *cc)
{
    /* lab compaction: begin 2 */
    struct zone *zone = cc->zone;
    while (cc->migrate_pfn < pageblock_first(zone, cc->free_pfn)) {
        uint64_t from = cc->migrate_pfn, end = pageblock_end(zone, from);
        struct page *page = page_in_zone(zone, from);
        if (page && !good_source(cc, page)) {
            cc->migrate_pfn = end;
            continue;
        }
        unsigned before = cc->nr_migrate;
        cc->migrate_pfn = isolate_migratepages_block(cc, from, end);
        note_progress(cc, from, cc->migrate_pfn, cc->nr_migrate - before);
        if (cc->nr_migrate) {
            count_vm_events(COMPACTISOLATED, cc->nr_migrate);
            return true;
        }
        cond_resched();
    }
    return false;
    /* lab compaction: stub lab_missing("compaction", 2, cc, good_source); */
    /* lab compaction: end */
}
