/* SPDX-License-Identifier: MIT */
/*
 * vma.c - VMAs as objects: made, and let go with all that they refer to.
 *
 *      vma --vm_mapping--> address_space    a file, or shared memory
 *          --vm_policy---> mempolicy        each reference is counted, and is the VMA's own
 *          --vm_userfault> userfault
 *
 * Where they are kept is in vma_tree.c, how they are cut and joined in vma_split.c and vma_merge.c.
 *
 * Locks: none. Linux's counterpart: vm_area_alloc(), vm_area_free() of kernel/fork.c.
 */
#include "virt/vma.h"

#include "slab/cache.h"
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/userfault.h"

#define DEFAULT_MAX_MAP_COUNT 65530 /* Linux's */
#define DEFAULT_GUARD_GAP 256       /* pages */

uint32_t sysctl_max_map_count = DEFAULT_MAX_MAP_COUNT;
uint64_t stack_guard_gap = DEFAULT_GUARD_GAP;

static struct kmem_cache *vma_cache;

void vma_init(void)
{
    vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, 0, NULL);
    BUG_ON(!vma_cache);
}

struct vm_area_struct *vma_alloc(struct mm_struct *mm, uint64_t start, uint64_t end, uint64_t flags)
{
    struct vm_area_struct *vma = kmem_cache_alloc(vma_cache, GFP_KERNEL | __GFP_ZERO);
    if (!vma)
        return NULL;
    vma->vm_mm = mm;
    vma->vm_start = start;
    vma->vm_end = end;
    vma->vm_flags = flags;
    INIT_LIST_HEAD(&vma->anon_vma_chain);
    return vma;
}

void vma_free(struct vm_area_struct *vma)
{
    ASSERT(!vma->vm_readers);
    if (vma->vm_mapping)
        mapping_put(vma->vm_mapping);
    if (vma->vm_policy)
        mpol_put(vma->vm_policy);
    if (vma->vm_userfault)
        userfault_put(vma->vm_userfault);
    kmem_cache_free(vma_cache, vma);
}

uint64_t vma_guard_gap(const struct vm_area_struct *vma)
{
    return vma->vm_flags & VM_GROWSDOWN ? stack_guard_gap << PAGE_SHIFT : 0;
}
