/* SPDX-License-Identifier: MIT */
/*
 * test_vma.c - list, tree, gaps and merging of VMAs, against an array with a byte a page.
 *
 *      model[page]: 0 free, else the kind of what is mapped there
 *
 * Everything is anonymous and untouched, so neighbours of a kind must always be one VMA: the number
 * of VMAs is the number of runs in the array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/fake_mm.h"

#include "base/errno.h"
#include "base/random.h"

#define PAGES 512u
#define BASE 0x100000UL

static const uint64_t kinds[] = {0, VM_READ, VM_READ | VM_WRITE, VM_READ | VM_EXEC};

struct world {
    struct mm_struct *mm;
    struct rng rng;
    uint8_t model[PAGES];
};

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

/* --- the operations, on both ------------------------------------------------------------------ */

static void map(struct world *w, unsigned first, unsigned n, unsigned kind)
{
    uint64_t start = addr_of(first), end = addr_of(first + n);
    if (!vma_merge_new(w->mm, start, end, kinds[kind], NULL, start >> PAGE_SHIFT)) {
        struct vm_area_struct *vma = vma_alloc(w->mm, start, end, kinds[kind]);
        vma->vm_pgoff = start >> PAGE_SHIFT;
        vma_insert(w->mm, vma);
    }
    memset(w->model + first, (int)kind, n);
}

static void split_at(struct world *w, uint64_t addr)
{
    struct vm_area_struct *vma = vma_lookup(w->mm, addr);
    if (vma && vma->vm_start < addr)
        assert_int_equal(vma_split(vma, addr), 0);
}

static void unmap(struct world *w, unsigned first, unsigned n)
{
    uint64_t start = addr_of(first), end = addr_of(first + n);
    struct vm_area_struct *vma;
    split_at(w, start);
    split_at(w, end);
    while ((vma = find_vma_intersection(w->mm, start, end))) {
        vma_remove(w->mm, vma);
        vma_free(vma);
    }
    memset(w->model + first, 0, n);
}

static void change(struct world *w, unsigned first, unsigned n, unsigned kind)
{
    uint64_t start = addr_of(first), end = addr_of(first + n);
    split_at(w, start);
    split_at(w, end);
    for (uint64_t at = start; at < end;) {
        struct vm_area_struct *vma = vma_lookup(w->mm, at);
        if (!vma) {
            at += PAGE_SIZE;
            continue;
        }
        vma->vm_flags = kinds[kind];
        at = vma_merge(vma)->vm_end;
    }
    for (unsigned i = first; i < first + n; i++)
        w->model[i] = w->model[i] ? (uint8_t)kind : 0;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void compare(struct world *w)
{
    unsigned runs = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        struct vm_area_struct *vma = vma_lookup(w->mm, addr_of(i));
        assert_int_equal(vma != NULL, w->model[i] != 0);
        if (vma)
            assert_int_equal(vma->vm_flags, kinds[w->model[i]]);
        runs += w->model[i] && (i == 0 || w->model[i - 1] != w->model[i]);
    }
    assert_int_equal(w->mm->map_count, runs);
    assert_int_equal(vma_check(w->mm, &stderr_sink), 0);
}

static bool free_run(const struct world *w, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (w->model[i])
            return false;
    return true;
}

static void compare_holes(struct world *w)
{
    unsigned n = 1 + (unsigned)rng_below(&w->rng, 24);
    unsigned low = (unsigned)rng_below(&w->rng, PAGES / 2);
    unsigned high = PAGES / 2 + (unsigned)rng_below(&w->rng, PAGES / 2);
    int64_t top = -ENOMEM, bottom = -ENOMEM;
    for (unsigned i = low; i + n <= high; i++) {
        if (!free_run(w, i, n))
            continue;
        top = (int64_t)addr_of(i);
        bottom = bottom < 0 ? top : bottom;
    }
    uint64_t len = n * PAGE_SIZE;
    assert_int_equal(vma_find_hole_topdown(w->mm, len, addr_of(low), addr_of(high)), top);
    assert_int_equal(vma_find_hole_bottomup(w->mm, len, addr_of(low), addr_of(high)), bottom);
}

static void random_operations_match_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world w = {.mm = fake_mm(), .rng = {seed}};
        for (unsigned step = 0; step < 4000; step++) {
            unsigned n = 1 + (unsigned)rng_below(&w.rng, 20);
            unsigned first = (unsigned)rng_below(&w.rng, PAGES - n);
            unsigned kind = 1 + (unsigned)rng_below(&w.rng, 3);
            switch (rng_below(&w.rng, 4)) {
            case 0:
                change(&w, first, n, kind);
                break;
            case 1:
                unmap(&w, first, n);
                break;
            default:
                unmap(&w, first, n);
                map(&w, first, n, kind);
            }
            compare_holes(&w);
            if (step % 16 == 0)
                compare(&w);
        }
        compare(&w);
        fake_mm_free(w.mm);
        assert_int_equal(objects_out, 0);
    }
}

static void a_stack_keeps_its_gap_free(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    uint64_t stack = BASE + 1024 * PAGE_SIZE;
    struct vm_area_struct *vma =
        vma_alloc(mm, stack, stack + PAGE_SIZE, VM_READ | VM_WRITE | VM_GROWSDOWN);
    vma_insert(mm, vma);
    assert_int_equal(vma_find_hole_topdown(mm, PAGE_SIZE, BASE, stack + PAGE_SIZE),
                     stack - 257 * PAGE_SIZE);
    fake_mm_free(mm);
}

static void a_million_ranges_are_refused(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = vma_alloc(mm, BASE, BASE + 8 * PAGE_SIZE, VM_READ);
    vma_insert(mm, vma);
    sysctl_max_map_count = 2;
    assert_int_equal(vma_split(vma, BASE + PAGE_SIZE), 0);
    assert_int_equal(vma_split(vma_next(vma), BASE + 2 * PAGE_SIZE), -ENOMEM);
    sysctl_max_map_count = 65530;
    assert_int_equal(mm->map_count, 2);
    fake_mm_free(mm);
}

static void what_differs_is_not_merged(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *a = vma_alloc(mm, BASE, BASE + PAGE_SIZE, VM_READ);
    struct vm_area_struct *b = vma_alloc(mm, BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, VM_READ);
    a->vm_pgoff = 7;
    b->vm_pgoff = 9; /* page numbers do not go on: these were moved here by mremap */
    vma_insert(mm, a);
    vma_insert(mm, b);
    assert_ptr_equal(vma_merge(b), b);
    b->vm_pgoff = 8;
    a->vm_name = "[stack]";
    assert_ptr_equal(vma_merge(b), b);
    a->vm_name = NULL;
    assert_ptr_equal(vma_merge(b), a);
    assert_int_equal(mm->map_count, 1);
    fake_mm_free(mm);
}

static int set_up(void **state)
{
    (void)state;
    fake_node(1 << 20);
    vma_init();
    rmap_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_match_the_model),
        cmocka_unit_test(a_stack_keeps_its_gap_free),
        cmocka_unit_test(a_million_ranges_are_refused),
        cmocka_unit_test(what_differs_is_not_merged),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
