/* SPDX-License-Identifier: MIT */
/*
 * vma_lock.h - a lock for each VMA, so that page faults need not take the lock of all.
 *
 *      fault in A     find A, read-lock A ........ map a page ........ unlock A
 *      fault in B          find B, read-lock B .... map a page .... unlock B
 *      munmap of C    mmap_lock, write-lock C ............................ unlock
 *                                   ^ waits for faults in C alone
 *
 *      vm_readers      faults that work in the VMA;  bit 63: a writer waits for the last of them
 *      vm_lock_seq     == mm->mm_lock_seq: it is write-locked
 *
 * A fault looks into the tree under mm->vma_lock, a spinlock held for some ten instructions: so it
 * needs no mmap_lock to find its VMA, and none to keep it. Who changes a VMA holds mmap_lock for
 * writing, calls vma_start_write() for each VMA that it changes, and changes what the look depends
 * on (tree, vm_start, vm_end) under mm->vma_lock as well. All VMAs that were write-locked are
 * unlocked at once, when mmap_write_unlock() makes mm_lock_seq another number.
 *
 * What a fault cannot do so it does under mmap_lock: where no VMA is, where one is being changed,
 * growing a stack, and the first private page of a VMA, which looks at the neighbours.
 *
 * Locks: mm->vma_lock (RANK_VMA) inside of all that rmap takes. vma_start_write() may sleep.
 * Linux's counterpart: include/linux/mmap_lock.h, with CONFIG_PER_VMA_LOCK.
 */
#ifndef PAGODA_VIRT_VMA_LOCK_H
#define PAGODA_VIRT_VMA_LOCK_H

#include "virt/mm.h"

#define VMA_WRITER_WAITS (1UL << 63)

/** A reader has left, for whom a writer may wait. */
void vma_reader_left(struct mm_struct *mm, uint64_t before);

/**
 * The VMA that holds addr, read-locked; NULL when there is none or it is being changed: take
 * mmap_lock and look again. It is unlocked by vma_end_read(), by whoever is a user of the mm. May
 * sleep in between, but not wait for mmap_lock.
 */
static inline struct vm_area_struct *vma_lock_read(struct mm_struct *mm, uint64_t addr)
{
    spin_lock(&mm->vma_lock);
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (likely(vma && addr >= vma->vm_start && vma->vm_lock_seq != mm->mm_lock_seq))
        fetch_add_relaxed(&vma->vm_readers, 1);
    else
        vma = NULL;
    spin_unlock(&mm->vma_lock);
    return vma;
}

/** From now on the VMA may be gone at any time. */
static inline void vma_end_read(struct mm_struct *mm, struct vm_area_struct *vma)
{
    uint64_t before = fetch_sub(&vma->vm_readers, 1);
    if (unlikely(before & VMA_WRITER_WAITS))
        vma_reader_left(mm, before);
}

#endif
