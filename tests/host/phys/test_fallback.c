/* SPDX-License-Identifier: MIT */
/*
 * test_fallback.c - stealing from other migratetypes, the reserve, and the indices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/buddy.h"
#include "phys/fallback.h"
#include "phys/pageblock.h"
#include "support/fake_machine.h"

static struct zone *zone;

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(64));
    zone = zones[0];
    return 0;
}

static struct page *steal(unsigned order, enum migratetype mt)
{
    spin_lock(&zone->lock);
    struct page *page = fallback_alloc_locked(zone, order, mt);
    spin_unlock(&zone->lock);
    return page;
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

static void the_first_theft_takes_a_whole_block(void **state)
{
    (void)state;
    uint64_t steals = vm_event_sum(PAGE_STEAL), claims = vm_event_sum(PAGEBLOCK_STEAL);
    struct page *page = steal(0, MIGRATE_UNMOVABLE);
    assert_non_null(page);
    assert_int_equal(pageblock_type(page), MIGRATE_UNMOVABLE);
    assert_int_equal(vm_event_sum(PAGE_STEAL), steals + 1);
    assert_int_equal(vm_event_sum(PAGEBLOCK_STEAL), claims + 1);
    /* the rest of the block serves the next ones without theft */
    assert_non_null(take(9, MIGRATE_UNMOVABLE));
    assert_int_equal(vm_event_sum(PAGE_STEAL), steals + 1);
}

static void a_theft_boosts_the_watermark(void **state)
{
    (void)state;
    zone->watermark[WMARK_HIGH] = 1000;
    assert_non_null(steal(0, MIGRATE_UNMOVABLE));
    assert_int_equal(zone->watermark_boost, PAGEBLOCK_PAGES);
    for (unsigned i = 0; i < 5; i++)
        assert_non_null(steal(5, MIGRATE_RECLAIMABLE));
    assert_int_equal(zone->watermark_boost, 1500);
}

static void preference_follows_linuxs_table(void **state)
{
    (void)state;
    struct page *reclaimable = steal(9, MIGRATE_RECLAIMABLE);
    give(reclaimable, 9);
    /* unmovable prefers a reclaimable block of the same size to a movable one */
    while (take(10, MIGRATE_MOVABLE))
        continue;
    while (take(10, MIGRATE_RECLAIMABLE))
        continue;
    assert_true(zone->free_area[9].nr_free >= 1);
    struct page *page = steal(9, MIGRATE_UNMOVABLE);
    assert_non_null(page);
}

/* A pageblock of which @used pages, from the first on, are in use and not movable. */
static struct page *partly_used(uint64_t used)
{
    struct page *block = take(9, MIGRATE_MOVABLE);
    for (uint64_t i = 0; i < PAGEBLOCK_PAGES; i++)
        block[i].order = 0;
    for (uint64_t i = 0; i < used; i++)
        block[i].type = PAGE_SLAB;
    for (uint64_t i = used; i < PAGEBLOCK_PAGES; i++)
        give(block + i, 0);
    return block;
}

static void use_up_all_else(const struct page *but)
{
    for (unsigned order = MAX_ORDER + 1; order-- > 0;) {
        struct page *page, *next;
        struct list_head *list = &zone->free_area[order].free_list[MIGRATE_MOVABLE];
        list_for_each_entry_safe(page, next, list, buddy_list) {
            if (pageblock_index(page) == pageblock_index(but))
                continue;
            spin_lock(&zone->lock);
            buddy_unlink_locked(zone, page, order);
            zone->nr_free_pages -= 1UL << order;
            spin_unlock(&zone->lock);
        }
    }
}

static void a_mostly_free_pageblock_is_claimed(void **state)
{
    (void)state;
    struct page *block = partly_used(100);
    use_up_all_else(block);
    struct page *page = steal(0, MIGRATE_UNMOVABLE);
    assert_int_equal(pageblock_index(page), pageblock_index(block));
    assert_int_equal(pageblock_type(block), MIGRATE_UNMOVABLE);
}

static void a_mostly_movable_pageblock_keeps_its_type(void **state)
{
    (void)state;
    struct page *block = partly_used(400);
    for (unsigned i = 0; i < 400; i++)
        block[i].type = PAGE_ANON;
    use_up_all_else(block);
    struct page *page = steal(0, MIGRATE_UNMOVABLE);
    assert_int_equal(pageblock_index(page), pageblock_index(block));
    assert_int_equal(pageblock_type(block), MIGRATE_MOVABLE);
}

