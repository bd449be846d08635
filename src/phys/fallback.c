/* SPDX-License-Identifier: MIT */
/*
 * fallback.c - taking from another migratetype, and judging how broken up memory is.
 *
 *      wanted UNMOVABLE, none left          preference:  UNMOVABLE    RECLAIMABLE, MOVABLE
 *                                                        MOVABLE      RECLAIMABLE, UNMOVABLE
 *      MOVABLE   [ biggest block ....... ]               RECLAIMABLE  UNMOVABLE,   MOVABLE
 *                  ^ take from here, and if its pageblock is at least half ours or free,
 *                    make the whole pageblock UNMOVABLE: the next one will find a home
 *
 * A page of the wrong kind in a pageblock is what fragments memory for good, so if it must happen
 * it should happen once and big: the largest block is taken, and those who cannot be moved away
 * later take the pageblock even for a small need.
 *
 * Locks: zone->lock. Counters: PAGE_STEAL, PAGEBLOCK_STEAL.
 * Linux's counterpart: __rmqueue_fallback(), mm/page_alloc.c; fragmentation index: mm/vmstat.c.
 */
#include "phys/fallback.h"

#include "phys/buddy.h"
#include "phys/pageblock.h"

static const enum migratetype preference[MIGRATE_PCPTYPES][2] = {
    [MIGRATE_UNMOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE},
    [MIGRATE_MOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE},
    [MIGRATE_RECLAIMABLE] = {MIGRATE_UNMOVABLE, MIGRATE_MOVABLE},
};

/* May the whole pageblock be wanted, not only a block of it? */
static bool may_claim(unsigned order, enum migratetype mt)
{
    return order >= PAGEBLOCK_ORDER / 2 || mt == MIGRATE_RECLAIMABLE || mt == MIGRATE_UNMOVABLE;
}

/* Pages of the pageblock that are free, and (for a movable wish) that could be moved. */
static uint64_t count_good(struct zone *zone, struct page *page, enum migratetype mt)
{
    uint64_t start = ALIGN_DOWN(page_to_pfn(page).v, PAGEBLOCK_PAGES), good = 0;
    for (uint64_t pfn = start; pfn < start + PAGEBLOCK_PAGES;) {
        struct page *p = pfn_to_page(mk_pfn(pfn));
        if (!zone_spans_pfn(zone, pfn) || !pfn_valid(mk_pfn(pfn)) || page_zone(p) != zone)
            return 0; /* not wholly ours: leave it alone */
        if (page_type(p) == PAGE_BUDDY) {
            good += 1UL << p->order;
            pfn += 1UL << p->order;
            continue;
        }
        bool movable = page_type(p) == PAGE_ANON || page_type(p) == PAGE_FILE;
        /* what does not move in a movable block is like us; for a movable, what moves is */
        good += mt == MIGRATE_MOVABLE ? movable : !movable && pageblock_type(p) == MIGRATE_MOVABLE;
        pfn++;
    }
    return good;
}

/* Take the pageblock of @page over if it is ours for the most part. */
static bool claim_pageblock(struct zone *zone, struct page *page, unsigned order,
                            enum migratetype mt)
{
    if (order >= PAGEBLOCK_ORDER) {
        for (uint64_t i = 0; i < 1UL << order; i += PAGEBLOCK_PAGES)
            pageblock_set_type(page + i, mt);
        list_move(&page->buddy_list, &zone->free_area[order].free_list[mt]);
        return true;
    }
    if (count_good(zone, page, mt) < PAGEBLOCK_PAGES / 2)
        return false;
    pageblock_set_type(page, mt);
    buddy_move_pageblock_locked(zone, page, mt);
    return true;
}

/* After a steal the watermarks are boosted, so that kcompactd and kswapd begin early. */
static void boost_watermark(struct zone *zone)
{
    uint64_t most = zone->watermark[WMARK_HIGH] * 3 / 2;
    if (most >= PAGEBLOCK_PAGES)
        store_relaxed(&zone->watermark_boost, MIN(zone->watermark_boost + PAGEBLOCK_PAGES, most));
}

