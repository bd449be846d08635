/* SPDX-License-Identifier: MIT */
/*
 * test_memblock.c - memblock by examples; test_memblock_model.c has the random ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "arch/layout.h"
#include "base/errno.h"
#include "base/string.h"
#include "phys/memblock.h"

#define BASE MEMORY_BASE

static char text[1 << 16];

static void expect_sound(void)
{
    struct buffer_sink out;

    buffer_sink_init(&out, text, sizeof(text));
    if (memblock_check(&out.sink))
        fail_msg("%s", text);
}

static int fresh(void **state)
{
    (void)state;
    memblock_init();
    return 0;
}

static void add(uint64_t base, uint64_t size, int nid)
{
    assert_int_equal(memblock_add(mk_paddr(base), size, nid), 0);
    expect_sound();
}

static void reserve(uint64_t base, uint64_t size)
{
    assert_int_equal(memblock_reserve(mk_paddr(base), size), 0);
    expect_sound();
}

static void expect(const struct memblock_type *type, uint32_t i, uint64_t base, uint64_t size,
                   int nid)
{
    assert_true(i < type->count);
    assert_int_equal(type->regions[i].base.v, base);
    assert_int_equal(type->regions[i].size, size);
    assert_int_equal(type->regions[i].nid, nid);
}

static const struct memblock_type *const memory = &memblock.memory;
static const struct memblock_type *const reserved = &memblock.reserved;

/* --- ranges ---------------------------------------------------------------------------------- */

static void merges_neighbours_of_one_node(void **state)
{
    (void)state;
    add(BASE + MIB(2), MIB(1), 0);
    add(BASE, MIB(1), 0);
    add(BASE + MIB(1), MIB(1), 0);
    add(BASE + MIB(3), MIB(1), 1);
    assert_int_equal(memory->count, 2);
    expect(memory, 0, BASE, MIB(3), 0);
    expect(memory, 1, BASE + MIB(3), MIB(1), 1);
    assert_int_equal(memory->total, MIB(4));
}

static void first_claim_holds(void **state)
{
    (void)state;
    add(BASE + MIB(1), MIB(1), 0);
    add(BASE + MIB(3), MIB(1), 0);
    add(BASE, MIB(5), 1);
    assert_int_equal(memory->count, 5);
    expect(memory, 2, BASE + MIB(2), MIB(1), 1);
    expect(memory, 4, BASE + MIB(4), MIB(1), 1);
    add(BASE, MIB(5), 2); /* nothing new */
    assert_int_equal(memory->count, 5);
}

static void removes_and_splits(void **state)
{
    (void)state;
    add(BASE, MIB(8), 3);
    assert_int_equal(memblock_remove(mk_paddr(BASE + MIB(2)), MIB(1)), 0);
    expect(memory, 0, BASE, MIB(2), 3);
    expect(memory, 1, BASE + MIB(3), MIB(5), 3);
    assert_int_equal(memblock_remove(mk_paddr(BASE + MIB(1)), MIB(6)), 0);
    expect(memory, 0, BASE, MIB(1), 3);
    expect(memory, 1, BASE + MIB(7), MIB(1), 3);
    assert_int_equal(memblock_remove(mk_paddr(0), GIB(4)), 0);
    assert_int_equal(memory->count, 0);
    assert_int_equal(memory->total, 0);
    expect_sound();
}

static void trims_to_pages(void **state)
{
    (void)state;
    add(BASE + 1, MIB(1), 0); /* loses both torn pages */
    expect(memory, 0, BASE + PAGE_SIZE, MIB(1) - PAGE_SIZE, 0);
    add(BASE + MIB(2) + 100, 5000, 0); /* no whole page in it */
    assert_int_equal(memory->count, 1);
    add(BASE + MIB(4), MIB(1) + 2048, 0);
    expect(memory, 1, BASE + MIB(4), MIB(1), 0);
    reserve(BASE + MIB(4) + 4095, 2); /* touches two pages */
    expect(reserved, 0, BASE + MIB(4), 2 * PAGE_SIZE, MEMBLOCK_ANY_NODE);
    assert_int_equal(memblock_free(mk_paddr(BASE + MIB(4) + 1), PAGE_SIZE), 0);
    expect(reserved, 0, BASE + MIB(4), 2 * PAGE_SIZE, MEMBLOCK_ANY_NODE); /* no whole page given */
    assert_int_equal(memblock_free(mk_paddr(BASE + MIB(4)), PAGE_SIZE), 0);
    expect(reserved, 0, BASE + MIB(4) + PAGE_SIZE, PAGE_SIZE, MEMBLOCK_ANY_NODE);
    add(0, 0, 0);
    reserve(BASE, 0); /* empty ranges are no pages */
    assert_int_equal(memory->count, 2);
    assert_int_equal(reserved->count, 1);
}

