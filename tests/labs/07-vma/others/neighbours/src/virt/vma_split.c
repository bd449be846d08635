/* SPDX-License-Identifier: MIT */
/*
 * vma_split.c - two VMAs out of one, so that a part of it can change.
 *
 *      [ vma: pages 7..14 of the file ..................... ]
 *      vma_split()                     | addr
 *      [ vma: pages 7..11 ............ ][ upper: pages 12..14 ]
 *
 * Every byte keeps its meaning: the same rights, the same page of the same object, the same policy.
 * What a VMA refers to counts its VMAs, so the new one takes references of its own.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: __split_vma().
 */
#include "base/errno.h"
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/userfault.h"
#include "virt/vma.h"

int vma_split(struct vm_area_struct *vma, uint64_t addr)
{
    struct mm_struct *mm = vma->vm_mm;
    ASSERT(addr > vma->vm_start && addr < vma->vm_end && IS_ALIGNED(addr, PAGE_SIZE));
    if (mm->map_count >= sysctl_max_map_count)
        return -ENOMEM;
    struct vm_area_struct *upper = vma_alloc(mm, addr, vma->vm_end, vma->vm_flags);
    if (!upper)
        return -ENOMEM;
    vma_start_write(vma);
    if (anon_vma_clone(upper, vma)) {
        vma_free(upper);
        return -ENOMEM;
    }
    upper->vm_prot = vma->vm_prot;
    upper->vm_name = vma->vm_name;
    upper->vm_pgoff = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
    if (vma->vm_userfault)
        upper->vm_userfault = userfault_get(vma->vm_userfault);
    if (vma->vm_policy) {
        mpol_get(vma->vm_policy);
        upper->vm_policy = vma->vm_policy;
    }
    if (vma->vm_mapping) {
        mapping_get(vma->vm_mapping);
        upper->vm_mapping = vma->vm_mapping;
        i_mmap_insert(upper);
    }
    vma_set_range(vma, vma->vm_start, addr);
    vma_link(mm, upper);
    return 0;
}

int vma_carve(struct vm_area_struct **vmap, uint64_t start, uint64_t end)
{
    struct vm_area_struct *vma = *vmap;
    if (vma->vm_start < start) {
        int err = vma_split(vma, start);
        if (err)
            return err;
        *vmap = vma = vma_next(vma);
    }
    return vma->vm_end > end ? vma_split(vma, end) : 0;
}
