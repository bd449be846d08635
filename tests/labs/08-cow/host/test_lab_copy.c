/* SPDX-License-Identifier: MIT */
/*
 * test_lab_copy.c - a write to an entry without W, when somebody else has the page too.
 */
#include "owners.h"

static void a_page_of_two_is_copied(void **state)
{
    (void)state;
    two_owners();
    expect_equal(write_fault(), FAULT_DONE, "a write");
    struct page *copy = lab_page(mm, BASE);
    expect_true(copy != page, "another page");
    lab_expect_words(copy, 7, "the copy");
    lab_expect_words(page, 7, "the page that was copied");
    lab_expect_entry(pte_load(pte), pte_make(page_to_pfn(copy), WRITABLE), "the entry");
    expect_true(lab_page(other, BASE) == page, "the other's entry, unchanged");
    expect_true(!pte_writable(lab_entry(other, BASE)), "the other may still not write");
    lab_all_is_back();
}

static void references_and_counts_move(void **state)
{
    (void)state;
    two_owners();
    expect_equal(write_fault(), FAULT_DONE, "a write");
    struct page *copy = lab_page(mm, BASE);
    expect_equal(page->mapcount, 1, "mapcount of the old page");
    expect_equal(page_count(page), 1, "references of the old page");
    expect_equal(copy->type, PAGE_ANON, "type of the copy");
    expect_equal(copy->mapcount, 1, "mapcount of the copy");
    expect_true(copy->mapping == vma->anon_vma, "the copy hangs on the VMA's anon_vma");
    expect_equal(copy->index, vma_index(vma, BASE), "index of the copy");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages of the writer");
    expect_equal(other->rss[MM_ANONPAGES], 1, "rss: private pages of the other");
    lru_add_drain_all();
    expect_equal(page_count(copy), 1, "references of the copy: the entry's, no other");
    expect_true(page_flag(copy, PG_lru), "the copy is on an LRU list");
    expect_equal(mm_check(mm, &stderr_sink) + mm_check(other, &stderr_sink), 0,
                 "faults that mm_check() finds");
    lab_all_is_back();
}

static void who_looks_at_a_page_keeps_it(void **state)
{
    (void)state;
    one_owner();
    get_page(page); /* somebody copies it to elsewhere */
    expect_equal(write_fault(), FAULT_DONE, "a write");
    expect_true(lab_page(mm, BASE) != page, "another page");
    expect_equal(page_count(page), 1, "references of the old page: his who looks at it");
    expect_equal(page->mapcount, 0, "mapcount of the old page");
    lab_expect_words(page, 7, "the old page");
    put_page(page);
    lab_all_is_back();
}

static void the_page_of_zeros_gives_way(void **state)
{
    (void)state;
    vma = lab_map(mm, ANON, BASE, 4, RW);
    lab_put_zeros(vma, BASE);
    pte = lab_pte(mm, BASE);
    seen = pte_load(pte);
    int count = page_count(zero_page);
    expect_equal(write_fault(), FAULT_DONE, "a write");
    struct page *fresh = lab_page(mm, BASE);
    expect_true(fresh != zero_page && !pte_special(pte_load(pte)), "a page of the guest's own");
    lab_expect_zeros(fresh, "the page that took the place of zeros");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    expect_equal(page_count(zero_page), count, "references of the page of zeros");
    expect_equal(zero_page->mapcount, 0, "mapcount of the page of zeros");
    expect_true(fresh->mapping && fresh->mapping == vma->anon_vma, "it hangs on an anon_vma");
    lab_all_is_back();
}

static void a_private_mapping_leaves_the_file_alone(void **state)
{
    (void)state;
    vma = lab_map(mm, FILE_PRIVATE, BASE, 4, RW | PROT_EXEC);
    page = lab_put_file(vma, BASE + PAGE_SIZE, PTE_R);
    pte = lab_pte(mm, BASE + PAGE_SIZE);
    seen = pte_load(pte);
    int count = page_count(page);
    enum mm_counter of_file = mm_counter_of(page);
    expect_equal(fault_write_protected(vma, BASE + PAGE_SIZE, pte, seen), FAULT_DONE, "a write");
    struct page *copy = lab_page(mm, BASE + PAGE_SIZE);
    expect_true(copy != page, "another page");
    expect_equal(copy->type, PAGE_ANON, "type of the copy");
    expect_equal(*(uint64_t *)page_address(copy), FILE_WORD(1), "first word of the copy");
    expect_true(pte_executable(pte_load(pte)), "the rights of the range: X");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    expect_equal(mm->rss[of_file], 0, "rss: pages of files");
    expect_equal(page->mapcount, 0, "mapcount of the file's page");
    expect_equal(page_count(page), count - 1, "references of the file's page");
    expect_equal(page->type, PAGE_FILE, "type of the file's page");
    lab_all_is_back();
}

