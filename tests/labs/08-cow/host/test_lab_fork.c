/* SPDX-License-Identifier: MIT */
/*
 * test_lab_fork.c - what a fork shares, and what it leaves behind.
 *
 *      mm     [ ranges, pages put by hand ]        dup_mmap() or copy_page_range()
 *      other  [ the same, shared ]
 */
#include "lab_space.h"

#define RW (PROT_READ | PROT_WRITE)

static void fork_now(void)
{
    expect_equal(dup_mmap(other, mm), 0, "what dup_mmap() returns");
}

static unsigned faults(void)
{
    return mm_check(mm, &stderr_sink) + mm_check(other, &stderr_sink);
}

static void a_private_page_is_shared(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    struct page *page = lab_put(vma, BASE + PAGE_SIZE, 7, PTE_R | PTE_W);
    fork_now();
    expect_true(lab_page(other, BASE + PAGE_SIZE) == page, "the child maps the same page");
    expect_true(lab_page(mm, BASE + PAGE_SIZE) == page, "the parent still does");
    expect_equal(page_count(page), 2, "references of the page");
    expect_equal(page->mapcount, 2, "mapcount of the page");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss of the parent: private pages");
    expect_equal(other->rss[MM_ANONPAGES], 1, "rss of the child: private pages");
    expect_true(pte_none(lab_entry(other, BASE)), "what was not touched has no entry");
    lab_expect_words(page, 7, "the page");
    expect_equal(faults(), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void neither_may_write(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW | PROT_EXEC);
    uint64_t value = 0;
    lab_put(vma, BASE, 7, PTE_R | PTE_W | PTE_X);
    pte_t before = lab_entry(mm, BASE);
    host_become(1); /* a thread of the parent has the page in its TLB, to write */
    expect_equal(lab_store(mm, BASE, 8), FAULT_DONE, "a store on hart 1");
    host_become(0);
    fork_now();
    lab_expect_entry(lab_entry(mm, BASE), pte_wrprotect(before),
                     "the parent's entry has lost W, no more");
    lab_expect_entry(lab_entry(other, BASE), pte_wrprotect(before),
                     "the child's entry is the same");
    host_become(1);
    expect_true(!tlb_find(1, &mm->tlb, BASE), "hart 1 has forgotten the page");
    host_become(0);
    expect_equal(lab_load(other, BASE, &value), FAULT_DONE, "a load of the child");
    expect_equal(value, 8, "what the parent wrote before");
    lab_expect_fences();
    lab_all_is_back();
}

static void zeros_are_shared_uncounted(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    int count = page_count(zero_page);
    lab_put_zeros(vma, BASE);
    pte_t before = lab_entry(mm, BASE);
    fork_now();
    lab_expect_entry(lab_entry(other, BASE), before, "the child's entry");
    lab_expect_entry(lab_entry(mm, BASE), before, "the parent's entry, unchanged");
    expect_equal(other->rss[MM_ANONPAGES], 0, "rss of the child: private pages");
    expect_equal(page_count(zero_page), count, "references of the page of zeros");
    expect_equal(zero_page->mapcount, 0, "mapcount of the page of zeros");
    lab_all_is_back();
}

static void a_page_of_no_access_goes_along(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    assert_int_equal(do_mprotect(mm, BASE, 4 * PAGE_SIZE, PROT_NONE), 0);
    pte_t before = lab_entry(mm, BASE);
    fork_now();
    lab_expect_entry(lab_entry(other, BASE), before, "the child's entry: the same, not present");
    expect_equal(page_count(page), 2, "references of the page");
    expect_equal(page->mapcount, 2, "mapcount of the page");
    expect_equal(other->rss[MM_ANONPAGES], 1, "rss of the child: private pages");
    expect_equal(faults(), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void a_page_on_the_move_goes_along(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t *pte = lab_pte(mm, BASE), there = pte_load(pte);
    pte_store(pte, pte_make_absent(PTE_TYPE_MIGRATION_WRITE, page_to_pfn(page).v, 0));
    fork_now();
    pte_t read = pte_make_absent(PTE_TYPE_MIGRATION_READ, page_to_pfn(page).v, 0);
    lab_expect_entry(lab_entry(other, BASE), read, "the child's entry: on the move, read-only");
    lab_expect_entry(lab_entry(mm, BASE), read, "the parent's entry: on the move, read-only");
    expect_equal(other->rss[MM_ANONPAGES], 1, "rss of the child: it will arrive");
    expect_equal(page_count(page), 1, "references of the page: nobody has another");
    pte_store(pte, there);
    pte_store(lab_pte(other, BASE), mk_pte(0));
    other->rss[MM_ANONPAGES] = 0;
    lab_all_is_back();
}

static void shared_mappings_stay_as_they_are(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, FILE_SHARED, BASE, 4, RW);
    struct page *page = lab_put_file(vma, BASE, PTE_R | PTE_W);
    int count = page_count(page);
    uint64_t value = 0;
    fork_now();
    expect_true(pte_none(lab_entry(other, BASE)), "the child finds it again by a fault");
    expect_true(pte_writable(lab_entry(mm, BASE)), "the parent still writes to it");
    expect_equal(page_count(page), count, "references of the page");
    expect_equal(page->mapcount, 1, "mapcount of the page");
    expect_equal(mm_rss(other), 0, "rss of the child");
    expect_equal(lab_store(mm, BASE, 99), FAULT_DONE, "a store of the parent");
    expect_equal(lab_load(other, BASE, &value), FAULT_DONE, "a load of the child");
    expect_equal(value, 99, "what the child reads");
    *(uint64_t *)page_address(page) = FILE_WORD(0);
    expect_equal(faults(), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void pages_of_files_stay_behind(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, FILE_PRIVATE, BASE, 4, RW);
    struct page *of_file = lab_put_file(vma, BASE, PTE_R);
    struct page *own = lab_put(vma, BASE + PAGE_SIZE, 7, PTE_R | PTE_W);
    fork_now();
    expect_true(pte_none(lab_entry(other, BASE)), "the file's page: found again by a fault");
    expect_equal(of_file->mapcount, 1, "mapcount of the file's page");
    expect_true(lab_page(other, BASE + PAGE_SIZE) == own, "the private page: shared");
    expect_true(!pte_writable(lab_entry(mm, BASE + PAGE_SIZE)), "and not writable any more");
    expect_equal(mm_rss(other), 1, "rss of the child");
    expect_equal(faults(), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void all_of_a_range_is_looked_at(void **state)
{
    (void)state;
    const uint64_t pages = 2 * PT_ENTRIES + 40; /* BASE is 16 pages below a table's end */
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, pages, RW);
    lab_map(mm, ANON, BASE - 8 * PAGE_SIZE, 4, RW);
    for (uint64_t i = 0; i < pages; i += 13)
        lab_put(vma, BASE + i * PAGE_SIZE, i << 16, PTE_R | PTE_W);
    struct page *last = lab_put(vma, vma->vm_end - PAGE_SIZE, 7, PTE_R | PTE_W);
    fork_now();
    for (uint64_t i = 0; i < pages; i += 13) {
        uint64_t addr = BASE + i * PAGE_SIZE;
        expect_true(lab_page(mm, addr) == lab_page(other, addr), "page %lu is shared", i);
        expect_true(!pte_writable(lab_entry(mm, addr)), "page %lu of the parent: no W", i);
    }
    expect_true(lab_page(other, vma->vm_end - PAGE_SIZE) == last, "the last page is shared");
    expect_equal(mm_rss(other), mm_rss(mm), "rss of the child");
    expect_equal(faults(), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void a_fork_copies_tables_and_no_page(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 200, RW);
    for (uint64_t i = 0; i < 200; i++)
        lab_put(vma, BASE + i * PAGE_SIZE, i << 16, PTE_R | PTE_W);
    uint64_t free = lab_free_pages(), tables = other->pgt.nr_tables;
    fork_now();
    tables = other->pgt.nr_tables - tables;
    expect_equal(free - lab_free_pages(), tables, "pages that a fork of 200 pages has taken");
    lab_all_is_back();
}

static void a_large_hole_costs_nothing(void **state)
{
    (void)state;
    mm->mmap_base = GIB(240);
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, GIB(200) / PAGE_SIZE, RW);
    lab_put(vma, BASE, 7, PTE_R | PTE_W);
    lab_put(vma, vma->vm_end - PAGE_SIZE, 9, PTE_R | PTE_W);
    for (unsigned i = 0; i < 8; i++) { /* often: page by page it takes longer than a test may */
        mmput(other);
        other = space_new(GIB(240));
        fork_now();
        expect_equal(mm_rss(other), 2, "rss of the child");
        expect_equal(other->pgt.nr_tables, mm->pgt.nr_tables, "tables of the child, of the parent");
    }
    lab_all_is_back();
}

static void no_memory_in_the_middle(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 6 * PT_ENTRIES, RW);
    unsigned n = 0, failed = 0;
    for (uint64_t addr = BASE; addr < vma->vm_end; addr += 100 * PAGE_SIZE, n++)
        lab_put(vma, addr, addr, PTE_R | PTE_W);
    for (unsigned left = 0; left < 12; left++) {
        lab_leave(left);
        int err = dup_mmap(other, mm);
        expect_true(!err || err == -ENOMEM, "dup_mmap() with %u pages left returns %d", left, err);
        failed += err != 0;
        if (!err)
            expect_equal(mm_rss(other), n, "rss of the child, when the fork has succeeded");
        lab_give_back();
        expect_equal(mm_check(mm, &stderr_sink), 0, "faults of the parent, %u pages left", left);
        mmput(other);
        other = space_new(TOP);
        for (uint64_t addr = BASE; addr < vma->vm_end; addr += 100 * PAGE_SIZE) {
            struct page *page = lab_page(mm, addr);
            expect_equal(page_count(page), 1, "references of a page, the child is gone");
            expect_equal(page->mapcount, 1, "mapcount of a page, the child is gone");
        }
    }
    expect_true(failed >= 3, "a fork without memory for its tables fails; %u did", failed);
    lab_all_is_back();
}

#define TEST(name) cmocka_unit_test_setup(name, lab_boot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_private_page_is_shared),         TEST(neither_may_write),
        TEST(zeros_are_shared_uncounted),       TEST(a_page_of_no_access_goes_along),
        TEST(a_page_on_the_move_goes_along),    TEST(shared_mappings_stay_as_they_are),
        TEST(pages_of_files_stay_behind),       TEST(all_of_a_range_is_looked_at),
        TEST(a_fork_copies_tables_and_no_page), TEST(a_large_hole_costs_nothing),
        TEST(no_memory_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
