/* SPDX-License-Identifier: MIT */
/*
 * test_lab_tree.c - finding VMAs, and what the tree knows of the gaps between them.
 *
 *      page    0  1  2  3  4  5  6  7  8  9
 *              .  .  a  a  b  .  .  .  c  .        three(): a and b touch, c is alone
 */
#include "labs/07-vma/host/plant.h"

static struct vm_area_struct *a, *b, *c;

static struct mm_struct *three(void)
{
    struct mm_struct *mm = garden();
    a = plant(mm, 2, 2, VM_READ);
    b = plant(mm, 4, 1, VM_READ);
    c = plant(mm, 8, 1, VM_READ);
    settle(mm);
    return mm;
}

/* The page of a VMA, or -1. */
static long page_of(const struct vm_area_struct *vma)
{
    return vma ? (long)((vma->vm_start - BASE) / PAGE_SIZE) : -1;
}

/* --- step 1: finding -------------------------------------------------------------------------- */

static void find_the_range_that_holds_an_address(void **state)
{
    (void)state;
    struct mm_struct *mm = three();
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(2))), 2, "first byte of pages 2..3");
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(4) - 1)), 2, "last byte of pages 2..3");
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(4) + 7)), 4, "an address in page 4");
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(9) - 1)), 8, "last byte of page 8");
}

static void find_at_an_end_is_what_comes_next(void **state)
{
    (void)state;
    struct mm_struct *mm = three();
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(4))), 4,
                 "the end of pages 2..3 is not in them, but the first byte of page 4");
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(5))), 8, "the end of page 4; next is page 8");
    expect_true(find_vma_in_tree(mm, addr_of(9)) == NULL, "nothing ends above the end of page 8");
}

static void find_what_is_above(void **state)
{
    (void)state;
    struct mm_struct *mm = three();
    expect_equal(page_of(find_vma_in_tree(mm, 0)), 2, "from address 0, the first is page 2");
    expect_equal(page_of(find_vma_in_tree(mm, addr_of(6))), 8, "from the hole at page 6, page 8");
    expect_true(find_vma_in_tree(mm, UINT64_MAX) == NULL, "nothing ends above the last address");
    expect_true(find_vma_in_tree(garden(), addr_of(1)) == NULL, "nothing is in an empty space");
}

static void find_what_lies_before(void **state)
{
    (void)state;
    struct mm_struct *mm = three();
    expect_equal(page_of(find_vma_before(mm, addr_of(8))), 4, "before page 8 lies page 4");
    expect_equal(page_of(find_vma_before(mm, addr_of(5))), 4, "page 4 ends at the address itself");
    expect_equal(page_of(find_vma_before(mm, addr_of(5) - 1)), 2, "page 4 does not end below");
    expect_equal(page_of(find_vma_before(mm, addr_of(3))), -1, "pages 2..3 do not end below 3");
    expect_equal(page_of(find_vma_before(mm, UINT64_MAX)), 8, "before the last address, page 8");
    expect_equal(page_of(find_vma_before(mm, 0)), -1, "nothing lies before address 0");
    expect_equal(page_of(find_vma_before(garden(), addr_of(1))), -1, "an empty space");
}

static void find_at_random(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    for (unsigned round = 0; round < 50; round++) {
        struct mm_struct *mm = garden();
        plant_at_random(mm, &rng, 60, 200);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t addr = addr_of(i) + (rng_below(&rng, 2) ? rng_below(&rng, PAGE_SIZE) : 0);
            const struct vm_area_struct *vma, *above = NULL, *in_front = NULL;
            for_each_vma(mm, vma) {
                above = !above && vma->vm_end > addr ? vma : above;
                in_front = vma->vm_end <= addr ? vma : in_front;
            }
            expect_equal(page_of(find_vma_in_tree(mm, addr)), page_of(above),
                         "page of find_vma_in_tree(page %u + %#lx), seed %lu", i, addr - addr_of(i),
                         lab_seed());
            expect_equal(page_of(find_vma_before(mm, addr)), page_of(in_front),
                         "page of find_vma_before(page %u + %#lx), seed %lu", i, addr - addr_of(i),
                         lab_seed());
        }
    }
}

