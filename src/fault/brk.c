/* SPDX-License-Identifier: MIT */
/*
 * brk.c - the heap's end.
 *
 *      start_brk            brk (a byte)     page boundary
 *      [ heap ..............:...............]                 only whole pages are mapped
 *
 * Locks: mmap_lock for writing. Linux's counterpart: the brk system call, do_brk_flags().
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"

/* A page stays free between heap and what is above, so that they are told apart. */
static bool grow(struct mm_struct *mm, uint64_t from, uint64_t to)
{
    uint64_t heap_end = to + PAGE_SIZE;
    const struct vm_area_struct *next = find_vma(mm, from);
    if (next && heap_end + vma_guard_gap(next) > next->vm_start)
        return false;
    struct mmap_request req = {
        .addr = from,
        .len = to - from,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
    };
    return do_mmap_locked(mm, &req) >= 0;
}

static bool move_break(struct mm_struct *mm, uint64_t brk)
{
    uint64_t old_end = ALIGN_UP(mm->brk, PAGE_SIZE), new_end;
    if (brk < mm->start_brk || brk > USER_TOP - PAGE_SIZE)
        return false;
    if (brk - mm->start_brk > load_relaxed(&mm->data_limit))
        return false;
    new_end = ALIGN_UP(brk, PAGE_SIZE);
    if (new_end < old_end)
        return do_munmap_locked(mm, new_end, old_end - new_end) == 0;
    return new_end == old_end || grow(mm, old_end, new_end);
}

uint64_t do_brk(struct mm_struct *mm, uint64_t brk)
{
    mmap_write_lock(mm);
    uint64_t old = mm->brk;
    if (move_break(mm, brk))
        mm->brk = brk;
    uint64_t end = mm->brk;
    bool fill = end > old && (mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
    mmap_write_downgrade(mm);
    if (fill && mm_populate(mm, ALIGN_UP(old, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE)))
        fill = false; /* as on Linux the heap has grown nevertheless */
    up_read(&mm->mmap_lock);
    return end;
}
