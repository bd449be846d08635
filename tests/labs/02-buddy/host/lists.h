/* SPDX-License-Identifier: MIT */
/*
 * lists.h - a machine whose freelists the test lays by hand, and an audit of them.
 *
 *      frame(0)      frame(1024)        RAM whose pages were given to nobody yet
 *      |  lay(4, 3): a free block of order 3 from frame 4 on, put on its list by the test
 */
#ifndef LABS_BUDDY_LISTS_H
#define LABS_BUDDY_LISTS_H

#include "labs/wire/expect.h"

#include <string.h>

#include "base/random.h"
#include "phys/buddy.h"
#include "phys/pageblock.h"
#include "support/fake_machine.h"
#include "support/host.h"

enum { FRAMES = 4096, FIRST = MIB(8) / PAGE_SIZE };

static struct zone *zone;
static uint8_t listed[FRAMES]; /* frames that audit() found on a list */

static inline struct page *frame(unsigned i)
{
    return fake_page(MIB(8) + (uint64_t)i * PAGE_SIZE);
}

static inline int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(24));
    fake_hart(0);
    fake_memblock("");
    fake_phys_init();
    zone = zones[0];
    return 0;
}

static inline void lay_typed(unsigned at, unsigned order, enum migratetype mt)
{
    struct page *page = frame(at);
    page->type = PAGE_BUDDY;
    page->order = (uint8_t)order;
    list_add(&page->buddy_list, &zone->free_area[order].free_list[mt]);
    zone->free_area[order].nr_free++;
    zone->nr_free_pages += 1UL << order;
}

static inline void lay(unsigned at, unsigned order)
{
    lay_typed(at, order, MIGRATE_MOVABLE);
}

static inline struct page *take(unsigned order, enum migratetype mt)
{
    spin_lock(&zone->lock);
    struct page *page = buddy_alloc_locked(zone, order, mt);
    spin_unlock(&zone->lock);
    return page;
}

static inline void give(unsigned at, unsigned order)
{
    spin_lock(&zone->lock);
    buddy_free_locked(zone, frame(at), order, pageblock_type(frame(at)));
    spin_unlock(&zone->lock);
}

static inline long blocks(unsigned order)
{
    return (long)zone->free_area[order].nr_free;
}

/* --- the audit -------------------------------------------------------------------------------- */

static inline void audit_block(struct page *page, unsigned order)
{
    uint64_t at = page_to_pfn(page).v - page_to_pfn(frame(0)).v;
    expect_true(at + (1UL << order) <= FRAMES, "a listed block of order %u lies at pfn 0x%lx",
                order, (unsigned long)page_to_pfn(page).v);
    expect_equal(at % (1UL << order), 0, "a block of order %u at frame %lu is not aligned", order,
                 (unsigned long)at);
    expect_equal(page->type, PAGE_BUDDY, "type of the listed block at frame %lu",
                 (unsigned long)at);
    expect_equal(page->order, order, "order of the block at frame %lu, from its list's",
                 (unsigned long)at);
    for (uint64_t i = at; i < at + (1UL << order); i++) {
        expect_equal(listed[i], 0, "frame %lu is in two free blocks", (unsigned long)i);
        listed[i] = 1;
        if (i > at)
            expect_equal(page[i - at].type, PAGE_TAIL,
                         "type of frame %lu, inside of the free block at %lu", (unsigned long)i,
                         (unsigned long)at);
    }
}

static inline void audit(void)
{
    uint64_t pages = 0;
    memset(listed, 0, sizeof(listed));
    for (unsigned order = 0; order < NR_ORDERS; order++) {
        long n = 0;
        for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++) {
            struct page *page;
            list_for_each_entry(page, &zone->free_area[order].free_list[mt], buddy_list) {
                audit_block(page, order);
                n++;
            }
        }
        expect_equal(blocks(order), n, "nr_free of order %u, from the blocks on its lists", order);
        pages += (uint64_t)n << order;
    }
    expect_equal(zone->nr_free_pages, pages, "nr_free_pages, from the pages on all lists");
}

#endif
