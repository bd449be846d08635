/* SPDX-License-Identifier: MIT */
/*
 * fork_pages.c - a fork shares pages instead of copying them.
 *
 *      parent  entry rw -> page            parent  entry r- -> page <- r- entry  child
 *      before the fork                     after: the first to write gets a copy (cow.c)
 *
 * Pages of files that were only read are not even shared here: the child finds them again by
 * faulting. So the work is one look at each entry of private memory.
 *
 * Invariant: an entry that shares a private page is not writable, in neither space; each entry has
 * a reference of its page, and is counted in its mapcount and in the rss of its space.
 * Locks: mmap_lock of both for writing (the child's is nobody else's yet), then the parent's
 * page_table_lock and the child's inside of it.
 * Linux's counterpart: copy_page_range(), copy_present_pte(), vma_needs_copy().
 */
#include "base/errno.h"
#include "fault/fork.h"
#include "phys/page.h"
#include "virt/rmap.h"

/* The page is on the move, and so has neither references nor a mapcount for its entries. */
static void copy_moving(struct mm_struct *dst, pte_t *to, pte_t *from)
{
    /* neither may write to it when it arrives */
    pte_t e = pte_make_absent(PTE_TYPE_MIGRATION_READ, pte_offset(pte_load(from)), 0);
    struct page *moving = pfn_to_page(mk_pfn(pte_offset(e)));
    mm_count(dst, mm_counter_of(moving), 1);
    pte_store(from, e);
    pte_store(to, e);
}

/*
 * Share what one entry maps: a private page, the page of zeros, one that is on the move; pages of
 * files not. An entry may name a private page and not be present (PROT_NONE). Both tables locked.
 */
static void copy_entry(struct mm_struct *dst, pte_t *to, pte_t *from)
{
    /* lab cow: begin 5 */
    pte_t e = pte_load(from);
    if (pte_none(e))
        return;
    if (pte_is_migration(e)) {
        copy_moving(dst, to, from);
        return;
    }
    if (!pte_special(e)) {
        struct page *page = pfn_to_page(pte_pfn(e));
        if (page->type != PAGE_ANON)
            return;
        get_page(page);
        page_add_anon_rmap(page);
        mm_count(dst, MM_ANONPAGES, 1);
    }
    if (pte_present(e))
        e = pte_wrprotect(pte_test_and_wrprotect(from));
    pte_store(to, e);
    /* lab cow: stub lab_missing("cow", 5, dst, to, from, copy_moving); */
    /* lab cow: end */
}

/* The entries of start..end, which lie in one table of each. No table in the parent: no page. */
static int copy_table(struct mm_struct *dst, struct mm_struct *src, uint64_t start, uint64_t end)
{
    /* lab cow: begin 5 */
    pte_t *from = mm_find_pte(src, start);
    if (!from)
        return 0;
    pte_t *to = mm_make_pte(dst, start);
    if (!to)
        return -ENOMEM;
    spin_lock(&src->page_table_lock);
    spin_lock_nested(&dst->page_table_lock);
    for (uint64_t addr = start; addr < end; addr += PAGE_SIZE)
        copy_entry(dst, to++, from++);
    spin_unlock(&dst->page_table_lock);
    spin_unlock(&src->page_table_lock);
    return 0;
    /* lab cow: stub lab_missing("cow", 5, dst, src, start, end, copy_entry); */
    /* lab cow: end */
}

/* A range that maps a file and has no anon_vma has no private page: there is nothing to do. */
int copy_page_range(struct mm_struct *dst, struct mm_struct *src, const struct vm_area_struct *vma)
{
    /* lab cow: begin 5 */
    int err = 0;
    if (!vma->anon_vma && vma->vm_mapping)
        return 0;
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end && !err;) {
        uint64_t end = MIN(vma->vm_end, ALIGN_DOWN(addr, TABLE_SPAN) + TABLE_SPAN);
        err = copy_table(dst, src, addr, end);
        addr = end;
    }
    return err;
    /* lab cow: stub lab_missing("cow", 5, dst, src, vma, copy_table); */
    /* lab cow: end */
}
