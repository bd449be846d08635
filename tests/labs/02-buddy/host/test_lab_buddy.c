/* SPDX-License-Identifier: MIT */
/*
 * test_lab_buddy.c - each step of the buddy lab by itself, on freelists laid by hand.
 *
 *      frame(0)      frame(1024)        RAM whose pages were given to nobody yet
 *      |  lay(4, 3): a free block of order 3 from frame 4 on, put on its list by the test
 *
 * As no list is filled by what is tested, taking can be right while giving back is not yet written,
 * and the reverse. audit() looks at all lists: each free frame once, counters, no two free buddies.
 */
#include "lists.h"

/* --- steps 1 and 2: out ----------------------------------------------------------------------- */

static void a_split_lists_each_half(void **state)
{
    (void)state;
    spin_lock(&zone->lock);
    buddy_expand_locked(zone, frame(32), 1, 4, MIGRATE_MOVABLE);
    spin_unlock(&zone->lock);
    for (unsigned order = 1; order <= 3; order++) {
        expect_equal(blocks(order), 1, "blocks of order %u, after 16 pages were split for 2",
                     order);
        expect_equal(frame(32 + (1u << order))->type, PAGE_BUDDY,
                     "type of frame %u: the upper half of order %u begins there", 1u << order,
                     order);
        expect_equal(frame(32 + (1u << order))->order, order, "its order");
    }
    expect_equal(blocks(0), 0, "blocks of order 0: nothing was to be split so far");
    expect_true(frame(32)->type != PAGE_BUDDY, "the first half is the caller's and on no list");
}

static void no_split_for_the_same_order(void **state)
{
    (void)state;
    spin_lock(&zone->lock);
    buddy_expand_locked(zone, frame(0), 3, 3, MIGRATE_MOVABLE);
    buddy_expand_locked(zone, frame(16), 2, 3, MIGRATE_MOVABLE);
    spin_unlock(&zone->lock);
    for (unsigned order = 0; order < NR_ORDERS; order++)
        expect_equal(blocks(order), order == 2,
                     "blocks of order %u, after 8 pages were split for 8"
                     " and others for 4",
                     order);
}

static void a_split_keeps_the_type(void **state)
{
    (void)state;
    spin_lock(&zone->lock);
    buddy_expand_locked(zone, frame(0), 0, 2, MIGRATE_UNMOVABLE);
    spin_unlock(&zone->lock);
    for (unsigned order = 0; order < 2; order++)
        expect_true(!list_empty(&zone->free_area[order].free_list[MIGRATE_UNMOVABLE]),
                    "the half of order %u is on the list of unmovable blocks", order);
}

static void a_fitting_block_is_taken_whole(void **state)
{
    (void)state;
    lay(16, 3);
    struct page *page = take(3, MIGRATE_MOVABLE);
    expect_true(page == frame(16), "the block that was there is returned");
    expect_equal(page->order, 3, "page->order of what is handed out");
    expect_true(page->type != PAGE_BUDDY, "what is handed out is no free block any more");
    expect_equal(zone->nr_free_pages, 0, "nr_free_pages");
    audit();
}

static void the_smallest_block_that_fits_is_split(void **state)
{
    (void)state;
    lay(0, 5);
    lay(64, 2);
    struct page *page = take(1, MIGRATE_MOVABLE);
    expect_true(page == frame(64) || page == frame(66), "the block of 4 pages is split, not the "
                                                        "one of 32");
    expect_equal(blocks(5), 1, "blocks of order 5");
    expect_equal(blocks(1), 1, "blocks of order 1: the other half");
    expect_equal(zone->nr_free_pages, 34, "nr_free_pages of 36, with 2 taken");
    audit();
}

static void a_page_out_of_the_largest_block(void **state)
{
    (void)state;
    lay(1024, MAX_ORDER);
    struct page *page = take(0, MIGRATE_MOVABLE);
    expect_true(page != NULL, "there is a block of order %u to split", MAX_ORDER);
    expect_equal(page->order, 0, "page->order of what is handed out");
    for (unsigned order = 0; order < MAX_ORDER; order++)
        expect_equal(blocks(order), 1, "blocks of order %u, after one page was taken of 1024",
                     order);
    expect_equal(zone->nr_free_pages, 1023, "nr_free_pages");
    audit();
}

