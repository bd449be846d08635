/* SPDX-License-Identifier: MIT */
/*
 * test_lab_hole.c - finding holes, top-down above all. Trees and gaps are the test's own.
 *
 *      page    0  1  2  3  4  5  6  7  8  9 10 11 12       four(): holes of 2, 1, 4 and 1 pages,
 *              .  .  a  .  b  .  .  .  .  c  .  d  .       and all that is behind page 11
 */
#include "labs/07-vma/host/plant.h"

#include "arch/layout.h"
#include "base/errno.h"

static struct mm_struct *four(void)
{
    struct mm_struct *mm = garden();
    plant(mm, 2, 1, VM_READ);
    plant(mm, 4, 1, VM_READ);
    plant(mm, 9, 1, VM_READ);
    plant(mm, 11, 1, VM_READ);
    settle(mm);
    return mm;
}

/* The page of the hole that is found within pages low..high-1, or -1 for -ENOMEM. */
static long top_down(struct mm_struct *mm, unsigned n, unsigned low, unsigned high)
{
    int64_t got = vma_find_hole_topdown(mm, n * PAGE_SIZE, addr_of(low), addr_of(high));
    return got == -ENOMEM ? -1 : (long)(((uint64_t)got - BASE) / PAGE_SIZE);
}

static long bottom_up(struct mm_struct *mm, unsigned n, unsigned low, unsigned high)
{
    int64_t got = vma_find_hole_bottomup(mm, n * PAGE_SIZE, addr_of(low), addr_of(high));
    return got == -ENOMEM ? -1 : (long)(((uint64_t)got - BASE) / PAGE_SIZE);
}

/* --- where ------------------------------------------------------------------------------------ */

static void hole_in_an_empty_space(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    expect_equal(top_down(mm, 3, 0, 20), 17, "the highest 3 pages of pages 0..19");
    expect_equal(bottom_up(mm, 3, 0, 20), 0, "the lowest 3 pages of pages 0..19");
    expect_equal(top_down(mm, 20, 0, 20), 0, "20 pages of pages 0..19");
    expect_equal(top_down(mm, 21, 0, 20), -1, "21 pages of pages 0..19: -ENOMEM");
}

static void hole_is_the_highest_that_fits(void **state)
{
    (void)state;
    struct mm_struct *mm = four();
    expect_equal(top_down(mm, 1, 0, 12), 10, "one page below page 12");
    expect_equal(top_down(mm, 2, 0, 12), 7, "2 pages: the upper end of 5..8");
    expect_equal(top_down(mm, 4, 0, 12), 5, "4 pages: all of 5..8");
    expect_equal(top_down(mm, 5, 0, 12), -1, "5 pages: -ENOMEM");
    expect_equal(bottom_up(mm, 1, 0, 12), 0, "bottom-up: the lowest page");
    expect_equal(bottom_up(mm, 3, 0, 12), 5, "bottom-up: 3 pages");
}