static void find_goes_down_one_path(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    struct mm_struct *mm = garden();
    for (unsigned i = 0; i < MOST; i++)
        plant(mm, 2 * i, 1, VM_READ);
    settle(mm);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t addr = addr_of((unsigned)rng_below(&rng, 2 * MOST - 2));
        looks_begin();
        find_vma_in_tree(mm, addr);
        unsigned long n = looks_end();
        expect_true(n <= paths(MOST, 1), "find_vma_in_tree() looked at %lu of %u VMAs", n, MOST);
        looks_begin();
        find_vma_before(mm, addr);
        n = looks_end();
        expect_true(n <= paths(MOST, 1), "find_vma_before() looked at %lu of %u VMAs", n, MOST);
    }
}

/* --- step 2: what the tree knows of gaps ------------------------------------------------------ */

static struct vm_area_struct *insert(struct mm_struct *mm, unsigned first, unsigned n)
{
    struct vm_area_struct *vma = seed_vma(mm, addr_of(first), addr_of(first + n), VM_READ);
    vma_insert(mm, vma);
    return vma;
}

/* Gap of a VMA in pages; in front of the first one lies also what is below BASE. */
static long gap_pages(const struct vm_area_struct *vma)
{
    return (long)((vma->gap - (vma_prev(vma) ? 0 : BASE)) / PAGE_SIZE);
}

static uint64_t widest(const struct mm_struct *mm)
{
    return rb_entry(mm->mm_rb.node, struct vm_area_struct, rb)->subtree_gap;
}

static void expect_whole(struct mm_struct *mm, const char *after)
{
    expect_equal(vma_check(mm, &stderr_sink), 0, "faults of list, tree and gaps after %s", after);
}

static void gaps_lie_before_each_range(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    struct vm_area_struct *v = insert(mm, 10, 2), *w = insert(mm, 15, 1), *x = insert(mm, 16, 4);
    expect_equal(gap_pages(v), 10, "pages in front of the first, at page 10");
    expect_equal(gap_pages(w), 3, "pages between 10..11 and 15");
    expect_equal(gap_pages(x), 0, "pages between 15 and 16");
    expect_whole(mm, "three insertions, upwards");
}

static void gaps_shrink_by_an_insertion(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    struct vm_area_struct *last = insert(mm, 50, 1), *first = insert(mm, 10, 2);
    expect_equal(gap_pages(last), 38, "the gap in front of page 50, behind 10..11");
    struct vm_area_struct *middle = insert(mm, 20, 5);
    expect_equal(gap_pages(first), 10, "the gap in front of page 10 is what it was");
    expect_equal(gap_pages(middle), 8, "the gap in front of 20..24");
    expect_equal(gap_pages(last), 25, "the gap in front of page 50, behind 20..24");
    expect_equal(mm->map_count, 3, "VMAs that are counted");
    expect_whole(mm, "insertions, downwards");
}

static void gaps_grow_by_a_removal(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    struct vm_area_struct *v[9];
    for (unsigned i = 0; i < 9; i++)
        v[i] = insert(mm, 4 * i, 2);
    vma_remove(mm, v[4]);
    expect_equal(gap_pages(v[5]), 6, "the gap in front of page 20 when 16..17 have gone");
    expect_whole(mm, "a removal from the middle");
    vma_remove(mm, v[0]);
    vma_remove(mm, v[8]);
    expect_equal(gap_pages(v[1]), 4, "the gap in front of page 4 when 0..1 have gone");
    expect_whole(mm, "the removal of the first and the last");
    expect_equal(mm->map_count, 6, "VMAs that are counted");
}

static void gaps_follow_ends_that_move(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    struct vm_area_struct *v[5];
    for (unsigned i = 0; i < 5; i++)
        v[i] = insert(mm, 20 * i + 10, 4);
    vma_set_range(v[2], addr_of(50), addr_of(60)); /* grows upwards */
    expect_equal(gap_pages(v[3]), 10, "the gap in front of page 70, when 50..53 became 50..59");
    expect_whole(mm, "an end moved up");
    vma_set_range(v[2], addr_of(40), addr_of(52)); /* downwards, and shrinks above */
    expect_equal(gap_pages(v[2]), 6, "the gap in front of 40, behind 30..33");
    expect_equal(gap_pages(v[3]), 18, "the gap in front of page 70, behind 51");
    expect_equal(v[2]->vm_pgoff, v[2]->vm_start >> PAGE_SHIFT, "vm_pgoff goes along with vm_start");
    expect_whole(mm, "both ends moved");
}

