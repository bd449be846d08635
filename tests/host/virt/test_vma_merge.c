/* SPDX-License-Identifier: MIT */
/*
 * test_vma_merge.c - which neighbours become one, attribute by attribute and at random.
 *
 *      model[page]: what is mapped there, and which piece it is
 *
 *          kind    1 1 1 1 2 2 2 . . 3 3 3        a VMA each time the kind changes, and for kinds
 *          piece   0 0 0 0 0 0 0 . . 4 4 7        that are never joined (3), the piece
 *
 * What test_vma.c asks of plain anonymous memory is asked here of all that a VMA may have: objects,
 * page numbers, names, policies, userfaults; each of which is counted, once a VMA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/vma_kinds.h"

#include "base/random.h"

#define PAGES 128u

/* --- attribute by attribute ------------------------------------------------------------------- */

static void neighbours_of_each_two_kinds(void **state)
{
    (void)state;
    long before = objects_out;
    for (unsigned a = 0; a < KINDS; a++) {
        for (unsigned b = 0; b < KINDS; b++) {
            for (unsigned changed = 0; changed < 2; changed++) {
                struct mm_struct *mm = fake_mm();
                struct vm_area_struct *vma[2] = {add(mm, 0, 2, a), add(mm, 2, 3, b)};
                const struct vm_area_struct *got = vma_merge(vma[changed]);
                if (mm->map_count != (joined(a, b) ? 1 : 2))
                    fail_msg("%s beside %s", kinds[a].what, kinds[b].what);
                if (joined(a, b)) {
                    assert_int_equal(got->vm_start, addr_of(0));
                    assert_int_equal(got->vm_end, addr_of(5));
                } else {
                    assert_ptr_equal(got, vma[changed]);
                }
                finish(mm, before);
            }
        }
    }
}

/* [a][b][c], and the middle one was the last to come: all three, or two, or none. */
static void three_of_each_kind(void **state)
{
    (void)state;
    long before = objects_out;
    for (unsigned i = 0; i < KINDS * KINDS * KINDS; i++) {
        unsigned a = i % KINDS, b = i / KINDS % KINDS, c = i / KINDS / KINDS;
        struct mm_struct *mm = fake_mm();
        add(mm, 0, 2, a);
        add(mm, 3, 4, c);
        const struct vm_area_struct *got = vma_merge(add(mm, 2, 1, b));
        assert_int_equal(mm->map_count, 3 - joined(a, b) - joined(b, c));
        assert_int_equal(got->vm_start, addr_of(joined(a, b) ? 0 : 2));
        assert_int_equal(got->vm_end, addr_of(joined(b, c) ? 7 : 3));
        finish(mm, before);
    }
}

static bool can_be_new(const struct kind *k)
{
    return !k->name && !k->policy && !k->handler;
}

static struct vm_area_struct *grow(struct mm_struct *mm, unsigned first, unsigned n, unsigned kind)
{
    const struct kind *k = &kinds[kind];
    return vma_merge_new(mm, addr_of(first), addr_of(first + n), k->flags,
                         k->file ? &files[k->file - 1] : NULL,
                         (addr_of(first) >> PAGE_SHIFT) + k->skew);
}

/* The same for a range that has no VMA yet; it has no name, policy or handler. */
static void a_new_range_grows_its_neighbours(void **state)
{
    (void)state;
    long before = objects_out;
    for (unsigned i = 0; i < KINDS * KINDS * KINDS; i++) {
        unsigned a = i % KINDS, b = i / KINDS % KINDS, c = i / KINDS / KINDS;
        const struct kind *k = &kinds[b];
        if (!can_be_new(k))
            continue;
        struct mm_struct *mm = fake_mm();
        add(mm, 0, 2, a);
        add(mm, 3, 4, c);
        const struct vm_area_struct *got = grow(mm, 2, 1, b);
        bool left = joined(a, b), right = joined(b, c);
        assert_int_equal(got != NULL, left || right);
        assert_int_equal(mm->map_count, left && right ? 1 : 2);
        if (got) {
            assert_int_equal(got->vm_start, addr_of(left ? 0 : 2));
            assert_int_equal(got->vm_end, addr_of(right ? 7 : 3));
            assert_int_equal(vma_index(got, addr_of(2)), (addr_of(2) >> PAGE_SHIFT) + k->skew);
        }
        finish(mm, before);
    }
}

