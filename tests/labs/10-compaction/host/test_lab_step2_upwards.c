/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step2_upwards.c - the migrate scanner on its way.
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

static char thin(uint64_t pfn)
{
    return pfn % 32 == 5 ? 'a' : '.';
}

static char anything(uint64_t pfn)
{
    (void)pfn;
    return "aaf..p...kx....."[rng_below(&rng, 16)];
}

/* Call it to the end; each page that comes is put back at once, and may not come again. */
static uint64_t collect(uint64_t limit)
{
    uint64_t n = 0, last = 0;
    while (isolate_migratepages(cc)) {
        struct page *page;
        expect_true(taken() >= 1 && taken() <= COMPACT_CLUSTER_MAX,
                    "%lu pages were taken when it returned true", (unsigned long)cc->nr_migrate);
        expect_isolated("upwards");
        list_for_each_entry(page, &cc->migrate_list, lru) {
            expect_true(page_zone(page) == cc->zone, "a page of another zone was taken");
            expect_true(pfn_of(page) > last, "pfn 0x%lx was looked at again",
                        (unsigned long)pfn_of(page));
            expect_true(pfn_of(page) < limit, "pfn 0x%lx belongs to the free scanner",
                        (unsigned long)pfn_of(page));
            last = pfn_of(page);
        }
        expect_true(cc->migrate_pfn > last, "migrate_pfn lies behind what was taken");
        n += taken();
        put_all_back();
    }
    expect_equal(taken(), 0, "pages when it returned false");
    return n;
}

static uint64_t movable_between(uint64_t start, uint64_t end)
{
    uint64_t n = 0;
    for (uint64_t pfn = start; pfn < end; pfn++)
        n += is_movable(laid(pfn)) && page_zone(page_at(pfn)) == zone;
    return n;
}

static void every_page_comes_once(void **state)
{
    (void)state;
    lay(anything);
    cc = control(zone, BLOCK(0), BLOCK(12));
    expect_equal(collect(BLOCK(12)), movable_between(BLOCK(0), BLOCK(12)), "pages in all");
    expect_true(!isolate_migratepages(cc), "there are no more the next time either");
    account(0);
}

static void it_ends_at_the_free_scanner(void **state)
{
    (void)state;
    lay(anything);
    cc = control(zone, BLOCK(2) + 100, BLOCK(5) + 300);
    expect_equal(collect(BLOCK(5)), movable_between(BLOCK(2) + 100, BLOCK(5)),
                 "pages from migrate_pfn up to the free scanner's pageblock");
    cc = control(zone, BLOCK(5), BLOCK(5) + 511);
    expect_true(!isolate_migratepages(cc), "both scanners stand in one pageblock: it is over");
    cc = control(zone, BLOCK(7), BLOCK(5));
    expect_true(!isolate_migratepages(cc), "the scanners have crossed: it is over");
    account(0);
}

static char by_block(uint64_t pfn)
{
    uint64_t block = (pfn - MEMORY_BASE_PFN) / PAGEBLOCK_PAGES;
    uint64_t i = pfn % PAGEBLOCK_PAGES;
    if (block == 2)
        return i < 40 ? 'a' : 'k'; /* more than a cluster */
    if (block == 4)
        return i == 511 ? 'a' : 'k';
    return block == 6 ? "k."[i % 2] : 'k';
}

static bool skipped(uint64_t block)
{
    return pageblock_skip(page_at(BLOCK(block)), PAGEBLOCK_SKIP_MIGRATE);
}

static void what_gave_nothing_gets_a_skip_bit(void **state)
{
    (void)state;
    lay(by_block);
    cc = control(zone, BLOCK(1) + 1, BLOCK(8));
    expect_equal(collect(BLOCK(8)), 41, "pages in all");
    expect_true(!skipped(1), "pageblock 1 was not looked at from its first frame on");
    expect_true(!skipped(2), "pageblock 2 gave pages");
    expect_true(skipped(3), "pageblock 3 gave nothing: skip bit");
    expect_true(!skipped(4), "pageblock 4 gave a page");
    expect_true(skipped(6), "pageblock 6 gave nothing: skip bit");
    expect_true(!skipped(8), "pageblock 8 was not looked at");
    expect_true(!pageblock_skip(page_at(BLOCK(3)), PAGEBLOCK_SKIP_FREE),
                "the free scanner's bit is its own");
}

