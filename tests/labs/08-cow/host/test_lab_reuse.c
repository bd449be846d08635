/* SPDX-License-Identifier: MIT */
/*
 * test_lab_reuse.c - a write to an entry without W, when the page need not be copied.
 */
#include "owners.h"

static void exclusive_is_one_entry_and_one_reference(void **state)
{
    (void)state;
    one_owner();
    expect_true(anon_page_is_exclusive(page), "one entry, one reference: ours alone");
    get_page(page);
    expect_true(!anon_page_is_exclusive(page), "somebody else has a reference");
    put_page(page);
    child = lab_child(vma, RW);
    lab_share(child, BASE, page, PTE_R);
    expect_true(!anon_page_is_exclusive(page), "two entries map it");
    lab_zap(other, BASE);
    expect_true(anon_page_is_exclusive(page), "one entry is left");
    struct vm_area_struct *file = lab_map(mm, FILE_PRIVATE, BASE + GIB(1), 4, RW);
    struct page *of_file = lab_put_file(file, BASE + GIB(1), PTE_R);
    put_page(of_file); /* as if the file had let it go */
    expect_true(!anon_page_is_exclusive(of_file), "a page of a file is never ours alone");
    get_page(of_file);
    lab_all_is_back();
}

static void a_batch_of_this_hart_lets_go(void **state)
{
    (void)state;
    vma = lab_map(mm, ANON, BASE, 4, RW);
    for (unsigned hart = 0; hart < 2; hart++) {
        uint64_t addr = BASE + hart * PAGE_SIZE;
        struct page *fresh = lab_put(vma, addr, 7, PTE_R);
        expect_equal(lru_isolate(fresh), 0, "off the list");
        host_become(hart);
        lru_cache_add(fresh);
        put_page(fresh); /* the entry has one, the batch the other */
        host_become(0);
        expect_equal(anon_page_is_exclusive(fresh), hart == 0,
                     "exclusive, a batch of hart %u also has a reference", hart);
        expect_equal(page_count(fresh), hart == 0 ? 1 : 2, "references after that");
    }
    lab_all_is_back();
}

static void the_only_owner_writes_in_place(void **state)
{
    (void)state;
    one_owner();
    uint64_t free = lab_free_pages();
    expect_equal(write_fault(), FAULT_DONE, "a write");
    lab_expect_entry(pte_load(pte), pte_make(page_to_pfn(page), WRITABLE), "the entry");
    expect_equal(page_count(page), 1, "references of the page");
    expect_equal(page->mapcount, 1, "mapcount of the page");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    expect_equal(lab_free_pages(), free, "free pages: a reuse takes none");
    lab_expect_words(page, 7, "the page");
    lab_all_is_back();
}

static void the_last_owner_hangs_it_on_its_own(void **state)
{
    (void)state;
    two_owners();
    lab_zap(mm, BASE); /* the parent lets go: the page is still the parent's by its anon_vma */
    expect_true(page->mapping == vma->anon_vma, "the page hangs on the parent's anon_vma");
    expect_equal(fault_write_protected(child, BASE, lab_pte(other, BASE), lab_entry(other, BASE)),
                 FAULT_DONE, "a write of the child's");
    expect_true(lab_page(other, BASE) == page, "the page, as before");
    expect_true(page->mapping == child->anon_vma, "the page hangs on the child's anon_vma");
    expect_equal(mm_check(other, &stderr_sink), 0, "faults that mm_check() finds");
    lab_all_is_back();
}

static void a_shared_mapping_is_written_in_place(void **state)
{
    (void)state;
    vma = lab_map(mm, FILE_SHARED, BASE, 4, RW);
    page = lab_put_file(vma, BASE, PTE_R);
    get_page(page); /* whoever else has it: it stays the file's */
    pte = lab_pte(mm, BASE);
    seen = pte_load(pte);
    expect_equal(write_fault(), FAULT_DONE, "a write");
    expect_equal(pte_pfn(pte_load(pte)).v, pte_pfn(seen).v, "frame of the entry, as before");
    expect_true(pte_writable(pte_load(pte)), "W in the entry");
    expect_true(page->mapping == &lab_file, "the page is still the file's");
    expect_true(page->type == PAGE_FILE, "the type of the page is still PAGE_FILE");
    put_page(page);
    lab_all_is_back();
}

static void the_writer_forgets_what_it_may_not(void **state)
{
    (void)state;
    one_owner();
    uint64_t value = 0;
    expect_equal(lab_load(mm, BASE, &value), FAULT_DONE, "a load");
    expect_equal(lab_store(mm, BASE, 99), FAULT_DONE, "a store behind it");
    expect_equal(*(uint64_t *)page_address(page), 99, "the word in the page");
    lab_expect_fences();
    lab_all_is_back();
}

static void somebody_else_has_dealt_with_it(void **state)
{
    (void)state;
    one_owner();
    pte_store(pte, mk_pte(seen.v | PTE_W)); /* reused by another thread */
    expect_equal(write_fault(), FAULT_DONE, "a write, the entry is writable by now");
    lab_expect_entry(pte_load(pte), pte_mkwrite(seen), "the entry, unchanged");
    lab_zap(mm, BASE);
    expect_equal(write_fault(), FAULT_DONE, "a write, the entry is empty by now");
    expect_true(pte_none(pte_load(pte)), "the entry is still empty");
    page = lab_put(vma, BASE, 9, PTE_R | PTE_W);
    struct page *second = lab_put(vma, BASE + PAGE_SIZE, 11, PTE_R);
    seen = lab_entry(mm, BASE + PAGE_SIZE); /* not what this entry says */
    pte_store(pte, pte_wrprotect(pte_load(pte)));
    pte_t e = pte_load(pte);
    expect_equal(write_fault(), FAULT_DONE, "a write, another page is there by now");
    lab_expect_entry(pte_load(pte), e, "the entry, unchanged");
    expect_equal(page_count(page) + page_count(second), 2, "references of both pages");
    pte_t none = pte_make_absent(PTE_TYPE_PROT_NONE, pte_pfn(e).v, 0);
    seen = e;
    pte_store(pte, none);
    expect_equal(write_fault(), FAULT_DONE, "a write, the entry is PROT_NONE by now");
    lab_expect_entry(pte_load(pte), none, "the entry, unchanged");
    lab_all_is_back();
}

#define TEST(name) cmocka_unit_test_setup(name, lab_boot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exclusive_is_one_entry_and_one_reference), TEST(a_batch_of_this_hart_lets_go),
        TEST(the_only_owner_writes_in_place),           TEST(the_last_owner_hangs_it_on_its_own),
        TEST(a_shared_mapping_is_written_in_place),     TEST(the_writer_forgets_what_it_may_not),
        TEST(somebody_else_has_dealt_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
