/* SPDX-License-Identifier: MIT */
/*
 * test_lab_ranges.c - steps 3, 4 and 5: ranges are mapped by leaves as large as fit, changed, and
 * their tables taken out. tables.h has the picture.
 */
#include "tables.h"

#define FRAMES GIB(8) /* where the frames lie: nobody looks at them */

static int map(uint64_t va, uint64_t pa, uint64_t size, unsigned max_level)
{
    return pt_map_range(&pt, mk_vaddr(va), mk_paddr(pa), size, ALL_BITS, max_level);
}

/* --- step 3: map ------------------------------------------------------------------------------ */

static void map_one_page_with_all_its_bits(void **state)
{
    (void)state;
    expect_equal(map(GIB(1) + PAGE_SIZE, FRAMES, PAGE_SIZE, 2), 0, "one page is mapped");
    expect_mapped(GIB(1) + PAGE_SIZE, PAGE_SIZE, FRAMES, ALL_BITS);
    expect_leaves(1, 0, 0);
    expect_tables(3);
    expect_equal(pt_map_range(&pt, mk_vaddr(GIB(1)), mk_paddr(FRAMES), PAGE_SIZE, PTE_X, 2), 0,
                 "another one, with X only");
    expect_mapped(GIB(1), PAGE_SIZE, FRAMES, PTE_X);
}

static void map_up_to_the_end_and_no_further(void **state)
{
    (void)state;
    uint64_t va = GIB(1) + MIB2 - 3 * PAGE_SIZE;
    expect_equal(map(va, FRAMES + PAGE_SIZE, 6 * PAGE_SIZE, 0), 0, "six pages over two tables");
    expect_mapped(va, 6 * PAGE_SIZE, FRAMES + PAGE_SIZE, ALL_BITS);
    expect_unmapped(va - 3 * PAGE_SIZE, 3 * PAGE_SIZE);
    expect_unmapped(va + 6 * PAGE_SIZE, 3 * PAGE_SIZE);
    expect_leaves(6, 0, 0);
    expect_tables(4);
    expect_equal(map(USER_TOP - 2 * PAGE_SIZE, FRAMES, 2 * PAGE_SIZE, 0), 0, "the last pages");
    expect_mapped(USER_TOP - 2 * PAGE_SIZE, 2 * PAGE_SIZE, FRAMES, ALL_BITS);
    expect_tables(6);
    expect_equal(map(GIB(7), FRAMES, 0, 2), 0, "nothing at all");
    expect_tables(6);
}

static void map_by_the_largest_leaves_that_fit(void **state)
{
    (void)state;
    uint64_t before = PAGE_SIZE + MIB2, size = before + GIB(1) + before;
    expect_equal(map(GIB(2) - before, FRAMES - before, size, 2), 0, "4K, 2M, 1G, 2M, 4K");
    expect_leaves(2, 2, 1);
    expect_tables(5);
    expect_mapped(GIB(2) - before, 2 * before, FRAMES - before, ALL_BITS);
    expect_mapped(GIB(3) - PAGE_SIZE, PAGE_SIZE + before, FRAMES + GIB(1) - PAGE_SIZE, ALL_BITS);
    expect_equal(look(GIB(3) + before).entry->v, 0, "the entry behind the last page");
}

static void map_small_where_frames_are_not_aligned(void **state)
{
    (void)state;
    expect_equal(map(GIB(1), FRAMES + PAGE_SIZE, 2 * MIB2, 2), 0, "frames one page off");
    expect_leaves(1024, 0, 0);
    expect_mapped(GIB(1), 2 * MIB2, FRAMES + PAGE_SIZE, ALL_BITS);
    expect_equal(map(GIB(4), FRAMES + MIB2, GIB(1), 2), 0, "frames 2 MiB off a gigabyte");
    expect_leaves(1024, 512, 0);
}

static void map_small_where_addresses_are_not_aligned(void **state)
{
    (void)state;
    expect_equal(map(GIB(1) + PAGE_SIZE, FRAMES, MIB2, 2), 0, "the address one page off");
    expect_leaves(512, 0, 0);
    expect_mapped(GIB(1) + PAGE_SIZE, MIB2, FRAMES, ALL_BITS);
}

