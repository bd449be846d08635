/* SPDX-License-Identifier: MIT */
/*
 * test_lab_room.c - walking what is free, and finding room in it: steps 5 and 6.
 *
 * The tests write the arrays themselves: only the last of them reserve.
 */
#include "ranges.h"

static const paddr_t low = {0}, high = {~0UL};

/* --- step 5: what is free --------------------------------------------------------------------- */

static void put(struct memblock_type *type, uint64_t page, uint64_t pages, int nid)
{
    type->regions[type->count++] =
        (struct memblock_region){mk_paddr(address(page)), pages * PAGE_SIZE, nid};
    type->total += pages * PAGE_SIZE;
}

static void memory(uint64_t page, uint64_t pages, int nid)
{
    put(&memblock.memory, page, pages, nid);
}

static void taken(uint64_t page, uint64_t pages)
{
    put(&memblock.reserved, page, pages, ANY);
}

static void expect_free(int nid, const char *want, const char *what)
{
    struct memblock_region r;
    char text[1024] = "";
    size_t n = 0;
    for_each_free_range(nid, &r) {
        if (n)
            text[n++] = ' ';
        n += write_range(text + n, sizeof(text) - n, &r);
        if (n > sizeof(text) - 100)
            break;
    }
    expect_text(text, want, what);
}

static void free_without_reservations(void **state)
{
    (void)state;
    expect_free(ANY, "", "no memory at all");
    memory(0, 4, 0);
    memory(4, 4, 1);
    memory(10, 2, 0);
    expect_free(ANY, "0+4@0 4+4@1 10+2@0", "all memory, each range on its node");
    expect_free(0, "0+4@0 10+2@0", "of node 0");
    expect_free(1, "4+4@1", "of node 1");
    expect_free(7, "", "of a node that is not there");
}

static void free_between_reservations(void **state)
{
    (void)state;
    memory(0, 20, 0);
    taken(2, 2);
    expect_free(ANY, "0+2@0 4+16@0", "before and behind one reservation");
    taken(5, 3);
    taken(9, 4);
    expect_free(ANY, "0+2@0 4+1@0 8+1@0 13+7@0", "before, between and behind");
}

static void free_at_the_edges(void **state)
{
    (void)state;
    memory(0, 8, 0);
    taken(0, 2);
    taken(6, 2);
    expect_free(ANY, "2+4@0", "the first and the last pages are taken");
    fresh(state);
    memory(4, 8, 0);
    taken(0, 6);
    taken(10, 9);
    expect_free(ANY, "6+4@0", "reservations reach past the memory");
    fresh(state);
    memory(4, 8, 0);
    taken(0, 2);
    taken(20, 2);
    expect_free(ANY, "4+8@0", "reservations where there is no memory");
}

static void free_of_nothing(void **state)
{
    (void)state;
    memory(0, 4, 0);
    memory(4, 4, 1);
    memory(10, 2, 0);
    taken(0, 4);
    taken(10, 2);
    expect_free(ANY, "4+4@1", "two ranges are taken to the last page");
    fresh(state);
    memory(2, 4, 0);
    memory(8, 4, 0);
    taken(0, 40);
    expect_free(ANY, "", "one reservation over all memory");
}

static void free_across_nodes(void **state)
{
    (void)state;
    memory(0, 4, 0);
    memory(4, 4, 1);
    memory(8, 4, 0);
    taken(3, 2);
    expect_free(ANY, "0+3@0 5+3@1 8+4@0", "a reservation on two nodes");
    expect_free(1, "5+3@1", "what it left to node 1");
    taken(6, 3);
    expect_free(ANY, "0+3@0 5+1@1 9+3@0", "and another");
    expect_free(0, "0+3@0 9+3@0", "what they left to node 0");
}

/* A place is an address: what changes below it is not seen, what changes above it is. */
static void free_while_it_changes(void **state)
{
    struct memblock_cursor cursor = {0};
    struct memblock_region r;
    (void)state;
    memory(0, 20, 0);
    taken(4, 2);
    taken(10, 2);
    expect_true(memblock_next_free(&cursor, ANY, &r) && r.base.v == address(0), "0+4 is free");
    memblock.reserved.count = 0;
    taken(1, 2); /* in what was just seen */
    taken(4, 2);
    taken(8, 4);
    expect_true(memblock_next_free(&cursor, ANY, &r), "a second range");
    expect_equal((r.base.v - MEMORY_BASE) / PAGE_SIZE, 6, "its first page");
    expect_equal(r.size / PAGE_SIZE, 2, "its pages");
    expect_true(memblock_next_free(&cursor, ANY, &r), "a third range");
    expect_equal((r.base.v - MEMORY_BASE) / PAGE_SIZE, 12, "its first page");
    expect_true(!memblock_next_free(&cursor, ANY, &r), "there is no fourth");
    expect_true(!memblock_next_free(&cursor, ANY, &r), "and the end stays the end");
}

/* --- step 6: finding room --------------------------------------------------------------------- */

/* The page that an allocation gets, from MEMORY_BASE; -1: no room. */
static long alloc(uint64_t pages, uint64_t align, int nid)
{
    paddr_t at = memblock_alloc_phys_exact(pages * PAGE_SIZE, align * PAGE_SIZE, low, high, nid);
    return at.v ? (long)((at.v - MEMORY_BASE) / PAGE_SIZE) : -1;
}

