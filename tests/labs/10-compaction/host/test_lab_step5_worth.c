/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step5_worth.c - when compaction is tried at all.
 *
 *      node 0, 32 MiB: pageblocks 0 to 15; the last frames hold mem_map and are nobody's
 */
#include "zone_map.h"

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    zone = zones[0];
    return 0;
}

/* --- suitability ------------------------------------------------------------------------------ */

static uint64_t to_give; /* that draw functions still have to give */

static char half(uint64_t pfn)
{
    return pfn % 2 ? '.' : 'a';
}

static char some_single(uint64_t pfn)
{
    if (pfn % 2 || !to_give)
        return 'a';
    to_give--;
    return '.';
}

static enum compact_result suitable(unsigned order)
{
    return compaction_suitable(zone, order, (enum zone_type)zone->index);
}

static void no_need_when_a_block_is_there(void **state)
{
    (void)state;
    expect_equal(suitable(9), COMPACT_SUCCESS, "order 9 of an empty machine");
    lay(half);
    expect_equal(suitable(0), COMPACT_SUCCESS, "order 0, half of the pages being free");
}

static void worth_it_when_half_is_free_in_pieces(void **state)
{
    (void)state;
    lay(half);
    for (unsigned order = 1; order <= 9; order++)
        expect_equal(suitable(order), COMPACT_CONTINUE,
                     "order %u, every other page being free (fragmentation index %d)", order,
                     fragmentation_index(zone, order));
}

static void pages_need_room_to_move(void **state)
{
    (void)state;
    uint64_t mark = zone->watermark[WMARK_MIN] + zone->lowmem_reserve[zone->index];
    for (unsigned order = 1; order <= 3; order++) {
        to_give = mark + (2UL << order);
        lay(some_single);
        expect_equal(suitable(order), COMPACT_SKIPPED,
                     "order %u with %lu pages free and a min mark of %lu", order,
                     (unsigned long)zone->nr_free_pages, (unsigned long)mark);
        fake_simple(MIB(32));
        to_give = mark + (2UL << order) + 1;
        lay(some_single);
        expect_equal(suitable(order), COMPACT_CONTINUE,
                     "order %u with one page more, %lu, and a min mark of %lu", order,
                     (unsigned long)zone->nr_free_pages, (unsigned long)mark);
        fake_simple(MIB(32));
    }
}

/* Few large pieces: it is memory that is lacking. Their index is set by the threshold here. */
static void not_suitable_when_memory_is_lacking(void **state)
{
    (void)state;
    lay(half);
    int index = fragmentation_index(zone, 5);
    expect_true(index > 0 && index < 1000, "the test laid a zone with an index: %d", index);
    int saved = sysctl_extfrag_threshold;
    sysctl_extfrag_threshold = index;
    enum compact_result at = suitable(5), small = suitable(3);
    sysctl_extfrag_threshold = index - 1;
    enum compact_result above = suitable(5);
    sysctl_extfrag_threshold = saved;
    expect_equal(at, COMPACT_NOT_SUITABLE, "order 5, the index being the threshold");
    expect_equal(above, COMPACT_CONTINUE, "order 5, the index being above the threshold");
    expect_equal(small, COMPACT_CONTINUE, "order 3 is not costly: the index does not count");
}

static char pair_per_block(uint64_t pfn)
{
    return pfn % 8 < 4 ? '.' : 'a';
}

/* The index is below 0 when a block is there; but the watermark does not allow it. */
static void a_block_below_the_mark_is_no_success(void **state)
{
    (void)state;
    lay(pair_per_block);
    zone->watermark[WMARK_MIN] = zone->nr_free_pages - 3;
    expect_equal(suitable(2), COMPACT_SKIPPED, "order 2 in a zone that is at its min mark");
    zone->watermark[WMARK_MIN] = zone->nr_free_pages / 2;
    expect_equal(suitable(2), COMPACT_SUCCESS, "order 2 in a zone above its min mark");
}

/* --- deferral --------------------------------------------------------------------------------- */

/* So many requests until one is tried. */
static unsigned requests(int order)
{
    for (unsigned n = 1; n <= 1000; n++)
        if (!compaction_deferred(zone, order))
            return n;
    return 0;
}

static void nothing_is_deferred_at_first(void **state)
{
    (void)state;
    for (int order = 1; order <= 10; order++)
        expect_equal(requests(order), 1, "requests of order %d until one is tried", order);
}

static void each_failure_doubles(void **state)
{
    (void)state;
    for (unsigned i = 1, want = 2; i <= 10; i++, want = want < 64 ? want * 2 : 64) {
        defer_compaction(zone, 5);
        expect_equal(requests(5), want, "requests until one is tried, after failure %u in a row",
                     i);
    }
}

static void deferral_has_an_end(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        defer_compaction(zone, 5);
    expect_equal(requests(5), 8, "requests until one is tried, after 3 failures");
    for (int i = 0; i < 20; i++)
        expect_equal(requests(5), 1, "the time being over, each is tried until one fails");
    defer_compaction(zone, 5);
    expect_equal(requests(5), 16, "requests until one is tried, after the fourth failure");
}

static void smaller_orders_are_not_deferred(void **state)
{
    (void)state;
    defer_compaction(zone, 5);
    expect_equal(requests(4), 1, "requests of order 4, order 5 having failed");
    expect_true(compaction_deferred(zone, 9), "order 9 is deferred with order 5");
    expect_equal(requests(5), 1, "order 9 was the first request, this is the second");
    defer_compaction(zone, 3);
    defer_compaction(zone, 7);
    expect_equal(requests(3), 8, "requests of order 3, after failures of 5, 3, 7");
    expect_equal(requests(2), 1, "requests of order 2, which never failed");
}

static void a_success_forgets(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        defer_compaction(zone, 5);
    compaction_defer_reset(zone, 6, true);
    expect_equal(requests(5), 1, "requests until one is tried, after a success");
    expect_equal(requests(9), 1, "requests until one is tried, after a success");
    defer_compaction(zone, 9);
    expect_equal(requests(9), 2, "the next failure is the first again");
}

static void a_block_from_elsewhere_helps_orders_up_to_it(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        defer_compaction(zone, 4);
    compaction_defer_reset(zone, 6, false);
    expect_equal(requests(6), 1, "requests of order 6, of which there was a block");
    expect_equal(requests(7), 8, "requests of order 7: still deferred");
    compaction_defer_reset(zone, 5, false);
    defer_compaction(zone, 9);
    expect_equal(requests(6), 1, "a block of order 5 does not make order 6 one that failed");
    expect_equal(requests(7), 16, "requests of order 7, after the fourth failure");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_need_when_a_block_is_there),
        TEST(worth_it_when_half_is_free_in_pieces),
        TEST(pages_need_room_to_move),
        TEST(not_suitable_when_memory_is_lacking),
        TEST(a_block_below_the_mark_is_no_success),
        TEST(nothing_is_deferred_at_first),
        TEST(each_failure_doubles),
        TEST(deferral_has_an_end),
        TEST(smaller_orders_are_not_deferred),
        TEST(a_success_forgets),
        TEST(a_block_from_elsewhere_helps_orders_up_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
