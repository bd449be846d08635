/* SPDX-License-Identifier: MIT */
/*
 * cow.c - a write to a page that is still shared: copy on write.
 *
 *      entry -> page, read-only, in a VMA that may be written:
 *          the page of zeros             a fresh cleared page takes its place
 *          a private page, only ours     made writable: nobody else would notice  (reuse)
 *          a private page, shared        a copy takes its place
 *          a file's page, private VMA    a copy takes its place
 *          a file's page, shared VMA     made writable
 *
 * When is a page only ours? One entry maps it, and that entry's is the only reference: who else
 * wants to know its content (migration, a copy in another mm) has taken a reference first.
 *
 * Locks: mmap_lock for reading; page_table_lock, given up while memory is allocated and copied.
 * Linux's counterpart: do_wp_page(), wp_page_copy(), wp_can_reuse_anon_folio().
 */
#include "base/string.h"
#include "fault/fault_kinds.h"
#include "phys/alloc.h"
#include "virt/lru.h"
#include "virt/rmap.h"

static bool alone(const struct page *page)
{
    return page->type == PAGE_ANON && page_count(page) == 1 && page_mapped(page);
}

bool anon_page_is_exclusive(struct page *page)
{
    if (alone(page))
        return true;
    if (page->type != PAGE_ANON || page->mapcount > 1 || page_flag(page, PG_lru))
        return false;
    lru_add_drain();
    return alone(page);
}

static void allow(struct vm_area_struct *vma, uint64_t addr, pte_t *pte)
{
    pte_t now = pte_load(pte), then;
    do {
        then = pte_mkdirty(pte_mkyoung(pte_mkwrite(now)));
    } while (!pte_compare_exchange(pte, &now, then));
    tlb_flush_spurious(&vma->vm_mm->tlb, mk_vaddr(addr));
}

/* The old page leaves the entry; its reference is the caller's to drop. NULL: it was zeros. */
static struct page *take_out(struct vm_area_struct *vma, uint64_t addr, pte_t *pte)
{
    pte_t e = pte_exchange(pte, mk_pte(0));
    tlb_flush_page(&vma->vm_mm->tlb, mk_vaddr(addr));
    if (pte_special(e))
        return NULL;
    struct page *old = pfn_to_page(pte_pfn(e));
    mm_count(vma->vm_mm, mm_counter_of(old), -1);
    page_remove_rmap(old);
    return old;
}

/* The spare page takes the place, filled under the lock: nobody can write to what it is made of. */
static struct page *copy_over(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                              struct page *spare)
{
    struct page *old = take_out(vma, addr, pte);
    if (old)
        copy_page(page_address(spare), page_address(old));
    else
        clear_page(page_address(spare));
    page_add_new_anon_rmap(spare, vma, addr);
    mm_count(vma->vm_mm, MM_ANONPAGES, 1);
    lru_cache_add(spare);
    pte_store(pte, pte_make(page_to_pfn(spare), vma->vm_prot | PTE_A | PTE_D));
    return old;
}

/* Look; when it turns out that a page is needed, get one and begin anew. */
enum fault_result fault_write_protected(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                                        pte_t seen)
{
    struct spinlock *lock = &vma->vm_mm->page_table_lock;
    struct page *spare = NULL, *done_with = NULL;
    if (!vma_is_shared(vma) && anon_vma_prepare(vma))
        return FAULT_OOM;
    for (;;) {
        spin_lock(lock);
        pte_t now = pte_load(pte);
        if (!pte_present(now) || pte_writable(now) || pte_pfn(now).v != pte_pfn(seen).v)
            break;
        struct page *page = pfn_to_page(pte_pfn(now));
        bool ours = !pte_special(now) && !vma_is_shared(vma) && anon_page_is_exclusive(page);
        if (ours)
            page_move_anon_rmap(page, vma);
        if (ours || (vma_is_shared(vma) && !pte_special(now))) {
            allow(vma, addr, pte);
            break;
        }
        if (spare) {
            done_with = copy_over(vma, addr, pte, spare);
            spare = NULL;
            break;
        }
        spin_unlock(lock);
        spare = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
        if (!spare)
            return FAULT_OOM;
    }
    spin_unlock(lock);
    if (spare)
        __free_page(spare);
    if (done_with)
        put_page(done_with);
    return FAULT_DONE;
}
