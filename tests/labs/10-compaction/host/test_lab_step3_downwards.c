/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step3_downwards.c - the free scanner on its way.
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

static char random_half(uint64_t pfn)
{
    (void)pfn;
    return "a.k.f..a"[rng_below(&rng, 8)];
}

static uint64_t free_between(uint64_t start, uint64_t end)
{
    uint64_t n = 0;
    for (uint64_t pfn = start; pfn < end; pfn++)
        n += laid(pfn) == '.' && page_zone(page_at(pfn)) == zone;
    return n;
}

static void free_pages_are_taken(void **state)
{
    (void)state;
    lay(half);
    uint64_t free = zone->nr_free_pages;
    scan(BLOCK(1), BLOCK(10) + 77, 20);
    expect_equal(cc->nr_free, 20,
                 "pages of 20 that were wanted, all free blocks being single pages");
    expect_taken(BLOCK(10), BLOCK(11));
    expect_equal(zone->nr_free_pages, free - cc->nr_free, "free pages of the zone");
}

static char in_blocks(uint64_t pfn)
{
    return pfn % 64 < 8 ? 'a' : '.';
}

static void buddies_are_taken_apart(void **state)
{
    (void)state;
    lay(in_blocks);
    scan(BLOCK(1), BLOCK(10), 33);
    expect_true(cc->nr_free >= 33, "%u pages of 33 that were wanted", cc->nr_free);
    expect_taken(BLOCK(10), BLOCK(11));
}

static void the_next_pageblock_is_the_one_below(void **state)
{
    (void)state;
    lay(random_half);
    uint64_t two = free_between(BLOCK(9), BLOCK(11));
    scan(BLOCK(1), BLOCK(10), (unsigned)two);
    expect_equal(cc->nr_free, two, "all free pages of pageblocks 9 and 10 were wanted");
    expect_taken(BLOCK(9), BLOCK(11));
    expect_true(cc->free_pfn >= BLOCK(9) - 1 && cc->free_pfn < BLOCK(10),
                "free_pfn is 0x%lx, pageblock 9 being used up", (unsigned long)cc->free_pfn);
}

static void what_is_left_in_a_pageblock_comes_next(void **state)
{
    (void)state;
    lay(half);
    scan(BLOCK(1), BLOCK(10) + 511, 20);
    expect_equal(cc->free_pfn >> PAGEBLOCK_ORDER, BLOCK(10) >> PAGEBLOCK_ORDER,
                 "free_pfn is still in the pageblock, which has more");
    cc->nr_migrate = 200;
    isolate_freepages(cc);
    expect_true(cc->nr_free >= 200, "%u pages of 200 that were wanted", cc->nr_free);
    expect_taken(BLOCK(10), BLOCK(11));
    unsigned before = cc->nr_free;
    isolate_freepages(cc);
    expect_equal(cc->nr_free, before, "there are enough: none is taken");
}

static void it_ends_at_the_migrate_scanner(void **state)
{
    (void)state;
    lay(half);
    scan(BLOCK(4) + 200, BLOCK(6), 1000000);
    expect_taken(BLOCK(5), BLOCK(7));
    expect_equal(cc->nr_free, 512, "free pages of pageblocks 5 and 6");
    return_all();
    scan(BLOCK(4), BLOCK(6), 1000000);
    expect_taken(BLOCK(5), BLOCK(7));
    expect_equal(cc->nr_free, 512, "free pages of pageblocks 5 and 6");
    expect_true(cc->free_pfn < BLOCK(5), "free_pfn is where the migrate scanner is: they have met");
    isolate_freepages(cc);
    expect_equal(cc->nr_free, 512, "they have met: there are no more");
}

static void crossed_scanners_take_nothing(void **state)
{
    (void)state;
    lay(half);
    scan(BLOCK(6), BLOCK(6) + 300, 32);
    expect_equal(cc->nr_free, 0, "both scanners stand in one pageblock");
    scan(BLOCK(9) + 5, BLOCK(6), 32);
    expect_equal(cc->nr_free, 0, "the scanners have crossed");
    fake_check();
}

static char free_or_half(uint64_t pfn)
{
    uint64_t block = (pfn - MEMORY_BASE_PFN) / PAGEBLOCK_PAGES;
    return block == 8 || block == 6 || block == 7 ? '.' : half(pfn);
}

static void free_pageblocks_stay_whole(void **state)
{
    (void)state;
    lay(free_or_half);
    scan(BLOCK(5), BLOCK(9), 500);
    expect_taken(BLOCK(9), BLOCK(10));
    expect_equal(cc->nr_free, 256, "free pages of pageblock 9; 6 to 8 are wholly free");
    expect_equal(page_at(BLOCK(8))->order, PAGEBLOCK_ORDER, "order of the free pageblock 8");
    expect_equal(page_at(BLOCK(6))->order, MAX_ORDER, "order of the free pageblocks 6 and 7");
}

