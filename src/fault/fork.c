/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a copy of an address space: the same ranges, and in them the same pages.
 *
 *      parent  [text][data][heap] .......... [mmap][stack]    numbers and limits
 *                |     |     |                 |     |          |
 *      child   [text][data][heap] .......... [mmap][stack]    the same, locks on memory left out
 *
 * VM_DONTCOPY leaves a range out, VM_WIPEONFORK its pages; what a range maps is shared page by page
 * (fork_pages.c). The parent's translations are flushed once, behind the last range.
 *
 * Locks: mmap_lock of both for writing (the child's is nobody else's yet).
 * Linux's counterpart: dup_mmap().
 */
#include "base/errno.h"
#include "fault/fork.h"
#include "fault/mmap.h"
#include "virt/commit.h"
#include "virt/mapping.h"
#include "virt/rmap.h"

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
    return wipe ? 0 : copy_page_range(dst, src, vma);
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
