/* SPDX-License-Identifier: MIT */
/*
 * vma_lock.c - keeping faults out of a VMA that is about to change. vma_lock.h has the picture.
 *
 *      writer                                   fault
 *      vma_lock: vm_lock_seq = mm_lock_seq      vma_lock: write-locked? then not this way
 *      no readers: go on                                  readers + 1
 *      else: say so in vm_readers, sleep        ...
 *                             <---- wake -----  readers - 1: the last one, and someone waits
 *
 * There is at most one writer for an mm, as it holds mmap_lock; so one queue for all of its VMAs.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: vma_start_write(), mm/mmap_lock.c.
 */
#include "virt/vma_lock.h"

#include "kern/wait.h"

void vma_reader_left(struct mm_struct *mm, uint64_t before)
{
    ASSERT(before & ~VMA_WRITER_WAITS);
    if (before == (VMA_WRITER_WAITS | 1))
        wake_up_all(&mm->vma_writer);
}

static noinline void wait_for_readers(struct vm_area_struct *vma)
{
    fetch_or(&vma->vm_readers, VMA_WRITER_WAITS);
    wait_event(&vma->vm_mm->vma_writer, load_acquire(&vma->vm_readers) == VMA_WRITER_WAITS);
    store_relaxed(&vma->vm_readers, 0);
}

void vma_start_write(struct vm_area_struct *vma)
{
    struct mm_struct *mm = vma->vm_mm;
    if (vma->vm_lock_seq == mm->mm_lock_seq)
        return;
    ASSERT(rwsem_is_write_locked(&mm->mmap_lock));
    spin_lock(&mm->vma_lock);
    vma->vm_lock_seq = mm->mm_lock_seq;
    spin_unlock(&mm->vma_lock);
    if (load_acquire(&vma->vm_readers))
        wait_for_readers(vma);
}

void vma_start_write_all(struct mm_struct *mm)
{
    struct vm_area_struct *vma;
    for_each_vma(mm, vma)
        vma_start_write(vma);
}

void vma_end_write_all(struct mm_struct *mm)
{
    spin_lock(&mm->vma_lock);
    mm->mm_lock_seq++;
    spin_unlock(&mm->vma_lock);
}