static void refuses_ranges_that_wrap(void **state)
{
    (void)state;
    assert_int_equal(memblock_add(mk_paddr(~0UL), 2, 0), -EINVAL);
    assert_int_equal(memblock_reserve(mk_paddr(BASE), ~0UL), -EINVAL);
    assert_int_equal(memblock_remove(mk_paddr(PAGE_MASK), PAGE_SIZE), -EINVAL);
    add(~0UL - 100, 100, 0); /* in the last page of all: not a whole one */
    assert_int_equal(memory->count, 0);
    reserve(~0UL - 100, 100); /* and the end of the last page has no number */
    assert_int_equal(reserved->count, 0);
    reserve(PAGE_MASK - PAGE_SIZE, PAGE_SIZE + 5);
    expect(reserved, 0, PAGE_MASK - PAGE_SIZE, PAGE_SIZE, MEMBLOCK_ANY_NODE);
}

/* A full array refuses a change as a whole. */
static void changes_nothing_when_full(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
        add(BASE + i * MIB(2), MIB(1), 0);
    uint64_t total = memory->total;
    assert_int_equal(memblock_add(mk_paddr(BASE + GIB(4)), MIB(1), 0), -ENOSPC);
    assert_int_equal(memblock_add(mk_paddr(BASE), MIB(8), 1), -ENOSPC);
    assert_int_equal(memblock_remove(mk_paddr(BASE + PAGE_SIZE), PAGE_SIZE), -ENOSPC);
    assert_int_equal(memory->count, MEMBLOCK_MAX_REGIONS);
    assert_int_equal(memory->total, total);
    expect_sound();
    assert_int_equal(memblock_remove(mk_paddr(BASE), PAGE_SIZE), 0); /* needs no room */

    for (uint64_t i = 0; i < MEMBLOCK_MAX_REGIONS; i++)
        reserve(BASE + i * MIB(2), PAGE_SIZE);
    assert_int_equal(
        memblock_alloc_phys(PAGE_SIZE, 2 * PAGE_SIZE, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, 0).v, 0);
}

/* --- questions ------------------------------------------------------------------------------- */

static void answers(void **state)
{
    (void)state;
    assert_int_equal(memblock_start().v, 0);
    assert_int_equal(memblock_end().v, 0);
    add(BASE, MIB(1), 0);
    add(BASE + MIB(4), MIB(2), 1);
    reserve(BASE + MIB(5), PAGE_SIZE);
    assert_int_equal(memblock_start().v, BASE);
    assert_int_equal(memblock_end().v, BASE + MIB(6));
    assert_true(memblock_is_memory(mk_paddr(BASE + MIB(1) - 1)));
    assert_false(memblock_is_memory(mk_paddr(BASE + MIB(1))));
    assert_false(memblock_is_memory(mk_paddr(BASE + MIB(6))));
    assert_true(memblock_is_reserved(mk_paddr(BASE + MIB(5) + 4095)));
    assert_false(memblock_is_reserved(mk_paddr(BASE)));
    assert_int_equal(memblock_nid(mk_paddr(BASE + MIB(5))), 1);
    assert_int_equal(memblock_nid(mk_paddr(BASE + MIB(2))), -1);
    assert_int_equal(memblock_node_size(1), MIB(2));
    assert_int_equal(memblock_node_size(5), 0);
    assert_int_equal(memblock_node_size(MEMBLOCK_ANY_NODE), MIB(3));
}

