/* SPDX-License-Identifier: MIT */
/*
 * fork.h - the two halves of a fork: VMAs (fork.c), and what their entries map (fork_pages.c).
 *
 *      dup_mmap(child, parent)         mmap.h
 *        for each VMA: a copy of it,
 *          copy_page_range()           its entries, shared with the parent from now on
 *        one flush of the parent's translations
 *
 * Locks: mmap_lock of both for writing.
 * Linux's counterpart: copy_page_range() of mm/memory.c.
 */
#ifndef PAGODA_FAULT_FORK_H
#define PAGODA_FAULT_FORK_H

#include "virt/mm.h"

/**
 * Share the private pages of the parent's VMA with dst, which has a VMA of the same range. The
 * parent's entries lose W; the caller flushes its translations before anybody runs in either.
 * 0 or -ENOMEM: then a part was shared, and tearing dst down undoes it.
 */
int copy_page_range(struct mm_struct *dst, struct mm_struct *src,
                    const struct vm_area_struct *vma) must_check;

#endif