static void map_no_larger_than_was_said(void **state)
{
    (void)state;
    expect_equal(map(GIB(1), FRAMES, GIB(1), 1), 0, "a gigabyte by leaves of 2 MiB at most");
    expect_leaves(0, 512, 0);
    expect_equal(map(GIB(2), FRAMES, MIB2, 0), 0, "2 MiB by leaves of 4 KiB");
    expect_leaves(512, 512, 0);
    expect_equal(map(GIB(3), FRAMES, GIB(1), 2), 0, "a gigabyte by one leaf");
    expect_leaves(512, 512, 1);
}

static void map_over_nothing_that_is_there(void **state)
{
    (void)state;
    hand_leaf(GIB(1) + 2 * PAGE_SIZE, 0, MIB(3), PTE_R);
    expect_equal(map(GIB(1), FRAMES, 4 * PAGE_SIZE, 0), -EEXIST, "the third page is mapped");
    expect_mapped(GIB(1), 2 * PAGE_SIZE, FRAMES, ALL_BITS);
    expect_mapped(GIB(1) + 2 * PAGE_SIZE, PAGE_SIZE, MIB(3), PTE_R);
    expect_unmapped(GIB(1) + 3 * PAGE_SIZE, PAGE_SIZE);
    hand_leaf(GIB(2), 1, MIB(4), PTE_R);
    expect_true(map(GIB(2) + PAGE_SIZE, FRAMES, PAGE_SIZE, 0) < 0, "a large leaf is in the way");
    expect_mapped(GIB(2), MIB2, MIB(4), PTE_R);
}

static void map_what_there_are_tables_for(void **state)
{
    (void)state;
    tables_left = 2;
    expect_equal(map(GIB(1) + MIB2 - PAGE_SIZE, FRAMES, 3 * PAGE_SIZE, 0), -ENOMEM,
                 "no memory for the third table");
    expect_mapped(GIB(1) + MIB2 - PAGE_SIZE, PAGE_SIZE, FRAMES, ALL_BITS);
    expect_unmapped(GIB(1) + MIB2, 2 * PAGE_SIZE);
    expect_tables(3);
}

/* --- step 4: change --------------------------------------------------------------------------- */

static void change_by_splitting_what_a_leaf_says(void **state)
{
    (void)state;
    uint64_t bits = ALL_BITS | PTE_SPECIAL | PTE_SOFT;
    pte_t *entry = hand_leaf(GIB(1), 1, FRAMES, bits);
    expect_equal(pt_split(&pt, entry, 1), 0, "a leaf of 2 MiB is split");
    expect_true(is_table(*entry), "the entry points to a table now");
    expect_equal(entry->v & 0x3ff, PTE_V, "bits of an entry that points to a table");
    expect_leaves(512, 0, 0);
    expect_mapped(GIB(1), MIB2, FRAMES, bits);
    expect_tables(3);
    entry = hand_leaf(GIB(5), 2, GIB(7), PTE_X | PTE_A);
    expect_equal(pt_split(&pt, entry, 2), 0, "a leaf of 1 GiB is split");
    expect_leaves(512, 512, 0);
    expect_mapped(GIB(6) - MIB2, MIB2, GIB(8) - MIB2, PTE_X | PTE_A);
    expect_tables(4);
}

static void change_nothing_without_memory(void **state)
{
    (void)state;
    pte_t *entry = hand_leaf(GIB(1), 1, FRAMES, ALL_BITS), before = *entry;
    tables_left = 0;
    expect_equal(pt_split(&pt, entry, 1), -ENOMEM, "no memory to split");
    expect_equal(entry->v, before.v, "the leaf as it was");
    expect_equal(pt_protect_range(&pt, mk_vaddr(GIB(1)), PAGE_SIZE, PTE_R), -ENOMEM,
                 "no memory to split for pt_protect_range()");
    expect_equal(pt_unmap_range(&pt, mk_vaddr(GIB(1)), PAGE_SIZE), -ENOMEM,
                 "no memory to split for pt_unmap_range()");
    expect_equal(entry->v, before.v, "the leaf as it was");
    expect_tables(2);
}

static void pages(uint64_t va, unsigned n, uint64_t bits)
{
    for (unsigned i = 0; i < n; i++)
        hand_leaf(va + i * PAGE_SIZE, 0, FRAMES + i * PAGE_SIZE, bits);
}

