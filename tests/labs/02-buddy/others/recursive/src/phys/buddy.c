/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - the freelists of a zone: split on the way out, merge on the way in.
 *
 *      order 3:  [ 8 pages ............................ ]
 *                    split for one page        |        merge when the buddy is free too
 *      order 2:  [ 4 ............. ]           v        ^
 *      order 1:  [ 2 ... ]
 *      order 0:  [ 1 ][ x ]            x is handed out; 1, 2 and 4 go to their lists
 *
 * The buddy of a block of order n differs from it in bit n of the frame number: no search is
 * needed to find it, only a look at its struct page. Orders 0 to MAX_ORDER.
 *
 * Locks: everything here wants zone->lock.
 * Invariants: a PAGE_BUDDY head is aligned to its order, is on the free_list of its order, and its
 * buddy is not a free block of the same order and a type that may merge with it; the list that it
 * is on is that of its pageblock's type.
 * Linux's counterpart: __free_one_page(), expand(), mm/page_alloc.c. After Knowlton, 1965.
 */
#include "phys/buddy.h"

#include "kern/panic.h"
#include "phys/pageblock.h"
#include "phys/page_debug.h"

static void link_free(struct zone *zone, struct page *page, unsigned order, enum migratetype mt,
                      bool tail)
{
    struct free_area *area = &zone->free_area[order];
    page_set_type(page, PAGE_BUDDY);
    page->order = (uint8_t)order;
    if (tail)
        list_add_tail(&page->buddy_list, &area->free_list[mt]);
    else
        list_add(&page->buddy_list, &area->free_list[mt]);
    add_relaxed(&area->nr_free, 1);
}

void buddy_unlink_locked(struct zone *zone, struct page *page, unsigned order)
{
    assert_locked(&zone->lock);
    list_del(&page->buddy_list);
    page_set_type(page, PAGE_TAIL); /* until the caller says what it is */
    add_relaxed(&zone->free_area[order].nr_free, -1UL);
}

/* --- out -------------------------------------------------------------------------------------- */

void buddy_expand_locked(struct zone *zone, struct page *page, unsigned order, unsigned high,
                         enum migratetype mt)
{
    assert_locked(&zone->lock);
    if (high <= order)
        return;
    link_free(zone, page + (1UL << (high - 1)), high - 1, mt, false);
    buddy_expand_locked(zone, page, order, high - 1, mt);
}

/* The head of the smallest listed block that has room for @order. */
static struct page *smallest(struct zone *zone, unsigned order, enum migratetype mt)
{
    while (order < NR_ORDERS && list_empty(&zone->free_area[order].free_list[mt]))
        order++;
    return order == NR_ORDERS
               ? NULL
               : list_first_entry(&zone->free_area[order].free_list[mt], struct page, buddy_list);
}

/* List the frames [page, end), which end a block, in the largest aligned blocks, and count them. */
static void give_rest(struct zone *zone, struct page *page, struct page *end, enum migratetype mt)
{
    while (page < end) {
        unsigned order = (unsigned)__builtin_ctzl(page_to_pfn(page).v);
        while (1L << order > end - page)
            order--;
        link_free(zone, page, order, mt, true);
        add_relaxed(&zone->nr_free_pages, 1UL << order);
        page += 1UL << order;
    }
}

struct page *buddy_alloc_locked(struct zone *zone, unsigned order, enum migratetype mt)
{
    assert_locked(&zone->lock);
    struct page *page = smallest(zone, order, mt);
    if (!page)
        return NULL;
    unsigned had = page->order;
    buddy_unlink_locked(zone, page, had);
    add_relaxed(&zone->nr_free_pages, -(1UL << had));
    give_rest(zone, page + (1UL << order), page + (1UL << had), mt);
    page->order = (uint8_t)order;
    return page;
}

unsigned buddy_alloc_run_locked(struct zone *zone, unsigned order, enum migratetype mt, unsigned n,
                                struct page **first)
{
    assert_locked(&zone->lock);
    struct page *page = smallest(zone, order, mt);
    if (!page)
        return 0;
    unsigned had = page->order, got = MIN(n, 1u << (had - order));
    buddy_unlink_locked(zone, page, had);
    add_relaxed(&zone->nr_free_pages, -(1UL << had));
    give_rest(zone, page + ((uint64_t)got << order), page + (1UL << had), mt);
    *first = page;
    return got;
}

/* --- in --------------------------------------------------------------------------------------- */

/*
 * The free buddy of a block, of the same order and in the same zone; NULL when there is none. A
 * frame outside of the zone, or in a hole, has no struct page that one may look at.
 */
static struct page *free_buddy(const struct zone *zone, struct page *page, unsigned order)
{
    pfn_t other = mk_pfn(page_to_pfn(page).v ^ (1UL << order));
    if (other.v < zone->zone_start_pfn || other.v >= zone_end_pfn(zone) || !pfn_valid(other))
        return NULL;
    struct page *buddy = pfn_to_page(other);
    bool fits = page_zone(buddy) == zone && page_type(buddy) == PAGE_BUDDY && buddy->order == order;
    return fits ? buddy : NULL;
}

