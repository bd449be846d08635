/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step4_handing.c - free pages to the mover, and the rest back.
 *
 *      node 0, 32 MiB: pageblocks 0 to 15; the last frames hold mem_map and are nobody's
 */
#include "scanning.h"

static int set_up(void **state)
{
    (void)state;
    scanning_begin();
    return 0;
}

static char half(uint64_t pfn)
{
    return pfn % 2 ? '.' : 'a';
}

static char in_blocks(uint64_t pfn)
{
    return pfn % 64 < 8 ? 'a' : '.';
}

static void a_page_is_handed_out(void **state)
{
    (void)state;
    lay(half);
    scan(BLOCK(1), BLOCK(10), 20);
    unsigned before = cc->nr_free;
    struct page *page = compaction_new_page(page_at(BLOCK(1)), cc);
    expect_true(page != NULL, "there are free pages, and one is wanted");
    expect_equal(page->type, PAGE_KERNEL, "type of the page that was handed out");
    expect_equal(page_count(page), 1, "its references");
    expect_equal(page->order, 0, "its order");
    expect_equal(laid(pfn_of(page)), '.', "it was free");
    expect_equal(cc->nr_free, before - 1, "nr_free, one being gone");
    expect_taken(BLOCK(10), BLOCK(11));
}

static void every_page_is_another_one(void **state)
{
    (void)state;
    static bool seen[MAP_FRAMES];
    memset(seen, 0, sizeof(seen));
    lay(half);
    cc = control(zone, BLOCK(7), BLOCK(10));
    cc->nr_migrate = COMPACT_CLUSTER_MAX;
    for (unsigned i = 0; i < 3 * 256; i++) {
        struct page *page = compaction_new_page(page_at(BLOCK(1)), cc);
        expect_true(page != NULL,
                    "page %u of the 768 of three pageblocks; when the list is empty "
                    "it is filled again",
                    i);
        expect_true(pfn_of(page) >= BLOCK(8) && pfn_of(page) < BLOCK(11),
                    "page %u lies at pfn 0x%lx", i, (unsigned long)pfn_of(page));
        expect_true(!seen[pfn_of(page) - MEMORY_BASE_PFN], "pfn 0x%lx was handed out twice",
                    (unsigned long)pfn_of(page));
        seen[pfn_of(page) - MEMORY_BASE_PFN] = true;
    }
    expect_true(!compaction_new_page(page_at(BLOCK(1)), cc), "the scanners have met: NULL");
    expect_equal(cc->nr_free, 0, "nr_free");
    expect_equal(zone->nr_isolated_free, 0, "zone->nr_isolated_free");
}

static void what_is_left_over_merges_again(void **state)
{
    (void)state;
    lay(in_blocks);
    uint64_t free = zone->nr_free_pages, of_order[NR_ORDERS];
    for (unsigned order = 0; order < NR_ORDERS; order++)
        of_order[order] = zone->free_area[order].nr_free;
    scan(BLOCK(1), BLOCK(10), 1000);
    expect_true(cc->nr_free >= 1000, "%u pages of 1000 that were wanted", cc->nr_free);
    release_freepages(cc);
    expect_true(list_empty(&cc->free_list), "free_list is empty");
    expect_equal(cc->nr_free, 0, "nr_free");
    expect_equal(zone->nr_isolated_free, 0, "zone->nr_isolated_free");
    expect_equal(zone->nr_free_pages, free, "free pages of the zone");
    for (unsigned order = 0; order < NR_ORDERS; order++)
        expect_equal(zone->free_area[order].nr_free, of_order[order],
                     "blocks of order %u, as there were before", order);
    release_freepages(cc); /* nothing to do */
    account(0);
}

static void what_was_handed_out_stays_out(void **state)
{
    (void)state;
    lay(half);
    scan(BLOCK(1), BLOCK(10), 100);
    struct page *page = compaction_new_page(page_at(BLOCK(1)), cc);
    expect_true(page != NULL, "there are free pages, and one is wanted");
    release_freepages(cc);
    expect_equal(page->type, PAGE_KERNEL, "type of the page that was handed out");
    __free_page(page);
    account(0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_handed_out),
        TEST(every_page_is_another_one),
        TEST(what_is_left_over_merges_again),
        TEST(what_was_handed_out_stays_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