static void alloc_from_the_top(void **state)
{
    (void)state;
    memory(0, 8, 0);
    memory(16, 8, 0);
    taken(22, 2);
    expect_equal(alloc(1, 1, 0), 21, "the highest free page");
    expect_equal(alloc(2, 1, 0), 19, "the next two below it");
    expect_equal(alloc(4, 1, 0), 4, "four pages: above there are only three left");
    expect_reserved("4+4@-1 19+5@-1", "what was handed out is reserved");
    expect_equal(alloc(9, 1, 0), -1, "nine pages in one piece");
}

static void alloc_from_the_bottom(void **state)
{
    (void)state;
    memblock.bottom_up = true;
    memory(0, 8, 0);
    memory(16, 8, 0);
    taken(0, 1);
    expect_equal(alloc(1, 1, 0), 1, "the lowest free page");
    expect_equal(alloc(2, 1, 0), 2, "the next two above it");
    expect_equal(alloc(5, 1, 0), 16, "five pages: below there are only four left");
    expect_reserved("0+4@-1 16+5@-1", "what was handed out is reserved");
}

static void alloc_is_aligned(void **state)
{
    (void)state;
    memory(1, 30, 0);
    expect_equal(alloc(2, 8, 0), 24, "top-down: the highest multiple of 8 with two pages");
    expect_equal(alloc(7, 8, 0), 16, "seven pages at a multiple of 8, below 24");
    expect_equal(alloc(16, 16, 0), -1, "sixteen pages at a multiple of 16");
    memblock.bottom_up = true;
    expect_equal(alloc(2, 4, 0), 4, "bottom-up: the lowest multiple of 4");
    expect_equal(alloc(1, 1, 0), 1, "any page");
    fresh(state);
    memory(1, 6, 0); /* long enough, and no multiple of 8 in it */
    expect_equal(alloc(1, 8, 0), -1, "a multiple of 8 between 1 and 6");
    memblock.bottom_up = true;
    expect_equal(alloc(1, 8, 0), -1, "a multiple of 8 between 1 and 6, bottom-up");
}

static void alloc_of_one_node(void **state)
{
    (void)state;
    memory(0, 4, 0);
    memory(4, 4, 1);
    expect_equal(alloc(2, 1, 0), 2, "two pages of node 0");
    expect_equal(alloc(3, 1, 0), -1, "three pages of node 0, which has two");
    expect_equal(alloc(6, 1, ANY), -1, "six pages: no block lies on two nodes");
    expect_equal(alloc(4, 1, ANY), 4, "four pages of any node");
    paddr_t at = memblock_alloc_phys(PAGE_SIZE, 1, low, high, 1);
    expect_equal(at.v, address(1), "node 1 is full: any other will do");
}

static void alloc_within_bounds(void **state)
{
    (void)state;
    memory(0, 16, 0);
    paddr_t min = mk_paddr(address(4) + 1), max = mk_paddr(address(8));
    expect_equal(memblock_alloc_phys(PAGE_SIZE, 1, low, max, 0).v, address(7), "below page 8");
    expect_equal(memblock_alloc_phys(4 * PAGE_SIZE, 1, min, max, 0).v, 0, "between 4 and 8");
    memblock.bottom_up = true;
    expect_equal(memblock_alloc_phys(PAGE_SIZE, 1, min, max, 0).v, address(5), "above page 4");
    memblock.bottom_up = false;
    memblock.limit = address(3);
    expect_equal(alloc(1, 1, 0), 2, "below memblock.limit");
    expect_equal(alloc(3, 1, 0), -1, "three pages below it, where two are left");
}

static void alloc_of_nonsense(void **state)
{
    (void)state;
    memblock.memory.regions[memblock.memory.count++] =
        (struct memblock_region){mk_paddr(0), 4 * PAGE_SIZE, 0};
    memblock.bottom_up = true;
    expect_equal(memblock_alloc_phys(PAGE_SIZE, 1UL << 63, low, high, 0).v, 0, "no such multiple");
    expect_equal(memblock_alloc_phys(PAGE_MASK, 1, low, high, 0).v, 0, "all of 64 bits");
    expect_equal(memblock_alloc_phys(PAGE_SIZE, 1, low, high, 0).v, PAGE_SIZE,
                 "RAM at 0: page 0 is never given away");
    memblock.bottom_up = false;
    expect_equal(memblock_alloc_phys(PAGE_SIZE, MIB(1), low, high, 0).v, 0,
                 "address 0 means that there is no room");
    expect_equal(memblock_alloc_phys(2 * PAGE_SIZE, 1, low, high, 0).v, 2 * PAGE_SIZE, "the rest");
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(free_without_reservations), TEST(free_between_reservations),
        TEST(free_at_the_edges),         TEST(free_of_nothing),
        TEST(free_across_nodes),         TEST(free_while_it_changes),
        TEST(alloc_from_the_top),        TEST(alloc_from_the_bottom),
        TEST(alloc_is_aligned),          TEST(alloc_of_one_node),
        TEST(alloc_within_bounds),       TEST(alloc_of_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
