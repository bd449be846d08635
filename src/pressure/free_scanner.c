/* SPDX-License-Identifier: MIT */
/*
 * free_scanner.c - the scanner that goes down and takes free pages for others to move to.
 *
 *      zone   |a.a.|.aa.|a..a|.a.a|....|a...|.a..|....|..a.|....|
 *              migrate scanner ->         <--- free scanner ----
 *                       ^ cc->migrate_pfn               ^ cc->free_pfn, in the pageblock it is at
 *
 *      freelists --isolate--> [ block of 4 ] --split--> free_list: p p p p --> to the mover,
 *          ^                                                         |            one by one
 *          `------------------- what is left over, merged -----------'
 *
 * It takes more when the mover has used up what it had. It ends at the migrate scanner's pageblock.
 * A pageblock in which it found nothing gets a skip bit, as the other scanner's do.
 *
 * Locks: zone->lock while pages leave the freelists or go back. Linux's counterpart:
 * isolate_freepages(), compaction_alloc(), release_freepages(), mm/compaction.c.
 */
#include "kern/thread.h"
#include "phys/buddy.h"
#include "pressure/scanner.h"

/* --- off the freelists ------------------------------------------------------------------------ */

/* May the pageblock of which this is the first page be filled up? Big blocks are the goal. */
static bool good_target(const struct compact_control *cc, struct page *page)
{
    if (pageblock_is_free(page) || pageblock_type(page) != MIGRATE_MOVABLE)
        return false;
    return cc->whole_zone || !pageblock_skip(page, PAGEBLOCK_SKIP_FREE);
}

static void take_free_block(struct compact_control *cc, struct page *page)
{
    unsigned order = buddy_isolate_locked(cc->zone, page);
    buddy_split_isolated(page, order);
    for (uint64_t i = 0; i < 1UL << order; i++)
        list_add_tail(&page[i].buddy_list, &cc->free_list);
    cc->nr_free += 1U << order;
}

/* lab compaction: begin 3 */
/* The free pages of [start, end), all in one pageblock, until there are enough. */
static void isolate_freepages_block(struct compact_control *cc, uint64_t start, uint64_t end)
{
    uint64_t scanned = 0;
    unsigned before = cc->nr_free;
    spin_lock(&cc->zone->lock);
    for (uint64_t pfn = start; pfn < end && cc->nr_free < cc->nr_migrate; scanned++) {
        struct page *page = page_in_zone(cc->zone, pfn);
        uint64_t step = 1;
        if (page && page->type == PAGE_BUDDY) {
            step = 1UL << page->order;
            take_free_block(cc, page);
        }
        pfn += step;
    }
    spin_unlock(&cc->zone->lock);
    count_scanned(cc, COMPACTFREE_SCANNED, scanned);
    struct page *page = page_in_zone(cc->zone, start);
    if (cc->nr_free == before && page)
        pageblock_set_skip(page, PAGEBLOCK_SKIP_FREE);
}
/* lab compaction: end */

void isolate_freepages(struct compact_control *cc)
{
    /* lab compaction: begin 3 */
    struct zone *zone = cc->zone;
    while (cc->nr_free < cc->nr_migrate) {
        uint64_t start = pageblock_first(zone, cc->free_pfn);
        if (start <= cc->migrate_pfn)
            break; /* met */
        struct page *page = page_in_zone(zone, start);
        if (page && good_target(cc, page))
            isolate_freepages_block(cc, start, pageblock_end(zone, cc->free_pfn));
        if (cc->nr_free >= cc->nr_migrate)
            break; /* there may be more in this pageblock for the next time */
        cc->free_pfn = start - 1;
        zone->compact_cached_free_pfn = MIN(zone->compact_cached_free_pfn, cc->free_pfn);
        cond_resched();
    }
    /* lab compaction: stub lab_missing("compaction", 3, cc, good_target, take_free_block); */
    /* lab compaction: end */
}

/* --- to the mover, and back ------------------------------------------------------------------- */

struct page *compaction_new_page(struct page *old, void *ctx)
{
    /* lab compaction: begin 4 */
    struct compact_control *cc = ctx;
    (void)old;
    if (list_empty(&cc->free_list))
        isolate_freepages(cc);
    if (list_empty(&cc->free_list))
        return NULL;
    struct page *page = list_first_entry(&cc->free_list, struct page, buddy_list);
    list_del(&page->buddy_list);
    cc->nr_free--;
    spin_lock(&cc->zone->lock);
    buddy_claim_isolated_locked(cc->zone, page, 0);
    spin_unlock(&cc->zone->lock);
    return page;
    /* lab compaction: stub lab_missing("compaction", 4, old, ctx); */
    /* lab compaction: end */
}

void release_freepages(struct compact_control *cc)
{
    /* lab compaction: begin 4 */
    spin_lock(&cc->zone->lock);
    while (!list_empty(&cc->free_list)) {
        struct page *page = list_first_entry(&cc->free_list, struct page, buddy_list);
        list_del(&page->buddy_list);
        buddy_return_locked(cc->zone, page, 0);
    }
    spin_unlock(&cc->zone->lock);
    cc->nr_free = 0;
    /* lab compaction: stub lab_missing("compaction", 4, cc); */
    /* lab compaction: end */
}
