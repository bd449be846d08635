/* SPDX-License-Identifier: MIT */
/*
 * test_vma_hole.c - how many nodes of the tree are looked at until a hole is found.
 *
 *      | vma |1| vma |1| vma |   8   | vma |1| ...        one gap of 8 pages among many of 1
 *
 * The file under test is compiled in here, with a counter where it goes from a node to its VMA. In
 * a red-black tree of n nodes no path is longer than 2 log2(n + 1). That what is found is right is
 * shown by test_vma.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/fake_mm.h"

#include "base/errno.h"
#include "base/random.h"

static unsigned long looks;

#undef rb_entry
#define rb_entry(ptr, type, member) (looks++, container_of(ptr, type, member))
#include "../../../src/virt/vma_hole.c"

#define BASE GIB(1)
#define WIDE (8 * PAGE_SIZE)

/* n VMAs of a page, a page apart but for one, which is further from the one before. */
static uint64_t fill(struct mm_struct *mm, unsigned n, unsigned wide)
{
    uint64_t at = BASE, hole = 0;
    for (unsigned i = 0; i < n; i++) {
        vma_insert(mm, vma_alloc(mm, at, at + PAGE_SIZE, VM_READ));
        at += PAGE_SIZE;
        if (i == wide)
            hole = at;
        at += i == wide ? WIDE : PAGE_SIZE;
    }
    assert_int_equal(vma_check(mm, &stderr_sink), 0);
    return hole;
}

/* Down the tree and up again; each step looks at a node, its gap and those below it. */
static unsigned long bound(unsigned n)
{
    unsigned depth = 0;
    while (n >> depth)
        depth++;
    return 2 * depth * 4;
}

static void a_hole_is_found_on_a_path_or_two(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (unsigned n = 16; n <= 16384; n *= 4) {
        for (unsigned round = 0; round < 8; round++) {
            struct mm_struct *mm = fake_mm();
            unsigned wide = round ? (unsigned)rng_below(&rng, n - 1) : 0;
            uint64_t hole = fill(mm, n, wide), end = BASE + 2 * n * PAGE_SIZE;
            looks = 0;
            assert_int_equal(vma_find_hole_topdown(mm, WIDE, BASE, end), hole);
            assert_in_range(looks, 1, bound(n));
            looks = 0;
            assert_int_equal(vma_find_hole_bottomup(mm, WIDE, BASE, end), hole);
            assert_in_range(looks, 1, bound(n));
            looks = 0;
            assert_int_equal(vma_find_hole_topdown(mm, WIDE + PAGE_SIZE, BASE, end), -ENOMEM);
            assert_int_equal(vma_find_hole_bottomup(mm, WIDE + PAGE_SIZE, BASE, end), -ENOMEM);
            assert_in_range(looks, 1, 2 * bound(n));
            fake_mm_free(mm);
        }
    }
    assert_int_equal(objects_out, 0);
}

static int set_up(void **state)
{
    (void)state;
    fake_node(1 << 20);
    vma_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hole_is_found_on_a_path_or_two),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
