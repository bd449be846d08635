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

/*
 * Put a page that nobody else knows yet where nothing is: rmap, rss, LRU, and last the entry, with
 * the rights of the VMA. False: something is there by now, and the page was given back.
 */
static inline bool map_page(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                            struct page *page)
{
    /* lab cow: begin 2 */
    struct mm_struct *mm = vma->vm_mm;
    bool mapped = false;
    spin_lock(&mm->page_table_lock);
    if (likely(pte_none(pte_load(pte)))) {
        page_add_new_anon_rmap(page, vma, addr);
        mm_count(mm, MM_ANONPAGES, 1);
        lru_cache_add(page);
        pte_store(pte, pte_make(page_to_pfn(page), vma->vm_prot | PTE_A | PTE_D));
        mapped = true;
    }
    spin_unlock(&mm->page_table_lock);
    if (unlikely(!mapped))
        __free_page(page);
    return mapped;
    /* lab cow: stub lab_missing("cow", 2, vma, addr, pte, page); */
    /* lab cow: end */
}

bool map_new_anon_page(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, struct page *page)
{
    return map_page(vma, addr, pte, page);
}

/* Readable, never writable, and special: it has no rmap, no reference, and is in no count. */
noinline bool map_zero_page(struct vm_area_struct *vma, pte_t *pte)
{
    /* lab cow: begin 2 */
    struct mm_struct *mm = vma->vm_mm;
    uint64_t prot = (vma->vm_prot & ~PTE_W) | PTE_A | PTE_SPECIAL;
    spin_lock(&mm->page_table_lock);
    bool none = pte_none(pte_load(pte));
    if (none)
        pte_store(pte, pte_make(page_to_pfn(zero_page), prot));
    spin_unlock(&mm->page_table_lock);
    return none;
    /* lab cow: stub lab_missing("cow", 2, vma, pte); */
    /* lab cow: end */
}

/* Whoever was faster is right: FAULT_DONE, and the access is tried again. */
enum fault_result fault_anonymous(struct vm_area_struct *vma, uint64_t addr, uint64_t access,
                                  pte_t *pte)
{
    /* lab cow: begin 2 */
    if (access != PTE_W) {
        map_zero_page(vma, pte);
        return FAULT_DONE;
    }
    if (unlikely(anon_vma_prepare(vma)))
        return FAULT_OOM;
    struct page *page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
    if (unlikely(!page))
        return FAULT_OOM;
    clear_page(page_address(page));
    map_page(vma, addr, pte, page);
    return FAULT_DONE;
    /* lab cow: stub lab_missing("cow", 2, vma, addr, access, pte); */
    /* lab cow: end */
}