static void other_harts_forget_in_time(void **state)
{
    (void)state;
    uint64_t value = 0;
    two_owners();
    host_become(1); /* a second thread of the same guest */
    expect_equal(lab_load(mm, BASE, &value), FAULT_DONE, "a load on hart 1");
    host_become(0);
    expect_equal(lab_load(mm, BASE, &value), FAULT_DONE, "a load on hart 0");
    expect_equal(lab_store(mm, BASE, 99), FAULT_DONE, "a store on hart 0");
    lab_expect_fences();
    host_become(1);
    expect_equal(lab_load(mm, BASE, &value), FAULT_DONE, "a load on hart 1");
    expect_equal(value, 99, "what hart 1 reads after hart 0's store");
    host_become(0);
    expect_equal(lab_load(other, BASE, &value), FAULT_DONE, "a load of the other space");
    expect_equal(value, 7, "what the other space reads");
    lab_all_is_back();
}

static void the_copy_is_from_the_policys_node(void **state)
{
    (void)state;
    static struct mempolicy on_1 = {.count = 2, .mode = MPOL_BIND, .home = NO_NODE, .nodes = {2}};
    two_owners();
    vma->vm_policy = &on_1;
    expect_equal(write_fault(), FAULT_DONE, "a write");
    expect_equal(lab_page(mm, BASE)->nid, 1, "node of the copy; the policy says bind:1");
    vma->vm_policy = NULL;
    lab_all_is_back();
}

/* --- what another thread does while memory is looked for -------------------------------------- */

static void it_is_unmapped(void)
{
    expect_equal(this_hart()->nr_held, 0, "spinlocks held while memory is looked for");
    lab_zap(mm, BASE);
}

static void it_is_copied(void)
{
    expect_equal(write_fault(), FAULT_DONE, "a write by another thread");
    *(uint64_t *)page_address(lab_page(mm, BASE)) = 99;
}

static void all_others_let_go(void)
{
    lab_zap(other, BASE);
    lab_zap(mm, BASE);
    lab_put(vma, BASE, 13, PTE_R | PTE_W);
}

static void while_memory_is_found(void (*what)(void), const char *text)
{
    two_owners();
    lab_meanwhile = what;
    lab_leave(0);
    expect_equal(write_fault(), FAULT_DONE, "a write, while %s", text);
    expect_true(!lab_meanwhile, "memory was looked for");
}

static void it_is_unmapped_meanwhile(void **state)
{
    (void)state;
    while_memory_is_found(it_is_unmapped, "another thread unmaps the page");
    expect_true(pte_none(pte_load(pte)), "the entry is empty");
    expect_equal(mm->rss[MM_ANONPAGES], 0, "rss: private pages");
    expect_equal(page_count(page), 1, "references of the page, which the other space still has");
    lab_all_is_back();
}

static void it_is_copied_meanwhile(void **state)
{
    (void)state;
    while_memory_is_found(it_is_copied, "another thread copies the page");
    expect_equal(*(uint64_t *)page_address(lab_page(mm, BASE)), 99, "what the other thread wrote");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    expect_equal(page_count(page), 1, "references of the page, which the other space still has");
    expect_equal(page->mapcount, 1, "mapcount of that page");
    lab_all_is_back();
}

static void it_is_another_page_meanwhile(void **state)
{
    (void)state;
    while_memory_is_found(all_others_let_go, "another page comes there");
    lab_expect_words(lab_page(mm, BASE), 13, "the page that is there now");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    lab_all_is_back();
}

static void no_memory_keeps_the_old(void **state)
{
    (void)state;
    two_owners();
    lab_leave(0);
    expect_equal(write_fault(), FAULT_OOM, "no memory for a copy");
    lab_expect_entry(pte_load(pte), seen, "the entry, unchanged");
    expect_equal(page_count(page), 2, "references of the page");
    expect_equal(page->mapcount, 2, "mapcount of the page");
    expect_equal(mm->rss[MM_ANONPAGES], 1, "rss: private pages");
    lab_give_back();
    expect_equal(write_fault(), FAULT_DONE, "the same with memory");
    expect_true(lab_page(mm, BASE) != page, "another page");
    lab_all_is_back();
}

#define TEST(name) cmocka_unit_test_setup(name, lab_boot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_of_two_is_copied),
        TEST(references_and_counts_move),
        TEST(who_looks_at_a_page_keeps_it),
        TEST(the_page_of_zeros_gives_way),
        TEST(a_private_mapping_leaves_the_file_alone),
        TEST(other_harts_forget_in_time),
        TEST(the_copy_is_from_the_policys_node),
        TEST(it_is_unmapped_meanwhile),
        TEST(it_is_copied_meanwhile),
        TEST(it_is_another_page_meanwhile),
        TEST(no_memory_keeps_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