static void only_movable_pageblocks_are_filled(void **state)
{
    (void)state;
    lay(half);
    retype(BLOCK(8), MIGRATE_UNMOVABLE);
    retype(BLOCK(7), MIGRATE_ISOLATE);
    scan(BLOCK(5), BLOCK(8), 500);
    expect_taken(BLOCK(6), BLOCK(7));
    expect_equal(cc->nr_free, 256, "free pages of pageblock 6");
}

static char full_or_half(uint64_t pfn)
{
    return (pfn - MEMORY_BASE_PFN) / PAGEBLOCK_PAGES == 8 ? 'a' : half(pfn);
}

static void what_gave_nothing_gets_a_skip_bit(void **state)
{
    (void)state;
    lay(full_or_half);
    scan(BLOCK(4), BLOCK(9), 300);
    expect_taken(BLOCK(7), BLOCK(10));
    expect_true(pageblock_skip(page_at(BLOCK(8)), PAGEBLOCK_SKIP_FREE),
                "pageblock 8 gave nothing: skip bit");
    expect_true(!pageblock_skip(page_at(BLOCK(9)), PAGEBLOCK_SKIP_FREE), "pageblock 9 gave pages");
    expect_true(!pageblock_skip(page_at(BLOCK(8)), PAGEBLOCK_SKIP_MIGRATE),
                "the migrate scanner's bit is its own");
}

static void skip_bits_are_minded(void **state)
{
    (void)state;
    lay(half);
    pageblock_set_skip(page_at(BLOCK(8)), PAGEBLOCK_SKIP_FREE);
    pageblock_set_skip(page_at(BLOCK(7)), PAGEBLOCK_SKIP_MIGRATE);
    scan(BLOCK(4), BLOCK(8), 10);
    expect_taken(BLOCK(7), BLOCK(8));
    return_all();
    cc = control(zone, BLOCK(4), BLOCK(8));
    cc->whole_zone = true;
    cc->nr_migrate = 10;
    isolate_freepages(cc);
    expect_taken(BLOCK(8), BLOCK(9));
}

static void the_position_is_remembered(void **state)
{
    (void)state;
    lay(half);
    uint64_t init = zone->compact_cached_free_pfn;
    scan(BLOCK(4), BLOCK(10), 20);
    expect_equal(zone->compact_cached_free_pfn, init, "no pageblock was finished yet");
    scan(BLOCK(4), BLOCK(9), 300);
    expect_true(zone->compact_cached_free_pfn >= BLOCK(8) &&
                    zone->compact_cached_free_pfn < BLOCK(9),
                "pageblock 9 is finished, 8 is not; the position remembered is 0x%lx",
                (unsigned long)zone->compact_cached_free_pfn);
    uint64_t low = zone->compact_cached_free_pfn;
    scan(BLOCK(4), BLOCK(13), 300);
    expect_equal(zone->compact_cached_free_pfn, low, "a position that is remembered never goes up");
}

static void odd_ends_and_holes(void **state)
{
    (void)state;
    interleaved();
    lay(half);
    struct zone *z;
    for_each_populated_zone(z)
    {
        zone = z;
        uint64_t first = z->zone_start_pfn, second = ALIGN_UP(first + 1, PAGEBLOCK_PAGES);
        scan(first, z->compact_init_free_pfn, 1000000);
        expect_taken(second, zone_end_pfn(z));
        uint64_t most = 0, least = 0;
        for (uint64_t pfn = second; pfn < zone_end_pfn(z); pfn++) {
            bool here = pfn_valid(mk_pfn(pfn)) && page_zone(page_at(pfn)) == z;
            uint64_t start = ALIGN_DOWN(pfn, PAGEBLOCK_PAGES);
            bool begins = pfn_valid(mk_pfn(start)) && page_zone(page_at(start)) == z;
            most += here && laid(pfn) == '.';
            least += here && laid(pfn) == '.' && begins;
        }
        expect_true(cc->nr_free <= most && cc->nr_free >= least,
                    "%u of %lu free pages of node %u above its first pageblock", cc->nr_free,
                    (unsigned long)most, z->nid);
        return_all();
    }
    account(0);
}

static void what_was_looked_at_is_counted(void **state)
{
    (void)state;
    lay(in_blocks);
    uint64_t before = vm_event_sum(COMPACTFREE_SCANNED);
    scan(BLOCK(9), BLOCK(10), 1000000);
    uint64_t n = vm_event_sum(COMPACTFREE_SCANNED) - before;
    expect_true(n >= 8 * 8 && n <= PAGEBLOCK_PAGES,
                "%lu frames counted as looked at in one "
                "pageblock",
                (unsigned long)n);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(free_pages_are_taken),
        TEST(buddies_are_taken_apart),
        TEST(the_next_pageblock_is_the_one_below),
        TEST(what_is_left_in_a_pageblock_comes_next),
        TEST(it_ends_at_the_migrate_scanner),
        TEST(crossed_scanners_take_nothing),
        TEST(free_pageblocks_stay_whole),
        TEST(only_movable_pageblocks_are_filled),
        TEST(what_gave_nothing_gets_a_skip_bit),
        TEST(skip_bits_are_minded),
        TEST(the_position_is_remembered),
        TEST(odd_ends_and_holes),
        TEST(what_was_looked_at_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
