/* SPDX-License-Identifier: MIT */
/*
 * test_lab_sv39.c - steps 1 and 2: from an address to its entry, and tables that are made on the
 * way. tables.h has the picture.
 */
#include "tables.h"

/* Indices 3, 5 and 7: no two levels are alike. */
#define VA (3 * GIB(1) + 5 * MIB2 + 7 * PAGE_SIZE + 0x123)

static pte_t *walk(uint64_t va, unsigned level)
{
    return pt_walk(&pt, mk_vaddr(va), level);
}

static pte_t *make(uint64_t va, unsigned level)
{
    return pt_walk_alloc(&pt, mk_vaddr(va), level);
}

static void expect_entry(const pte_t *got, const pte_t *table, unsigned index, const char *what)
{
    expect_true(got, "an entry (%s), not NULL", what);
    expect_equal(got - table, index, "index of the entry (%s) in its table", what);
}

/* --- step 1: find ----------------------------------------------------------------------------- */

static void find_the_entry_of_each_level(void **state)
{
    (void)state;
    pte_t *leaf = hand_leaf(VA, 0, MIB(5), PTE_R);
    pte_t *level1 = below(pt.root[3]), *level0 = below(level1[5]);
    expect_true(leaf == &level0[7], "the test's own walk");
    expect_entry(walk(VA, 2), pt.root, 3, "level 2");
    expect_entry(walk(VA, 1), level1, 5, "level 1");
    expect_entry(walk(VA, 0), level0, 7, "level 0");
}

static void find_nothing_where_no_table_is(void **state)
{
    (void)state;
    expect_true(walk(VA, 1) == NULL, "NULL for level 1: the root has no table there");
    pte_t *level1 = hand_entry(VA, 1);
    expect_true(walk(VA, 0) == NULL, "NULL for level 0: level 1 has no table there");
    expect_true(walk(VA, 1) == level1, "the entry of level 1, empty as it is");
    expect_tables(2); /* finding makes nothing */
}

static void find_nothing_below_a_large_leaf(void **state)
{
    (void)state;
    pte_t *leaf = hand_leaf(VA, 1, MIB(8), PTE_R | PTE_X);
    expect_true(walk(VA, 0) == NULL, "NULL for level 0 below a leaf of level 1");
    expect_true(walk(VA, 1) == leaf, "the leaf itself, when its level is asked for");
    hand_leaf(VA + GIB(1), 2, GIB(8), PTE_X);
    expect_true(walk(VA + GIB(1), 1) == NULL, "NULL for level 1 below a leaf of level 2");
}

/* Not present: the frame in it is no table's, whatever the other bits say. */
static void find_nothing_behind_an_absent_entry(void **state)
{
    struct pt_mapping m;
    (void)state;
    hand_entry(VA, 0);
    *hand_entry(VA, 1) = pte_make_absent(PTE_TYPE_SWAP, 99, 0);
    expect_true(walk(VA, 0) == NULL, "NULL behind an entry that is not present");
    expect_true(!pt_lookup(&pt, mk_vaddr(VA), &m), "pt_lookup() finds no leaf there");
}

static void find_by_lookup_leaf_value_and_level(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 3; level++) {
        uint64_t va = VA + (level + 1) * GIB(1);
        struct pt_mapping m = {.level = 9};
        pte_t *leaf = hand_leaf(va, level, GIB(4), PTE_R | PTE_A);
        expect_true(pt_lookup(&pt, mk_vaddr(va), &m), "a leaf of level %u is found", level);
        expect_true(m.entry == leaf, "the entry of the leaf of level %u", level);
        expect_equal(m.pte.v, leaf->v, "the value of the leaf of level %u", level);
        expect_equal(m.level, level, "its level");
    }
}

static void find_by_lookup_where_it_ends(void **state)
{
    struct pt_mapping m = {.level = 9};
    (void)state;
    expect_true(!pt_lookup(&pt, mk_vaddr(VA), &m), "nothing is mapped");
    expect_equal(m.level, 2, "the level where the walk ends in an empty table");
    expect_true(m.entry == &pt.root[3], "the entry where it ends");
    pte_t *entry = hand_entry(VA, 0);
    expect_true(!pt_lookup(&pt, mk_vaddr(VA), &m), "an empty entry maps nothing");
    expect_equal(m.level, 0, "the level where the walk ends");
    expect_true(m.entry == entry && !m.pte.v, "the empty entry where it ends");
}