/*
 * A free buddy of one or more whole pageblocks is about to become part of a block of type @mt. As
 * nothing in it is used, its pageblocks may take that type; only isolated and reserved ones keep
 * to themselves.
 */
static bool adopt_pageblocks(struct page *buddy, unsigned order, enum migratetype mt)
{
    enum migratetype other = pageblock_type(buddy);
    if (other == mt)
        return true;
    if (other >= MIGRATE_PCPTYPES || mt >= MIGRATE_PCPTYPES)
        return false;
    for (uint64_t i = 0; i < 1UL << order; i += PAGEBLOCK_PAGES)
        pageblock_set_type(buddy + i, mt);
    return true;
}

/* A block became free that somebody compacts for: hand it over instead of listing it. */
static bool captured(struct zone *zone, struct page *page, unsigned order, enum migratetype mt)
{
    struct capture_control *capture = zone->capture;
    if (likely(!capture) || capture->page || order < capture->order || mt >= MIGRATE_PCPTYPES)
        return false;
    /* A smaller block of another type is left to those of its own kind. */
    if (order < PAGEBLOCK_ORDER && mt != capture->migratetype)
        return false;
    buddy_expand_locked(zone, page, capture->order, order, mt);
    add_relaxed(&zone->nr_free_pages, -(1UL << capture->order));
    page_set_type(page, PAGE_ISOLATED);
    page->order = (uint8_t)capture->order;
    zone->nr_isolated_free += 1UL << capture->order;
    capture->page = page;
    return true;
}

/* Join the block with its buddies, from the smallest on; the head and order of what came of it. */
static struct page *melt(struct zone *zone, struct page *page, unsigned *order, enum migratetype mt)
{
    struct page *buddy = *order < MAX_ORDER ? free_buddy(zone, page, *order) : NULL;
    if (!buddy || (*order >= PAGEBLOCK_ORDER && !adopt_pageblocks(buddy, *order, mt)))
        return page;
    buddy_unlink_locked(zone, buddy, *order);
    page_set_type(MAX(page, buddy), PAGE_TAIL);
    ++*order;
    return melt(zone, MIN(page, buddy), order, mt);
}

void buddy_free_locked(struct zone *zone, struct page *page, unsigned order, enum migratetype mt)
{
    assert_locked(&zone->lock);
    add_relaxed(&zone->nr_free_pages, 1UL << order);
    page = melt(zone, page, &order, mt);
    if (!captured(zone, page, order, mt))
        link_free(zone, page, order, mt, true);
}

/* --- for compaction --------------------------------------------------------------------------- */

unsigned buddy_isolate_locked(struct zone *zone, struct page *page)
{
    unsigned order = page->order;
    ASSERT(page_type(page) == PAGE_BUDDY);
    buddy_unlink_locked(zone, page, order);
    page_set_type(page, PAGE_ISOLATED);
    add_relaxed(&zone->nr_free_pages, -(1UL << order));
    zone->nr_isolated_free += 1UL << order;
    return order;
}

void buddy_return_locked(struct zone *zone, struct page *page, unsigned order)
{
    ASSERT(page_type(page) == PAGE_ISOLATED);
    zone->nr_isolated_free -= 1UL << order;
    buddy_free_locked(zone, page, order, pageblock_type(page));
}

void buddy_split_isolated(struct page *page, unsigned order)
{
    for (uint64_t i = 0; i < 1UL << order; i++) {
        page[i].type = PAGE_ISOLATED;
        page[i].order = 0;
    }
}

void buddy_claim_isolated_locked(struct zone *zone, struct page *page, unsigned order)
{
    assert_locked(&zone->lock);
    ASSERT(page_type(page) == PAGE_ISOLATED);
    if (CONFIG_DEBUG)
        page_debug_alloc(page, order);
    zone->nr_isolated_free -= 1UL << order;
    page_set_type(page, PAGE_KERNEL);
    page->order = (uint8_t)order;
    page->flags = 0;
    page->mapping = NULL;
    page->refcount = 1;
}

/* A whole pageblock has changed its type: its buddy may be one now that it can merge with. */
static void merge_again(struct zone *zone, struct page *page, unsigned order, enum migratetype mt)
{
    buddy_unlink_locked(zone, page, order);
    add_relaxed(&zone->nr_free_pages, -(1UL << order));
    buddy_free_locked(zone, page, order, mt);
}

uint64_t buddy_move_pageblock_locked(struct zone *zone, struct page *page, enum migratetype mt)
{
    uint64_t start = ALIGN_DOWN(page_to_pfn(page).v, PAGEBLOCK_PAGES), moved = 0;
    uint64_t end = MIN(start + PAGEBLOCK_PAGES, zone_end_pfn(zone));
    assert_locked(&zone->lock);
    for (uint64_t pfn = MAX(start, zone->zone_start_pfn); pfn < end;) {
        struct page *p = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
        if (!p || page_type(p) != PAGE_BUDDY || page_zone(p) != zone) {
            pfn++;
            continue;
        }
        unsigned order = p->order;
        if (order >= PAGEBLOCK_ORDER)
            merge_again(zone, p, order, mt);
        else
            list_move(&p->buddy_list, &zone->free_area[order].free_list[mt]);
        moved += 1UL << order;
        pfn += 1UL << order;
    }
    return moved;
}
