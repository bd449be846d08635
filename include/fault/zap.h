/* SPDX-License-Identifier: MIT */
/*
 * zap.h - taking pages out of an address space.
 *
 *      entry -> gone;  page -> batch;  ...64 pages...;  one TLB flush;  pages freed
 *
 * A page may only be freed once no hart can reach it through a stale translation: so pages are
 * gathered, the flush comes in between, and it is one for many pages.
 *
 * Locks: mmap_lock held (for the OOM reaper: reading is enough).
 * Linux's counterpart: zap_page_range(), mmu_gather.
 */
#ifndef PAGODA_FAULT_ZAP_H
#define PAGODA_FAULT_ZAP_H

#include "virt/mm.h"

/** Unmap the pages of start..end, all inside the vma, and flush. */
void zap_page_range(struct vm_area_struct *vma, uint64_t start, uint64_t end);

/** The whole address space goes: nobody runs in it any more. mm_set_teardown()'s function. */
void exit_mmap(struct mm_struct *mm);

#endif