static void skip_bits_are_minded(void **state)
{
    (void)state;
    lay(anything);
    pageblock_set_skip(page_at(BLOCK(3)), PAGEBLOCK_SKIP_MIGRATE);
    pageblock_set_skip(page_at(BLOCK(4)), PAGEBLOCK_SKIP_FREE);
    cc = control(zone, BLOCK(2), BLOCK(6));
    expect_equal(collect(BLOCK(6)),
                 movable_between(BLOCK(2), BLOCK(6)) - movable_between(BLOCK(3), BLOCK(4)),
                 "pages of pageblocks 2 to 5, the third having a skip bit");
    cc = control(zone, BLOCK(2), BLOCK(6));
    cc->whole_zone = true;
    expect_equal(collect(BLOCK(6)), movable_between(BLOCK(2), BLOCK(6)),
                 "pages of pageblocks 2 to 5 when skip bits do not count");
}

static void only_good_pageblocks_are_sources(void **state)
{
    (void)state;
    lay(anything);
    retype(BLOCK(3), MIGRATE_UNMOVABLE);
    retype(BLOCK(4), MIGRATE_ISOLATE);
    uint64_t all = movable_between(BLOCK(2), BLOCK(6)), third = movable_between(BLOCK(3), BLOCK(4)),
             fourth = movable_between(BLOCK(4), BLOCK(5));
    cc = control(zone, BLOCK(2), BLOCK(6));
    expect_equal(collect(BLOCK(6)), all - fourth, "pages for who may wait");
    cc = control(zone, BLOCK(2), BLOCK(6));
    cc->mode = MIGRATE_ASYNC;
    expect_equal(collect(BLOCK(6)), all - third - fourth, "pages for who does not wait");
}

static void the_position_is_remembered(void **state)
{
    (void)state;
    lay(by_block);
    cc = control(zone, BLOCK(0), BLOCK(7));
    expect_true(isolate_migratepages(cc), "pageblock 2 has pages");
    put_all_back();
    uint64_t *cached = zone->compact_cached_migrate_pfn;
    expect_true(cached[MIGRATE_SYNC] <= BLOCK(2),
                "pageblock 2 is not finished; the position "
                "remembered is 0x%lx",
                (unsigned long)cached[MIGRATE_SYNC]);
    expect_equal(collect(BLOCK(7)), 9, "pages that were left");
    expect_equal(cached[MIGRATE_SYNC], BLOCK(7), "position that is remembered at the end");
    expect_equal(cached[MIGRATE_ASYNC], BLOCK(0), "position of the other mode");
    cc = control(zone, BLOCK(0), BLOCK(3));
    (void)collect(BLOCK(3));
    expect_equal(cached[MIGRATE_SYNC], BLOCK(7), "a position that is remembered never goes down");
}

static void odd_ends_and_holes(void **state)
{
    (void)state;
    interleaved();
    lay(thin);
    struct zone *z;
    for_each_populated_zone(z)
    {
        zone = z;
        uint64_t first = z->zone_start_pfn, last = zone_end_pfn(z) - 1, want = 0;
        uint64_t limit = MAX(ALIGN_DOWN(last, PAGEBLOCK_PAGES), first);
        for (uint64_t pfn = first; pfn < limit; pfn++)
            want += pfn_valid(mk_pfn(pfn)) && is_movable(laid(pfn)) && page_zone(page_at(pfn)) == z;
        cc = control(z, first, last);
        cc->whole_zone = true; /* two zones that share a pageblock share its skip bit */
        expect_equal(collect(limit), want, "pages of node %u", z->nid);
    }
    account(0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_page_comes_once),
        TEST(it_ends_at_the_free_scanner),
        TEST(what_gave_nothing_gets_a_skip_bit),
        TEST(skip_bits_are_minded),
        TEST(only_good_pageblocks_are_sources),
        TEST(the_position_is_remembered),
        TEST(odd_ends_and_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
