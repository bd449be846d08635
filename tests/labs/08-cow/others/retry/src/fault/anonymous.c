/* SPDX-License-Identifier: MIT */
/*
 * anonymous.c - the first touch of memory that comes from nowhere.
 *
 *      read    entry -> the page of zeros, read-only, the same for everyone
 *      write   entry -> a page of the guest's own, cleared first
 *
 * This is the hottest path of the monitor: half of it is the clearing. The page is prepared before
 * page_table_lock is taken, which then guards a look, three stores and the counters.
 *
 * Locks: mmap_lock for reading, page_table_lock. Linux's counterpart: do_anonymous_page().
 */
#include "base/string.h"
#include "fault/fault_kinds.h"
#include "phys/alloc.h"
#include "virt/lru.h"
#include "virt/rmap.h"

/* Put an entry where none is; a page of the guest's own comes with it, or NULL. */
static bool install(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, pte_t e,
                    struct page *page)
{
    struct spinlock *lock = &vma->vm_mm->page_table_lock;
    spin_lock(lock);
    if (!pte_none(pte_load(pte))) {
        spin_unlock(lock);
        return false;
    }
    if (page) {
        page_add_new_anon_rmap(page, vma, addr);
        lru_cache_add(page);
        mm_count(vma->vm_mm, MM_ANONPAGES, 1);
    }
    pte_store(pte, e);
    spin_unlock(lock);
    return true;
}

bool map_new_anon_page(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, struct page *page)
{
    pte_t e = pte_mkdirty(pte_mkyoung(pte_make(page_to_pfn(page), vma->vm_prot)));
    bool mapped = install(vma, addr, pte, e, page);
    if (!mapped)
        put_page(page);
    return mapped;
}

bool map_zero_page(struct vm_area_struct *vma, pte_t *pte)
{
    pte_t e = pte_mkspecial(pte_wrprotect(pte_make(page_to_pfn(zero_page), vma->vm_prot)));
    return install(vma, 0, pte, pte_mkyoung(e), NULL);
}

enum fault_result fault_anonymous(struct vm_area_struct *vma, uint64_t addr, uint64_t access,
                                  pte_t *pte)
{
    struct page *page = NULL;
    if (access == PTE_W) {
        if (!anon_vma_prepare(vma))
            page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
        if (!page)
            return FAULT_OOM;
        clear_page(page_address(page));
        map_new_anon_page(vma, addr, pte, page);
    } else {
        map_zero_page(vma, pte);
    }
    return FAULT_DONE;
}