/* The same code will walk the second stage of hosted machines: Sv39x4 has a root of four pages. */
static void find_in_a_wide_root(void **state)
{
    static pte_t root[2048];
    static const struct pt_format wide = {"Sv39x4", 3, 2048, 2048};
    struct pt_mapping m;
    (void)state;
    pte_t *old = pt.root;
    hand_leaf(VA, 0, MIB(5), PTE_R);
    root[1024 + 3] = pt.root[3];
    pt.root = root;
    pt.format = &wide;
    expect_entry(walk(VA + 1024 * GIB(1), 2), root, 1024 + 3, "level 2 of a root of four pages");
    expect_true(walk(VA + 1024 * GIB(1), 0) != NULL, "the entry of level 0");
    expect_true(walk(VA, 0) == NULL, "NULL: root entry 3 is empty, 1027 is not");
    expect_true(pt_lookup(&pt, mk_vaddr(VA + 1024 * GIB(1)), &m), "pt_lookup() finds it, too");
    pt.root = old;
}

/* --- step 2: make ----------------------------------------------------------------------------- */

static void make_the_tables_on_the_way(void **state)
{
    (void)state;
    pt.nid = 3;
    pte_t *entry = make(VA, 0);
    pte_t level1 = pt.root[3], level0 = below(level1)[5];
    expect_true(is_table(level1) && is_table(level0), "tables on both levels");
    expect_equal(level1.v & 0x3ff, PTE_V, "bits of an entry that points to a table");
    expect_equal(level0.v & 0x3ff, PTE_V, "bits of an entry that points to a table");
    expect_entry(entry, below(level0), 7, "level 0");
    expect_true(!entry->v, "the entry is empty");
    expect_equal(asked_nid, 3, "the node that alloc_table() is asked for: pt->nid");
    expect_tables(3);
}

static void make_nothing_that_is_there(void **state)
{
    (void)state;
    pte_t *entry = make(VA, 0);
    expect_true(make(VA, 0) == entry, "the same entry the second time");
    expect_true(make(VA + PAGE_SIZE, 0) == entry + 1, "the next page's entry is the next one");
    expect_tables(3);
    (void)make(VA + MIB2, 0);
    expect_tables(4); /* the level-1 table was there */
    (void)make(VA + GIB(1), 0);
    expect_tables(6);
}

static void make_no_table_below_the_level(void **state)
{
    (void)state;
    expect_entry(make(VA, 2), pt.root, 3, "level 2");
    expect_tables(1);
    pte_t *entry = make(VA, 1);
    expect_entry(entry, below(pt.root[3]), 5, "level 1");
    expect_tables(2);
}

static void make_none_without_memory(void **state)
{
    (void)state;
    tables_left = 0;
    expect_true(make(VA, 0) == NULL, "NULL without memory for a table");
    expect_tables(1);
    tables_left = 1;
    expect_true(make(VA, 0) == NULL, "NULL without memory for the second table");
    expect_equal(pt.nr_tables, count().tables, "nr_tables and the tables that are there");
    expect_equal(POOL - in_pool, count().tables, "tables taken and the tables that are there");
    tables_left = POOL;
    expect_true(make(VA, 0) != NULL, "an entry, when there is memory again");
    expect_tables(3);
}

static void make_nothing_below_a_leaf(void **state)
{
    (void)state;
    pte_t *leaf = hand_leaf(VA, 1, MIB(8), PTE_R), before = *leaf;
    expect_true(make(VA, 0) == NULL, "NULL: a leaf of 2 MiB is in the way");
    expect_equal(leaf->v, before.v, "the leaf that is in the way");
    hand_leaf(VA + GIB(1), 2, GIB(8), PTE_R);
    expect_true(make(VA + GIB(1), 0) == NULL, "NULL: a leaf of 1 GiB is in the way");
    expect_tables(2);
}

static pte_t *my_entry, *its_entry;

static void make_as_this_hart(void *arg)
{
    (void)arg;
    my_entry = make(VA, 0);
}

static void make_as_another_hart(void *arg)
{
    (void)arg;
    host_become(1);
    its_entry = make(VA + PAGE_SIZE, 0);
    host_become(0);
}

static void make_the_same_tables_when_two_come(void **state)
{
    (void)state;
    make_as_this_hart(NULL);
    bool came = true;
    for (unsigned n = 0; came; n++) {
        forget_all(pt.root, 2);
        came = interleave(make_as_this_hart, make_as_another_hart, NULL, n);
        if (!came)
            make_as_another_hart(NULL);
        expect_true(my_entry && its_entry, "both harts get an entry");
        expect_true(its_entry == my_entry + 1,
                    "both use the same table, when the second comes at instruction %u", n);
        expect_true(look(VA).entry == my_entry, "the entry can be reached from the root");
        expect_tables(3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(find_the_entry_of_each_level),
        TEST(find_nothing_where_no_table_is),
        TEST(find_nothing_below_a_large_leaf),
        TEST(find_nothing_behind_an_absent_entry),
        TEST(find_by_lookup_leaf_value_and_level),
        TEST(find_by_lookup_where_it_ends),
        TEST(find_in_a_wide_root),
        TEST(make_the_tables_on_the_way),
        TEST(make_nothing_that_is_there),
        TEST(make_no_table_below_the_level),
        TEST(make_none_without_memory),
        TEST(make_nothing_below_a_leaf),
        TEST(make_the_same_tables_when_two_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