static void change_the_protection_of_the_range_only(void **state)
{
    (void)state;
    uint64_t va = GIB(1) + MIB2 - 4 * PAGE_SIZE, keep = PTE_A | PTE_D | PTE_SOFT;
    pages(va, 8, PTE_R | PTE_W | PTE_U | keep);
    expect_equal(pt_protect_range(&pt, mk_vaddr(va + 2 * PAGE_SIZE), 4 * PAGE_SIZE, PTE_R | PTE_U),
                 0, "four pages of eight, over two tables");
    expect_mapped(va, 2 * PAGE_SIZE, FRAMES, PTE_R | PTE_W | PTE_U | keep);
    expect_mapped(va + 2 * PAGE_SIZE, 4 * PAGE_SIZE, FRAMES + 2 * PAGE_SIZE, PTE_R | PTE_U | keep);
    expect_mapped(va + 6 * PAGE_SIZE, 2 * PAGE_SIZE, FRAMES + 6 * PAGE_SIZE,
                  PTE_R | PTE_W | PTE_U | keep);
}

static void change_what_is_unmapped_to_nothing(void **state)
{
    (void)state;
    pages(GIB(1), 6, ALL_BITS);
    expect_equal(pt_unmap_range(&pt, mk_vaddr(GIB(1) + 2 * PAGE_SIZE), 2 * PAGE_SIZE), 0,
                 "two pages of six are unmapped");
    expect_mapped(GIB(1), 2 * PAGE_SIZE, FRAMES, ALL_BITS);
    expect_unmapped(GIB(1) + 2 * PAGE_SIZE, 2 * PAGE_SIZE);
    expect_mapped(GIB(1) + 4 * PAGE_SIZE, 2 * PAGE_SIZE, FRAMES + 4 * PAGE_SIZE, ALL_BITS);
    expect_tables(3); /* tables stay: hardware may be on its way through them */
}

static void change_splits_only_what_sticks_out(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        hand_leaf(GIB(1) + i * MIB2, 1, FRAMES + i * MIB2, ALL_BITS);
    expect_equal(pt_protect_range(&pt, mk_vaddr(GIB(1) + MIB2 - PAGE_SIZE),
                                  PAGE_SIZE + MIB2 + PAGE_SIZE, PTE_R | PTE_G),
                 0, "from the last page of one leaf to the first of the third");
    expect_leaves(1024, 1, 0);
    expect_tables(4);
    expect_mapped(GIB(1), MIB2 - PAGE_SIZE, FRAMES, ALL_BITS);
    expect_mapped(GIB(1) + MIB2 - PAGE_SIZE, MIB2 + 2 * PAGE_SIZE, FRAMES + MIB2 - PAGE_SIZE,
                  PTE_R | PTE_G | PTE_A | PTE_D);
    expect_mapped(GIB(1) + 2 * MIB2 + PAGE_SIZE, MIB2 - PAGE_SIZE, FRAMES + 2 * MIB2 + PAGE_SIZE,
                  ALL_BITS);
}

static void change_one_page_of_a_gigabyte(void **state)
{
    (void)state;
    hand_leaf(GIB(1), 2, FRAMES, ALL_BITS);
    expect_equal(pt_unmap_range(&pt, mk_vaddr(GIB(1) + MIB2 + 5 * PAGE_SIZE), PAGE_SIZE), 0,
                 "one page of a leaf of 1 GiB");
    expect_leaves(511, 511, 0);
    expect_tables(3);
    expect_unmapped(GIB(1) + MIB2 + 5 * PAGE_SIZE, PAGE_SIZE);
    expect_mapped(GIB(1) + MIB2, 5 * PAGE_SIZE, FRAMES + MIB2, ALL_BITS);
    expect_mapped(GIB(2) - PAGE_SIZE, PAGE_SIZE, FRAMES + GIB(1) - PAGE_SIZE, ALL_BITS);
}

static void change_passes_over_holes(void **state)
{
    (void)state;
    pte_t absent = pte_make_absent(PTE_TYPE_MIGRATION_READ, 77, 0);
    hand_leaf(GIB(1), 0, FRAMES, ALL_BITS);
    *hand_entry(GIB(1) + PAGE_SIZE, 0) = absent;
    hand_leaf(GIB(1) + 5 * MIB2, 1, FRAMES, ALL_BITS);
    hand_leaf(GIB(4), 2, FRAMES, ALL_BITS);
    expect_equal(pt_protect_range(&pt, mk_vaddr(MIB2), GIB(6) - MIB2, PTE_R), 0,
                 "a range of which little is mapped");
    expect_mapped(GIB(1), PAGE_SIZE, FRAMES, PTE_R | PTE_A | PTE_D);
    expect_mapped(GIB(1) + 5 * MIB2, MIB2, FRAMES, PTE_R | PTE_A | PTE_D);
    expect_mapped(GIB(4), MIB2, FRAMES, PTE_R | PTE_A | PTE_D);
    expect_equal(look(GIB(1) + PAGE_SIZE).entry->v, absent.v, "an entry that is not present");
    expect_tables(3);
}

