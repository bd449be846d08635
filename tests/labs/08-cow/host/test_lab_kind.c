/* SPDX-License-Identifier: MIT */
/*
 * test_lab_kind.c - which kind of fault it is. No page is made here: those that are there already
 * are a file's, or were put in by hand.
 */
#include "lab_space.h"

#include <pthread.h>
#include <unistd.h>

#include "virt/userfault.h"

#define RW (PROT_READ | PROT_WRITE)

static void the_file_is_asked_for_its_page(void **state)
{
    (void)state;
    lab_map(mm, FILE_SHARED, BASE, FILE_PAGES, PROT_READ);
    expect_equal(user_fault(mm, BASE - PAGE_SIZE, PTE_R), FAULT_MAPERR, "where nothing is mapped");
    expect_equal(user_fault(mm, BASE + 3 * PAGE_SIZE + 40, PTE_R), FAULT_DONE, "a read");
    struct page *page = lab_page(mm, BASE + 3 * PAGE_SIZE);
    expect_equal(*(uint64_t *)page_address(page), FILE_WORD(3), "the page's first word");
    expect_true(pte_none(lab_entry(mm, BASE + 4 * PAGE_SIZE)), "the next entry is empty");
    lab_file.size = 6 * PAGE_SIZE;
    expect_equal(user_fault(mm, BASE + 6 * PAGE_SIZE, PTE_R), FAULT_SIGBUS, "past the file's end");
    lab_file.size = FILE_PAGES * PAGE_SIZE;
    lab_all_is_back();
}

static void what_the_range_forbids_is_not_done(void **state)
{
    (void)state;
    lab_map(mm, FILE_SHARED, BASE, 4, PROT_READ);
    lab_map(mm, FILE_SHARED, BASE + 8 * PAGE_SIZE, 4, PROT_NONE);
    expect_equal(user_fault(mm, BASE, PTE_W), FAULT_ACCERR, "a write to a range for reading");
    expect_equal(user_fault(mm, BASE, PTE_X), FAULT_ACCERR, "execution of a range for reading");
    expect_true(pte_none(lab_entry(mm, BASE)), "the entry is still empty");
    expect_equal(user_fault(mm, BASE, PTE_R), FAULT_DONE, "a read of a range for reading");
    pte_t e = lab_entry(mm, BASE);
    expect_equal(user_fault(mm, BASE, PTE_W), FAULT_ACCERR, "a write to a page that is there");
    lab_expect_entry(lab_entry(mm, BASE), e, "the entry, unchanged");
    expect_equal(user_fault(mm, BASE + 8 * PAGE_SIZE, PTE_R), FAULT_ACCERR, "a read of PROT_NONE");
    lab_all_is_back();
}

static void a_page_of_no_access_is_not_touched(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 1, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t *pte = lab_pte(mm, BASE), e = pte_make_absent(PTE_TYPE_PROT_NONE, page_to_pfn(page).v, 0);
    pte_store(pte, e);
    expect_equal(handle_mm_fault(vma, BASE, PTE_R), FAULT_ACCERR, "a PROT_NONE entry is read");
    expect_equal(handle_mm_fault(vma, BASE, PTE_W), FAULT_ACCERR, "a PROT_NONE entry is written");
    lab_expect_entry(pte_load(pte), e, "the entry, unchanged");
    lab_all_is_back();
}

static void accessed_and_dirty_are_set(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 1, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t *pte = lab_pte(mm, BASE), e = pte_load(pte);
    pte_store(pte, mk_pte(e.v & ~(PTE_A | PTE_D)));
    expect_equal(user_fault(mm, BASE, PTE_R), FAULT_DONE, "a read, A is missing");
    lab_expect_entry(pte_load(pte), pte_mkclean(e), "the entry after a read");
    expect_equal(user_fault(mm, BASE, PTE_W), FAULT_DONE, "a write, D is missing");
    lab_expect_entry(pte_load(pte), e, "the entry after a write");
    lab_expect_words(page, 7, "the page");
    lab_all_is_back();
}

static void a_stale_translation_is_forgotten(void **state)
{
    (void)state;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 1, RW);
    lab_put(vma, BASE, 7, PTE_R | PTE_W);
    pte_t e = lab_entry(mm, BASE);
    tlb_remember(mm, BASE, pte_wrprotect(e)); /* it was made writable on another hart */
    expect_equal(lab_store(mm, BASE, 8), FAULT_DONE, "a store, the entry is writable");
    lab_expect_entry(lab_entry(mm, BASE), e, "the entry, unchanged");
    lab_all_is_back();
}

static pte_t *moving, arrived;

static void *mover(void *arg)
{
    (void)arg;
    usleep(3000);
    pte_store(moving, arrived);
    return NULL;
}

static void a_page_on_the_move_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 1, RW);
    struct page *page = lab_put(vma, BASE, 7, PTE_R | PTE_W);
    moving = lab_pte(mm, BASE);
    arrived = pte_load(moving);
    pte_store(moving, pte_make_absent(PTE_TYPE_MIGRATION_WRITE, page_to_pfn(page).v, 0));
    pthread_create(&thread, NULL, mover, NULL);
    enum fault_result result = user_fault(mm, BASE, PTE_W);
    pte_t seen = pte_load(moving);
    pthread_join(thread, NULL);
    expect_equal(result, FAULT_DONE, "a fault on an entry that is being migrated");
    lab_expect_entry(seen, arrived, "the entry, when the fault is over");
    lab_all_is_back();
}

static void owner_gone(struct userfault *u)
{
    (void)u;
}

static void a_missing_page_may_be_somebody_elses(void **state)
{
    (void)state;
    struct userfault owner = {.refcount = 1, .release = owner_gone};
    struct vm_area_struct *vma = lab_map(mm, ANON, BASE, 4, RW);
    vma->vm_userfault = &owner;
    expect_equal(user_fault(mm, BASE, PTE_R), FAULT_USERFAULT, "a read of a missing page");
    expect_equal(user_fault(mm, BASE, PTE_W), FAULT_USERFAULT, "a write to a missing page");
    expect_true(pte_none(lab_entry(mm, BASE)), "the entry is still empty");
    lab_put(vma, BASE, 7, PTE_R | PTE_W);
    tlb_remember(mm, BASE, pte_wrprotect(lab_entry(mm, BASE)));
    expect_equal(lab_store(mm, BASE, 8), FAULT_DONE, "a write to a page that is there");
    vma->vm_userfault = NULL;
    lab_all_is_back();
}

static void no_memory_for_a_table(void **state)
{
    (void)state;
    lab_map(mm, FILE_SHARED, BASE, 4, PROT_READ);
    lab_leave(0);
    expect_equal(user_fault(mm, BASE, PTE_R), FAULT_OOM, "a fault without memory for a table");
    lab_give_back();
    expect_equal(user_fault(mm, BASE, PTE_R), FAULT_DONE, "the same with memory");
    lab_all_is_back();
}

#define TEST(name) cmocka_unit_test_setup(name, lab_boot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_asked_for_its_page),       TEST(what_the_range_forbids_is_not_done),
        TEST(a_page_of_no_access_is_not_touched),   TEST(accessed_and_dirty_are_set),
        TEST(a_stale_translation_is_forgotten),     TEST(a_page_on_the_move_is_waited_for),
        TEST(a_missing_page_may_be_somebody_elses), TEST(no_memory_for_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
