/* SPDX-License-Identifier: MIT */
/*
 * test_lab_split.c - one VMA becomes two.
 *
 *      page     0   1   2   3   4   5   6   7
 *               [ vma ......................... ]
 *      at 3     [ vma ..... ][ upper .......... ]
 */
#include "labs/07-vma/host/pieces.h"

static void expect_split(struct vm_area_struct *vma, unsigned page)
{
    expect_equal(vma_split(vma, addr_of(page)), 0, "vma_split() at page %u", page);
}

static void split_makes_two_neighbours(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = add(mm, 2, 6, PLAIN);
    add(mm, 10, 1, PLAIN);
    expect_split(vma, 3);
    expect_range(vma, 2, 3, "the VMA that was split");
    expect_range(vma_next(vma), 3, 8, "the new one, next to it");
    expect_equal(mm->map_count, 3, "VMAs that are counted");
    expect_split(vma_next(vma), 7);
    expect_range(vma_next(vma_next(vma)), 7, 8, "the last page");
    expect_counted(mm, "after two splits");
    expect_no_leak(mm);
}

static void split_keeps_page_numbers(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = add(mm, 0, 8, FILE_KIND);
    uint64_t first = vma->vm_pgoff;
    expect_split(vma, 5);
    struct vm_area_struct *upper = vma_next(vma);
    expect_equal(vma->vm_pgoff, first, "vm_pgoff of the lower part is what it was");
    expect_equal(upper->vm_pgoff, first + 5, "vm_pgoff of the upper part, 5 pages further");
    expect_true(upper->vm_mapping == vma->vm_mapping, "it maps the same file");
    expect_no_leak(mm);
}

static void split_keeps_what_was_said(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct mm_struct *mm = fake_mm();
        struct vm_area_struct *vma = add(mm, 0, 4, kind);
        vma->vm_prot = PTE_U | PTE_R;
        expect_split(vma, 2);
        const struct vm_area_struct *upper = vma_next(vma);
        const char *what = kinds[kind].what;
        expect_equal(upper->vm_flags, kinds[kind].flags, "vm_flags of the upper part, %s", what);
        expect_equal(upper->vm_prot, PTE_U | PTE_R, "vm_prot of the upper part, %s", what);
        expect_true(upper->vm_name == vma->vm_name, "vm_name of the upper part, %s", what);
        expect_true(upper->vm_policy == vma->vm_policy, "vm_policy of the upper part, %s", what);
        expect_true(upper->vm_userfault == vma->vm_userfault, "vm_userfault of the upper part, %s",
                    what);
        expect_true(upper->vm_mm == mm, "vm_mm of the upper part, %s", what);
        expect_no_leak(mm);
    }
}

static void split_counts_what_it_refers_to(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct mm_struct *mm = fake_mm();
        struct vm_area_struct *vma = add(mm, 0, 8, kind);
        expect_split(vma, 4);
        expect_split(vma, 2);
        expect_counted(mm, kinds[kind].what);
        expect_no_leak(mm);
    }
}

/* A walk over those who map a page of the file must find the part that maps it, and only that. */
static void split_is_found_from_the_file(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = add(mm, 0, 8, FILE_KIND), *found;
    uint64_t first = vma->vm_pgoff;
    expect_split(vma, 5);
    struct vm_area_struct *upper = vma_next(vma);
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        spin_lock(&files[0].i_mmap_lock);
        for_each_i_mmap(found, &files[0], first + i, first + i) {
            expect_true(found == (i < 5 ? vma : upper), "page %u is mapped by the %s part", i,
                        i < 5 ? "lower" : "upper");
            n++;
        }
        spin_unlock(&files[0].i_mmap_lock);
        expect_equal(n, 1, "VMAs that map page %u of the file", i);
    }
    expect_equal(i_mmap_check(vma, &stderr_sink) + i_mmap_check(upper, &stderr_sink), 0,
                 "faults of the file's i_mmap");
    expect_no_leak(mm);
}

/* Private pages lead to their mappers by the anon_vma: both parts must hang on it. */
static void split_hangs_on_the_same_anon_vma(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = add(mm, 0, 8, PLAIN);
    expect_equal(anon_vma_prepare(vma), 0, "anon_vma_prepare()");
    struct anon_vma *av = vma->anon_vma;
    expect_split(vma, 3);
    const struct vm_area_struct *upper = vma_next(vma);
    expect_true(upper->anon_vma == av && vma->anon_vma == av, "both have the anon_vma");
    expect_true(list_is_singular(&upper->anon_vma_chain), "the upper part is chained to it, once");
    expect_equal(av->num_active_vmas, 2, "VMAs whose anon_vma it is");
    expect_no_leak(mm);
}

static void split_without_memory_changes_nothing(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct mm_struct *mm = fake_mm();
        struct vm_area_struct *vma = add(mm, 0, 8, kind);
        expect_equal(anon_vma_prepare(vma), 0, "anon_vma_prepare()");
        long out = objects_out;
        uint64_t pgoff = vma->vm_pgoff;
        for (unsigned there = 0; there < 2; there++) { /* the VMA and its chain are needed */
            objects_left = there;
            int err = vma_split(vma, addr_of(3));
            objects_left = LONG_MAX;
            expect_equal(err, -ENOMEM, "vma_split() with memory for %u objects, %s", there,
                         kinds[kind].what);
            expect_equal(objects_out, out, "objects that are used, as before, %s",
                         kinds[kind].what);
            expect_range(vma, 0, 8, "the VMA that was not split");
            expect_equal(vma->vm_pgoff, pgoff, "its vm_pgoff");
            expect_equal(mm->map_count, 1, "VMAs that are counted");
            expect_counted(mm, "after a split that failed");
        }
        expect_no_leak(mm);
    }
}

static void split_has_a_limit(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma = add(mm, 0, 8, PLAIN);
    sysctl_max_map_count = 2;
    expect_split(vma, 4);
    expect_equal(vma_split(vma, addr_of(2)), -ENOMEM, "a third VMA where max_map_count is 2");
    expect_equal(mm->map_count, 2, "VMAs that are counted");
    expect_range(vma, 0, 4, "the VMA that was not split");
    expect_no_leak(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_makes_two_neighbours),
        cmocka_unit_test(split_keeps_page_numbers),
        cmocka_unit_test(split_keeps_what_was_said),
        cmocka_unit_test(split_counts_what_it_refers_to),
        cmocka_unit_test(split_is_found_from_the_file),
        cmocka_unit_test(split_hangs_on_the_same_anon_vma),
        cmocka_unit_test(split_without_memory_changes_nothing),
        cmocka_unit_test(split_has_a_limit),
    };
    return cmocka_run_group_tests(tests, pieces_set_up, NULL);
}
