/* SPDX-License-Identifier: MIT */
/*
 * test_lab_oom.c - whom to kill: badness, pages of certain nodes, and the choice.
 */
#include "guests.h"

static const nodemask_t both = {3};
static struct relief_request anywhere, on_node1;

static struct oom_control shortage(uint64_t total_pages)
{
    anywhere = request_on(NULL);
    return (struct oom_control){.request = &anywhere, .total_pages = total_pages};
}

static struct oom_control shortage_on_node1(void)
{
    on_node1 = request_on(&node1);
    return (struct oom_control){
        .request = &on_node1, .constraint = CONSTRAINT_MEMORY_POLICY, .total_pages = 10000};
}

/* --- step 1: badness -------------------------------------------------------------------------- */

static void badness_is_what_a_kill_wins(void **state)
{
    struct oom_control oc = shortage(10000);
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    int64_t none = oom_badness(mm, &oc);
    expect_equal(none, tables_of(mm), "badness of an empty space: its page tables");
    mm->rss[MM_ANONPAGES] = 1000;
    expect_equal(oom_badness(mm, &oc) - none, 1000, "what 1000 private pages add");
    mm->rss[MM_FILEPAGES] = 300;
    expect_equal(oom_badness(mm, &oc) - none, 1300, "what 300 pages of files add to that");
    mm->rss[MM_SHMEMPAGES] = 70;
    expect_equal(oom_badness(mm, &oc) - none, 1370, "what 70 pages of shared memory add to that");
    mm->rss[MM_SWAPENTS] = 5;
    expect_equal(oom_badness(mm, &oc) - none, 1375, "what 5 swapped pages add to that");
}

static void badness_counts_page_tables(void **state)
{
    struct oom_control oc = shortage(10000);
    struct mm_struct *dense = guest(1, 0), *sparse = guest(2, 0);
    (void)state;
    map_private(dense, AREA, 40);
    touch(dense, AREA, 40, 0);
    for (unsigned i = 0; i < 30; i++) { /* each in a table of its own */
        map_private(sparse, GIB(2) + i * MIB(2), 1);
        touch(sparse, GIB(2) + i * MIB(2), 1, 0);
    }
    expect_equal(oom_badness(sparse, &oc), 30 + tables_of(sparse),
                 "badness of 30 pages, with tables");
    expect_true(oom_badness(sparse, &oc) > oom_badness(dense, &oc),
                "30 pages and their %lu tables are more than 40 pages and %lu",
                (unsigned long)tables_of(sparse), (unsigned long)tables_of(dense));
}

static void badness_is_moved_by_adj(void **state)
{
    static const int adjs[] = {1, 500, 1000, -1, -500, -999};
    struct oom_control oc = shortage(1000000);
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    weigh(mm, 2000);
    int64_t plain = oom_badness(mm, &oc);
    for (unsigned i = 0; i < ARRAY_SIZE(adjs); i++) {
        mm->owner.oom_score_adj = (int16_t)adjs[i];
        expect_equal(oom_badness(mm, &oc) - plain, adjs[i] * 1000,
                     "pages that an oom_score_adj of %d adds, when total_pages is a million",
                     adjs[i]);
    }
    oc = shortage(20000);
    expect_equal(oom_badness(mm, &oc) - plain, -999 * 20,
                 "pages that an oom_score_adj of -999 adds, when total_pages is 20000");
}

static void badness_of_who_may_not_be_killed(void **state)
{
    struct oom_control oc = shortage(10000);
    struct mm_struct *mm = guest(1, -1000), *monitors = guest(2, 0);
    struct mm_struct *reaped = guest(3, 0), *leaving = guest(4, 0);
    (void)state;
    for (unsigned i = 0; i < nr_guests; i++)
        weigh(guests[i], 5000);
    expect_true(oom_badness(mm, &oc) == INT64_MIN, "oom_score_adj -1000: never");
    mm->owner.oom_score_adj = -999;
    expect_true(oom_badness(mm, &oc) != INT64_MIN, "oom_score_adj -999: late, but not never");
    monitors->owner.ops = NULL;
    expect_true(oom_badness(monitors, &oc) == INT64_MIN,
                "owner.ops NULL: a space of the monitor's");
    mm_test_and_set_flag(reaped, MMF_OOM_SKIP);
    expect_true(oom_badness(reaped, &oc) == INT64_MIN, "MMF_OOM_SKIP: nothing more is to be had");
    mm_test_and_set_flag(leaving, MMF_EXITING);
    expect_true(oom_badness(leaving, &oc) == INT64_MIN, "MMF_EXITING: it is going anyway");
}

