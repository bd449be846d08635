/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - what hardware does with page tables, for each hart of this host.
 *
 *      mmu_access(va) --> TLB of this hart: ASID and page known?  --> the entry as it was then
 *                                           no: walk from satp    --> the entry as it is now
 *
 * The TLB forgets what it is told to and nothing else, so an entry that was changed without a fence
 * on each hart that knows it is noticed by the next access. It keeps no entry that maps nothing.
 *
 * Locks: none; harts of these tests take turns on one thread (host_become).
 */
#ifndef HOST_MMU_H
#define HOST_MMU_H

#include "arch/pte.h"

/** What was asked of the MMUs, since mmu_reset(). */
struct mmu_counts {
    uint64_t walks;         /* accesses that no TLB knew */
    uint64_t pages, spaces; /* fences of this hart: of one page; of all of an ASID, or of all */
    uint64_t remote;        /* calls of fence_harts() */
    uint64_t remote_harts;  /* those that the last one fenced */
    uint64_t remote_asid;   /* of which ASID, 0: all */
};
extern struct mmu_counts mmu_counts;

/** TLBs are empty, satp is 0; satp keeps so many bits of an ASID. */
void mmu_reset(unsigned asid_bits);

/** The leaf by which the calling hart translates @va, as far as it knows; 0: none, a fault. */
pte_t mmu_access(uint64_t va);

/** The ASID that the calling hart runs with. */
uint64_t mmu_asid(void);

#endif
