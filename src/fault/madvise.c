/* SPDX-License-Identifier: MIT */
/*
 * madvise.c - what a program lets us know of its plans; and mincore, what we let it know.
 *
 *      DONTNEED      the pages go now, the next touch finds zeros (or the file again)
 *      REMOVE        the same for the file behind them: a hole
 *      FREE          they may go; with no swap to spare we let them go now, which it allows
 *      POPULATE_*    they are made now
 *      NORMAL, RANDOM, DONTFORK, ...   noted in the flags of the VMA
 *      WILLNEED, COLD, PAGEOUT         nothing: there is nowhere to bring pages from, or to
 *
 * Locks: mmap_lock, for reading where no VMA changes. Linux's counterpart: mm/madvise.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"
#include "fault/zap.h"
#include "virt/mapping.h"

enum advice {
    MADV_NORMAL = 0,
    MADV_RANDOM = 1,
    MADV_SEQUENTIAL = 2,
    MADV_WILLNEED = 3,
    MADV_DONTNEED = 4,
    MADV_FREE = 8,
    MADV_REMOVE = 9,
    MADV_DONTFORK = 10,
    MADV_DOFORK = 11,
    MADV_MERGEABLE = 12,
    MADV_UNMERGEABLE = 13,
    MADV_HUGEPAGE = 14,
    MADV_NOHUGEPAGE = 15,
    MADV_DONTDUMP = 16,
    MADV_DODUMP = 17,
    MADV_WIPEONFORK = 18,
    MADV_KEEPONFORK = 19,
    MADV_COLD = 20,
    MADV_PAGEOUT = 21,
    MADV_POPULATE_READ = 22,
    MADV_POPULATE_WRITE = 23,
    MADV_DONTNEED_LOCKED = 24,
};

/* Which flags of the VMA an advice clears and sets. */
static const struct {
    uint64_t clear, set;
} flag_changes[] = {
    [MADV_NORMAL] = {VM_RAND_READ | VM_SEQ_READ, 0},
    [MADV_RANDOM] = {VM_SEQ_READ, VM_RAND_READ},
    [MADV_SEQUENTIAL] = {VM_RAND_READ, VM_SEQ_READ},
    [MADV_DONTFORK] = {0, VM_DONTCOPY},
    [MADV_DOFORK] = {VM_DONTCOPY, 0},
    [MADV_MERGEABLE] = {0, VM_MERGEABLE},
    [MADV_UNMERGEABLE] = {VM_MERGEABLE, 0},
    [MADV_HUGEPAGE] = {VM_NOHUGEPAGE, VM_HUGEPAGE},
    [MADV_NOHUGEPAGE] = {VM_HUGEPAGE, VM_NOHUGEPAGE},
    [MADV_DONTDUMP] = {0, VM_DONTDUMP},
    [MADV_DODUMP] = {VM_DONTDUMP, 0},
    [MADV_WIPEONFORK] = {0, VM_WIPEONFORK},
    [MADV_KEEPONFORK] = {VM_WIPEONFORK, 0},
};

static bool changes_flags(int advice)
{
    return advice >= 0 && (size_t)advice < ARRAY_SIZE(flag_changes) &&
           (flag_changes[advice].clear || flag_changes[advice].set);
}

static int change_flags(struct vm_area_struct **vmap, uint64_t start, uint64_t end, int advice)
{
    struct vm_area_struct *vma = *vmap;
    uint64_t flags = (vma->vm_flags & ~flag_changes[advice].clear) | flag_changes[advice].set;
    if (advice == MADV_WIPEONFORK && (vma->vm_mapping || vma_is_shared(vma)))
        return -EINVAL;
    if (advice == MADV_DODUMP && (vma->vm_flags & VM_DONTEXPAND))
        return -EINVAL;
    if (flags == vma->vm_flags || (advice == MADV_MERGEABLE && vma_is_shared(vma)))
        return 0;
    int err = vma_carve(vmap, start, end);
    if (err)
        return err;
    vma = *vmap;
    vma_start_write(vma);
    vma->vm_flags = flags;
    *vmap = vma_merge(vma);
    return 0;
}

/* As touching each page would; up to the first hole. */
static int populate(struct mm_struct *mm, uint64_t start, uint64_t end, int advice)
{
    uint64_t right = advice == MADV_POPULATE_WRITE ? VM_WRITE : VM_READ;
    for (uint64_t addr = start; addr < end; addr += PAGE_SIZE) {
        struct vm_area_struct *vma = vma_lookup(mm, addr);
        if (!vma)
            return -ENOMEM;
        if (!(vma->vm_flags & right))
            return -EINVAL;
        enum fault_result r = handle_mm_fault(vma, addr, right == VM_WRITE ? PTE_W : PTE_R);
        if (r > FAULT_MAJOR)
            return r == FAULT_OOM ? -ENOMEM : -EFAULT;
        if (kill_pending())
            return -EINTR;
        cond_resched();
    }
    return 0;
}

