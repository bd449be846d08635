/* SPDX-License-Identifier: MIT */
/*
 * policy.c - mbind: a policy for a range, not for the whole address space; and the node that such
 * policies prefer among theirs.
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

/* The part of the VMA within start..end gets its policy anew, with this home. */
static int set_home(struct vm_area_struct *vma, uint64_t start, uint64_t end, int nid)
{
    int err;
    const struct mempolicy *old = vma->vm_policy;
    if (old->mode != MPOL_BIND && old->mode != MPOL_PREFERRED_MANY)
        return -EOPNOTSUPP;
    struct mempolicy *pol = mpol_new((enum mpol_mode)old->mode, old->nodes, &err);
    if (!pol)
        return err;
    pol->home = (int8_t)nid;
    err = set_policy(vma, start, end, pol);
    mpol_put(pol);
    return err;
}

int mm_set_home_node(struct mm_struct *mm, uint64_t start, uint64_t end, int nid)
{
    int err = -ENOENT;
    mmap_write_lock(mm);
    while (start < end && (err == -ENOENT || !err)) {
        struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
        uint64_t stop = vma ? MIN(end, vma->vm_end) : end;
        if (vma && vma->vm_policy)
            err = set_home(vma, MAX(start, vma->vm_start), stop, nid);
        start = stop;
    }
    mmap_write_unlock(mm);
    return err;
}
