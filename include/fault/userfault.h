/* SPDX-License-Identifier: MIT */
/*
 * userfault.h - memory that a guest fills itself, page by page, when it is missed.
 *
 *      register      flag and owner on every VMA of a range
 *      a touch       nothing there? FAULT_USERFAULT: the toucher is to wait for the owner
 *      fill          the owner gives a page of bytes, or zeros; then who waits tries again
 *
 * Private memory without a file, and shared memory (of a tmpfs, too): there "missing" means that
 * the object has no such page. Who waits, and how they are told, is the task floor's matter.
 *
 * Locks: mmap_lock, for writing to register and for reading to fill.
 * Linux's counterpart: mm/userfaultfd.c.
 */
#ifndef PAGODA_FAULT_USERFAULT_H
#define PAGODA_FAULT_USERFAULT_H

#include "virt/mm.h"
#include "virt/userfault.h"

/** Is there no page at addr of a VMA that is registered? mmap_lock, or the VMA's lock held. */
bool userfault_missing(struct vm_area_struct *vma, uint64_t addr);

/** 0, -EINVAL (nothing mapped, or not such memory), -EPERM, -EBUSY (another's), -ENOMEM. */
int userfault_register(struct mm_struct *mm, uint64_t start, uint64_t end,
                       struct userfault *u) must_check;

/** What of the range is u's is nobody's then. 0, -EINVAL, -ENOMEM. */
int userfault_unregister(struct mm_struct *mm, uint64_t start, uint64_t end,
                         const struct userfault *u) must_check;

/** All that is u's in the space. */
void userfault_unregister_all(struct mm_struct *mm, const struct userfault *u);

/**
 * Fill the page at addr; addr..end must be registered, in one VMA. `from` NULL: with zeros. 0,
 * -ENOENT (it is not registered), -EEXIST (there is a page), -EFAULT, -ENOSPC, -ENOMEM.
 */
int userfault_fill(struct mm_struct *mm, uint64_t addr, uint64_t end, const void *from) must_check;

#endif
