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

/* Must the child have it, as it would not find it again by a fault? */
static bool goes_along(pte_t e)
{
    if (pte_none(e))
        return false;
    return pte_is_migration(e) || pte_special(e) || pfn_to_page(pte_pfn(e))->type == PAGE_ANON;
}

static void share(struct mm_struct *dst, pte_t *to, pte_t *from)
{
    pte_t e = pte_load(from);
    if (pte_is_migration(e)) {
        copy_moving(dst, to, from);
        return;
    }
    if (pte_present(e) && pte_writable(e))
        e = pte_wrprotect(pte_test_and_wrprotect(from));
    if (!pte_special(e)) {
        struct page *page = pfn_to_page(pte_pfn(e));
        page_add_anon_rmap(page);
        get_page(page);
        mm_count(dst, MM_ANONPAGES, 1);
    }
    pte_store(to, e);
}

/* Is there anything for the child among n entries? A look without lock: nobody else changes it. */
static bool any_goes_along(struct mm_struct *src, const pte_t *from, uint64_t n)
{
    bool any = false;
    spin_lock(&src->page_table_lock);
    for (uint64_t i = 0; i < n && !any; i++)
        any = goes_along(pte_load(from + i));
    spin_unlock(&src->page_table_lock);
    return any;
}

int copy_page_range(struct mm_struct *dst, struct mm_struct *src, const struct vm_area_struct *vma)
{
    uint64_t n;
    if (vma->vm_mapping && !vma->anon_vma)
        return 0;
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end; addr += n * PAGE_SIZE) {
        n = PT_ENTRIES - pt_index(mk_vaddr(addr), 0);
        n = MIN(n, (vma->vm_end - addr) / PAGE_SIZE);
        pte_t *from = mm_find_pte(src, addr);
        if (!from || !any_goes_along(src, from, n))
            continue;
        pte_t *to = mm_make_pte(dst, addr);
        if (!to)
            return -ENOMEM;
        spin_lock(&src->page_table_lock);
        spin_lock_nested(&dst->page_table_lock);
        for (uint64_t i = 0; i < n; i++)
            if (goes_along(pte_load(from + i)))
                share(dst, to + i, from + i);
        spin_unlock(&dst->page_table_lock);
        spin_unlock(&src->page_table_lock);
    }
    return 0;
}
