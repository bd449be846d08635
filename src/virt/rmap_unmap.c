/* SPDX-License-Identifier: MIT */
/*
 * rmap_unmap.c - taking all mappings of a page away for good.
 *
 *      PTE: page  -->  nothing; whoever touches the address next faults and asks the file anew
 *
 * Locks: the caller holds the page lock, so that no fault maps the page again meanwhile.
 * Linux's counterpart: try_to_unmap(), unmap_mapping_folio().
 */
#include "virt/mm.h"
#include "virt/rmap.h"

static bool unmap_entry(const struct rmap_entry *entry, void *arg)
{
    struct page *page = entry->page;
    struct mm_struct *mm = entry->vma->vm_mm;
    (void)arg;
    pte_t e = pte_exchange(entry->pte, mk_pte(0));
    tlb_flush_page(&mm->tlb, mk_vaddr(entry->addr));
    if (pte_dirty(e))
        page_set_flag(page, PG_dirty);
    mm_count(mm, mm_counter_of(page), -1);
    page_remove_rmap(page);
    put_page(page); /* not the last: the caller has one */
    return true;
}

void try_to_unmap(struct page *page)
{
    if (page_mapped(page))
        rmap_walk(page, unmap_entry, NULL);
}