/* --- anon_vmas -------------------------------------------------------------------------------- */

/*
 * Neighbours from left to right, as letters:  - none yet   A B have touched pages of their own
 *                                             f is forked: it hangs on its parent's too
 * Equal letters are parts of what was one VMA. How many are left when the second was merged?
 */
static const struct {
    const char *before;
    unsigned left;
} anon_table[] = {
    {"--", 1},  {"A-", 1},  {"-A", 1},  {"AA", 1},  {"AB", 2},  {"f-", 2},  {"-f", 2},
    {"ff", 1},  {"fA", 2},  {"Af", 2},  {"---", 1}, {"A-A", 1}, {"A-B", 2}, {"-A-", 1},
    {"AAA", 1}, {"ABA", 3}, {"f-f", 3}, {"fff", 1}, {"-f-", 3}, {"AAB", 2}, {"ff-", 2},
};

static struct mm_struct *parent_mm;
static struct vm_area_struct *parent;

/* The VMAs of the letters. Each is made far from the others, as neighbours share what they can. */
static struct mm_struct *row(const char *letters, struct vm_area_struct **vma)
{
    struct mm_struct *mm = fake_mm();
    for (unsigned i = 0; letters[i]; i++) {
        unsigned like = (unsigned)(strchr(letters, letters[i]) - letters);
        vma[i] = add(mm, 2 * i, 1, 0);
        if (letters[i] == '-')
            continue;
        int err = like < i            ? anon_vma_clone(vma[i], vma[like])
                  : letters[i] == 'f' ? anon_vma_fork(vma[i], parent)
                                      : anon_vma_prepare(vma[i]);
        assert_int_equal(err, 0);
    }
    for (unsigned i = 0; letters[i]; i++)
        vma_set_range(vma[i], addr_of(i), addr_of(i + 1));
    return mm;
}

static void touched_neighbours(void **state)
{
    (void)state;
    long before = objects_out;
    for (unsigned i = 0; i < ARRAY_SIZE(anon_table); i++) {
        struct vm_area_struct *vma[4];
        const char *letters = anon_table[i].before;
        struct mm_struct *mm = row(letters, vma);
        const struct anon_vma *av = vma[strspn(letters, "-") % strlen(letters)]->anon_vma;
        const struct vm_area_struct *got = vma_merge(vma[1]);
        if (mm->map_count != anon_table[i].left)
            fail_msg("%s: %u are left", letters, mm->map_count);
        if (mm->map_count == 1)
            assert_ptr_equal(got->anon_vma, av); /* where its pages look for it */
        finish(mm, before);
    }
}

static void without_memory_nothing_is_joined(void **state)
{
    (void)state;
    long before = objects_out;
    struct vm_area_struct *vma[4];
    struct mm_struct *mm = row("-A", vma);
    objects_left = 0;
    assert_ptr_equal(vma_merge(vma[1]), vma[1]);
    assert_ptr_equal(vma_merge(vma[0]), vma[0]);
    objects_left = LONG_MAX;
    assert_int_equal(mm->map_count, 2);
    assert_null(vma[0]->anon_vma);
    assert_true(list_empty(&vma[0]->anon_vma_chain));
    assert_ptr_equal(vma_merge(vma[1]), vma[0]);
    assert_int_equal(mm->map_count, 1);
    finish(mm, before);
}

/* --- at random -------------------------------------------------------------------------------- */

static struct world {
    struct mm_struct *mm;
    struct rng rng;
    struct {
        uint8_t kind; /* 1 + its number; 0: free */
        uint32_t piece;
    } model[PAGES];
    uint32_t next_piece;
} w;

static bool goes_on(unsigned page)
{
    return page && w.model[page].kind && w.model[page - 1].kind == w.model[page].kind &&
           (!kinds[w.model[page].kind - 1].alone || w.model[page - 1].piece == w.model[page].piece);
}

/* From here on it is another piece. */
static void cut(unsigned page)
{
    uint32_t old = w.model[page].piece, piece = ++w.next_piece;
    for (; page < PAGES && w.model[page].kind && w.model[page].piece == old; page++)
        w.model[page].piece = piece;
}

