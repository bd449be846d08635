/* SPDX-License-Identifier: MIT */
/*
 * test_lab_touch.c - the first touch of anonymous memory.
 */
#include "lab_space.h"

#define RW (PROT_READ | PROT_WRITE)

static void a_read_gets_the_page_of_zeros(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    pte_t *pte = lab_pte(mm, BASE);
    int count = page_count(zero_page);
    uint64_t free = lab_free_pages();
    expect_equal(fault_anonymous(vma, BASE, PTE_R, pte), FAULT_DONE, "a read");
    pte_t e = pte_load(pte);
    expect_equal(pte_pfn(e).v, page_to_pfn(zero_page).v, "frame of the entry");
    expect_true(pte_readable(e) && pte_user(e) && !pte_writable(e), "readable by the guest, no W");
    expect_true(pte_special(e), "PTE_SPECIAL in the entry");
    expect_equal(mm_rss(mm), 0, "rss: the page of zeros is in no count");
    expect_equal(page_count(zero_page), count, "references of the page of zeros");
    expect_equal(zero_page->mapcount, 0, "mapcount of the page of zeros");
    expect_equal(lab_free_pages(), free, "free pages: a read takes none");
    pte_t *second = lab_pte(mm, BASE + PAGE_SIZE);
    expect_true(map_zero_page(vma, second), "map_zero_page() tells that it was mapped");
    lab_all_is_back();
}

static void a_read_that_comes_second_changes_nothing(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t *pte = lab_pte(mm, BASE), e = pte_load(pte);
    expect_true(!map_zero_page(vma, pte), "map_zero_page() tells that something was there");
    expect_equal(fault_anonymous(vma, BASE, PTE_R, pte), FAULT_DONE, "a read");
    lab_expect_entry(pte_load(pte), e, "the entry, unchanged");
    lab_expect_words(page, 7, "the page");
    lab_all_is_back();
}

static void a_write_gets_a_cleared_page(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    pte_t *pte = lab_pte(mm, BASE);
    expect_equal(fault_anonymous(vma, BASE, PTE_W, pte), FAULT_DONE, "a write");
    struct page *page = lab_page(mm, BASE);
    expect_true(page != zero_page, "a page of the guest's own");
    lab_expect_zeros(page, "a page that was touched first");
    lab_expect_entry(pte_load(pte), pte_make(page_to_pfn(page), WRITABLE), "the entry");
    lab_all_is_back();
}

static void what_is_mapped_is_counted(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    uint64_t at = BASE + 2 * PAGE_SIZE;
    expect_equal(fault_anonymous(vma, at, PTE_W, lab_pte(mm, at)), FAULT_DONE, "a write");
    struct page *page = lab_page(mm, at);
    expect_equal(page->type, PAGE_ANON, "type of the page");
    expect_equal(page->mapcount, 1, "mapcount of the page");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    expect_true(vma->anon_vma && page->mapping == vma->anon_vma, "it hangs on the VMA's anon_vma");
    expect_equal(page->index, vma_index(vma, at), "index of the page");
    lru_add_drain_all();
    expect_equal(page_count(page), 1, "references of the page: the entry's, no other");
    expect_true(page_flag(page, PG_lru), "the page is on an LRU list");
    expect_equal(mm_check(mm, &stderr_sink), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void an_entry_has_the_rights_of_its_range(void **state)
{
    (void)state;
    struct vm_area_struct *rx = lab_map(mm, ANON, BASE, 1, PROT_READ | PROT_EXEC);
    struct vm_area_struct *rwx = lab_map(mm, ANON, BASE + GIB(1), 1, RW | PROT_EXEC);
    assert_int_equal(anon_vma_prepare(rx), 0);
    expect_true(map_new_anon_page(rx, BASE, lab_pte(mm, BASE), alloc_page(GFP_HIGHUSER_MOVABLE)),
                "map_new_anon_page() tells that it was mapped");
    pte_t e = lab_entry(mm, BASE);
    expect_true(pte_executable(e) && !pte_writable(e), "X and no W in a range of r-x");
    expect_equal(fault_anonymous(rwx, BASE + GIB(1), PTE_W, lab_pte(mm, BASE + GIB(1))), FAULT_DONE,
                 "a write");
    e = lab_entry(mm, BASE + GIB(1));
    expect_true(pte_executable(e) && pte_writable(e), "X and W in a range of rwx");
    lab_all_is_back();
}

static void the_policy_says_from_which_node(void **state)
{
    (void)state;
    static struct mempolicy on_1 = {.count = 2, .mode = MPOL_BIND, .home = NO_NODE, .nodes = {2}};
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    vma->vm_policy = &on_1;
    expect_equal(fault_anonymous(vma, BASE, PTE_W, lab_pte(mm, BASE)), FAULT_DONE, "a write");
    expect_equal(lab_page(mm, BASE)->nid, 1, "node of the page; the policy says bind:1");
    vma->vm_policy = NULL;
    lab_all_is_back();
}

static void a_write_that_comes_second_loses_nothing(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t *pte = lab_pte(mm, BASE), e = pte_load(pte);
    expect_equal(fault_anonymous(vma, BASE, PTE_W, pte), FAULT_DONE, "a write");
    lab_expect_entry(pte_load(pte), e, "the entry, unchanged");
    expect_true(!map_new_anon_page(vma, BASE, pte, alloc_page(GFP_HIGHUSER_MOVABLE)),
                "map_new_anon_page() tells that something was there");
    lab_expect_words(page, 7, "the page that was there");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    lab_all_is_back();
}

static struct vm_area_struct *touched;

static void somebody_else_touches(void)
{
    expect_equal(this_hart()->nr_held, 0, "spinlocks held while memory is looked for");
    lab_put(touched, BASE, 7, PTE_R | PTE_W);
}

static void somebody_is_faster_while_memory_is_found(void **state)
{
    (void)state;
    touched = lab_map(mm, ANON, BASE, 4, RW);
    assert_int_equal(anon_vma_prepare(touched), 0);
    pte_t *pte = lab_pte(mm, BASE);
    lab_meanwhile = somebody_else_touches;
    lab_leave(0);
    expect_equal(fault_anonymous(touched, BASE, PTE_W, pte), FAULT_DONE, "a write");
    expect_true(!lab_meanwhile, "memory was looked for");
    lab_expect_words(lab_page(mm, BASE), 7, "the page that was put there first");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    lab_all_is_back();
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    pte_t *pte = lab_pte(mm, BASE);
    objects_left = 0;
    expect_equal(fault_anonymous(vma, BASE, PTE_W, pte), FAULT_OOM, "no memory for an anon_vma");
    objects_left = LONG_MAX;
    lab_leave(0);
    expect_equal(fault_anonymous(vma, BASE, PTE_W, pte), FAULT_OOM, "no memory for a page");
    expect_true(pte_none(pte_load(pte)), "the entry is still empty");
    expect_equal(mm->rss[MM_ANONPAGES], 0, "rss: private pages");
    expect_equal(fault_anonymous(vma, BASE, PTE_R, pte), FAULT_DONE, "a read takes no memory");
    lab_all_is_back();
}

#define TEST(name) cmocka_unit_test_setup(name, lab_boot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_read_gets_the_page_of_zeros),
        TEST(a_read_that_comes_second_changes_nothing),
        TEST(a_write_gets_a_cleared_page),
        TEST(what_is_mapped_is_counted),
        TEST(an_entry_has_the_rights_of_its_range),
        TEST(the_policy_says_from_which_node),
        TEST(a_write_that_comes_second_loses_nothing),
        TEST(somebody_is_faster_while_memory_is_found),
        TEST(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
