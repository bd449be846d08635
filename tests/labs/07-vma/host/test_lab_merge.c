/* SPDX-License-Identifier: MIT */
/*
 * test_lab_merge.c - neighbours that are alike become one.
 *
 *      page     0   1   2   3   4   5   6
 *               [ a ... ][ b ][ c ...... ]       each of some kind: virt/vma_kinds.h
 */
#include "labs/07-vma/host/pieces.h"

static void merge_joins_two_that_go_on(void **state)
{
    (void)state;
    for (unsigned changed = 0; changed < 2; changed++) {
        struct mm_struct *mm = fake_mm();
        struct vm_area_struct *vma[2] = {add(mm, 0, 2, PLAIN), add(mm, 2, 3, PLAIN)};
        expect_range(vma_merge(vma[changed]), 0, 5, "what vma_merge() returns");
        expect_equal(mm->map_count, 1, "VMAs that are counted");
        expect_no_leak(mm);
    }
}

static void merge_of_each_two_kinds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS * KINDS * 2; i++) {
        unsigned a = i / 2 % KINDS, b = i / 2 / KINDS, changed = i % 2;
        struct mm_struct *mm = fake_mm();
        struct vm_area_struct *vma[2] = {add(mm, 0, 2, a), add(mm, 2, 3, b)};
        struct vm_area_struct *got = vma_merge(vma[changed]);
        expect_equal(mm->map_count, 2 - joined(a, b), "VMAs left of '%s' beside '%s'",
                     kinds[a].what, kinds[b].what);
        expect_range(got, changed && !joined(a, b) ? 2 : 0, joined(a, b) || changed ? 5 : 2,
                     "what vma_merge() returns");
        expect_no_leak(mm);
    }
}

static void merge_of_each_three_kinds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS * KINDS * KINDS; i++) {
        unsigned a = i % KINDS, b = i / KINDS % KINDS, c = i / KINDS / KINDS;
        struct mm_struct *mm = fake_mm();
        add(mm, 0, 2, a);
        add(mm, 3, 4, c);
        struct vm_area_struct *got = vma_merge(add(mm, 2, 1, b));
        expect_equal(mm->map_count, 3 - joined(a, b) - joined(b, c),
                     "VMAs left when '%s' came between '%s' and '%s'", kinds[b].what, kinds[a].what,
                     kinds[c].what);
        expect_range(got, joined(a, b) ? 0 : 2, joined(b, c) ? 7 : 3, "what vma_merge() returns");
        expect_no_leak(mm);
    }
}

static void merge_needs_neighbours(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *a = add(mm, 0, 2, PLAIN), *b = add(mm, 3, 2, PLAIN);
    expect_true(vma_merge(b) == b && vma_merge(a) == a, "page 2 is a hole: nothing is joined");
    expect_equal(mm->map_count, 2, "VMAs that are counted");
    expect_no_leak(mm);
}

/* The file's pages 3.. come before its pages 0..: addresses go on, numbers do not. */
static void merge_wants_numbers_that_go_on(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *a = add(mm, 0, 2, FILE_KIND), *b = add(mm, 2, 2, FILE_KIND);
    i_mmap_remove(b);
    b->vm_pgoff = a->vm_pgoff;
    i_mmap_insert(b);
    expect_true(vma_merge(b) == b, "the same two pages of a file, twice: not joined");
    i_mmap_remove(b);
    b->vm_pgoff = a->vm_pgoff + 3;
    i_mmap_insert(b);
    expect_true(vma_merge(a) == a, "a page of the file is left out between them: not joined");
    i_mmap_remove(b);
    b->vm_pgoff = a->vm_pgoff + 2;
    i_mmap_insert(b);
    expect_range(vma_merge(b), 0, 4, "pages that go on");
    expect_no_leak(mm);
}

static const struct {
    const char *letters; /* - no anon_vma yet, A and B: have one; equal letters share it */
    unsigned left;
} anon_table[] = {{"--", 1},  {"A-", 1},  {"-A", 1},  {"AA", 1},  {"AB", 2},
                  {"A-A", 1}, {"-A-", 1}, {"A-B", 2}, {"ABA", 3}, {"AAB", 2}};

/* Each is made far from the others, as neighbours share what they can. */
static struct mm_struct *row(const char *letters, struct vm_area_struct **vma)
{
    struct mm_struct *mm = fake_mm();
    for (unsigned i = 0; letters[i]; i++) {
        unsigned like = (unsigned)(strchr(letters, letters[i]) - letters);
        vma[i] = add(mm, 2 * i, 1, PLAIN);
        if (letters[i] != '-')
            expect_equal(like < i ? anon_vma_clone(vma[i], vma[like]) : anon_vma_prepare(vma[i]), 0,
                         "an anon_vma for the test");
    }
    for (unsigned i = 0; letters[i]; i++)
        vma_set_range(vma[i], addr_of(i), addr_of(i + 1));
    return mm;
}

static void merge_asks_for_anon_vmas(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(anon_table); i++) {
        struct vm_area_struct *vma[4];
        const char *letters = anon_table[i].letters;
        struct mm_struct *mm = row(letters, vma);
        const struct anon_vma *av = vma[strspn(letters, "-") % strlen(letters)]->anon_vma;
        const struct vm_area_struct *got = vma_merge(vma[1]);
        expect_equal(mm->map_count, anon_table[i].left, "VMAs left of the row '%s'", letters);
        if (mm->map_count == 1)
            expect_true(got->anon_vma == av, "'%s': where its pages look for it", letters);
        expect_no_leak(mm);
    }
}