/* Make a hole in the file behind the range. */
static int remove(struct vm_area_struct *vma, uint64_t start, uint64_t end)
{
    struct address_space *m = vma->vm_mapping;
    uint64_t first = vma_index(vma, start);
    if (vma->vm_flags & VM_LOCKED)
        return -EINVAL;
    if (!m || !m->ops->drop_range)
        return -EINVAL;
    if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE))
        return -EACCES;
    return m->ops->drop_range(m, first, first + ((end - start) >> PAGE_SHIFT));
}

/* What is sealed and cannot be written must not turn into zeros either. */
static bool sealed_against(const struct vm_area_struct *vma, int advice)
{
    if (!(vma->vm_flags & VM_SEALED) || vma->vm_mapping || (vma->vm_flags & VM_WRITE))
        return false;
    return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_DONTNEED_LOCKED ||
           advice == MADV_REMOVE || advice == MADV_DONTFORK || advice == MADV_WIPEONFORK;
}

static int advise_vma(struct vm_area_struct **vmap, uint64_t start, uint64_t end, int advice)
{
    struct vm_area_struct *vma = *vmap;
    start = MAX(start, vma->vm_start);
    end = MIN(end, vma->vm_end);
    if (sealed_against(vma, advice))
        return -EPERM;
    switch (advice) {
    case MADV_FREE:
        if (vma->vm_mapping || vma_is_shared(vma))
            return -EINVAL;
        /* fall through */
    case MADV_DONTNEED:
        if (vma->vm_flags & VM_LOCKED)
            return -EINVAL;
        /* fall through */
    case MADV_DONTNEED_LOCKED:
        zap_page_range(vma, start, end);
        return 0;
    case MADV_REMOVE:
        return remove(vma, start, end);
    case MADV_WILLNEED:
        return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return vma->vm_flags & VM_LOCKED ? -EINVAL : 0;
    default:
        return change_flags(vmap, start, end, advice);
    }
}

static bool advice_known(int advice)
{
    switch (advice) {
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_REMOVE:
    case MADV_FREE:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return true;
    default:
        return changes_flags(advice);
    }
}

bool madvise_is_for_others(int advice)
{
    return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* VMA by VMA; holes are passed over, but told at the end. */
static int advise_range(struct mm_struct *mm, uint64_t start, uint64_t end, int advice)
{
    int err = 0;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return populate(mm, start, end, advice);
    while (start < end) {
        struct vm_area_struct *vma = find_vma(mm, start);
        if (!vma || vma->vm_start >= end)
            return -ENOMEM;
        if (vma->vm_start > start)
            err = -ENOMEM;
        int failed = advise_vma(&vma, start, end, advice);
        if (failed)
            return failed;
        start = vma->vm_end;
    }
    return err;
}

int do_madvise(struct mm_struct *mm, uint64_t addr, uint64_t len, int advice)
{
    if (!advice_known(advice) || !IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    uint64_t end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (end < addr || (len && end == addr))
        return -EINVAL;
    if (end == addr)
        return 0;
    bool writes = changes_flags(advice);
    if (writes)
        mmap_write_lock(mm);
    else
        down_read(&mm->mmap_lock);
    int err = advise_range(mm, addr, end, advice);
    if (writes)
        mmap_write_unlock(mm);
    else
        up_read(&mm->mmap_lock);
    return err;
}

/* Is the page there, in the space or, of a file, in memory? */
static bool page_is_there(struct vm_area_struct *vma, uint64_t addr)
{
    const pte_t *pte = mm_find_pte(vma->vm_mm, addr);
    if (pte && !pte_none(pte_load(pte)))
        return true;
    struct page *page =
        vma->vm_mapping ? page_tree_get(&vma->vm_mapping->pages, vma_index(vma, addr)) : NULL;
    if (page)
        put_page(page);
    return page;
}

int do_mincore(struct mm_struct *mm, uint64_t addr, uint64_t pages, uint8_t *vec)
{
    int err = 0;
    down_read(&mm->mmap_lock);
    for (uint64_t i = 0; i < pages && !err; i++, addr += PAGE_SIZE) {
        struct vm_area_struct *vma = vma_lookup(mm, addr);
        if (!vma)
            err = -ENOMEM;
        vec[i] = vma && page_is_there(vma, addr);
    }
    up_read(&mm->mmap_lock);
    return err;
}
