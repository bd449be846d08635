/* SPDX-License-Identifier: MIT */
/*
 * stack.c - a stack that grows when it is touched below its end.
 *
 *      [ somebody's ]   guard gap, 256 pages   [ addr ......... stack ........ ]
 *                   ^ must stay free           ^ new start       ^ old start
 *
 * Without the gap a stack could grow up to the neighbour, and the next frame would be written into
 * it unnoticed ("stack clash", 2017).
 *
 * Locks: takes mmap_lock for writing. Linux's counterpart: expand_stack(), expand_downwards().
 */
#include "arch/layout.h"
#include "fault/fault_kinds.h"
#include "fault/mmap.h"
#include "virt/commit.h"

/* May the VMA reach down to addr, by its limits and its neighbour? */
static bool may_grow(struct mm_struct *mm, struct vm_area_struct *vma, uint64_t addr)
{
    uint64_t pages = (vma->vm_start - addr) >> PAGE_SHIFT;
    const struct vm_area_struct *prev = vma_prev(vma);
    if (!(vma->vm_flags & VM_GROWSDOWN) || addr < MMAP_MIN_ADDR)
        return false;
    if (vma->vm_end - addr > load_relaxed(&mm->stack_limit))
        return false;
    if ((mm->total_vm + pages) << PAGE_SHIFT > load_relaxed(&mm->as_limit))
        return false;
    if ((vma->vm_flags & VM_ACCOUNT) && !vm_enough_memory(pages))
        return false;
    bool prev_matters =
        prev && (prev->vm_flags & VM_ACCESS_FLAGS) && !(prev->vm_flags & VM_GROWSDOWN);
    if (prev && addr < prev->vm_end)
        return false;
    return !prev_matters || addr - prev->vm_end >= vma_guard_gap(vma);
}

bool grow_stack(struct mm_struct *mm, uint64_t addr)
{
    bool ok = false;
    addr &= PAGE_MASK;
    mmap_write_lock(mm);
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (vma && addr >= vma->vm_start) {
        ok = true; /* another thread was faster */
    } else if (vma && may_grow(mm, vma, addr)) {
        mm_account_vma(mm, vma->vm_flags, true, (int64_t)((vma->vm_start - addr) >> PAGE_SHIFT));
        vma_set_range(vma, addr, vma->vm_end);
        ok = true;
    }
    mmap_write_unlock(mm);
    return ok;
}
