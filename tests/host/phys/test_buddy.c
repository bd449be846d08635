/* SPDX-License-Identifier: MIT */
/*
 * test_buddy.c - splitting, merging, and what compaction does with free blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/buddy.h"
#include "phys/pageblock.h"
#include "support/fake_machine.h"
#include "support/host.h"

static struct zone *zone;

/* One zone of 32 MiB whose first 4 MiB and last few are taken by what boot allocates. */
static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    zone = zones[0];
    return 0;
}

static struct page *take(unsigned order, enum migratetype mt)
{
    spin_lock(&zone->lock);
    struct page *page = buddy_alloc_locked(zone, order, mt);
    spin_unlock(&zone->lock);
    return page;
}

static void give(struct page *page, unsigned order)
{
    spin_lock(&zone->lock);
    buddy_free_locked(zone, page, order, pageblock_type(page));
    spin_unlock(&zone->lock);
}

static uint64_t blocks(unsigned order)
{
    return zone->free_area[order].nr_free;
}

static void boot_frees_the_largest_blocks(void **state)
{
    (void)state;
    assert_true(blocks(MAX_ORDER) >= 6);
    for (unsigned order = 0; order < MAX_ORDER; order++)
        assert_true(blocks(order) <= 2); /* at most one at each end of a free range */
    fake_check();
}

static void a_split_leaves_one_of_each_order(void **state)
{
    uint64_t before[NR_ORDERS], big = blocks(MAX_ORDER), free = zone->nr_free_pages;
    (void)state;
    struct page *page;
    /* use up what is small, so that a big block must be split */
    for (unsigned order = 0; order < MAX_ORDER; order++)
        while (blocks(order))
            assert_non_null(take(order, MIGRATE_MOVABLE));
    free = zone->nr_free_pages;
    page = take(0, MIGRATE_MOVABLE);
    for (unsigned order = 0; order < MAX_ORDER; order++)
        before[order] = blocks(order);
    for (unsigned order = 0; order < MAX_ORDER; order++)
        assert_int_equal(before[order], 1);
    assert_int_equal(blocks(MAX_ORDER), big - 1);
    assert_int_equal(zone->nr_free_pages, free - 1);
    assert_int_equal(page->type, PAGE_TAIL); /* the caller says what it is */
    give(page, 0);
    assert_int_equal(blocks(MAX_ORDER), big);
    for (unsigned order = 0; order < MAX_ORDER; order++)
        assert_int_equal(blocks(order), 0);
    assert_int_equal(zone->nr_free_pages, free);
}

static void buddies_merge_in_any_order(void **state)
{
    struct page *pages[64];
    (void)state;
    uint64_t big = blocks(MAX_ORDER), free = zone->nr_free_pages;
    for (unsigned i = 0; i < 64; i++)
        pages[i] = take(i % 5, MIGRATE_MOVABLE);
    for (unsigned i = 0; i < 64; i++) {
        unsigned k = i * 27 % 64; /* 27 and 64 have no common factor */
        give(pages[k], k % 5);
    }
    assert_int_equal(blocks(MAX_ORDER), big);
    assert_int_equal(zone->nr_free_pages, free);
    fake_check();
}

static void a_used_buddy_stops_the_merge(void **state)
{
    (void)state;
    struct page *block = take(1, MIGRATE_MOVABLE);
    uint64_t singles = blocks(0);
    give(block, 0);
    assert_int_equal(blocks(0), singles + 1);
    assert_int_equal(block->type, PAGE_BUDDY);
    assert_int_equal(block->order, 0);
    give(block + 1, 0);
    assert_int_equal(blocks(0), singles);
    fake_check();
}

static void every_page_can_be_taken_and_given(void **state)
{
    static struct page *pages[MIB(32) / PAGE_SIZE];
    unsigned n = 0;
    (void)state;
    uint64_t free = zone->nr_free_pages, big = blocks(MAX_ORDER);
    while ((pages[n] = take(0, MIGRATE_MOVABLE)) != NULL)
        n++;
    assert_int_equal(n, free);
    assert_int_equal(zone->nr_free_pages, 0);
    for (unsigned i = 0; i < n; i += 2)
        give(pages[i], 0);
    for (unsigned i = 1; i < n; i += 2)
        give(pages[i], 0);
    assert_int_equal(zone->nr_free_pages, free);
    assert_int_equal(blocks(MAX_ORDER), big);
    fake_check();
}

static void lists_of_other_types_are_not_touched(void **state)
{
    (void)state;
    assert_null(take(0, MIGRATE_UNMOVABLE));
    assert_null(take(3, MIGRATE_ISOLATE));
}

static void whole_pageblocks_adopt_the_type_of_their_buddy(void **state)
{
    (void)state;
    while (blocks(9))
        (void)take(9, MIGRATE_MOVABLE);
    struct page *page = take(10, MIGRATE_MOVABLE);
    spin_lock(&zone->lock);
    pageblock_set_type(page, MIGRATE_UNMOVABLE);
    spin_unlock(&zone->lock);
    give(page, 9);
    give(page + PAGEBLOCK_PAGES, 9);
    assert_int_equal(page->type, PAGE_BUDDY);
    assert_int_equal(page->order, 10);
    assert_int_equal(pageblock_type(page), MIGRATE_MOVABLE);
}

