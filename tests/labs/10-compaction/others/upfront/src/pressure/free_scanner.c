/* SPDX-License-Identifier: MIT */
/*
 * free_scanner.c - another solution: a pageblock is looked through without the lock first; blocks
 * larger than what is wanted are cut, and what is not wanted is given back at once.
 */
#include "kern/thread.h"
#include "phys/buddy.h"
#include "pressure/scanner.h"

static bool good_target(const struct compact_control *cc, struct page *page)
{
    if (!cc->whole_zone && pageblock_skip(page, PAGEBLOCK_SKIP_FREE))
        return false;
    return pageblock_type(page) == MIGRATE_MOVABLE && !pageblock_is_free(page);
}

/* Of a block that is at @pfn, if any: as many pages as are wanted. Returns its size, or 1. */
static uint64_t take(struct compact_control *cc, uint64_t pfn)
{
    struct page *page = page_in_zone(cc->zone, pfn);
    if (!page || page_type(page) != PAGE_BUDDY)
        return 1;
    uint64_t size = 1UL << buddy_isolate_locked(cc->zone, page);
    buddy_split_isolated(page, (unsigned)__builtin_ctzl(size));
    for (uint64_t i = 0; i < size; i++) {
        if (cc->nr_free >= cc->nr_migrate) {
            buddy_return_locked(cc->zone, page + i, 0);
            continue;
        }
        list_add(&page[i].buddy_list, &cc->free_list);
        cc->nr_free++;
    }
    return size;
}

static uint64_t take_from(struct compact_control *cc, uint64_t pfn, uint64_t end)
{
    uint64_t looks = 0;
    spin_lock(&cc->zone->lock);
    for (; pfn < end && cc->nr_free < cc->nr_migrate; looks++)
        pfn += take(cc, pfn);
    spin_unlock(&cc->zone->lock);
    return looks;
}

void isolate_freepages(struct compact_control *cc)
{
    struct zone *zone = cc->zone;
    for (; cc->nr_free < cc->nr_migrate; cond_resched()) {
        uint64_t start = pageblock_first(zone, cc->free_pfn);
        uint64_t end = pageblock_end(zone, cc->free_pfn);
        struct page *page = page_in_zone(zone, start);
        if (cc->migrate_pfn >= start)
            return;
        if (page && good_target(cc, page)) {
            unsigned had = cc->nr_free;
            count_scanned(cc, COMPACTFREE_SCANNED, take_from(cc, start, end));
            if (cc->nr_free == had)
                pageblock_set_skip(page, PAGEBLOCK_SKIP_FREE);
            if (cc->nr_free >= cc->nr_migrate)
                return;
        }
        cc->free_pfn = start - 1;
        if (zone->compact_cached_free_pfn > cc->free_pfn)
            zone->compact_cached_free_pfn = cc->free_pfn;
    }
}

struct page *compaction_new_page(struct page *old, void *ctx)
{
    struct compact_control *cc = ctx;
    struct page *page;
    (void)old;
    if (!cc->nr_free)
        isolate_freepages(cc);
    page = list_first_entry_or_null(&cc->free_list, struct page, buddy_list);
    if (!page)
        return NULL;
    list_del_init(&page->buddy_list);
    cc->nr_free -= 1;
    spin_lock(&cc->zone->lock);
    buddy_claim_isolated_locked(cc->zone, page, 0);
    spin_unlock(&cc->zone->lock);
    return page;
}

void release_freepages(struct compact_control *cc)
{
    struct page *page, *next;
    spin_lock(&cc->zone->lock);
    list_for_each_entry_safe(page, next, &cc->free_list, buddy_list)
        buddy_return_locked(cc->zone, page, 0);
    spin_unlock(&cc->zone->lock);
    INIT_LIST_HEAD(&cc->free_list);
    cc->nr_free = 0;
}
