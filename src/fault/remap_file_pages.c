/* SPDX-License-Identifier: MIT */
/*
 * remap_file_pages.c - a window on a shared object is turned to other pages of it.
 *
 *      object   [ 0 ][ 1 ][ 2 ][ 3 ]
 *                        \    .
 *      before   [ 0 ][ 1 ][ 2 ][ 3 ]         remap_file_pages(second page, one page, 0, pgoff 2)
 *      after    [ 0 ][ 2 ][ 2 ][ 3 ]         three VMAs
 *
 * The call is from a time when a VMA for each window was too dear; as in Linux it is a mapping in
 * place of the old one by now.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: remap_file_pages() of mm/mmap.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"
#include "virt/mapping.h"

/* Is start..end mapped shared, all from one object and in the same way? The first VMA, or NULL. */
static struct vm_area_struct *window(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    struct vm_area_struct *vma = vma_lookup(mm, start), *at = vma;
    if (!vma || !vma_is_shared(vma))
        return NULL;
    while (at->vm_end < end) {
        struct vm_area_struct *next = vma_next(at);
        if (!next || next->vm_start != at->vm_end || next->vm_mapping != vma->vm_mapping ||
            next->vm_flags != vma->vm_flags)
            return NULL;
        at = next;
    }
    return vma;
}

static int remap(struct mm_struct *mm, const struct vm_area_struct *vma, struct mmap_request *req)
{
    uint64_t flags = vma->vm_flags;
    struct address_space *mapping = vma->vm_mapping;
    req->prot = (flags & VM_READ ? PROT_READ : 0) | (flags & VM_WRITE ? PROT_WRITE : 0) |
                (flags & VM_EXEC ? PROT_EXEC : 0);
    req->may = flags & VM_MAY_ALL;
    req->flags |= MAP_SHARED | MAP_FIXED | (flags & VM_LOCKED ? MAP_LOCKED : 0);
    req->mapping = mapping;
    mapping_get(mapping); /* the VMA that holds it goes */
    int64_t addr = do_mmap_locked(mm, req);
    mapping_put(mapping);
    return addr < 0 ? (int)addr : 0;
}

int do_remap_file_pages(struct mm_struct *mm, uint64_t start, uint64_t len, uint64_t pgoff,
                        uint64_t flags)
{
    start = ALIGN_DOWN(start, PAGE_SIZE);
    len = ALIGN_DOWN(len, PAGE_SIZE);
    uint64_t end = start + len;
    struct mmap_request req = {.addr = start, .len = len, .pgoff = pgoff};
    if (end <= start || pgoff + (len >> PAGE_SHIFT) < pgoff)
        return -EINVAL;
    mmap_write_lock(mm);
    const struct vm_area_struct *vma = window(mm, start, end);
    int err = vma ? remap(mm, vma, &req) : -EINVAL;
    mmap_write_downgrade(mm);
    if (!err && !(flags & MAP_NONBLOCK) && mm_populate(mm, start, end))
        flags |= MAP_NONBLOCK; /* what is past the end of the file cannot be filled */
    up_read(&mm->mmap_lock);
    return err;
}
