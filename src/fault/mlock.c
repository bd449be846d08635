/* SPDX-License-Identifier: MIT */
/*
 * mlock.c - memory that is to stay: VM_LOCKED.
 *
 *      mlock(range)     flag on every VMA of it, then every page is made
 *      MLOCK_ONFAULT    the flag alone: pages stay once they are there
 *      mlockall         on all there is (MCL_CURRENT), and on all to come (MCL_FUTURE)
 *
 * Locks: mmap_lock, for writing while VMAs change and for reading while pages are made.
 * Linux's counterpart: mm/mlock.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"

#define LOCK_FLAGS (VM_LOCKED | VM_LOCKONFAULT)

/* The part of the VMA within start..end gets these flags. *vmap: what covers it now. */
static int set_flags(struct vm_area_struct **vmap, uint64_t start, uint64_t end, uint64_t flags)
{
    struct mm_struct *mm = (*vmap)->vm_mm;
    uint64_t now = (*vmap)->vm_flags & LOCK_FLAGS;
    if (now == flags)
        return 0;
    int err = vma_carve(vmap, start, end);
    if (err)
        return err;
    struct vm_area_struct *vma = *vmap;
    vma_start_write(vma);
    uint64_t pages = vma_pages(vma);
    mm->locked_vm += (flags & VM_LOCKED ? pages : 0) - (now & VM_LOCKED ? pages : 0);
    vma->vm_flags = (vma->vm_flags & ~LOCK_FLAGS) | flags;
    *vmap = vma_merge(vma);
    return 0;
}

/* The range must be mapped without a hole; what lies before one is changed nevertheless. */
static int set_range(struct mm_struct *mm, uint64_t start, uint64_t end, uint64_t flags)
{
    while (start < end) {
        struct vm_area_struct *vma = vma_lookup(mm, start);
        if (!vma)
            return -ENOMEM;
        int err = set_flags(&vma, start, end, flags);
        if (err)
            return err;
        start = vma->vm_end;
    }
    return 0;
}

/* Pages of the range that are locked already: they are not counted twice. */
static uint64_t locked_within(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    uint64_t pages = 0;
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    for (; vma && vma->vm_start < end; vma = vma_next(vma)) {
        if (vma->vm_flags & VM_LOCKED)
            pages += (MIN(end, vma->vm_end) - MAX(start, vma->vm_start)) >> PAGE_SHIFT;
    }
    return pages;
}

static int lock_error(int err)
{
    return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

int do_mlock(struct mm_struct *mm, uint64_t addr, uint64_t len, bool on_fault)
{
    uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    uint64_t end = ALIGN_UP(addr + len, PAGE_SIZE);
    if (end < start || end > USER_TOP)
        return end < start ? -EINVAL : -ENOMEM;
    uint64_t pages = (end - start) >> PAGE_SHIFT, limit = load_relaxed(&mm->memlock_limit);
    mmap_write_lock(mm);
    uint64_t locked = mm->locked_vm + pages - locked_within(mm, start, end);
    int err = 0;
    if (locked > limit >> PAGE_SHIFT)
        err = limit ? -ENOMEM : -EPERM;
    if (!err)
        err = set_range(mm, start, end, VM_LOCKED | (on_fault ? VM_LOCKONFAULT : 0));
    mmap_write_downgrade(mm);
    if (!err && !on_fault)
        err = lock_error(mm_populate(mm, start, end));
    up_read(&mm->mmap_lock);
    return err;
}

int do_munlock(struct mm_struct *mm, uint64_t addr, uint64_t len)
{
    uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    uint64_t end = ALIGN_UP(addr + len, PAGE_SIZE);
    if (end < start || end > USER_TOP)
        return end < start ? -EINVAL : -ENOMEM;
    mmap_write_lock(mm);
    int err = set_range(mm, start, end, 0);
    mmap_write_unlock(mm);
    return err;
}

/* All VMAs, but for those that are the monitor's in the guest. */
static void set_all(struct mm_struct *mm, uint64_t flags)
{
    uint64_t at = 0;
    for (struct vm_area_struct *vma; (vma = find_vma(mm, at)) != NULL;) {
        at = vma->vm_end;
        if (set_flags(&vma, vma->vm_start, vma->vm_end, flags) == 0)
            at = vma->vm_end;
    }
}

/* Make what is missing; what cannot be made (no access) is no error here. */
static void populate_all(struct mm_struct *mm)
{
    struct vm_area_struct *vma;
    for_each_vma(mm, vma) {
        bool accessible = vma->vm_prot & (PTE_R | PTE_W | PTE_X);
        if (accessible && mm_populate(mm, vma->vm_start, vma->vm_end) == -EINTR)
            return;
    }
}

int do_mlockall(struct mm_struct *mm, uint32_t flags)
{
    uint64_t vm_flags = VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
    uint64_t limit = load_relaxed(&mm->memlock_limit);
    mmap_write_lock(mm);
    if (!limit || ((flags & MCL_CURRENT) && mm->total_vm > limit >> PAGE_SHIFT)) {
        mmap_write_unlock(mm);
        return limit ? -ENOMEM : -EPERM;
    }
    mm->def_flags = flags & MCL_FUTURE ? vm_flags : 0;
    if (flags & MCL_CURRENT)
        set_all(mm, vm_flags);
    mmap_write_downgrade(mm);
    if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
        populate_all(mm);
    up_read(&mm->mmap_lock);
    return 0;
}

void do_munlockall(struct mm_struct *mm)
{
    mmap_write_lock(mm);
    mm->def_flags = 0;
    set_all(mm, 0);
    mmap_write_unlock(mm);
}