static void gaps_are_known_at_the_root(void **state)
{
    (void)state;
    struct mm_struct *mm = garden();
    struct vm_area_struct *v[200];
    for (unsigned i = 0; i < 200; i++)
        v[i] = insert(mm, 3 * i, 2);

    expect_equal(widest(mm), BASE, "the widest gap is the one in front of the first");
    vma_set_range(v[0], PAGE_SIZE, v[0]->vm_end);
    expect_equal(widest(mm), PAGE_SIZE, "then all gaps are one page");
    vma_set_range(v[77], v[77]->vm_start + PAGE_SIZE, v[77]->vm_end);
    expect_equal(widest(mm), 2 * PAGE_SIZE, "one range has lost its first page");
    vma_remove(mm, v[130]);
    expect_equal(widest(mm), 4 * PAGE_SIZE, "one has gone: its two pages and the gaps beside it");
    vma_insert(mm, v[130]);
    expect_equal(widest(mm), 2 * PAGE_SIZE, "it came back");
    vma_set_range(v[77], v[77]->vm_start - PAGE_SIZE, v[77]->vm_end);
    expect_equal(widest(mm), PAGE_SIZE, "and all gaps are one page again");
    expect_whole(mm, "changes far below the root");
}

static void gaps_at_random(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    struct mm_struct *mm = garden();
    struct vm_area_struct *v[64];
    bool in[64] = {false};
    for (unsigned i = 0; i < 64; i++)
        v[i] = seed_vma(mm, 0, 0, VM_READ);
    for (unsigned step = 0; step < 3000; step++) {
        unsigned i = (unsigned)rng_below(&rng, 64), first = 12 * i + (unsigned)rng_below(&rng, 4),
                 n = 1 + (unsigned)rng_below(&rng, 12 * i + 12 - first);
        if (!in[i]) {
            v[i]->vm_start = addr_of(first);
            v[i]->vm_end = addr_of(first + n);
            vma_insert(mm, v[i]);
            in[i] = true;
        } else if (rng_below(&rng, 2)) {
            vma_set_range(v[i], addr_of(first), addr_of(first + n));
        } else {
            vma_remove(mm, v[i]);
            in[i] = false;
        }
        expect_equal(vma_check(mm, &stderr_sink), 0, "faults after step %u, seed %lu", step,
                     lab_seed());
    }
}

static void gaps_cost_one_path(void **state)
{
    (void)state;
    struct rng rng = {lab_seed()};
    struct mm_struct *mm = garden();
    struct vm_area_struct *v[MOST];
    for (unsigned i = 0; i < MOST - 1; i++)
        v[i] = plant(mm, 8 * i, 2, VM_READ);
    settle(mm);
    struct vm_area_struct *one = seed_vma(mm, 0, 0, VM_READ);
    for (unsigned i = 0; i < 32; i++) {
        unsigned at = 1 + (unsigned)rng_below(&rng, MOST - 3);
        one->vm_start = v[at]->vm_start - 3 * PAGE_SIZE;
        one->vm_end = one->vm_start + PAGE_SIZE;
        looks_begin();
        vma_insert(mm, one);
        unsigned long n = looks_end();
        expect_true(n <= paths(MOST, 2), "vma_insert() looked at %lu of %u VMAs", n, MOST);
        looks_begin();
        vma_set_range(v[at], v[at]->vm_start - PAGE_SIZE, v[at]->vm_end);
        n = looks_end();
        expect_true(n <= paths(MOST, 2), "vma_set_range() looked at %lu of %u VMAs", n, MOST);
        vma_set_range(v[at], v[at]->vm_start + PAGE_SIZE, v[at]->vm_end);
        looks_begin();
        vma_remove(mm, one);
        n = looks_end();
        expect_true(n <= paths(MOST, 2), "vma_remove() looked at %lu of %u VMAs", n, MOST);
    }
    expect_whole(mm, "all of that");
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
        cmocka_unit_test(find_the_range_that_holds_an_address),
        cmocka_unit_test(find_at_an_end_is_what_comes_next),
        cmocka_unit_test(find_what_is_above),
        cmocka_unit_test(find_what_lies_before),
        cmocka_unit_test(find_at_random),
        cmocka_unit_test(find_goes_down_one_path),
        cmocka_unit_test(gaps_lie_before_each_range),
        cmocka_unit_test(gaps_shrink_by_an_insertion),
        cmocka_unit_test(gaps_grow_by_a_removal),
        cmocka_unit_test(gaps_follow_ends_that_move),
        cmocka_unit_test(gaps_are_known_at_the_root),
        cmocka_unit_test(gaps_at_random),
        cmocka_unit_test(gaps_cost_one_path),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