/* --- step 4: hardware writes at the same time ------------------------------------------------- */

static void protect_a_page(void *arg)
{
    expect_equal(pt_protect_range(&pt, *(vaddr_t *)arg, PAGE_SIZE, PTE_R), 0, "it is protected");
}

static bool stored; /* hardware has let a store through */

/* A store by a hart that walks just then: allowed as long as the leaf says so, and noted in it. */
static void hardware_stores(void *arg)
{
    pte_t *entry = look(((vaddr_t *)arg)->v).entry;
    stored = entry->v & PTE_W;
    if (stored)
        entry->v |= PTE_A | PTE_D;
}

/* A split is long, and wide open from its first look on: some places of it are enough. */
static void change_loses_no_store(unsigned level)
{
    vaddr_t va = mk_vaddr(GIB(1) + 3 * PAGE_SIZE);
    bool came = true, once = false;
    hand_leaf(GIB(1), level, FRAMES, PTE_R | PTE_W);
    protect_a_page(&va);
    for (unsigned n = 0; came; n += level ? 500 + n / 4 : 3) {
        forget_all(pt.root, 2);
        hand_leaf(level ? GIB(1) : va.v, level, FRAMES, PTE_R | PTE_W);
        came = interleave(protect_a_page, hardware_stores, &va, n);
        pte_t e = *look(va.v).entry;
        expect_equal(e.v & (PTE_R | PTE_W), PTE_R, "the protection of the page");
        if (came && stored)
            expect_equal(e.v & (PTE_A | PTE_D), PTE_A | PTE_D,
                         "A and D, which hardware set at instruction %u", n);
        once = once || (came && stored);
    }
    expect_true(once, "a store came before the change");
}

static void change_keeps_what_hardware_sets(void **state)
{
    (void)state;
    change_loses_no_store(0);
}

static void change_keeps_what_hardware_sets_in_a_large_leaf(void **state)
{
    (void)state;
    change_loses_no_store(1);
}

/* --- step 5: take out ------------------------------------------------------------------------- */

static long take(uint64_t start, uint64_t end, uint64_t floor, uint64_t ceiling)
{
    struct pt_gap gap = {start, end, floor, ceiling};
    LIST_HEAD(taken);
    long before = POOL - in_pool, n = 0;
    pt_unlink_tables(&pt, &gap, &taken);
    expect_equal(POOL - in_pool, before, "tables that are not given back yet: somebody may walk");
    for (struct list_head *at = taken.next; at != &taken && n < POOL; at = at->next)
        n++;
    pt_release_tables(&pt, &taken);
    return n;
}

static void take_all_tables_of_a_lonely_range(void **state)
{
    (void)state;
    hand_entry(GIB(1), 0);
    expect_equal(take(GIB(1), GIB(1) + PAGE_SIZE, 0, USER_TOP), 2, "tables on the list");
    expect_equal(pt.root[1].v, 0, "the entry in the root");
    expect_tables(1);
    expect_equal(take(GIB(1), GIB(1) + PAGE_SIZE, 0, USER_TOP), 0, "tables, the second time");
}

static void take_no_table_that_a_neighbour_needs(void **state)
{
    (void)state;
    pages(GIB(1), 2, ALL_BITS);
    hand_entry(GIB(1) + 5 * PAGE_SIZE, 0)->v = 0;
    expect_equal(
        take(GIB(1) + 5 * PAGE_SIZE, GIB(1) + 6 * PAGE_SIZE, GIB(1) + 2 * PAGE_SIZE, USER_TOP), 0,
        "tables taken while pages below need them");
    expect_mapped(GIB(1), 2 * PAGE_SIZE, FRAMES, ALL_BITS);
    forget_all(pt.root, 2);
    pages(GIB(2) - 2 * PAGE_SIZE, 2, ALL_BITS);
    expect_equal(take(GIB(2) - 5 * PAGE_SIZE, GIB(2) - 4 * PAGE_SIZE, 0, GIB(2) - 2 * PAGE_SIZE), 0,
                 "tables taken while pages above need them");
    expect_mapped(GIB(2) - 2 * PAGE_SIZE, 2 * PAGE_SIZE, FRAMES, ALL_BITS);
    expect_tables(3);
}