static struct page *take_from(struct zone *zone, unsigned high, enum migratetype from,
                              unsigned order, enum migratetype mt)
{
    struct page *page =
        list_first_entry_or_null(&zone->free_area[high].free_list[from], struct page, buddy_list);
    if (!page)
        return NULL;
    count_vm_event(PAGE_STEAL);
    if (may_claim(high, mt)) {
        boost_watermark(zone);
        if (claim_pageblock(zone, page, high, mt)) {
            count_vm_event(PAGEBLOCK_STEAL);
            return buddy_alloc_locked(zone, order, mt);
        }
    }
    buddy_unlink_locked(zone, page, high);
    buddy_expand_locked(zone, page, order, high, from);
    add_relaxed(&zone->nr_free_pages, -(1UL << order));
    page->order = (uint8_t)order;
    return page;
}

/* A block of exactly this order from one of the other types, the preferred one first. */
static struct page *take_from_others(struct zone *zone, unsigned high, unsigned order,
                                     enum migratetype mt)
{
    for (unsigned i = 0; i < ARRAY_SIZE(preference[mt]); i++) {
        struct page *page = take_from(zone, high, preference[mt][i], order, mt);
        if (page)
            return page;
    }
    return NULL;
}

struct page *fallback_alloc_locked(struct zone *zone, unsigned order, enum migratetype mt)
{
    unsigned high = NR_ORDERS;
    struct page *page = NULL;
    assert_locked(&zone->lock);
    while (!page && high > order && may_claim(high - 1, mt))
        page = take_from_others(zone, --high, order, mt);
    /* What is left cannot be claimed: a movable page, as it can leave again, takes the smallest. */
    for (unsigned low = order; !page && low < high; low++)
        page = take_from_others(zone, low, order, mt);
    return page;
}

/* --- judging ---------------------------------------------------------------------------------- */

struct free_info {
    uint64_t blocks, pages,
        suitable; /* suitable: blocks of the wanted order, bigger ones counted */
};

static struct free_info free_info(const struct zone *zone, unsigned order)
{
    struct free_info info = {0};
    for (unsigned o = 0; o < NR_ORDERS; o++) {
        uint64_t n = load_relaxed(&zone->free_area[o].nr_free);
        info.blocks += n;
        info.pages += n << o;
        if (o >= order)
            info.suitable += n << (o - order);
    }
    return info;
}

int fragmentation_index(const struct zone *zone, unsigned order)
{
    struct free_info info = free_info(zone, order);
    if (!info.blocks)
        return 0;
    if (info.suitable)
        return -1000;
    uint64_t requested = 1UL << order;
    return 1000 - (int)((1000 + info.pages * 1000 / requested) / info.blocks);
}

int unusable_free_index(const struct zone *zone, unsigned order)
{
    struct free_info info = free_info(zone, order);
    if (!info.pages)
        return 1000;
    return (int)((info.pages - (info.suitable << order)) * 1000 / info.pages);
}

/* --- the reserve for those who cannot wait ---------------------------------------------------- */

void highatomic_reserve(struct zone *zone, struct page *page)
{
    uint64_t most = zone->managed_pages / 100;
    spin_lock(&zone->lock);
    /* at most one per cent, and none in a zone too small for that to be a pageblock */
    if (zone->nr_reserved_highatomic + PAGEBLOCK_PAGES <= most &&
        pageblock_type(page) < MIGRATE_PCPTYPES && count_good(zone, page, MIGRATE_MOVABLE)) {
        add_relaxed(&zone->nr_reserved_highatomic, PAGEBLOCK_PAGES);
        pageblock_set_type(page, MIGRATE_HIGHATOMIC);
        buddy_move_pageblock_locked(zone, page, MIGRATE_HIGHATOMIC);
    }
    spin_unlock(&zone->lock);
}

bool highatomic_unreserve(struct zone *zone)
{
    bool found = false;
    spin_lock(&zone->lock);
    for (unsigned order = 0; order < NR_ORDERS && !found; order++) {
        struct page *page = list_first_entry_or_null(
            &zone->free_area[order].free_list[MIGRATE_HIGHATOMIC], struct page, buddy_list);
        if (!page)
            continue;
        for (uint64_t i = 0; i < 1UL << order; i += PAGEBLOCK_PAGES) {
            add_relaxed(&zone->nr_reserved_highatomic, -PAGEBLOCK_PAGES);
            pageblock_set_type(page + i, MIGRATE_UNMOVABLE);
        }
        buddy_move_pageblock_locked(zone, page, MIGRATE_UNMOVABLE);
        found = true;
    }
    spin_unlock(&zone->lock);
    return found;
}
