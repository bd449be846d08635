/* SPDX-License-Identifier: MIT */
/*
 * test_lab_step6_run.c - runs over laid zones, and an account afterwards.
 *
 *      node 0, 32 MiB: pageblocks 0 to 15; the last frames hold mem_map and are nobody's
 */
#include "runs.h"

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    zone = zones[0];
    mover_forget();
    return 0;
}

static uint64_t big(void)
{
    return zone->free_area[9].nr_free + 2 * zone->free_area[10].nr_free;
}

static char half(uint64_t pfn)
{
    return pfn % 2 ? '.' : 'a';
}

/* Of a cluster one page cannot be moved: a free page is left over. */
static char nearly_half(uint64_t pfn)
{
    return pfn % 64 ? half(pfn) : 'p';
}

static char three_of_four(uint64_t pfn)
{
    return pfn % 4 == 2 ? '.' : "af"[pfn / 4 % 2];
}

/* --- results ---------------------------------------------------------------------------------- */

static void half_of_the_zone_becomes_whole(void **state)
{
    (void)state;
    lay(half);
    uint64_t possible = zone->nr_free_pages >> PAGEBLOCK_ORDER;
    expect_equal(run(COMPACT_ALL, true), COMPACT_COMPLETE, "result of a run from end to end");
    expect_true(big() + 1 >= possible, "%lu free pageblocks of %lu that the free memory makes",
                (unsigned long)big(), (unsigned long)possible);
    expect_equal(last.moved, nr_moves, "cc->moved");
    expect_true(last.failed <= COMPACT_CLUSTER_MAX,
                "cc->failed is %lu; only of the last cluster may "
                "pages find no place",
                (unsigned long)last.failed);
    account(0);
}

static void a_full_zone_becomes_as_whole_as_it_can(void **state)
{
    (void)state;
    lay(three_of_four);
    uint64_t possible = zone->nr_free_pages >> PAGEBLOCK_ORDER;
    expect_equal(run(COMPACT_ALL, true), COMPACT_COMPLETE, "result of a run from end to end");
    expect_true(big() + 1 >= possible, "%lu free pageblocks of %lu that the free memory makes",
                (unsigned long)big(), (unsigned long)possible);
    account(0);
}

static void nothing_moves_when_a_block_is_there(void **state)
{
    (void)state;
    lay(half);
    expect_equal(run(0, false), COMPACT_SUCCESS, "result for a single page, which is free");
    expect_equal(nr_moves, 0, "pages moved for what was there");
    account(0);
}

static void it_stops_when_the_block_is_there(void **state)
{
    (void)state;
    lay(nearly_half);
    for (int order = 2; order <= 4; order += 2) {
        mover_forget();
        expect_equal(run(order, false), COMPACT_SUCCESS, "result for order %d", order);
        expect_true(nr_moves >= 1 && nr_moves <= (1u << order) + 3 * COMPACT_CLUSTER_MAX,
                    "%u pages were moved for one block of order %d", nr_moves, order);
        expect_true(last.capture.page != NULL, "the block was captured for who compacts");
        give_back();
        account(0);
        fake_simple(MIB(32));
        lay(nearly_half);
    }
}

static char striped(uint64_t pfn)
{
    return pfn < BLOCK(2) ? 'a' : half(pfn);
}

static void begun_elsewhere_is_partial(void **state)
{
    (void)state;
    lay(striped);
    zone->compact_cached_migrate_pfn[MIGRATE_SYNC] = BLOCK(6);
    expect_equal(run(COMPACT_ALL, false), COMPACT_PARTIAL_SKIPPED,
                 "result when the migrate scanner began at pageblock 6");
    for (unsigned i = 0; i < nr_moves; i++)
        expect_true(moves[i].from >= BLOCK(6), "a page below pageblock 6 was moved");
    account(0);
    expect_equal(run(COMPACT_ALL, false), COMPACT_COMPLETE,
                 "result of the next run: it begins at the ends again");
    account(0);
}

static void when_they_met_all_is_forgotten(void **state)
{
    (void)state;
    lay(striped);
    pageblock_set_skip(page_at(BLOCK(1)), PAGEBLOCK_SKIP_MIGRATE);
    zone->compact_cached_migrate_pfn[MIGRATE_ASYNC] = BLOCK(3);
    expect_equal(run(COMPACT_ALL, false), COMPACT_COMPLETE, "result of a run to the end");
    for (unsigned mode = 0; mode < 2; mode++)
        expect_equal(zone->compact_cached_migrate_pfn[mode], zone->compact_init_migrate_pfn,
                     "where the migrate scanner begins the next time, mode %u", mode);
    expect_equal(zone->compact_cached_free_pfn, zone->compact_init_free_pfn,
                 "where the free scanner begins the next time");
    for (uint64_t block = 0; block < 15; block++)
        expect_true(
            !pageblock_skip(page_at(BLOCK(block)), PAGEBLOCK_SKIP_MIGRATE | PAGEBLOCK_SKIP_FREE),
            "pageblock %lu has no skip bit after the run", (unsigned long)block);
}

static char pinned(uint64_t pfn)
{
    return pfn % 3 ? '.' : 'p';
}

