/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a copy of an address space that copies no page.
 *
 *      parent  entry rw -> page            parent  entry r- -> page <- r- entry  child
 *      before the fork                     after: the first to write gets a copy (cow.c)
 *
 * Pages of files that were only read are not even shared here: the child finds them again by
 * faulting. So the work is one look at each entry of private memory.
 *
 * Locks: mmap_lock of both for writing (the child's is nobody else's yet), then the parent's
 * page_table_lock and the child's inside of it.
 * Linux's counterpart: dup_mmap(), copy_page_range().
 */
#include "base/errno.h"
#include "fault/mmap.h"
#include "phys/page.h"
#include "virt/commit.h"
#include "virt/mapping.h"
#include "virt/rmap.h"

/* Share what one entry maps. Both tables are locked. */
static void copy_entry(struct mm_struct *dst, pte_t *to, pte_t *from)
{
    pte_t e = pte_load(from);
    if (pte_none(e))
        return;
    if (pte_is_migration(e)) { /* neither may write to it when it arrives */
        e = pte_make_absent(PTE_TYPE_MIGRATION_READ, pte_offset(e), 0);
        struct page *moving = pfn_to_page(mk_pfn(pte_offset(e)));
        mm_count(dst, mm_counter_of(moving), 1);
        pte_store(from, e);
        pte_store(to, e);
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
}

/* The entries of start..end, which lie in one table of each. */
static int copy_table(struct mm_struct *dst, struct mm_struct *src, uint64_t start, uint64_t end)
{
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
}

static int copy_pages(struct mm_struct *dst, struct mm_struct *src,
                      const struct vm_area_struct *vma)
{
    int err = 0;
    if (!vma->anon_vma && vma->vm_mapping)
        return 0;
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end && !err;) {
        uint64_t end = MIN(vma->vm_end, ALIGN_DOWN(addr, TABLE_SPAN) + TABLE_SPAN);
        err = copy_table(dst, src, addr, end);
        addr = end;
    }
    return err;
}

static int copy_vma(struct mm_struct *dst, struct mm_struct *src, struct vm_area_struct *vma)
{
    uint64_t flags = vma->vm_flags & ~(VM_LOCKED | VM_LOCKONFAULT | VM_UFFD_MISSING);
    if ((flags & VM_ACCOUNT) && !vm_enough_memory(vma_pages(vma)))
        return -ENOMEM;
    struct vm_area_struct *copy = vma_alloc(dst, vma->vm_start, vma->vm_end, flags);
    if (!copy)
        return -ENOMEM;
    copy->vm_pgoff = vma->vm_pgoff;
    copy->vm_prot = vma->vm_prot;
    copy->vm_name = vma->vm_name;
    copy->vm_mapping = vma->vm_mapping;
    copy->vm_policy = vma->vm_policy;
    if (copy->vm_mapping)
        mapping_get(copy->vm_mapping);
    if (copy->vm_policy)
        mpol_get(copy->vm_policy);
    bool wipe = vma->vm_flags & VM_WIPEONFORK;
    if (!wipe && anon_vma_fork(copy, vma)) {
        vma_free(copy);
        return -ENOMEM;
    }
    /* found by rmap before it has entries: a walk then misses none */
    vma_insert(dst, copy);
    mm_account_vma(dst, copy->vm_flags, vma_is_anonymous(copy), (int64_t)vma_pages(copy));
    return wipe ? 0 : copy_pages(dst, src, vma);
}

static void copy_layout(struct mm_struct *dst, const struct mm_struct *src)
{
    dst->start_code = src->start_code;
    dst->end_code = src->end_code;
    dst->start_data = src->start_data;
    dst->end_data = src->end_data;
    dst->start_brk = src->start_brk;
    dst->brk = src->brk;
    dst->start_stack = src->start_stack;
    dst->arg_start = src->arg_start;
    dst->arg_end = src->arg_end;
    dst->env_start = src->env_start;
    dst->env_end = src->env_end;
    dst->auxv_start = src->auxv_start;
    dst->auxv_end = src->auxv_end;
    dst->mmap_base = src->mmap_base;
    dst->mmap_bottom_up = src->mmap_bottom_up;
    dst->stack_limit = src->stack_limit;
    dst->data_limit = src->data_limit;
    dst->as_limit = src->as_limit;
    dst->memlock_limit = src->memlock_limit;
    dst->flags = mm_flags_inherited(src);
}

int dup_mmap(struct mm_struct *dst, struct mm_struct *src)
{
    struct vm_area_struct *vma;
    int err = 0;
    mmap_write_lock(src);
    copy_layout(dst, src);
    mpol_get(src->policy);
    mpol_put(dst->policy);
    dst->policy = src->policy;
    for_each_vma(src, vma) {
        if (vma->vm_flags & VM_DONTCOPY)
            continue;
        vma_start_write(vma);
        err = copy_vma(dst, src, vma);
        if (err)
            break;
    }
    tlb_flush_space(&src->tlb); /* entries that lost W */
    vma_end_write_all(dst);
    mmap_write_unlock(src);
    return err;
}
