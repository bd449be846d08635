/* SPDX-License-Identifier: MIT */
/*
 * isolate.c - the two scanners of compaction.
 *
 *      zone   |a.a.|.aa.|a..a|.a.a|....|a...|.a..|....|..a.|....|
 *              --migrate scanner-->              <--free scanner--
 *              takes used pages that can move     takes free pages to move them to
 *
 * Both go by pageblock. What the migrate scanner takes off the LRU lists is moved to what the free
 * scanner takes off the freelists: used pages gather at the upper end, free ones at the lower.
 * When they meet, all has been looked at. A pageblock in which a scanner found nothing gets a skip
 * bit; the next run passes it by until the bits are cleared.
 *
 * Locks: zone->lock while free pages are taken; the migrate scanner reads page states without a
 * lock and lets lru_isolate() decide. Linux's counterpart: isolate_migratepages_block(),
 * isolate_freepages_block(), mm/compaction.c.
 */
#include "kern/thread.h"
#include "phys/buddy.h"
#include "phys/pageblock.h"
#include "pressure/compaction.h"
#include "virt/lru.h"

#define CLUSTER_MAX 32 /* pages isolated at once: few enough not to upset the counts of the LRU */

static void count_scanned(const struct compact_control *cc, enum vm_event e, uint64_t n)
{
    count_vm_events(e, n);
    if (cc->background)
        count_vm_events(
            e == COMPACTMIGRATE_SCANNED ? KCOMPACTD_MIGRATE_SCANNED : KCOMPACTD_FREE_SCANNED, n);
}

/* The first frame of the pageblock and the first behind it, both inside the zone. */
static uint64_t block_start(const struct zone *zone, uint64_t pfn)
{
    return MAX(ALIGN_DOWN(pfn, PAGEBLOCK_PAGES), zone->zone_start_pfn);
}

static uint64_t block_end(const struct zone *zone, uint64_t pfn)
{
    return MIN(ALIGN_DOWN(pfn, PAGEBLOCK_PAGES) + PAGEBLOCK_PAGES, zone_end_pfn(zone));
}

static struct page *page_in_zone(const struct zone *zone, uint64_t pfn)
{
    struct page *page = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
    return page && page_zone(page) == zone ? page : NULL;
}

/* --- the migrate scanner ---------------------------------------------------------------------- */

/* Is there a point in taking pages from this pageblock? */
static bool good_source(const struct compact_control *cc, struct page *page)
{
    enum migratetype mt = pageblock_type(page);
    if (mt == MIGRATE_ISOLATE || (!cc->whole_zone && pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE)))
        return false;
    if (load_relaxed(&page->type) == PAGE_BUDDY && load_relaxed(&page->order) >= PAGEBLOCK_ORDER)
        return false; /* wholly free */
    return cc->mode != MIGRATE_ASYNC || mt == MIGRATE_MOVABLE;
}

/* Take movable pages of [pfn, end), all in one pageblock. Returns where it stopped. */
static uint64_t isolate_block(struct compact_control *cc, uint64_t pfn, uint64_t end)
{
    uint64_t scanned = 0;
    while (pfn < end && cc->nr_migrate < CLUSTER_MAX) {
        struct page *page = page_in_zone(cc->zone, pfn);
        uint8_t type = page ? load_relaxed(&page->type) : PAGE_RESERVED;
        scanned++;
        if (type ==
            PAGE_BUDDY) { /* read without lock: the order may be stale, so mind its bounds */
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
}

/* The block was looked through to its end in one go, and gave nothing. */
static void note_migrate_progress(struct compact_control *cc, uint64_t from, uint64_t to,
                                  unsigned got)
{
    struct zone *zone = cc->zone;
    bool whole = from == block_start(zone, from) && to == block_end(zone, from);
    struct page *page = page_in_zone(zone, from);
    if (whole && !got && page)
        pageblock_set_skip(page, PAGEBLOCK_SKIP_MIGRATE);
    if (to == block_end(zone, from) && cc->migrate_pfn > zone->compact_cached_migrate_pfn[cc->mode])
        zone->compact_cached_migrate_pfn[cc->mode] = cc->migrate_pfn;
}

bool isolate_migratepages(struct compact_control *cc)
{
    struct zone *zone = cc->zone;
    while (cc->migrate_pfn < block_start(zone, cc->free_pfn)) {
        uint64_t from = cc->migrate_pfn, end = block_end(zone, from);
        struct page *page = page_in_zone(zone, from);
        if (page && !good_source(cc, page)) {
            cc->migrate_pfn = end;
            continue;
        }
        unsigned before = cc->nr_migrate;
        cc->migrate_pfn = isolate_block(cc, from, end);
        note_migrate_progress(cc, from, cc->migrate_pfn, cc->nr_migrate - before);
        if (cc->nr_migrate) {
            count_vm_events(COMPACTISOLATED, cc->nr_migrate);
            return true;
        }
        cond_resched();
    }
    return false;
}

/* --- the free scanner ------------------------------------------------------------------------- */

/* May this pageblock be filled up? Its pages will be movable ones, and big blocks are the goal. */
static bool good_target(const struct compact_control *cc, struct page *page)
{
    if (load_relaxed(&page->type) == PAGE_BUDDY && load_relaxed(&page->order) >= PAGEBLOCK_ORDER)
        return false;
    if (!cc->whole_zone && pageblock_skip(page, PAGEBLOCK_SKIP_FREE))
        return false;
    return pageblock_type(page) == MIGRATE_MOVABLE;
}

static void take_free_block(struct compact_control *cc, struct page *page)
{
    unsigned order = buddy_isolate_locked(cc->zone, page);
    buddy_split_isolated(page, order);
    for (uint64_t i = 0; i < 1UL << order; i++)
        list_add_tail(&page[i].buddy_list, &cc->free_list);
    cc->nr_free += 1U << order;
}

/* Free pages of one pageblock. The higher half of a zone is what should fill up. */
static void take_from_block(struct compact_control *cc, uint64_t start, uint64_t end)
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

void isolate_freepages(struct compact_control *cc)
{
    struct zone *zone = cc->zone;
    while (cc->nr_free < cc->nr_migrate) {
        uint64_t start = block_start(zone, cc->free_pfn), end = block_end(zone, cc->free_pfn);
        if (start <= cc->migrate_pfn || cc->free_pfn <= cc->migrate_pfn)
            break; /* met */
        struct page *page = page_in_zone(zone, start);
        if (page && good_target(cc, page))
            take_from_block(cc, start, end);
        if (cc->nr_free >= cc->nr_migrate)
            break; /* there may be more in this block for the next time */
        if (start <= zone->zone_start_pfn)
            break;
        cc->free_pfn = start - 1;
        zone->compact_cached_free_pfn = MIN(zone->compact_cached_free_pfn, cc->free_pfn);
        cond_resched();
    }
}

void release_freepages(struct compact_control *cc)
{
    spin_lock(&cc->zone->lock);
    while (!list_empty(&cc->free_list)) {
        struct page *page = list_first_entry(&cc->free_list, struct page, buddy_list);
        list_del(&page->buddy_list);
        buddy_return_locked(cc->zone, page, 0);
    }
    spin_unlock(&cc->zone->lock);
    cc->nr_free = 0;
}

struct page *compaction_new_page(struct page *old, void *ctx)
{
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
}