static void take_the_lower_table_and_leave_the_upper(void **state)
{
    (void)state;
    pages(GIB(1), 1, ALL_BITS);
    hand_entry(GIB(1) + 9 * MIB2, 0);
    expect_equal(
        take(GIB(1) + 9 * MIB2, GIB(1) + 9 * MIB2 + PAGE_SIZE, GIB(1) + PAGE_SIZE, USER_TOP), 1,
        "tables: the one of the last level");
    expect_mapped(GIB(1), PAGE_SIZE, FRAMES, ALL_BITS);
    expect_tables(3);
}

static void take_what_just_fits_between(void **state)
{
    (void)state;
    hand_entry(GIB(1) + 3 * MIB2, 0);
    pages(GIB(1) + 3 * MIB2 - PAGE_SIZE, 1, ALL_BITS);
    pages(GIB(1) + 4 * MIB2, 1, ALL_BITS);
    expect_tables(5);
    expect_equal(take(GIB(1) + 3 * MIB2 + PAGE_SIZE, GIB(1) + 3 * MIB2 + 2 * PAGE_SIZE,
                      GIB(1) + 3 * MIB2, GIB(1) + 4 * MIB2),
                 1, "tables: floor and ceiling are its very ends");
    expect_tables(4);
    expect_mapped(GIB(1) + 3 * MIB2 - PAGE_SIZE, PAGE_SIZE, FRAMES, ALL_BITS);
    expect_mapped(GIB(1) + 4 * MIB2, PAGE_SIZE, FRAMES, ALL_BITS);
}

static void take_the_tables_of_a_long_range(void **state)
{
    (void)state;
    uint64_t start = GIB(2) - PAGE_SIZE, end = GIB(4) + PAGE_SIZE;
    hand_entry(start, 0);
    hand_entry(GIB(2) + 5 * MIB2, 0);
    hand_entry(GIB(2) + 8 * MIB2, 0);
    hand_entry(GIB(4), 0);
    pages(GIB(4) + MIB2, 1, ALL_BITS); /* a neighbour above */
    expect_tables(9);
    expect_equal(take(start, end, GIB(1), GIB(4) + MIB2), 6, "tables on the list");
    expect_tables(3);
    expect_mapped(GIB(4) + MIB2, PAGE_SIZE, FRAMES, ALL_BITS);
}

/* Between the neighbours there may be more room; only the range itself is looked at. */
static void take_nothing_outside_of_the_range(void **state)
{
    (void)state;
    hand_entry(GIB(1), 0);
    hand_entry(GIB(1) + MIB2, 0);
    hand_entry(GIB(7), 0);
    expect_equal(take(GIB(1) + MIB2, GIB(1) + MIB2 + PAGE_SIZE, GIB(1) + MIB2, USER_TOP), 1,
                 "tables that cover something of the range");
    expect_true(is_table(*look(GIB(1)).entry) || look(GIB(1)).level == 0, "its neighbour stays");
    expect_tables(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(map_one_page_with_all_its_bits),
        TEST(map_up_to_the_end_and_no_further),
        TEST(map_by_the_largest_leaves_that_fit),
        TEST(map_small_where_frames_are_not_aligned),
        TEST(map_small_where_addresses_are_not_aligned),
        TEST(map_no_larger_than_was_said),
        TEST(map_over_nothing_that_is_there),
        TEST(map_what_there_are_tables_for),
        TEST(change_by_splitting_what_a_leaf_says),
        TEST(change_nothing_without_memory),
        TEST(change_the_protection_of_the_range_only),
        TEST(change_what_is_unmapped_to_nothing),
        TEST(change_splits_only_what_sticks_out),
        TEST(change_one_page_of_a_gigabyte),
        TEST(change_passes_over_holes),
        TEST(change_keeps_what_hardware_sets),
        TEST(change_keeps_what_hardware_sets_in_a_large_leaf),
        TEST(take_all_tables_of_a_lonely_range),
        TEST(take_no_table_that_a_neighbour_needs),
        TEST(take_the_lower_table_and_leave_the_upper),
        TEST(take_what_just_fits_between),
        TEST(take_the_tables_of_a_long_range),
        TEST(take_nothing_outside_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
