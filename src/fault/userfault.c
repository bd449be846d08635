/* SPDX-License-Identifier: MIT */
/*
 * userfault.c - registering memory that a guest fills itself, and filling it. userfault.h tells.
 *
 * Locks: userfault.h; page_table_lock to look at entries. Linux's counterpart: mm/userfaultfd.c.
 */
#include "fault/userfault.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/fault_kinds.h"
#include "fault/shmem.h"
#include "phys/alloc.h"
#include "virt/rmap.h"

bool userfault_missing(struct vm_area_struct *vma, uint64_t addr)
{
    if (!vma->vm_userfault)
        return false;
    if (vma->vm_mapping) {
        struct page *page = shmem_find_page(vma->vm_mapping, vma_index(vma, addr));
        if (page)
            put_page(page);
        return !page && vma_index(vma, addr) < mapping_pages(vma->vm_mapping);
    }
    const pte_t *pte = mm_find_pte(vma->vm_mm, addr);
    return !pte || pte_none(pte_load(pte));
}

/* --- registering ------------------------------------------------------------------------------ */

/* Is it of a kind that can be filled so? */
static bool fillable(const struct vm_area_struct *vma)
{
    const struct address_space *m = vma->vm_mapping;
    if (!m)
        return true;
    return vma_is_shared(vma) && m->ops->get_page == shmem_get_page && !m->secret;
}

static int check_vma(const struct vm_area_struct *vma, const struct userfault *u)
{
    if (!fillable(vma))
        return -EINVAL;
    if (!(vma->vm_flags & VM_MAYWRITE))
        return -EPERM;
    return vma->vm_userfault && vma->vm_userfault != u ? -EBUSY : 0;
}

/* The part within start..end belongs to u, or to nobody. *vmap: what covers it then. */
static int set_owner(struct vm_area_struct **vmap, uint64_t start, uint64_t end,
                     struct userfault *u)
{
    int err = vma_carve(vmap, start, end);
    if (err)
        return err;
    struct vm_area_struct *vma = *vmap;
    struct userfault *old = vma->vm_userfault;
    vma_start_write(vma);
    vma->vm_userfault = u ? userfault_get(u) : NULL;
    vma->vm_flags = u ? vma->vm_flags | VM_UFFD_MISSING : vma->vm_flags & ~VM_UFFD_MISSING;
    if (old)
        userfault_put(old);
    *vmap = vma_merge(vma);
    return 0;
}

static int register_locked(struct mm_struct *mm, uint64_t start, uint64_t end, struct userfault *u)
{
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    int err = vma ? 0 : -EINVAL;
    for (; !err && vma && vma->vm_start < end; vma = vma_next(vma))
        err = check_vma(vma, u);
    while (!err && start < end && (vma = find_vma_intersection(mm, start, end)) != NULL) {
        err = vma->vm_userfault == u ? 0 : set_owner(&vma, start, end, u);
        start = vma->vm_end;
    }
    return err;
}

int userfault_register(struct mm_struct *mm, uint64_t start, uint64_t end, struct userfault *u)
{
    mmap_write_lock(mm);
    int err = register_locked(mm, start, end, u);
    mmap_write_unlock(mm);
    return err;
}

static int unregister_locked(struct mm_struct *mm, uint64_t start, uint64_t end,
                             const struct userfault *u)
{
    int err = 0;
    struct vm_area_struct *vma;
    while (!err && start < end && (vma = find_vma_intersection(mm, start, end)) != NULL) {
        if (vma->vm_userfault == u)
            err = set_owner(&vma, start, end, NULL);
        start = vma->vm_end;
    }
    return err;
}

int userfault_unregister(struct mm_struct *mm, uint64_t start, uint64_t end,
                         const struct userfault *u)
{
    mmap_write_lock(mm);
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    int err = vma ? 0 : -EINVAL;
    for (; !err && vma && vma->vm_start < end; vma = vma_next(vma))
        err = fillable(vma) ? 0 : -EINVAL;
    if (!err)
        err = unregister_locked(mm, start, end, u);
    mmap_write_unlock(mm);
    return err;
}

void userfault_unregister_all(struct mm_struct *mm, const struct userfault *u)
{
    mmap_write_lock(mm);
    int err = unregister_locked(mm, 0, USER_TOP, u); /* whole VMAs: nothing is split */
    WARN_ON(err);
    mmap_write_unlock(mm);
}

/* --- filling ---------------------------------------------------------------------------------- */

static int fill_private(struct vm_area_struct *vma, uint64_t addr, const void *from)
{
    pte_t *pte = anon_vma_prepare(vma) ? NULL : mm_make_pte(vma->vm_mm, addr);
    if (!pte)
        return -ENOMEM;
    if (!from)
        return map_zero_page(vma, pte) ? 0 : -EEXIST;
    struct page *page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr);
    if (!page)
        return -ENOMEM;
    copy_page(page_address(page), from);
    return map_new_anon_page(vma, addr, pte, page) ? 0 : -EEXIST;
}

int userfault_fill(struct mm_struct *mm, uint64_t addr, uint64_t end, const void *from)
{
    int err = -ENOENT;
    down_read(&mm->mmap_lock);
    struct vm_area_struct *vma = vma_lookup(mm, addr);
    if (vma && vma->vm_userfault && end <= vma->vm_end) {
        if (!vma->vm_mapping)
            err = fill_private(vma, addr, from);
        else if (vma_index(vma, addr) >= mapping_pages(vma->vm_mapping))
            err = -EFAULT;
        else
            err = shmem_fill_page(vma->vm_mapping, vma_index(vma, addr), from);
    }
    up_read(&mm->mmap_lock);
    return err;
}