/* A child's range hangs on its parent's anon_vma, too: beside one without any it must not grow. */
static void merge_leaves_what_a_fork_shares(void **state)
{
    (void)state;
    for (unsigned shared = 0; shared < 2; shared++) {
        struct mm_struct *parent = fake_mm(), *mm = fake_mm();
        struct vm_area_struct *from = add(parent, 0, 1, PLAIN);
        struct vm_area_struct *vma[2] = {add(mm, 0, 1, PLAIN), add(mm, 2, 1, PLAIN)};
        expect_equal(anon_vma_prepare(from), 0, "an anon_vma for the test");
        expect_equal(anon_vma_fork(vma[shared], from), 0, "a fork for the test");
        vma_set_range(vma[1], addr_of(1), addr_of(2));
        vma_merge(vma[shared]);
        expect_equal(mm->map_count, 2,
                     "VMAs left where VMA %u is shared, the other hangs on nothing", shared);
        unlink_anon_vmas(from);
        vma_remove(parent, from);
        vma_free(from);
        free(parent);
        expect_no_leak(mm);
    }
}

static void merge_without_memory_joins_nothing(void **state)
{
    (void)state;
    struct vm_area_struct *vma[4];
    struct mm_struct *mm = row("-A", vma);
    objects_left = 0;
    expect_true(vma_merge(vma[1]) == vma[1], "the first cannot be chained: two are left");
    expect_true(vma_merge(vma[0]) == vma[0], "the first cannot be chained: two are left");
    objects_left = LONG_MAX;
    expect_equal(mm->map_count, 2, "VMAs that are counted");
    expect_counted(mm, "after a merge that failed");
    expect_range(vma_merge(vma[1]), 0, 2, "what is joined when there is memory");
    expect_no_leak(mm);
}

static struct vm_area_struct *merge_new(struct mm_struct *mm, unsigned first, unsigned n,
                                        unsigned kind)
{
    const struct kind *k = &kinds[kind];
    return vma_merge_new(mm, addr_of(first), addr_of(first + n), k->flags,
                         k->file ? &files[k->file - 1] : NULL,
                         (addr_of(first) >> PAGE_SHIFT) + k->skew);
}

/* A range that has no VMA yet: it has no name, policy or handler. */
static void merge_grows_for_a_new_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS * KINDS * KINDS; i++) {
        unsigned a = i % KINDS, b = i / KINDS % KINDS, c = i / KINDS / KINDS;
        if (kinds[b].name || kinds[b].policy || kinds[b].handler)
            continue;
        struct mm_struct *mm = fake_mm();
        add(mm, 0, 2, a);
        add(mm, 3, 4, c);
        struct vm_area_struct *got = merge_new(mm, 2, 1, b);
        bool left = joined(a, b), right = joined(b, c);
        expect_equal(got != NULL, left || right, "did a new '%s' between '%s' and '%s' grow one?",
                     kinds[b].what, kinds[a].what, kinds[c].what);
        expect_equal(mm->map_count, left && right ? 1 : 2, "VMAs left");
        if (got)
            expect_range(got, left ? 0 : 2, right ? 7 : 3, "what vma_merge_new() returns");
        if (got)
            expect_equal(vma_index(got, addr_of(2)), (addr_of(2) >> PAGE_SHIFT) + kinds[b].skew,
                         "page number of the new page");
        expect_no_leak(mm);
    }
}

static void merge_grows_only_what_is_beside(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    expect_true(merge_new(mm, 5, 1, PLAIN) == NULL, "an empty space has nothing to grow");
    add(mm, 0, 2, PLAIN);
    add(mm, 9, 2, PLAIN);
    expect_true(merge_new(mm, 5, 1, PLAIN) == NULL, "there is a hole on each side");
    expect_range(merge_new(mm, 2, 2, PLAIN), 0, 4, "the one before, which grew");
    expect_range(merge_new(mm, 8, 1, PLAIN), 8, 11, "the one behind, which grew");
    expect_equal(mm->map_count, 2, "VMAs that are counted");
    expect_range(merge_new(mm, 4, 4, PLAIN), 0, 11, "both, and what filled the hole");
    expect_equal(mm->map_count, 1, "VMAs that are counted");
    expect_no_leak(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_joins_two_that_go_on),
        cmocka_unit_test(merge_of_each_two_kinds),
        cmocka_unit_test(merge_of_each_three_kinds),
        cmocka_unit_test(merge_needs_neighbours),
        cmocka_unit_test(merge_wants_numbers_that_go_on),
        cmocka_unit_test(merge_asks_for_anon_vmas),
        cmocka_unit_test(merge_leaves_what_a_fork_shares),
        cmocka_unit_test(merge_without_memory_joins_nothing),
        cmocka_unit_test(merge_grows_for_a_new_range),
        cmocka_unit_test(merge_grows_only_what_is_beside),
    };
    return cmocka_run_group_tests(tests, pieces_set_up, NULL);
}