/* --- step 2: certain nodes -------------------------------------------------------------------- */

static void only_pages_on_the_nodes_count(void **state)
{
    struct oom_control oc = shortage_on_node1();
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    map_private(mm, AREA, 64);
    touch(mm, AREA, 20, 0);
    touch(mm, AREA + 20 * PAGE_SIZE, 7, 1);
    touch(mm, AREA + 50 * PAGE_SIZE, 3, 1);
    expect_equal(mm_rss(mm), 30, "resident pages of the guest");
    expect_equal(oom_badness(mm, &oc), 10 + tables_of(mm),
                 "badness, when node 1 is short and 10 of 30 pages are there");
    struct oom_control all = shortage(10000);
    expect_equal(oom_badness(mm, &all), 30 + tables_of(mm), "badness, when everything is short");
}

static void who_has_none_on_the_nodes_stays(void **state)
{
    struct oom_control oc = shortage_on_node1();
    struct mm_struct *mm = guest(1, 1000);
    (void)state;
    map_private(mm, AREA, 100);
    touch(mm, AREA, 100, 0);
    expect_true(oom_badness(mm, &oc) == INT64_MIN,
                "to kill who has no page on the nodes that are short wins nothing");
}

static void tables_that_are_missing_on_the_nodes_way(void **state)
{
    struct oom_control oc = shortage_on_node1();
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    map_private(mm, AREA, MIB(64) / PAGE_SIZE);
    touch(mm, AREA + 3 * PAGE_SIZE, 1, 1);         /* its first table has 8 entries of the range */
    touch(mm, GIB(1) + MIB(2) - PAGE_SIZE, 2, 1);  /* the last of a table, the first of the next */
    touch(mm, GIB(1) + MIB(20) + PAGE_SIZE, 1, 1); /* behind tables that are missing */
    touch(mm, AREA + MIB(64) - PAGE_SIZE, 1, 1);   /* the last of the range */
    touch(mm, GIB(1) + MIB(20) + 5 * PAGE_SIZE, 4, 0);
    expect_equal(oom_badness(mm, &oc), 5 + tables_of(mm),
                 "badness of 5 pages on node 1, far apart");
}

static void all_ranges_on_the_nodes_count(void **state)
{
    struct oom_control oc = shortage_on_node1();
    struct address_space *file = shmem_create(MIB(1), false);
    struct mm_struct *mm = guest(1, 0);
    uint64_t value;
    (void)state;
    map_private(mm, AREA, 4);
    map_private(mm, GIB(2), 4);
    map(mm, GIB(3), 16, file, MAP_SHARED);
    touch(mm, AREA, 4, 1);
    touch(mm, GIB(2), 1, 0);
    touch(mm, GIB(2) + PAGE_SIZE, 2, 1);
    touch(mm, GIB(3), 5, 1);
    host_become(1);
    (void)space_load(mm, GIB(2) + 3 * PAGE_SIZE, &value); /* maps the page of zeros */
    host_become(0);
    expect_equal(oom_badness(mm, &oc), 4 + 2 + 5 + tables_of(mm),
                 "badness of 6 private pages and 5 of a file on node 1");
    on_node1.nodes = &both;
    expect_equal(oom_badness(mm, &oc), 4 + 3 + 5 + tables_of(mm),
                 "badness of all 12 pages on both nodes; the page of zeros is no guest's");
}

static void a_busy_space_on_the_nodes_is_not_waited_for(void **state)
{
    struct oom_control oc = shortage_on_node1();
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    map_private(mm, AREA, 16);
    touch(mm, AREA, 9, 0);
    touch(mm, AREA + 9 * PAGE_SIZE, 2, 1);
    mmap_write_lock(mm);
    expect_equal(oom_badness(mm, &oc), 11 + tables_of(mm),
                 "badness while mmap_lock cannot be had: all that is resident");
    mmap_write_unlock(mm);
    expect_equal(oom_badness(mm, &oc), 2 + tables_of(mm), "badness when it can");
    expect_true(down_write_trylock(&mm->mmap_lock), "mmap_lock is free again behind it");
    mmap_write_unlock(mm);
}

/* --- step 3: the choice ----------------------------------------------------------------------- */

static void nobody_else_is_held(const struct mm_struct *but)
{
    for (unsigned i = 0; i < nr_guests; i++)
        expect_equal(users_of(guests[i]), 1 + (guests[i] == but), "users of %s, who is %schosen",
                     guests[i]->owner.name, guests[i] == but ? "" : "not ");
}