static void isolated_pageblocks_do_not_merge_with_others(void **state)
{
    (void)state;
    struct page *page = take(10, MIGRATE_MOVABLE);
    spin_lock(&zone->lock);
    pageblock_set_type(page, MIGRATE_ISOLATE);
    spin_unlock(&zone->lock);
    assert_int_equal(zone->nr_isolate_pageblock, 1);
    give(page, 9);
    give(page + PAGEBLOCK_PAGES, 9);
    assert_int_equal(page->order, 9);
    assert_int_equal(page[PAGEBLOCK_PAGES].order, 9);
    spin_lock(&zone->lock);
    pageblock_set_type(page, MIGRATE_MOVABLE);
    assert_int_equal(buddy_move_pageblock_locked(zone, page, MIGRATE_MOVABLE), PAGEBLOCK_PAGES);
    spin_unlock(&zone->lock);
    assert_int_equal(zone->nr_isolate_pageblock, 0);
}

static void isolated_blocks_can_be_split_claimed_and_returned(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages;
    struct page *block = take(4, MIGRATE_MOVABLE);
    give(block, 4);
    struct page *head = page_head(block);
    spin_lock(&zone->lock);
    unsigned order = buddy_isolate_locked(zone, head);
    assert_int_equal(zone->nr_isolated_free, 1UL << order);
    assert_int_equal(zone->nr_free_pages, free - (1UL << order));
    buddy_split_isolated(head, order);
    for (unsigned i = 0; i < 1U << order; i++)
        assert_int_equal(head[i].type, PAGE_ISOLATED);
    buddy_claim_isolated_locked(zone, head, 0);
    for (unsigned i = 1; i < 1U << order; i++)
        buddy_return_locked(zone, head + i, 0);
    spin_unlock(&zone->lock);
    assert_int_equal(zone->nr_isolated_free, 0);
    assert_int_equal(head->type, PAGE_KERNEL);
    assert_int_equal(page_count(head), 1);
    assert_int_equal(zone->nr_free_pages, free - 1);
    fake_check();
    __free_page(head);
    fake_check();
    assert_int_equal(zone->nr_free_pages, free);
}

static void a_block_is_captured_on_its_way_in(void **state)
{
    struct capture_control capture = {.order = 3, .migratetype = MIGRATE_MOVABLE};
    (void)state;
    struct page *small = take(1, MIGRATE_MOVABLE), *big = take(5, MIGRATE_MOVABLE);
    struct page *next = take(4, MIGRATE_MOVABLE);
    uint64_t free = zone->nr_free_pages;
    zone->capture = &capture;
    struct page *keep = take(0, MIGRATE_MOVABLE); /* small's buddies stay in use */
    give(small, 1);
    if (!capture.page) { /* it may have merged into something big enough */
        give(big, 5);
        assert_non_null(capture.page);
        assert_int_equal(zone->nr_free_pages, free - 1 + 2 + 32 - 8);
    }
    assert_int_equal(capture.page->type, PAGE_ISOLATED);
    assert_int_equal(capture.page->order, 3);
    struct page *first = capture.page;
    give(next, 4); /* one is enough */
    assert_ptr_equal(capture.page, first);
    zone->capture = NULL;
    spin_lock(&zone->lock);
    buddy_return_locked(zone, first, 3);
    spin_unlock(&zone->lock);
    (void)keep;
}

static void capture_leaves_other_kinds_alone(void **state)
{
    struct capture_control capture = {.order = 3, .migratetype = MIGRATE_UNMOVABLE};
    (void)state;
    struct page *page = take(5, MIGRATE_MOVABLE), *buddy = take(5, MIGRATE_MOVABLE);
    zone->capture = &capture;
    give(page, 5); /* of a movable pageblock, and no whole pageblock */
    assert_null(capture.page);
    zone->capture = NULL;
    give(buddy, 5);
}

static void a_tail_finds_its_head(void **state)
{
    (void)state;
    struct page *block = alloc_pages(GFP_KERNEL, 6);
    assert_ptr_equal(page_head(block + 37), block);
    assert_ptr_equal(page_head(block), block);
    split_page(block, 6);
    assert_ptr_equal(page_head(block + 37), block + 37);
    for (unsigned i = 0; i < 64; i++)
        __free_page(block + i);
    fake_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(boot_frees_the_largest_blocks, set_up),
        cmocka_unit_test_setup(a_split_leaves_one_of_each_order, set_up),
        cmocka_unit_test_setup(buddies_merge_in_any_order, set_up),
        cmocka_unit_test_setup(a_used_buddy_stops_the_merge, set_up),
        cmocka_unit_test_setup(every_page_can_be_taken_and_given, set_up),
        cmocka_unit_test_setup(lists_of_other_types_are_not_touched, set_up),
        cmocka_unit_test_setup(whole_pageblocks_adopt_the_type_of_their_buddy, set_up),
        cmocka_unit_test_setup(isolated_pageblocks_do_not_merge_with_others, set_up),
        cmocka_unit_test_setup(isolated_blocks_can_be_split_claimed_and_returned, set_up),
        cmocka_unit_test_setup(a_block_is_captured_on_its_way_in, set_up),
        cmocka_unit_test_setup(capture_leaves_other_kinds_alone, set_up),
        cmocka_unit_test_setup(a_tail_finds_its_head, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
