/* SPDX-License-Identifier: MIT */
/*
 * munmap.c - a range goes.
 *
 *      before   [ a .................. ][ b ....... ]
 *      munmap           |<------------------>|
 *      after    [ a    ]                      [ b   ]
 *
 * VMAs that stick out are split first, so that the rest works on whole ones: pages are unmapped,
 * VMAs are unlinked from everything that finds pages through them, and then the tables that covered
 * nothing else are freed.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: do_vmi_align_munmap(), free_pgtables().
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "fault/zap.h"
#include "virt/rmap.h"

/*
 * Split so that start and end lie between VMAs. 0 or -ENOMEM: then all is mapped that was. Where
 * there would be too many VMAs nothing is split at all; for want of memory one may be, once.
 */
static int split_edges(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    struct vm_area_struct *first = vma_lookup(mm, start), *last = vma_lookup(mm, end);
    bool head = first && first->vm_start < start, tail = last && last->vm_start < end;
    if (mm->map_count + head + tail > sysctl_max_map_count)
        return -ENOMEM;
    int err = tail ? vma_split(last, end) : 0;
    if (!err && head)
        err = vma_split(first, start);
    return err;
}

/* All VMAs from start to end, which lie wholly within, go with their pages. */
static void remove_vmas(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    struct vm_area_struct *vma;
    while ((vma = find_vma_intersection(mm, start, end)) != NULL) {
        vma_start_write(vma);
        zap_page_range(vma, vma->vm_start, vma->vm_end);
        unlink_anon_vmas(vma);
        mm_account_vma(mm, vma->vm_flags, vma_is_anonymous(vma), -(int64_t)vma_pages(vma));
        vma_remove(mm, vma);
        vma_free(vma);
    }
}

/* Free the tables that nothing between the neighbours of start..end needs. */
static void free_tables(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    const struct vm_area_struct *prev = find_vma_before(mm, start), *next = find_vma(mm, end);
    struct pt_gap gap = {start, end, prev ? prev->vm_end : 0, next ? next->vm_start : USER_TOP};
    mm_free_tables(mm, &gap);
}

int do_munmap_locked(struct mm_struct *mm, uint64_t addr, uint64_t len)
{
    uint64_t end = addr + len;
    if (!find_vma_intersection(mm, addr, end))
        return 0;
    int err = mm_range_sealed(mm, addr, end) ? -EPERM : split_edges(mm, addr, end);
    if (err)
        return err;
    remove_vmas(mm, addr, end);
    free_tables(mm, addr, end);
    return 0;
}

int do_munmap(struct mm_struct *mm, uint64_t addr, uint64_t len)
{
    uint64_t end = addr + len;
    if (len == 0 || (addr & (PAGE_SIZE - 1)) || end < addr || end > USER_TOP)
        return -EINVAL;
    len = ALIGN_UP(len, PAGE_SIZE);
    mmap_write_lock(mm);
    int err = do_munmap_locked(mm, addr, len);
    mmap_write_unlock(mm);
    return err;
}