static void select_takes_the_worst(void **state)
{
    static const int64_t weights[] = {100, 700, 300, 900, 50, 800};
    struct oom_control oc = shortage(10000);
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(weights); i++)
        weigh(guest(i + 1, 0), weights[i]);
    expect_true(select_bad_process(&oc), "nobody is dying");
    expect_true(oc.chosen == guests[3], "the one with 900 pages is chosen");
    expect_equal(oc.points, oom_badness(guests[3], &oc), "oc->points");
    nobody_else_is_held(guests[3]);
    mmput(oc.chosen);
}

static void select_looks_at_adj_and_all(void **state)
{
    struct oom_control oc = shortage(10000);
    (void)state;
    weigh(guest(1, 0), 900);
    weigh(guest(2, -1000), 5000);
    weigh(guest(3, 100), 100); /* 1000 more */
    weigh(guest(4, -500), 2000);
    expect_true(select_bad_process(&oc), "nobody is dying");
    expect_true(oc.chosen == guests[2], "100 pages and an oom_score_adj of 100 are worse than 900");
    nobody_else_is_held(guests[2]);
    mmput(oc.chosen);
}

static void select_takes_who_is_below_zero_too(void **state)
{
    struct oom_control oc = shortage(1000000);
    (void)state;
    weigh(guest(1, -900), 10);
    weigh(guest(2, -800), 10);
    weigh(guest(3, -1000), 10000);
    expect_true(select_bad_process(&oc), "nobody is dying");
    expect_true(oc.chosen == guests[1], "of those who may be killed the worst is chosen, even with "
                                        "a badness below zero");
    mmput(oc.chosen);
}

static void select_finds_nobody(void **state)
{
    struct oom_control oc = shortage(10000);
    (void)state;
    weigh(guest(1, -1000), 900);
    guest(2, 0)->owner.ops = NULL;
    expect_true(select_bad_process(&oc), "nobody is dying");
    expect_true(oc.chosen == NULL, "nobody may be killed");
    nobody_else_is_held(NULL);
}

/* Wherever on the list the dying one is. */
static void select_waits_while_one_dies(void **state)
{
    (void)state;
    for (unsigned dying = 0; dying < 3; dying++) {
        struct oom_control oc = shortage(10000);
        no_guests(state);
        for (unsigned i = 0; i < 3; i++)
            weigh(guest(i + 1, 0), 100 * (i + 1));
        mm_test_and_set_flag(guests[dying], MMF_OOM_VICTIM);
        expect_true(!select_bad_process(&oc), "guest %u is dying: its memory is still to come",
                    dying + 1);
        expect_true(oc.chosen == NULL, "nobody is chosen meanwhile");
        nobody_else_is_held(NULL);
    }
}

static void select_goes_on_when_no_more_is_to_come(void **state)
{
    struct oom_control oc = shortage(10000);
    (void)state;
    weigh(guest(1, 0), 900);
    weigh(guest(2, 0), 100);
    mm_test_and_set_flag(guests[0], MMF_OOM_VICTIM);
    mm_test_and_set_flag(guests[0], MMF_OOM_SKIP);
    expect_true(select_bad_process(&oc), "who dies has given what it had");
    expect_true(oc.chosen == guests[1], "the other one is chosen");
    nobody_else_is_held(guests[1]);
    mmput(oc.chosen);
}

static void select_by_hand_does_not_wait(void **state)
{
    struct oom_control oc = shortage(10000);
    (void)state;
    weigh(guest(1, 0), 100);
    weigh(guest(2, 0), 900);
    mm_test_and_set_flag(guests[0], MMF_OOM_VICTIM);
    oc.by_hand = true;
    expect_true(select_bad_process(&oc), "who asks by hand gets a victim in any case");
    expect_true(oc.chosen == guests[1], "the worst one");
    mmput(oc.chosen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(badness_is_what_a_kill_wins),
        TEST(badness_counts_page_tables),
        TEST(badness_is_moved_by_adj),
        TEST(badness_of_who_may_not_be_killed),
        TEST(only_pages_on_the_nodes_count),
        TEST(who_has_none_on_the_nodes_stays),
        TEST(tables_that_are_missing_on_the_nodes_way),
        TEST(all_ranges_on_the_nodes_count),
        TEST(a_busy_space_on_the_nodes_is_not_waited_for),
        TEST(select_takes_the_worst),
        TEST(select_looks_at_adj_and_all),
        TEST(select_takes_who_is_below_zero_too),
        TEST(select_finds_nobody),
        TEST(select_waits_while_one_dies),
        TEST(select_goes_on_when_no_more_is_to_come),
        TEST(select_by_hand_does_not_wait),
    };
    return cmocka_run_group_tests(tests, machine_of_guests, NULL);
}