static void movable_takes_the_smallest_of_what_it_cannot_claim(void **state)
{
    (void)state;
    struct page *block = take(9, MIGRATE_MOVABLE);
    spin_lock(&zone->lock);
    pageblock_set_type(block, MIGRATE_UNMOVABLE);
    spin_unlock(&zone->lock);
    for (unsigned i = 0; i < PAGEBLOCK_PAGES; i++)
        block[i].type = PAGE_SLAB, block[i].order = 0;
    use_up_all_else(block);
    give(block + 8, 3);
    give(block + 2, 0);
    struct page *page = steal(0, MIGRATE_MOVABLE);
    assert_ptr_equal(page, block + 2);
    assert_int_equal(pageblock_type(block), MIGRATE_UNMOVABLE);
    assert_ptr_equal(steal(0, MIGRATE_MOVABLE), block + 8);
    for (unsigned i = 1; i < 8; i++)
        assert_non_null(steal(0, MIGRATE_MOVABLE));
    assert_null(steal(0, MIGRATE_MOVABLE));
}

static void a_pageblock_of_two_zones_is_left_alone(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(33));
    fake_memory(1, MIB(33), MIB(31)); /* in the middle of a pageblock */
    fake_hart(0);
    fake_boot("");
    struct page *page = fake_page(MIB(33) - PAGE_SIZE);
    zone = page_zone(page);
    enum migratetype before = pageblock_type(page);
    struct page *got;
    while ((got = steal(0, MIGRATE_UNMOVABLE)) != NULL)
        got->type = PAGE_KERNEL;
    assert_int_equal(pageblock_type(page), before);
}

static void indices_tell_lack_from_fragmentation(void **state)
{
    (void)state;
    assert_int_equal(fragmentation_index(zone, 9), -1000);
    assert_true(unusable_free_index(zone, 0) == 0);
    assert_true(unusable_free_index(zone, 10) < 300);
    /* only single pages, every other one: enough memory, no block */
    struct page *page;
    static struct page *all[MIB(64) / PAGE_SIZE];
    unsigned n = 0;
    while ((page = take(0, MIGRATE_MOVABLE)) != NULL)
        all[n++] = page;
    assert_int_equal(fragmentation_index(zone, 3), 0);
    assert_int_equal(unusable_free_index(zone, 3), 1000);
    give(all[0], 0);
    assert_true(fragmentation_index(zone, 3) < 500); /* one page: it is memory that lacks */
    for (unsigned i = 0; i < n; i++)
        if (page_to_pfn(all[i]).v % 2 && all[i] != all[0])
            give(all[i], 0);
    assert_in_range(fragmentation_index(zone, 3), 870, 875); /* 1 - 1/8 */
    assert_int_equal(unusable_free_index(zone, 3), 1000);
}

static void one_per_cent_is_kept_for_who_cannot_wait(void **state)
{
    (void)state;
    fake_simple(MIB(512)); /* two pageblocks are less than a hundredth */
    zone = zones[0];
    struct page *page = take(2, MIGRATE_MOVABLE);
    for (unsigned i = 0; i < 4; i++)
        page[i].type = i ? PAGE_TAIL : PAGE_KERNEL;
    page->refcount = 1;
    highatomic_reserve(zone, page);
    assert_int_equal(zone->nr_reserved_highatomic, PAGEBLOCK_PAGES);
    assert_int_equal(pageblock_type(page), MIGRATE_HIGHATOMIC);
    highatomic_reserve(zone, page); /* once only */
    assert_int_equal(zone->nr_reserved_highatomic, PAGEBLOCK_PAGES);
    fake_check();
    assert_true(highatomic_unreserve(zone));
    assert_int_equal(zone->nr_reserved_highatomic, 0);
    assert_int_equal(pageblock_type(page), MIGRATE_UNMOVABLE);
    assert_false(highatomic_unreserve(zone));
    __free_pages(page, 2);
    fake_check();
}

static void a_small_zone_reserves_nothing(void **state)
{
    (void)state;
    highatomic_reserve(zone, take(2, MIGRATE_MOVABLE));
    assert_int_equal(zone->nr_reserved_highatomic, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_theft_takes_a_whole_block, set_up),
        cmocka_unit_test_setup(a_theft_boosts_the_watermark, set_up),
        cmocka_unit_test_setup(preference_follows_linuxs_table, set_up),
        cmocka_unit_test_setup(a_mostly_free_pageblock_is_claimed, set_up),
        cmocka_unit_test_setup(a_mostly_movable_pageblock_keeps_its_type, set_up),
        cmocka_unit_test_setup(movable_takes_the_smallest_of_what_it_cannot_claim, set_up),
        cmocka_unit_test_setup(a_pageblock_of_two_zones_is_left_alone, set_up),
        cmocka_unit_test_setup(indices_tell_lack_from_fragmentation, set_up),
        cmocka_unit_test_setup(one_per_cent_is_kept_for_who_cannot_wait, set_up),
        cmocka_unit_test_setup(a_small_zone_reserves_nothing, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
