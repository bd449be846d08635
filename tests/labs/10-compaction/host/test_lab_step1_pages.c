/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step1_pages.c - which pages of a pageblock are taken.
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

static char few(uint64_t pfn)
{
    return "a..kf...x......p"[pfn % 16];
}

static void movable_pages_are_taken(void **state)
{
    (void)state;
    lay(few);
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t stop = isolate_migratepages_block(cc, BLOCK(1), BLOCK(1) + 128);
    expect_equal(stop, BLOCK(1) + 128, "where it stopped, less than a cluster being there");
    expect_equal(taken(), 24, "pages of 128 frames, 3 of each 16 being movable");
    expect_isolated("few pages");
    put_all_back();
    account(0);
}

static char all(uint64_t pfn)
{
    (void)pfn;
    return 'a';
}

static void a_cluster_is_enough(void **state)
{
    (void)state;
    lay(all);
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t stop = isolate_migratepages_block(cc, BLOCK(1), BLOCK(2));
    expect_equal(taken(), COMPACT_CLUSTER_MAX, "pages taken of a full pageblock");
    expect_equal(stop, BLOCK(1) + COMPACT_CLUSTER_MAX, "where it stopped, behind the last one");
    expect_isolated("a cluster");
    put_all_back();
    stop = isolate_migratepages_block(cc, stop, BLOCK(2));
    expect_equal(stop, BLOCK(1) + 2 * COMPACT_CLUSTER_MAX, "where it stopped the second time");
    put_all_back();
    account(0);
}

static char none(uint64_t pfn)
{
    return "k.x...kk"[pfn % 8];
}

static void others_are_left_alone(void **state)
{
    (void)state;
    lay(none);
    struct page *batched = page_at(BLOCK(1));
    page_set_type(batched, PAGE_ANON);
    lru_cache_add(batched); /* and no drain */
    page_set_type(page_at(BLOCK(1) + 6), PAGE_SLAB);
    page_set_type(page_at(BLOCK(1) + 7), PAGE_TABLE);
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t stop = isolate_migratepages_block(cc, BLOCK(1), BLOCK(2));
    expect_equal(taken(), 0, "pages taken where none can be");
    expect_equal(stop, BLOCK(2), "where it stopped");
    expect_equal(page_count(batched), 2, "references of a page that waits in a hart's batch");
}

static char blocks(uint64_t pfn)
{
    return pfn % 64 == 40 ? 'a' : '.';
}

static void free_blocks_are_stepped_over(void **state)
{
    (void)state;
    lay(blocks);
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t free = zone->nr_free_pages;
    expect_equal(isolate_migratepages_block(cc, BLOCK(1), BLOCK(2)), BLOCK(2), "where it stopped");
    expect_equal(taken(), 8, "pages between free blocks");
    expect_equal(zone->nr_free_pages, free, "free pages of the zone");
    put_all_back();
    account(0);
}

static char emptied(uint64_t pfn)
{
    return pfn < BLOCK(8) ? '.' : 'a';
}

static void it_never_stops_behind_the_end(void **state)
{
    (void)state;
    lay(emptied);
    cc = control(zone, BLOCK(2), BLOCK(10));
    expect_equal(page_at(BLOCK(2))->order, MAX_ORDER, "the test laid a block of order 10");
    expect_equal(isolate_migratepages_block(cc, BLOCK(2), BLOCK(3)), BLOCK(3),
                 "where it stopped, a free block reaching behind the end");
    expect_equal(isolate_migratepages_block(cc, BLOCK(2), BLOCK(2) + 7), BLOCK(2) + 7,
                 "where it stopped, a free block reaching behind the end");
    expect_equal(taken(), 0, "pages of a free pageblock");
}

/* Between the look at the type and that at the order a block may change hands. */
static void a_stale_order_does_no_harm(void **state)
{
    (void)state;
    lay(few);
    struct page *page = page_at(BLOCK(1) + 3); /* a 'k' */
    page->type = PAGE_BUDDY;
    page->order = 77;
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t stop = isolate_migratepages_block(cc, BLOCK(1), BLOCK(1) + 128);
    expect_equal(stop, BLOCK(1) + 128, "where it stopped, one order being nonsense");
    expect_equal(taken(), 24, "pages of 128 frames, 3 of each 16 being movable");
}

static char thin(uint64_t pfn)
{
    return pfn % 32 == 5 ? 'a' : '.';
}

static void holes_and_other_zones_are_left_alone(void **state)
{
    (void)state;
    interleaved();
    lay(thin);
    /* a frame in a hole has a struct page that was never made: whatever it says is wrong */
    for (uint64_t pfn = MEMORY_BASE_PFN; pfn < frame_pfn(MAP_FRAMES); pfn++)
        if (!pfn_valid(mk_pfn(pfn)) && pfn < max_pfn.v)
            *page_at(pfn) =
                (struct page){.flags = 1u << PG_lru, .type = PAGE_ANON, .refcount = 1, .nid = 0};
    cc = control(zone, zone->zone_start_pfn, zone_end_pfn(zone) - 1);
    for (uint64_t pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone);) {
        uint64_t end = MIN(ALIGN_DOWN(pfn, PAGEBLOCK_PAGES) + PAGEBLOCK_PAGES, zone_end_pfn(zone));
        pfn = isolate_migratepages_block(cc, pfn, end);
        expect_equal(pfn, end, "where it stopped");
        struct page *page;
        list_for_each_entry(page, &cc->migrate_list, lru) {
            expect_true(pfn_valid(page_to_pfn(page)), "pfn 0x%lx lies in a hole",
                        (unsigned long)pfn_of(page));
            expect_true(page_zone(page) == zone, "pfn 0x%lx belongs to another zone",
                        (unsigned long)pfn_of(page));
        }
        put_all_back();
    }
}

static void what_was_looked_at_is_counted(void **state)
{
    (void)state;
    lay(blocks);
    cc = control(zone, BLOCK(1), BLOCK(10));
    uint64_t before = vm_event_sum(COMPACTMIGRATE_SCANNED);
    uint64_t daemon = vm_event_sum(KCOMPACTD_MIGRATE_SCANNED);
    (void)isolate_migratepages_block(cc, BLOCK(1), BLOCK(2));
    uint64_t n = vm_event_sum(COMPACTMIGRATE_SCANNED) - before;
    expect_true(n >= 8 && n < 200,
                "%lu frames counted as looked at; 8 pages and some 50 free "
                "blocks are there",
                (unsigned long)n);
    expect_equal(vm_event_sum(KCOMPACTD_MIGRATE_SCANNED), daemon, "kcompactd's own counter");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(movable_pages_are_taken),
        TEST(a_cluster_is_enough),
        TEST(others_are_left_alone),
        TEST(free_blocks_are_stepped_over),
        TEST(it_never_stops_behind_the_end),
        TEST(a_stale_order_does_no_harm),
        TEST(holes_and_other_zones_are_left_alone),
        TEST(what_was_looked_at_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