static void step_unmap(unsigned first, unsigned n)
{
    struct vm_area_struct *vma;
    while ((vma = find_vma_intersection(w.mm, addr_of(first), addr_of(first + n)))) {
        assert_int_equal(vma_carve(&vma, addr_of(first), addr_of(first + n)), 0);
        vma_remove(w.mm, vma);
        vma_free(vma);
    }
    cut(first + n);
    for (unsigned i = first; i < first + n; i++)
        w.model[i].kind = 0;
}

static void step_map(unsigned first, unsigned n, unsigned kind)
{
    step_unmap(first, n);
    if (!can_be_new(&kinds[kind]) || !grow(w.mm, first, n, kind))
        (void)vma_merge(add(w.mm, first, n, kind));
    w.next_piece++;
    for (unsigned i = first; i < first + n; i++) {
        w.model[i].kind = (uint8_t)(kind + 1);
        w.model[i].piece = w.next_piece;
    }
}

/* What is plain gets these flags, the rest is cut out and, if it may, joined again. */
static void step_change(unsigned first, unsigned n, unsigned kind)
{
    uint64_t at = addr_of(first), end = addr_of(first + n);
    struct vm_area_struct *vma;
    while ((vma = find_vma_intersection(w.mm, at, end))) {
        assert_int_equal(vma_carve(&vma, at, end), 0);
        if (w.model[(vma->vm_start - BASE) / PAGE_SIZE].kind <= PLAIN_KINDS)
            vma->vm_flags = kinds[kind].flags;
        at = vma_merge(vma)->vm_end;
    }
    cut(first);
    cut(first + n);
    for (unsigned i = first; i < first + n; i++)
        if (w.model[i].kind && w.model[i].kind <= PLAIN_KINDS)
            w.model[i].kind = (uint8_t)(kind + 1);
}

static void compare(void)
{
    unsigned runs = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        const struct vm_area_struct *vma = vma_lookup(w.mm, addr_of(i));
        assert_int_equal(vma != NULL, w.model[i].kind != 0);
        if (!vma)
            continue;
        const struct kind *k = &kinds[w.model[i].kind - 1];
        assert_int_equal(vma->vm_flags, k->flags);
        assert_int_equal(vma_index(vma, addr_of(i)), (addr_of(i) >> PAGE_SHIFT) + k->skew);
        assert_ptr_equal(vma->vm_mapping, k->file ? &files[k->file - 1] : NULL);
        assert_ptr_equal(vma->vm_policy, k->policy ? &policies[k->policy - 1] : NULL);
        assert_ptr_equal(vma->vm_userfault, k->handler ? &handlers[k->handler - 1] : NULL);
        assert_ptr_equal(vma->vm_name, k->name);
        assert_int_equal(vma->vm_start == addr_of(i), !goes_on(i));
        runs += !goes_on(i);
    }
    assert_int_equal(w.mm->map_count, runs);
    check_counts(w.mm);
}

static void random_steps_leave_a_vma_for_each_run(void **state)
{
    (void)state;
    long before = objects_out;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        memset(&w, 0, sizeof(w));
        rng_seed(&w.rng, seed);
        w.mm = fake_mm();
        for (unsigned step = 0; step < 4000; step++) {
            unsigned n = 1 + (unsigned)rng_below(&w.rng, 12);
            unsigned first = (unsigned)rng_below(&w.rng, PAGES - n);
            /* few kinds at a time, so that equal ones meet */
            unsigned kind = (step / 400 + (unsigned)rng_below(&w.rng, 3)) % KINDS;
            switch (rng_below(&w.rng, 4)) {
            case 0:
                step_unmap(first, n);
                break;
            case 1:
                step_change(first, n, (unsigned)rng_below(&w.rng, PLAIN_KINDS));
                break;
            default:
                step_map(first, n, kind);
            }
            compare();
        }
        finish(w.mm, before);
    }
}

static int set_up(void **state)
{
    (void)state;
    kinds_init();
    parent_mm = fake_mm();
    parent = add(parent_mm, 0, 1, 0);
    return anon_vma_prepare(parent);
}

static int tear_down(void **state)
{
    (void)state;
    finish(parent_mm, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_each_two_kinds),
        cmocka_unit_test(three_of_each_kind),
        cmocka_unit_test(a_new_range_grows_its_neighbours),
        cmocka_unit_test(touched_neighbours),
        cmocka_unit_test(without_memory_nothing_is_joined),
        cmocka_unit_test(random_steps_leave_a_vma_for_each_run),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
