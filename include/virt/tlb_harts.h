/* SPDX-License-Identifier: MIT */
/*
 * tlb_harts.h - which space each hart runs at this moment: tlb.c writes it, tlb_flush.c reads it.
 *
 * The order that makes targeted fences safe. Each side stores, fences, and then looks:
 *
 *      who comes to run the space            who changed an entry
 *      space, harts, active: it is me        the entry; stale: those who do not run it
 *      ---------- fence ----------           ---------- fence ----------
 *      stale: am I marked? flush             who runs it now? fence them
 *
 * So either the flusher sees the runner, and fences it, or the runner sees its mark.
 *
 * Locks: none; the words are atomic.
 * Linux's counterpart: mm_cpumask(), and active_context of arch/riscv/mm/context.c.
 */
#ifndef PAGODA_VIRT_TLB_HARTS_H
#define PAGODA_VIRT_TLB_HARTS_H

#include "base/atomic.h"
#include "base/limits.h"
#include "virt/tlb.h"

/** The part of a context that is the ASID; 0: this machine has none. */
#define ASID_MASK 0xffffUL

/** What a hart runs on: written by itself (and active by who renews its space's context). */
extern struct hart_tlb {
    uint64_t active; /* (a) context in use */
    uint64_t space;  /* (a) id of the space, 0: the monitor's */
} cache_aligned hart_tlb[MAX_HARTS];

/** Those of the harts in @mask that run the space at this moment. */
static inline uint64_t tlb_running(const struct tlb_space *space, uint64_t mask)
{
    uint64_t found = 0;
    for (uint64_t left = mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (load_acquire(&hart_tlb[i].space) == space->id)
            found |= 1UL << i;
    }
    return found;
}

#endif