static void pages_that_cannot_move_are_tried_once(void **state)
{
    (void)state;
    lay(pinned);
    expect_equal(run(COMPACT_ALL, true), COMPACT_COMPLETE, "result when no page can be moved");
    expect_equal(last.moved, 0, "cc->moved");
    uint64_t pages = 0;
    for (uint64_t i = 0; i < MAP_FRAMES; i++) {
        expect_true(tried[i] <= 1, "the page at pfn 0x%lx was tried %u times in one run",
                    (unsigned long)frame_pfn(i), tried[i]);
        pages += tried[i];
    }
    expect_equal(last.failed, pages, "cc->failed");
    expect_true(pages > 1000, "%lu pages were tried", (unsigned long)pages);
    account(0);
}

static char full_above(uint64_t pfn)
{
    return pfn < BLOCK(1) ? half(pfn) : 'a';
}

static void nowhere_to_move_to(void **state)
{
    (void)state;
    lay(full_above);
    expect_equal(run(9, true), COMPACT_COMPLETE, "result when no pageblock above has a free page");
    account(0);
}

static int kill_after; /* moves */
static int killer(struct page *page)
{
    (void)page;
    if (nr_moves + 1 >= (unsigned)kill_after)
        fake_thread()->killed = true;
    return 0;
}

static void who_is_killed_stops(void **state)
{
    (void)state;
    lay(nearly_half);
    kill_after = 100;
    mover_says = killer;
    expect_equal(run(9, false), COMPACT_CONTENDED, "result when the thread is killed");
    expect_true(nr_moves >= 100 && nr_moves < 100 + 2 * COMPACT_CLUSTER_MAX,
                "%u pages were moved; the thread was killed after 100", nr_moves);
    account(0);
    expect_equal(run(COMPACT_ALL, true), COMPACT_COMPLETE, "result of a run for no order");
    fake_thread()->killed = false;
    account(0);
}

/* --- what goes on meanwhile ------------------------------------------------------------------- */

static void guests_free_what_is_to_be_moved(void **state)
{
    (void)state;
    lay(three_of_four);
    mover_says = frees_some;
    expect_equal(run(COMPACT_ALL, true), COMPACT_COMPLETE, "result of a run from end to end");
    expect_true(nr_moves > 0, "some pages were moved");
    account(0);
}

static char two_free_above(uint64_t pfn)
{
    return pfn >= BLOCK(9) && pfn < BLOCK(10) ? "a."[pfn % 512 < 16 && pfn % 2]
           : pfn < BLOCK(2)                   ? "ppppppaa"[pfn % 8]
                                              : 'k';
}

/* The neighbours of the free pages above are freed by their guest while those are isolated. */
static int frees_neighbours(struct page *page)
{
    (void)page;
    for (uint64_t pfn = BLOCK(9); pfn < BLOCK(9) + 16; pfn += 2) {
        struct page *neighbour = page_at(pfn);
        if (neighbour->type != PAGE_ANON || neighbour->index != pfn)
            continue;
        map[pfn - MEMORY_BASE_PFN] = '.';
        put_page(neighbour);
    }
    return -EBUSY;
}

static void a_block_of_what_is_left_over_is_not_lost(void **state)
{
    (void)state;
    lay(two_free_above);
    mover_says = frees_neighbours;
    enum compact_result result = run(4, true);
    lru_add_drain_all();
    if (last.capture.page)
        expect_equal(result, COMPACT_SUCCESS, "result when the block was captured at the end");
    give_back();
    account(0);
}

static unsigned watched;
static void watch(const struct compact_control *cc, void *arg)
{
    (void)cc, (void)arg;
    watched++;
}

static void everybody_may_watch(void **state)
{
    (void)state;
    lay(half);
    compaction_watch(watch, NULL);
    (void)run(COMPACT_ALL, true);
    compaction_watch(NULL, NULL);
    expect_true(watched >= nr_calls, "%u calls of the watcher, %u steps", watched, nr_calls);
}

/* A page that is on a list waits in this hart's batch again, as it did after its first touch. */
static void back_into_the_batch(struct page *page)
{
    if (lru_isolate(page))
        fail_msg("the test cannot isolate a page");
    mod_node_state(page_pgdat(page), NR_ISOLATED_ANON, -1);
    lru_cache_add(page);
    put_page(page);
}

/* What waits in harts' batches and pagesets is out of reach until they are drained. */
static void batches_and_pagesets_are_drained_first(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_hart(0);
    fake_hart(0);
    fake_boot("");
    lay(half);
    host_become(1);
    __free_page(alloc_page(GFP_HIGHUSER_MOVABLE));
    host_become(0);
    expect_true(zone_pcp_pages(zone) > 0, "the test left pages on the pageset of hart 1");
    back_into_the_batch(page_at(BLOCK(0) + 2));
    (void)run(COMPACT_ALL, true);
    expect_equal(tried[2], 1, "a page that waited in its hart's batch was moved");
    expect_equal(zone_pcp_pages(zone), 0, "pages on pagesets after the run");
    account(0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(half_of_the_zone_becomes_whole),
        TEST(a_full_zone_becomes_as_whole_as_it_can),
        TEST(nothing_moves_when_a_block_is_there),
        TEST(it_stops_when_the_block_is_there),
        TEST(begun_elsewhere_is_partial),
        TEST(when_they_met_all_is_forgotten),
        TEST(pages_that_cannot_move_are_tried_once),
        TEST(nowhere_to_move_to),
        TEST(who_is_killed_stops),
        TEST(guests_free_what_is_to_be_moved),
        TEST(a_block_of_what_is_left_over_is_not_lost),
        TEST(everybody_may_watch),
        TEST(batches_and_pagesets_are_drained_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
