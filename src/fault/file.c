/* SPDX-License-Identifier: MIT */
/*
 * file.c - the first touch of a mapped file.
 *
 *      read, private or shared   entry -> the file's own page; private: without W
 *      write, private            entry -> a copy that belongs to the guest
 *      write, shared             entry -> the file's own page
 *      past the last page        SIGBUS
 *
 * So the text of a program that ten guests run lies in memory once.
 *
 * Locks: mmap_lock for reading, page lock, page_table_lock. Linux's counterpart: do_read_fault(),
 * do_cow_fault(), do_shared_fault().
 */
#include "base/errno.h"
#include "base/string.h"
#include "fault/fault_kinds.h"
#include "phys/alloc.h"
#include "virt/mapping.h"
#include "virt/rmap.h"

static void set_file_pte(struct vm_area_struct *vma, uint64_t access, pte_t *pte, struct page *page)
{
    struct mm_struct *mm = vma->vm_mm;
    uint64_t prot = vma->vm_prot | PTE_A;
    if (!vma_is_shared(vma))
        prot &= ~PTE_W;
    else if (access == PTE_W)
        prot |= PTE_D;
    spin_lock(&mm->page_table_lock);
    if (likely(pte_none(pte_load(pte)))) {
        get_page(page);
        page_add_file_rmap(page);
        mm_count(mm, mm_counter_of(page), 1);
        pte_store(pte, pte_make(page_to_pfn(page), prot));
    }
    spin_unlock(&mm->page_table_lock);
}

/*
 * The file's page itself. Under its lock: so it neither moves nor leaves the file meanwhile. Has
 * it left already, then the guest faults again and asks the file for another.
 */
static void map_file_page(struct vm_area_struct *vma, uint64_t access, pte_t *pte,
                          struct page *page)
{
    lock_page(page);
    if (likely(page->mapping == vma->vm_mapping))
        set_file_pte(vma, access, pte, page);
    unlock_page(page);
    put_page(page);
}

static enum fault_result map_private_copy(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                                          struct page *page)
{
    struct page *copy = NULL;
    if (!anon_vma_prepare(vma))
        copy = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
    if (copy) {
        copy_page(page_address(copy), page_address(page));
        map_new_anon_page(vma, addr, pte, copy);
    }
    put_page(page);
    return copy ? FAULT_DONE : FAULT_OOM;
}

enum fault_result fault_file(struct vm_area_struct *vma, uint64_t addr, uint64_t access, pte_t *pte)
{
    struct address_space *m = vma->vm_mapping;
    uint64_t index = vma_index(vma, addr);
    int err = 0;
    if (index >= mapping_pages(m))
        return FAULT_SIGBUS;
    struct page *page = m->ops->get_page(m, index, &err);
    if (!page)
        return err == -ENOMEM ? FAULT_OOM : FAULT_SIGBUS;
    if (access == PTE_W && !vma_is_shared(vma))
        return map_private_copy(vma, addr, pte, page);
    map_file_page(vma, access, pte, page);
    return FAULT_DONE;
}