static void nothing_fits(void **state)
{
    (void)state;
    lay(0, 2);
    lay_typed(64, 4, MIGRATE_UNMOVABLE);
    expect_true(take(3, MIGRATE_MOVABLE) == NULL, "no movable block of 8 pages is there");
    expect_equal(zone->nr_free_pages, 20, "nr_free_pages, when nothing was taken");
    expect_true(take(2, MIGRATE_UNMOVABLE) != NULL, "an unmovable block of 16 pages is there");
}

/* --- step 3: several at once ------------------------------------------------------------------ */

static void check_run(unsigned order, unsigned n, unsigned least)
{
    struct page *first = NULL;
    uint64_t free = zone->nr_free_pages;
    spin_lock(&zone->lock);
    unsigned got = buddy_alloc_run_locked(zone, order, MIGRATE_MOVABLE, n, &first);
    spin_unlock(&zone->lock);
    expect_true(got >= least && got <= n, "%u blocks; %u were wanted, %u lie together", got, n,
                least);
    expect_equal(zone->nr_free_pages, free - ((uint64_t)got << order),
                 "nr_free_pages after %u blocks of order %u were taken", got, order);
    audit();
    uint64_t at = (uint64_t)(first - frame(0));
    for (uint64_t i = at; i < at + ((uint64_t)got << order); i++)
        expect_equal(listed[i], 0, "frame %lu was handed out and is on a list", (unsigned long)i);
}

static void a_run_lies_together(void **state)
{
    lay(128, 4);
    check_run(0, 5, 4);
    set_up(state);
    lay(512, 6);
    check_run(2, 3, 2);
    set_up(state);
    lay(64, 3);
    check_run(1, 9, 4);
}

static void a_run_takes_no_more_than_wanted(void **state)
{
    struct page *first;
    lay(0, 5);
    check_run(0, 1, 1);
    check_run(0, 31, 1); /* out of the smallest block that is there */
    set_up(state);
    lay(0, 3);
    check_run(3, 4, 1);
    spin_lock(&zone->lock);
    expect_equal(buddy_alloc_run_locked(zone, 0, MIGRATE_MOVABLE, 4, &first), 0,
                 "blocks out of an empty zone");
    spin_unlock(&zone->lock);
}

/* --- steps 4 and 5: in ------------------------------------------------------------------------ */

static void a_page_alone_is_listed(void **state)
{
    (void)state;
    give(7, 0);
    expect_equal(blocks(0), 1, "blocks of order 0");
    expect_true(list_first_entry_or_null(&zone->free_area[0].free_list[MIGRATE_MOVABLE],
                                         struct page, buddy_list) == frame(7),
                "the page is on the list of its pageblock's type");
    audit();
}

static void two_halves_merge(void **state)
{
    (void)state;
    give(8, 0);
    give(9, 0);
    expect_equal(blocks(1), 1, "blocks of order 1, after both halves came, the lower one first");
    give(21, 0);
    give(20, 0);
    expect_equal(blocks(1), 2, "blocks of order 1, after both halves came, the upper one first");
    expect_equal(blocks(0), 0, "blocks of order 0");
    audit();
}

static void neighbours_that_are_no_buddies_stay_apart(void **state)
{
    (void)state;
    give(9, 0);
    give(10, 0);
    expect_equal(blocks(0), 2, "blocks of order 0: frames 9 and 10 are neighbours and no buddies");
    give(34, 0);
    give(33, 0);
    expect_equal(blocks(0), 4, "blocks of order 0: neither are frames 33 and 34");
    audit();
}

static void a_merge_goes_on_upwards(void **state)
{
    static unsigned order_of[1024];
    struct rng rng;
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned i = 0; i < 1024; i++)
        order_of[i] = i;
    for (unsigned i = 1023; i; i--) {
        unsigned k = (unsigned)rng_below(&rng, i + 1), other = order_of[k];
        order_of[k] = order_of[i];
        order_of[i] = other;
    }
    for (unsigned i = 0; i < 1024; i++) {
        give(1024 + order_of[i], 0);
        expect_equal(zone->nr_free_pages, i + 1, "nr_free_pages after %u pages came", i + 1);
    }
    expect_equal(blocks(MAX_ORDER), 1, "blocks of order %u, after all of its pages came",
                 MAX_ORDER);
    audit();
}

static void the_largest_order_is_the_end(void **state)
{
    (void)state;
    give(0, MAX_ORDER);
    give(1024, MAX_ORDER);
    expect_equal(blocks(MAX_ORDER), 2, "blocks of order %u: there is no larger one", MAX_ORDER);
    audit();
}

