/* SPDX-License-Identifier: MIT */
/*
 * gup.h - from an address of a guest to the page behind it, for others than the guest itself.
 *
 * Locks: each takes mmap_lock for reading. Linux's counterpart: mm/gup.c.
 */
#ifndef PAGODA_FAULT_GUP_H
#define PAGODA_FAULT_GUP_H

#include "virt/mm.h"

/**
 * The page at addr with a reference, without touching anything. NULL with *err: -EFAULT (not
 * mapped, or the page of zeros), -ENOENT (no page there yet).
 */
struct page *follow_page(struct mm_struct *mm, uint64_t addr, int *err);

/**
 * Copy between the monitor's memory and another space's, touching its pages as it would itself:
 * how many bytes, fewer where it has no right to go on; -EFAULT for none. Thread context.
 */
int64_t access_process_vm(struct mm_struct *mm, uint64_t addr, void *buf, size_t n, bool write);

#endif
