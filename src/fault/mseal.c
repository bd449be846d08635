/* SPDX-License-Identifier: MIT */
/*
 * mseal.c - memory whose mapping is final: VM_SEALED.
 *
 *      mseal(range)    flag on every VMA of it; there is no call that takes it off again
 *      then -EPERM     munmap, mremap, mprotect, MAP_FIXED over it; and advice that discards pages
 *                      which may not be written
 *
 * What an attacker who can make a program call mprotect() wants is code that can be written to.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: mm/mseal.c.
 */
#include "base/errno.h"
#include "fault/mmap.h"

bool mm_range_sealed(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    for (; vma && vma->vm_start < end; vma = vma_next(vma)) {
        if (vma->vm_flags & VM_SEALED)
            return true;
    }
    return false;
}

static int seal_vma(struct vm_area_struct **vmap, uint64_t start, uint64_t end)
{
    if ((*vmap)->vm_flags & VM_SEALED)
        return 0;
    int err = vma_carve(vmap, start, end);
    if (err)
        return err;
    vma_start_write(*vmap);
    (*vmap)->vm_flags |= VM_SEALED;
    *vmap = vma_merge(*vmap);
    return 0;
}

int do_mseal(struct mm_struct *mm, uint64_t addr, uint64_t len)
{
    uint64_t end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (!IS_ALIGNED(addr, PAGE_SIZE) || end < addr || (len && end == addr))
        return -EINVAL;
    mmap_write_lock(mm);
    int err = vma_range_is_mapped(mm, addr, end) ? 0 : -ENOMEM;
    for (uint64_t at = addr; !err && at < end;) {
        struct vm_area_struct *vma = vma_lookup(mm, at);
        err = seal_vma(&vma, at, end);
        at = vma->vm_end;
    }
    mmap_write_unlock(mm);
    return err;
}
