/* SPDX-License-Identifier: MIT */
/*
 * fence.h - other harts must forget translations.
 *
 *      by firmware   SBI RFENCE: reaches a hart whatever it does, and only the named translations
 *      by ourselves  wanted += 1 at the target, an interrupt, wait until done >= wanted
 *
 * The firmware's way is the better one but for one thing: it spins in M-mode until the others have
 * answered. Under -icount QEMU runs the harts in turn on one thread, and a turn that only spins is
 * 100 ms long, if it ends at all. So it is found out at boot whether a hart answers while another
 * spins, and if it does not we do it ourselves, where waiting can offer the turn to the others. The
 * firmware's fences are timed, too, in case the machine was merely lucky.
 *
 * The second way needs no slot and no memory, so that any number of harts may ask at once. A target
 * forgets everything, which is always enough. It answers in the interrupt and wherever it waits for
 * somebody (spin_wait), so both ways may be used with any lock held.
 *
 * Locks: none. Linux's counterpart: flush_tlb_mm_range()'s sbi_remote_sfence_vma_asid().
 */
#ifndef PAGODA_KERN_FENCE_H
#define PAGODA_KERN_FENCE_H

#include "base/bitmap.h"
#include "base/types.h"

/**
 * Have online harts forget translations of [start, start + size) (size UINT64_MAX: all); with an
 * ASID that is not 0 only that one's. Returns when they have. Not for this hart itself.
 */
void fence_harts(hartmask_t mask, uint64_t asid, vaddr_t start, uint64_t size);

/** Find out which way this machine needs. Once, when the other harts are online and idle. */
void fence_choose(void);

/** Run the fences that were asked of this hart. */
void fence_poll(void);

#endif