static void lists_what_is_free(void **state)
{
    struct memblock_region r;
    char seen[256];
    size_t len = 0;

    (void)state;
    add(BASE, MIB(4), 0);
    add(BASE + MIB(4), MIB(4), 1);
    reserve(BASE, MIB(1));          /* at the start */
    reserve(BASE + MIB(3), MIB(2)); /* across the nodes */
    reserve(BASE + MIB(7), MIB(9)); /* over the end */
    for_each_free_range(MEMBLOCK_ANY_NODE, &r)
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%lu+%lu@%d ",
                                (r.base.v - BASE) >> 20, r.size >> 20, r.nid);
    assert_string_equal(seen, "1+2@0 5+2@1 ");
    len = 0;
    for_each_free_range(1, &r)
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%lu ", (r.base.v - BASE) >> 20);
    assert_string_equal(seen, "5 ");
    len = 0;
    for_each_reserved_range(&r)
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%lu ", (r.base.v - BASE) >> 20);
    assert_string_equal(seen, "0 3 7 ");
}

/* --- allocation ------------------------------------------------------------------------------ */

static uint64_t alloc(uint64_t size, uint64_t align, int nid)
{
    paddr_t at = memblock_alloc_phys(size, align, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);

    expect_sound();
    return at.v;
}

static void allocates_in_both_directions(void **state)
{
    (void)state;
    add(BASE, MIB(4), 0);
    assert_int_equal(alloc(100, 1, 0), BASE + MIB(4) - PAGE_SIZE);
    assert_int_equal(alloc(PAGE_SIZE, MIB(1), 0), BASE + MIB(3));
    memblock.bottom_up = true;
    assert_int_equal(alloc(PAGE_SIZE, 0, 0), BASE);
    assert_int_equal(alloc(PAGE_SIZE, MIB(1), 0), BASE + MIB(1));
    assert_int_equal(alloc(KIB(64), 0, 0), BASE + PAGE_SIZE);
}

static void prefers_its_node(void **state)
{
    (void)state;
    add(BASE, MIB(1), 0);
    add(BASE + MIB(1), MIB(1), 1);
    assert_int_equal(alloc(MIB(1), 0, 0), BASE);
    assert_int_equal(alloc(PAGE_SIZE, 0, 0), BASE + MIB(2) - PAGE_SIZE); /* the other has room */
    assert_int_equal(
        memblock_alloc_phys_exact(PAGE_SIZE, 0, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, 0).v, 0);
    assert_int_equal(alloc(PAGE_SIZE, 0, 9), BASE + MIB(2) - 2 * PAGE_SIZE); /* no such node */
}

/* Two nodes that touch are free in one piece, and still no block lies on both. */
static void never_spans_nodes(void **state)
{
    (void)state;
    add(BASE, MIB(1), 0);
    add(BASE + MIB(1), MIB(1), 1);
    assert_int_equal(alloc(MIB(2), 0, MEMBLOCK_ANY_NODE), 0);
    assert_int_equal(alloc(MIB(1) + 1, 0, MEMBLOCK_ANY_NODE), 0);
}

static void respects_bounds(void **state)
{
    (void)state;
    add(BASE, MIB(4), 0);
    assert_int_equal(
        memblock_alloc_phys(PAGE_SIZE, 0, MEMBLOCK_LOWEST, mk_paddr(BASE + MIB(2)), 0).v,
        BASE + MIB(2) - PAGE_SIZE);
    assert_int_equal(
        memblock_alloc_phys(MIB(2), 0, mk_paddr(BASE + MIB(2) + 1), MEMBLOCK_HIGHEST, 0).v, 0);
    memblock.limit = BASE + MIB(1);
    assert_int_equal(alloc(PAGE_SIZE, 0, 0), BASE + MIB(1) - PAGE_SIZE);
    assert_int_equal(alloc(MIB(1), 0, 0), 0);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    add(0, MIB(4), 0); /* RAM at address 0, which must mean "none" */
    assert_int_equal(alloc(0, 0, 0), 0);
    assert_int_equal(alloc(~0UL, 0, 0), 0);
    assert_int_equal(alloc(PAGE_SIZE, 3 * PAGE_SIZE, 0), 0);
    assert_int_equal(alloc(PAGE_SIZE, 1UL << 63, 0), 0);
    memblock.bottom_up = true;
    assert_int_equal(alloc(PAGE_SIZE, 0, 0), PAGE_SIZE);
}

