/* SPDX-License-Identifier: MIT */
/*
 * scanning.h - one scanner at a time, over a zone that was laid.
 *
 *      cc           the control that both have; its lists are what is looked at afterwards
 *      taken()      pages on migrate_list       expect_taken()   those on free_list
 */
#ifndef LABS_COMPACTION_SCANNING_H
#define LABS_COMPACTION_SCANNING_H

#include "zone_map.h"

static struct compact_control *cc;
static struct rng rng;

static inline void scanning_begin(void)
{
    fake_simple(MIB(32));
    rng_seed(&rng, lab_seed());
}

/* --- the migrate scanner ---------------------------------------------------------------------- */

static inline uint64_t taken(void)
{
    expect_equal(list_length(&cc->migrate_list), cc->nr_migrate, "nr_migrate, from the list");
    return cc->nr_migrate;
}

static inline void put_all_back(void)
{
    putback_pages(&cc->migrate_list);
    cc->nr_migrate = 0;
}

static inline void expect_isolated(const char *what)
{
    struct page *page;
    uint64_t last = 0;
    list_for_each_entry(page, &cc->migrate_list, lru) {
        expect_true(is_movable(laid(pfn_of(page))), "%s: pfn 0x%lx was laid as '%c'", what,
                    (unsigned long)pfn_of(page), laid(pfn_of(page)));
        expect_true(!page_flag(page, PG_lru) && page_count(page) == 2,
                    "%s: a page on migrate_list was taken by lru_isolate()", what);
        expect_true(pfn_of(page) > last, "%s: lower frames come first", what);
        last = pfn_of(page);
    }
}

/* --- the free scanner ------------------------------------------------------------------------- */

/* Everything on free_list is as it should be, and lies in [start, end). */
static inline void expect_taken(uint64_t start, uint64_t end)
{
    struct page *page;
    uint64_t n = list_length(&cc->free_list);
    expect_equal(cc->nr_free, n, "nr_free, from the list");
    expect_equal(cc->zone->nr_isolated_free, n, "zone->nr_isolated_free, from the list");
    list_for_each_entry(page, &cc->free_list, buddy_list) {
        unsigned long pfn = (unsigned long)pfn_of(page);
        expect_equal(page->type, PAGE_ISOLATED, "type of a page on free_list");
        expect_equal(page->order, 0, "order of a page on free_list");
        expect_equal(laid(pfn), '.', "pfn 0x%lx was laid as '%c' and is on free_list", pfn,
                     laid(pfn));
        expect_true(page_zone(page) == cc->zone, "pfn 0x%lx belongs to another zone", pfn);
        expect_true(pfn >= start && pfn < end, "pfn 0x%lx lies outside of [0x%lx, 0x%lx)", pfn,
                    (unsigned long)start, (unsigned long)end);
    }
    fake_check();
}

static inline void scan(uint64_t migrate_pfn, uint64_t free_pfn, unsigned wanted)
{
    cc = control(zone, migrate_pfn, free_pfn);
    cc->nr_migrate = wanted;
    isolate_freepages(cc);
}

/* All that was taken goes back, by the test itself. */
static inline void return_all(void)
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

#endif
