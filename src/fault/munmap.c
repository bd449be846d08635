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
 * Split so that start and end lie between VMAs. 0 or -ENOMEM: then all is mapped that was. Where a
 * hole in one VMA would make too many nothing is split; else the first cut may stand alone.
 */
static int split_edges(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    /* lab vma: begin 6 */
    struct vm_area_struct *vma = vma_lookup(mm, start);
    if (vma && vma->vm_start < start) {
        /* a hole in the middle of one makes one more in the end: ask before anything changes */
        if (end < vma->vm_end && mm->map_count + 1 >= sysctl_max_map_count)
            return -ENOMEM;
        int err = vma_split(vma, start);
        if (err)
            return err;
    }
    vma = vma_lookup(mm, end);
    return vma && vma->vm_start < end ? vma_split(vma, end) : 0;
    /* lab vma: stub lab_missing("vma", 6, mm, start, end); */
    /* lab vma: end */
}

/* All VMAs from start to end, which lie wholly within, go with their pages. */
static void remove_vmas(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    /* lab vma: begin 6 */
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
    while (vma && vma->vm_start < end) {
        struct vm_area_struct *next = vma_next(vma);
        vma_start_write(vma); /* no fault may bring pages back */
        zap_page_range(vma, vma->vm_start, vma->vm_end);
        mm_account_vma(mm, vma->vm_flags, vma_is_anonymous(vma), -(int64_t)vma_pages(vma));
        vma_remove(mm, vma);
        unlink_anon_vmas(vma);
        vma_free(vma);
        vma = next;
    }
    /* lab vma: stub lab_missing("vma", 6, mm, start, end); */
    /* lab vma: end */
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
    /* lab vma: begin 6 */
    if (!len || !IS_ALIGNED(addr, PAGE_SIZE) || addr > USER_TOP || len > USER_TOP - addr)
        return -EINVAL;
    len = ALIGN_UP(len, PAGE_SIZE);
    /* lab vma: stub lab_missing("vma", 6, mm, addr, len); */
    /* lab vma: end */
    mmap_write_lock(mm);
    int err = do_munmap_locked(mm, addr, len);
    mmap_write_unlock(mm);
    return err;
}
