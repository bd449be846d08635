/* SPDX-License-Identifier: MIT */
/*
 * test_lab_add.c - adding ranges and reserving them, in whole pages: step 4.
 */
#include "ranges.h"

static void add(uint64_t page, uint64_t pages, int nid)
{
    expect_equal(memblock_add(mk_paddr(address(page)), pages * PAGE_SIZE, nid), 0,
                 "memblock_add() of %lu+%lu@%d", (long)page, (long)pages, nid);
}

static void reserve(uint64_t page, uint64_t pages)
{
    expect_equal(memblock_reserve(mk_paddr(address(page)), pages * PAGE_SIZE), 0,
                 "memblock_reserve() of %lu+%lu", (long)page, (long)pages);
}

static void add_keeps_the_order(void **state)
{
    (void)state;
    add(20, 2, 0);
    add(4, 2, 0);
    add(12, 2, 1);
    add(0, 2, 0);
    add(30, 2, 0);
    expect_ranges("0+2@0 4+2@0 12+2@1 20+2@0 30+2@0", "ranges sorted by address");
}

static void add_merges_what_touches(void **state)
{
    (void)state;
    add(2, 2, 0);
    add(4, 2, 0);
    expect_ranges("2+4@0", "a range was added behind another");
    add(0, 2, 0);
    expect_ranges("0+6@0", "and one before it");
    add(8, 2, 0);
    add(6, 2, 0);
    expect_ranges("0+10@0", "and one that fills the gap between two");
}

static void add_keeps_nodes_apart(void **state)
{
    (void)state;
    add(0, 4, 0);
    add(4, 4, 1);
    add(8, 4, 0);
    expect_ranges("0+4@0 4+4@1 8+4@0", "ranges that touch and lie on different nodes");
}

static void add_what_is_known(void **state)
{
    (void)state;
    add(4, 8, 0);
    add(4, 8, 0);
    expect_ranges("4+8@0", "a range was added twice");
    add(6, 2, 1);
    expect_ranges("4+8@0", "the first claim holds: a page never changes its node");
    add(0, 8, 0);
    add(10, 6, 0);
    expect_ranges("0+16@0", "ranges that overlap at either end");
}

static void add_fills_the_gaps(void **state)
{
    (void)state;
    add(2, 2, 0);
    add(6, 2, 2);
    add(10, 2, 0);
    add(0, 14, 1);
    expect_ranges("0+2@1 2+2@0 4+2@1 6+2@2 8+2@1 10+2@0 12+2@1", "each gap becomes node 1's");
    fresh(state);
    add(2, 2, 0);
    add(6, 2, 0);
    add(10, 2, 1);
    add(3, 8, 0);
    expect_ranges("2+8@0 10+2@1", "gaps between ranges of the same node become one with them");
}

static void add_of_memory_rounds_inwards(void **state)
{
    (void)state;
    expect_equal(memblock_add(mk_paddr(address(1) + 1), 3 * PAGE_SIZE, 0), 0, "memblock_add()");
    expect_ranges("2+2@0", "of 3 pages from the second byte of page 1, two are whole");
    expect_equal(memblock_add(mk_paddr(address(8)), 2 * PAGE_SIZE + 4095, 0), 0, "memblock_add()");
    expect_ranges("2+2@0 8+2@0", "all but one byte of page 10 is no page");
    expect_equal(memblock_add(mk_paddr(address(20) + 100), 5000, 0), 0, "memblock_add()");
    expect_equal(memblock_add(mk_paddr(address(20) + 100), 50, 0), 0, "memblock_add()");
    expect_equal(memblock_add(mk_paddr(address(20)), 0, 0), 0, "memblock_add()");
    expect_ranges("2+2@0 8+2@0", "nothing whole is no error and no range");
}

static void add_of_reservations_rounds_outwards(void **state)
{
    (void)state;
    expect_equal(memblock_reserve(mk_paddr(address(1) + 4095), 2), 0, "memblock_reserve()");
    expect_reserved("1+2@-1", "two bytes that touch two pages");
    expect_equal(memblock_reserve(mk_paddr(address(8)), PAGE_SIZE), 0, "memblock_reserve()");
    expect_equal(memblock_reserve(mk_paddr(address(20)), 0), 0, "memblock_reserve()");
    expect_reserved("1+2@-1 8+1@-1", "a whole page is that page; no bytes are no page");
    reserve(2, 10);
    expect_reserved("1+11@-1", "reservations may overlap and touch");
}

static void add_of_what_wraps(void **state)
{
    (void)state;
    expect_equal(memblock_add(mk_paddr(~0UL), 2, 0), -EINVAL, "memblock_add() past 64 bits");
    expect_equal(memblock_reserve(mk_paddr(PAGE_SIZE), ~0UL), -EINVAL,
                 "memblock_reserve() past 64 bits");
    expect_equal(memblock_add(mk_paddr(~0UL - 100), 100, 0), 0, "the end of the last page");
    expect_equal(memblock_reserve(mk_paddr(~0UL - 100), 100), 0, "the end of the last page");
    expect_equal(memblock.memory.count + memblock.reserved.count, 0,
                 "ranges: the last page of 64 bits is in none");
    expect_equal(memblock_reserve(mk_paddr(PAGE_MASK - 5), 10), 0, "the last page but one");
    expect_equal(memblock.reserved.regions[0].base.v, PAGE_MASK - PAGE_SIZE, "where it begins");
    expect_equal(memblock.reserved.total, PAGE_SIZE, "its size");
}

/* 256 ranges of a page, none of which touch: no room for one more, and nothing is done by half. */
static void add_to_a_full_array(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
        add(4 * i, 1, 0);
    expect_equal(memblock_add(mk_paddr(address(2)), PAGE_SIZE, 1), -ENOSPC, "one range too many");
    expect_equal(memblock_add(mk_paddr(address(0)), 10 * PAGE_SIZE, 1), -ENOSPC, "three too many");
    expect_equal(memblock.memory.count, MEMBLOCK_MAX_REGIONS, "ranges, as before");
    expect_equal(memblock.memory.total, MEMBLOCK_MAX_REGIONS * PAGE_SIZE, "total, as before");
    add(4, 1, 0); /* needs no entry */
    memblock.memory.count -= 2;
    memblock.memory.total -= 2 * PAGE_SIZE;
    expect_equal(memblock_add(mk_paddr(address(0)), 14 * PAGE_SIZE, 1), -ENOSPC,
                 "four gaps, and room for two");
    expect_equal(memblock.memory.count, MEMBLOCK_MAX_REGIONS - 2, "ranges, as before");
    add(0, 6, 1); /* two gaps */
    expect_equal(memblock.memory.count, MEMBLOCK_MAX_REGIONS, "ranges: full to the last entry");
    (void)text_of(&memblock.memory);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add_keeps_the_order),
        TEST(add_merges_what_touches),
        TEST(add_keeps_nodes_apart),
        TEST(add_what_is_known),
        TEST(add_fills_the_gaps),
        TEST(add_of_memory_rounds_inwards),
        TEST(add_of_reservations_rounds_outwards),
        TEST(add_of_what_wraps),
        TEST(add_to_a_full_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