static void hands_out_zeroed_memory(void **state)
{
    (void)state;
    add(BASE, 4 * PAGE_SIZE, 0);
    memset(phys_to_virt(mk_paddr(BASE)), 0xaa, 4 * PAGE_SIZE);
    const uint8_t *block = memblock_alloc(PAGE_SIZE + 1, 0, 0);
    assert_ptr_equal(block, phys_to_virt(mk_paddr(BASE + 2 * PAGE_SIZE)));
    for (size_t i = 0; i < 2 * PAGE_SIZE; i++)
        assert_int_equal(block[i], 0);
    assert_null(memblock_alloc(MIB(1), 0, 0));
}

/* --- the audit ------------------------------------------------------------------------------- */

static uint32_t faults(void)
{
    struct buffer_sink out;

    buffer_sink_init(&out, text, sizeof(text));
    return memblock_check(&out.sink);
}

static void notices_damage(void **state)
{
    struct memblock_region *r = memblock.memory.regions;

    (void)state;
    add(BASE, MIB(1), 0);
    add(BASE + MIB(2), MIB(1), 0);
    r[0].nid = 1;
    r[0].size += 1;
    assert_int_equal(faults(), 2); /* not whole pages, total */
    assert_non_null(strstr(text, "is not made of whole pages"));
    assert_non_null(strstr(text, "total is 0x200000, its regions have 0x200001"));
    r[0].size = MIB(2) + PAGE_SIZE;
    assert_int_equal(faults(), 2);
    assert_non_null(strstr(text, "overlaps its successor"));
    r[0] = (struct memblock_region){mk_paddr(BASE + MIB(1)), MIB(1), 0};
    assert_int_equal(faults(), 1);
    assert_non_null(strstr(text, "should be one with its successor"));
    r[0].size = 0;
    assert_int_equal(faults(), 2);
    assert_non_null(strstr(text, "is empty or wraps"));
}

static void prints_like_linux(void **state)
{
    struct buffer_sink out;

    (void)state;
    add(BASE, MIB(1), 2);
    reserve(BASE, PAGE_SIZE);
    buffer_sink_init(&out, text, sizeof(text));
    memblock_dump(&out.sink);
    assert_string_equal(text, "MEMBLOCK configuration:\n"
                              " memory size = 0x100000 reserved size = 0x1000\n"
                              " memory.cnt  = 0x1\n"
                              " memory[0x0]\t[0x0000000080000000-0x00000000800fffff], "
                              "0x0000000000100000 bytes on node 2\n"
                              " reserved.cnt  = 0x1\n"
                              " reserved[0x0]\t[0x0000000080000000-0x0000000080000fff], "
                              "0x0000000000001000 bytes\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(merges_neighbours_of_one_node, fresh),
        cmocka_unit_test_setup(first_claim_holds, fresh),
        cmocka_unit_test_setup(removes_and_splits, fresh),
        cmocka_unit_test_setup(trims_to_pages, fresh),
        cmocka_unit_test_setup(refuses_ranges_that_wrap, fresh),
        cmocka_unit_test_setup(changes_nothing_when_full, fresh),
        cmocka_unit_test_setup(answers, fresh),
        cmocka_unit_test_setup(lists_what_is_free, fresh),
        cmocka_unit_test_setup(allocates_in_both_directions, fresh),
        cmocka_unit_test_setup(prefers_its_node, fresh),
        cmocka_unit_test_setup(never_spans_nodes, fresh),
        cmocka_unit_test_setup(respects_bounds, fresh),
        cmocka_unit_test_setup(refuses_nonsense, fresh),
        cmocka_unit_test_setup(hands_out_zeroed_memory, fresh),
        cmocka_unit_test_setup(notices_damage, fresh),
        cmocka_unit_test_setup(prints_like_linux, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
