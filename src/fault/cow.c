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

/*
 * A page of a file never is. A page that was made a moment ago may still lie in a hart's LRU batch,
 * which has a reference too; PG_lru is not set then. lru_add_drain() empties this hart's.
 */
bool anon_page_is_exclusive(struct page *page)
{
    /* lab cow: begin 3 */
    if (page->type != PAGE_ANON || load_relaxed(&page->mapcount) != 1)
        return false;
    if (page_count(page) == 2 && !page_flag(page, PG_lru))
        lru_add_drain();
    return page_count(page) == 1;
    /* lab cow: stub lab_missing("cow", 3, page); */
    /* lab cow: end */
}

static void make_writable(struct vm_area_struct *vma, uint64_t addr, pte_t *pte)
{
    /* only more rights: a stale translation faults once more, elsewhere */
    pte_t seen = pte_load(pte);
    while (!pte_compare_exchange(pte, &seen, mk_pte(seen.v | PTE_W | PTE_R | PTE_A | PTE_D)))
        ;
    tlb_flush_spurious(&vma->vm_mm->tlb, mk_vaddr(addr));
}

/* Is that still what the fault saw, so that nobody else has dealt with it? */
static bool unchanged(pte_t now, pte_t seen)
{
    return pte_present(now) && pte_pfn(now).v == pte_pfn(seen).v && !pte_writable(now);
}

/*
 * The first look. True: nothing is left to do, as the entry is writable by now or was changed by
 * somebody else. False: *old has to be copied, and has got a reference for that; NULL: the page of
 * zeros. A private page that is reused belongs to this VMA alone: page_move_anon_rmap().
 */
static bool write_in_place(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, pte_t seen,
                           struct page **old)
{
    /* lab cow: begin 3 */
    struct mm_struct *mm = vma->vm_mm;
    bool done = true;
    *old = NULL;
    spin_lock(&mm->page_table_lock);
    pte_t now = pte_load(pte);
    if (unchanged(now, seen)) {
        struct page *page = pte_special(now) ? NULL : pfn_to_page(pte_pfn(now));
        if (page && (vma_is_shared(vma) || anon_page_is_exclusive(page))) {
            if (!vma_is_shared(vma))
                page_move_anon_rmap(page, vma);
            make_writable(vma, addr, pte);
        } else {
            if (page)
                get_page(page);
            *old = page;
            done = false;
        }
    }
    spin_unlock(&mm->page_table_lock);
    return done;
    /* lab cow: stub lab_missing("cow", 3, vma, addr, pte, seen, old, unchanged, make_writable); */
    /* lab cow: end */
}

/*
 * The second look. If the entry is unchanged, `copy` takes the place of `old` (NULL: the page of
 * zeros) in the entry, in rmap and in rss: true. Never are two pages to be had at one address: the
 * old entry goes, all harts forget it, then the new one comes.
 */
static bool replace(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, pte_t seen,
                    struct page *old, struct page *copy)
{
    /* lab cow: begin 4 */
    struct mm_struct *mm = vma->vm_mm;
    spin_lock(&mm->page_table_lock);
    bool same = unchanged(pte_load(pte), seen);
    if (same) {
        pte_exchange(pte, mk_pte(0));
        tlb_flush_page(&mm->tlb, mk_vaddr(addr));
        page_add_new_anon_rmap(copy, vma, addr);
        lru_cache_add(copy);
        if (!old || old->type != PAGE_ANON)
            mm_count(mm, MM_ANONPAGES, 1);
        if (old) {
            if (old->type != PAGE_ANON)
                mm_count(mm, mm_counter_of(old), -1);
            page_remove_rmap(old);
        }
        pte_store(pte, pte_make(page_to_pfn(copy), vma->vm_prot | PTE_A | PTE_D));
    }
    spin_unlock(&mm->page_table_lock);
    return same;
    /* lab cow: stub lab_missing("cow", 4, vma, addr, pte, seen, old, copy, unchanged); */
    /* lab cow: end */
}

/*
 * Copy, and let the copy take the place. On every way out the reference that write_in_place() took
 * is dropped, and a page that is not needed is given back.
 */
static enum fault_result write_to_copy(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                                       pte_t seen, struct page *old)
{
    /* lab cow: begin 4 */
    struct page *copy = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
    if (copy) {
        if (old)
            copy_page(page_address(copy), page_address(old));
        else
            clear_page(page_address(copy));
        if (!replace(vma, addr, pte, seen, old, copy))
            __free_page(copy);
        else if (old)
            put_page(old); /* the entry's reference */
    }
    if (old)
        put_page(old);
    return copy ? FAULT_DONE : FAULT_OOM;
    /* lab cow: stub lab_missing("cow", 4, vma, addr, pte, seen, old, replace); */
    /* lab cow: end */
}

enum fault_result fault_write_protected(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                                        pte_t seen)
{
    struct page *old;
    if (!vma_is_shared(vma) && anon_vma_prepare(vma))
        return FAULT_OOM;
    if (write_in_place(vma, addr, pte, seen, &old))
        return FAULT_DONE;
    return write_to_copy(vma, addr, pte, seen, old);
}
