/* SPDX-License-Identifier: MIT */
/*
 * test_pageblock.c - types and skip bits of pageblocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/pageblock.h"
#include "support/fake_machine.h"
#include "support/host.h"

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(31)); /* the last block is half */
    fake_memory(0, MIB(40), MIB(8));
    fake_hart(0);
    fake_boot("");
    return 0;
}

static void set_type(struct page *page, enum migratetype mt)
{
    spin_lock(&page_zone(page)->lock);
    pageblock_set_type(page, mt);
    spin_unlock(&page_zone(page)->lock);
}

static void all_begin_movable(void **state)
{
    uint64_t counts[MIGRATE_TYPES];
    (void)state;
    pageblock_count(zones[0], counts);
    assert_int_equal(counts[MIGRATE_MOVABLE], 16 + 4);
    assert_int_equal(counts[MIGRATE_UNMOVABLE], 0);
    assert_int_equal(nr_pageblocks, 24);
}

static void a_type_is_of_all_pages_of_the_block(void **state)
{
    uint64_t counts[MIGRATE_TYPES];
    (void)state;
    struct page *page = fake_page(MIB(4));
    set_type(page + 100, MIGRATE_RECLAIMABLE);
    assert_int_equal(pageblock_type(page), MIGRATE_RECLAIMABLE);
    assert_int_equal(pageblock_type(page + 511), MIGRATE_RECLAIMABLE);
    assert_int_equal(pageblock_type(page + 512), MIGRATE_MOVABLE);
    assert_int_equal(pageblock_type(page - 1), MIGRATE_MOVABLE);
    pageblock_count(zones[0], counts);
    assert_int_equal(counts[MIGRATE_RECLAIMABLE], 1);
}

static void isolated_blocks_are_counted(void **state)
{
    (void)state;
    set_type(fake_page(MIB(4)), MIGRATE_ISOLATE);
    set_type(fake_page(MIB(6)), MIGRATE_ISOLATE);
    assert_int_equal(zones[0]->nr_isolate_pageblock, 2);
    set_type(fake_page(MIB(4)), MIGRATE_UNMOVABLE);
    assert_int_equal(zones[0]->nr_isolate_pageblock, 1);
}

static void a_type_needs_the_zone_lock(void **state)
{
    (void)state;
    assert_true(PANICS(pageblock_set_type(fake_page(MIB(4)), MIGRATE_UNMOVABLE)));
}

static void skip_bits_do_not_touch_the_type(void **state)
{
    (void)state;
    struct page *page = fake_page(MIB(8));
    set_type(page, MIGRATE_UNMOVABLE);
    assert_false(pageblock_skip(page, PAGEBLOCK_SKIP_FREE));
    pageblock_set_skip(page, PAGEBLOCK_SKIP_FREE);
    assert_true(pageblock_skip(page + 5, PAGEBLOCK_SKIP_FREE));
    assert_false(pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE));
    pageblock_set_skip(page, PAGEBLOCK_SKIP_MIGRATE);
    set_type(page, MIGRATE_MOVABLE);
    assert_true(pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE));
    pageblock_clear_skips(zones[0]);
    assert_false(pageblock_skip(page, PAGEBLOCK_SKIP_FREE));
    assert_false(pageblock_skip(page, PAGEBLOCK_SKIP_MIGRATE));
    assert_int_equal(pageblock_type(page), MIGRATE_MOVABLE);
}

static void only_ram_is_valid(void **state)
{
    (void)state;
    assert_true(pfn_valid(page_to_pfn(fake_page(0))));
    assert_true(pfn_valid(page_to_pfn(fake_page(MIB(31) - PAGE_SIZE))));
    assert_false(pfn_valid(page_to_pfn(fake_page(MIB(31)))));
    assert_false(pfn_valid(page_to_pfn(fake_page(MIB(35)))));
    assert_true(pfn_valid(page_to_pfn(fake_page(MIB(40)))));
    assert_false(pfn_valid(page_to_pfn(fake_page(MIB(48)))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_begin_movable, set_up),
        cmocka_unit_test_setup(a_type_is_of_all_pages_of_the_block, set_up),
        cmocka_unit_test_setup(isolated_blocks_are_counted, set_up),
        cmocka_unit_test_setup(a_type_needs_the_zone_lock, set_up),
        cmocka_unit_test_setup(skip_bits_do_not_touch_the_type, set_up),
        cmocka_unit_test_setup(only_ram_is_valid, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