static void hole_behind_the_last_range(void **state)
{
    (void)state;
    struct mm_struct *mm = four();
    expect_equal(top_down(mm, 1, 0, 20), 19, "one page below page 20, behind all that is mapped");
    expect_equal(top_down(mm, 8, 0, 20), 12, "8 pages: all of 12..19");
    expect_equal(top_down(mm, 9, 0, 20), -1, "9 pages: -ENOMEM");
    expect_equal(bottom_up(mm, 8, 0, 20), 12, "bottom-up: 8 pages");
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void hole_below_a_bound_within_a_gap(void **state)
{
    (void)state;
    struct mm_struct *mm = four();
    expect_equal(top_down(mm, 1, 0, 7), 6, "one page below page 7, which is in a hole");
    expect_equal(top_down(mm, 2, 0, 7), 5, "2 pages: 5 and 6");
    expect_equal(top_down(mm, 3, 0, 7), -1, "5 and 6 are only two: -ENOMEM");
    expect_equal(top_down(mm, 2, 0, 6), 0, "page 5 is only one, 3 too: 0 and 1");
}

static void hole_below_a_bound_within_a_range(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    plant(mm, 4, 1, VM_READ);
    plant(mm, 10, 5, VM_READ);
    settle(mm);
    expect_equal(top_down(mm, 2, 0, 12), 8, "2 pages below page 12, which is mapped as is 10");
    expect_equal(top_down(mm, 2, 0, 10), 8, "2 pages below page 10");
    expect_equal(top_down(mm, 6, 0, 12), -1, "there are only 5 between 4 and 10: -ENOMEM");
}

static void hole_above_a_bound(void **state)
{
    (void)state;
    struct mm_struct *mm = four();
    expect_equal(top_down(mm, 2, 7, 12), 7, "2 pages from page 7 on");
    expect_equal(top_down(mm, 2, 8, 12), -1, "2 pages from page 8 on: -ENOMEM");
    expect_equal(top_down(mm, 4, 6, 12), -1, "of 5..8, page 5 is below the bound: -ENOMEM");
    expect_equal(top_down(mm, 2, 5, 6), -1, "less than 2 pages from bound to bound: -ENOMEM");
    expect_equal(top_down(mm, 1, 4, 5), -1, "that page is mapped: -ENOMEM");
    expect_equal(bottom_up(mm, 2, 6, 12), 6, "bottom-up: 2 pages from page 6 on");
    expect_equal(bottom_up(mm, 4, 6, 12), -1, "bottom-up: page 5 is below the bound: -ENOMEM");
}

static void hole_of_a_size_that_wraps(void **state)
{
    (void)state;
    struct mm_struct *mm = four();
    const uint64_t sizes[] = {USER_TOP, UINT64_MAX / 2 & PAGE_MASK, UINT64_MAX & PAGE_MASK};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
        expect_equal(vma_find_hole_topdown(mm, sizes[i], PAGE_SIZE, USER_TOP), -ENOMEM,
                     "%#lx bytes are more than there are: -ENOMEM", sizes[i]);
    expect_equal(vma_find_hole_topdown(mm, PAGE_SIZE, PAGE_SIZE, USER_TOP), USER_TOP - PAGE_SIZE,
                 "the last page of all");
}

/* --- the guard gap of a stack ----------------------------------------------------------------- */

static void hole_keeps_away_from_a_stack(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    stack_guard_gap = 8;
    plant(mm, 4, 1, VM_READ);
    plant(mm, 30, 2, VM_READ | VM_WRITE | VM_GROWSDOWN);
    settle(mm);
    expect_equal(top_down(mm, 1, 0, 32), 21, "one page: below the 8 in front of the stack at 30");
    expect_equal(top_down(mm, 17, 0, 32), 5, "17 pages: all of 5..21");
    expect_equal(top_down(mm, 18, 0, 32), -1, "18 pages: only with the guard gap's: -ENOMEM");
    expect_equal(bottom_up(mm, 18, 0, 32), -1, "bottom-up: -ENOMEM");
    expect_equal(top_down(mm, 1, 22, 32), -1, "from page 22 on there is but the guard gap");
}

static void hole_below_a_stack_that_is_low(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    stack_guard_gap = 2 * BASE / PAGE_SIZE;
    plant(mm, 3, 1, VM_READ | VM_WRITE | VM_GROWSDOWN);
    plant(mm, 9, 1, VM_READ);
    settle(mm);
    expect_equal(top_down(mm, 2, 0, 10), 7, "2 pages behind the stack");
    expect_equal(vma_find_hole_topdown(mm, PAGE_SIZE, PAGE_SIZE, addr_of(3)), -ENOMEM,
                 "the guard gap is larger than what is below the stack: -ENOMEM");
    expect_equal(vma_find_hole_bottomup(mm, PAGE_SIZE, PAGE_SIZE, addr_of(3)), -ENOMEM,
                 "bottom-up: -ENOMEM");
}

static void hole_in_front_of_a_guarded_one(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    stack_guard_gap = 3;
    plant(mm, 4, 1, VM_READ);
    for (unsigned i = 1; i < 8; i++)
        plant(mm, 5 * i + 4, 1, VM_READ | VM_WRITE | VM_GROWSDOWN);
    settle(mm);
    expect_equal(top_down(mm, 1, 0, 40), 35, "in front of the last stack there is one page");
    expect_equal(top_down(mm, 2, 0, 40), 2, "two: gap after gap is wide enough but for its guard");
}

/* --- how far, and at random ------------------------------------------------------------------- */

#define PAGES 256u

static void hole_at_random(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    for (unsigned round = 0; round < 200; round++) {
        struct mm_struct *mm = garden();
        struct vm_area_struct *vma;
        bool used[PAGES] = {false};
        stack_guard_gap = rng_below(&rng, 4);
        plant_at_random(mm, &rng, 1 + (unsigned)rng_below(&rng, 60), PAGES);
        for_each_vma(mm, vma) { /* the guard gap counts as used, as far as it lies in the gap */
            vma->vm_flags |= rng_below(&rng, 4) ? 0 : VM_GROWSDOWN;
            uint64_t guard = MIN(vma_guard_gap(vma), vma_prev(vma) ? vma->gap : vma->gap - BASE);
            for (uint64_t at = vma->vm_start - guard; at < vma->vm_end; at += PAGE_SIZE)
                used[(at - BASE) / PAGE_SIZE] = true;
        }
        for (unsigned i = 0; i < 100; i++) {
            unsigned n = 1 + (unsigned)rng_below(&rng, 8), run = 0;
            unsigned low = (unsigned)rng_below(&rng, PAGES), high = low + 1;
            high += (unsigned)rng_below(&rng, PAGES - low);
            long top = -1, bottom = -1;
            for (unsigned p = low; p < high; p++) {
                run = used[p] ? 0 : run + 1;
                if (run < n)
                    continue;
                top = p + 1 - n;
                bottom = bottom < 0 ? top : bottom;
            }
            expect_equal(top_down(mm, n, low, high), top,
                         "top-down, %u pages in %u..%u, round %u, seed %lu", n, low, high - 1,
                         round, lab_seed());
            expect_equal(bottom_up(mm, n, low, high), bottom,
                         "bottom-up, %u pages in %u..%u, round %u, seed %lu", n, low, high - 1,
                         round, lab_seed());
        }
    }
}

static void hole_is_found_on_a_path_or_two(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    for (unsigned round = 0; round < 16; round++) {
        struct mm_struct *mm = garden();
        unsigned wide = round ? (unsigned)rng_below(&rng, MOST - 1) : MOST - 2, at = 0, hole = 0;
        for (unsigned i = 0; i < MOST; i++) {
            plant(mm, at, 1, VM_READ);
            hole = i == wide ? at + 1 : hole;
            at += i == wide ? 9 : 2;
        }
        settle(mm);
        looks_begin();
        long got = top_down(mm, 8, 0, at - 1);
        unsigned long n = looks_end();
        expect_equal(got, hole, "the only hole of 8 pages among %u VMAs", MOST);
        expect_true(n <= paths(MOST, 2), "%lu of %u VMAs were looked at to find it", n, MOST);
        looks_begin();
        got = top_down(mm, 9, 0, at - 1);
        n = looks_end();
        expect_equal(got, -1, "9 pages: -ENOMEM");
        expect_true(n <= paths(MOST, 2), "%lu of %u VMAs were looked at for nothing", n, MOST);
    }
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
        cmocka_unit_test(hole_in_an_empty_space),
        cmocka_unit_test(hole_is_the_highest_that_fits),
        cmocka_unit_test(hole_behind_the_last_range),
        cmocka_unit_test(hole_below_a_bound_within_a_gap),
        cmocka_unit_test(hole_below_a_bound_within_a_range),
        cmocka_unit_test(hole_above_a_bound),
        cmocka_unit_test(hole_of_a_size_that_wraps),
        cmocka_unit_test(hole_keeps_away_from_a_stack),
        cmocka_unit_test(hole_below_a_stack_that_is_low),
        cmocka_unit_test(hole_in_front_of_a_guarded_one),
        cmocka_unit_test(hole_at_random),
        cmocka_unit_test(hole_is_found_on_a_path_or_two),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