static void a_buddy_in_use_or_in_pieces_stops_it(void **state)
{
    (void)state;
    frame(1)->type = PAGE_KERNEL;
    give(0, 0);
    expect_equal(blocks(0), 1, "blocks of order 0: the buddy is in use");
    lay(32, 1); /* the first half of the buddy of what comes next, the rest is used */
    give(36, 2);
    expect_equal(blocks(2), 1, "blocks of order 2: of the buddy only a part is free");
    expect_equal(blocks(1), 1, "blocks of order 1");
    audit();
}

static void a_buddy_on_a_pageset_is_not_free_here(void **state)
{
    (void)state;
    frame(5)->type = PAGE_PCP;
    frame(5)->order = 0;
    give(4, 0);
    expect_equal(blocks(0), 1, "blocks of order 0: the buddy lies on a hart's pageset");
    audit();
}

/* Node 0 ends at 12 MiB and a page; the frame behind it is node 1's. */
static void a_buddy_in_another_zone_stays_there(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(12) + PAGE_SIZE);
    fake_memory(1, MIB(12) + PAGE_SIZE, MIB(12) - PAGE_SIZE);
    fake_hart(0);
    fake_hart(1);
    fake_memblock("");
    fake_phys_init();
    zone = zones[1];
    give(1025, 0);
    zone = zones[0];
    give(1024, 0);
    expect_equal(zones[0]->free_area[0].nr_free, 1, "blocks of order 0 in node 0");
    expect_equal(zones[1]->free_area[0].nr_free, 1, "blocks of order 0 in node 1");
}

static void a_buddy_in_a_hole_is_not_looked_at(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(8) + PAGE_SIZE);
    fake_memory(0, MIB(16), MIB(8));
    fake_hart(0);
    fake_memblock("");
    fake_phys_init();
    zone = zones[0];
    /* what stands in the unused part of mem_map means nothing, even if it looks like a block */
    frame(1)->type = PAGE_BUDDY;
    frame(1)->order = 0;
    INIT_LIST_HEAD(&frame(1)->buddy_list);
    give(0, 0);
    expect_equal(blocks(0), 1, "blocks of order 0: the buddy's frame is no RAM");
    expect_equal(blocks(1), 0, "blocks of order 1");
}

static void isolated_pageblocks_keep_to_themselves(void **state)
{
    (void)state;
    spin_lock(&zone->lock);
    pageblock_set_type(frame(0), MIGRATE_ISOLATE);
    spin_unlock(&zone->lock);
    give(0, PAGEBLOCK_ORDER);
    give(PAGEBLOCK_PAGES, PAGEBLOCK_ORDER);
    expect_equal(blocks(PAGEBLOCK_ORDER), 2, "blocks of order %u: one is isolated",
                 PAGEBLOCK_ORDER);
    audit();
}

static void a_merged_block_goes_to_who_waits(void **state)
{
    struct capture_control capture = {.order = 3, .migratetype = MIGRATE_MOVABLE};
    (void)state;
    lay(36, 2);
    zone->capture = &capture;
    give(32, 2);
    expect_true(capture.page == frame(32), "the block of 8 pages goes to who compacts for it");
    expect_equal(blocks(3), 0, "blocks of order 3 on the lists");
    expect_equal(zone->nr_free_pages, 0, "nr_free_pages: the captured block is not free");
    zone->capture = NULL;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_split_lists_each_half),
        TEST(no_split_for_the_same_order),
        TEST(a_split_keeps_the_type),
        TEST(a_fitting_block_is_taken_whole),
        TEST(the_smallest_block_that_fits_is_split),
        TEST(a_page_out_of_the_largest_block),
        TEST(nothing_fits),
        TEST(a_run_lies_together),
        TEST(a_run_takes_no_more_than_wanted),
        TEST(a_page_alone_is_listed),
        TEST(two_halves_merge),
        TEST(neighbours_that_are_no_buddies_stay_apart),
        TEST(a_merge_goes_on_upwards),
        TEST(the_largest_order_is_the_end),
        TEST(a_buddy_in_use_or_in_pieces_stops_it),
        TEST(a_buddy_on_a_pageset_is_not_free_here),
        TEST(a_buddy_in_another_zone_stays_there),
        TEST(a_buddy_in_a_hole_is_not_looked_at),
        TEST(isolated_pageblocks_keep_to_themselves),
        TEST(a_merged_block_goes_to_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
