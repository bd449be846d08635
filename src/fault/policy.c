/* SPDX-License-Identifier: MIT */
/*
 * policy.c - mbind: a policy for a range, not for the whole address space.
 *
 * Pages that are there already stay where they are.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: mbind_range().
 */
#include "base/errno.h"
#include "fault/mmap.h"

static int set_policy(struct vm_area_struct *vma, uint64_t start, uint64_t end,
                      struct mempolicy *pol)
{
    if (vma->vm_start < start) {
        int err = vma_split(vma, start);
        if (err)
            return err;
        vma = vma_next(vma);
    }
    if (vma->vm_end > end) {
        int err = vma_split(vma, end);
        if (err)
            return err;
    }
    vma_start_write(vma);
    if (pol)
        mpol_get(pol);
    if (vma->vm_policy)
        mpol_put(vma->vm_policy);
    vma->vm_policy = pol;
    vma_merge(vma);
    return 0;
}

int mm_set_range_policy(struct mm_struct *mm, uint64_t start, uint64_t end, struct mempolicy *pol)
{
    int err = 0;
    mmap_write_lock(mm);
    while (start < end && !err) {
        struct vm_area_struct *vma = vma_lookup(mm, start);
        if (!vma) {
            err = -EFAULT;
            break;
        }
        uint64_t stop = MIN(end, vma->vm_end);
        err = set_policy(vma, start, stop, pol);
        start = stop;
    }
    mmap_write_unlock(mm);
    return err;
}
