/* SPDX-License-Identifier: MIT */
/*
 * tlb.h - what harts remember of page tables, and making them forget.
 *
 *      space A: ASID 3, seen by harts {0, 2, 3}, runs on {0, 2}
 *      change a PTE of A on hart 0 --> fence here; remote fence on hart 2;
 *                                      hart 3 gets a mark, and fences when it next runs A
 *
 * An address-space identifier (ASID) tags each translation in the TLB, so that a switch of spaces
 * need not flush. There are at most 65536 of them; when they run out a new generation begins: all
 * are free again, each hart flushes once before it uses one of the new generation, and spaces get a
 * new one when they are next switched to. A machine without ASIDs flushes at each switch.
 *
 * Invariant: a hart in `harts` and not in `stale`, when it runs the space, knows no translation
 * that a finished flush took away.
 *
 * Locks: asid_lock (RANK_ASID) for giving out; the words in tlb_space are atomic.
 * Linux's counterpart: arch/riscv/mm/context.c, tlbflush.c.
 */
#ifndef PAGODA_VIRT_TLB_H
#define PAGODA_VIRT_TLB_H

#include "base/bitmap.h"
#include "base/types.h"
#include "phys/page.h"

struct tlb_space {
    uint64_t id;      /* (b) never given twice: a struct may be, to another space */
    uint64_t context; /* (a) generation | asid; generation 0: has none yet */
    hartmask_t harts; /* (a) may hold translations of it */
    hartmask_t stale; /* (a) do not run it now, and must flush before they do */
};

/** Learn how many ASID bits there are. Boot hart, final map in use. */
void tlb_init(void);

void tlb_space_init(struct tlb_space *space);

/** Run this hart on the space whose root lies at @root from now on. Interrupts off. */
void tlb_switch(struct tlb_space *space, paddr_t root);

/** Run this hart on the monitor's own table: no guest's space is in use here. */
void tlb_switch_kernel(void);

/** Forget one page, a range, or all of a space, on every hart that may know it. Any lock held. */
void tlb_flush_page(struct tlb_space *space, vaddr_t va);
void tlb_flush_range(struct tlb_space *space, vaddr_t start, vaddr_t end);
void tlb_flush_space(struct tlb_space *space);

/** This hart faulted on an entry that allows the access: forget that it once did not. */
void tlb_flush_spurious(struct tlb_space *space, vaddr_t va);

/** The hart's ASIDs: how many, which generation, for views. */
unsigned tlb_asid_bits(void);
uint64_t tlb_generation(void);

/* --- gathering: pages are freed only after nobody can reach them ------------------------------ */

#define TLB_GATHER_MAX 48

struct tlb_gather {
    struct tlb_space *space;
    void (*release)(struct page **pages, unsigned n); /* drops a reference of each */
    uint64_t start, end; /* what has been unmapped since the last flush */
    unsigned n;
    struct page *pages[TLB_GATHER_MAX];
};

void tlb_gather_init(struct tlb_gather *g, struct tlb_space *space,
                     void (*release)(struct page **pages, unsigned n));

/** It holds as many pages as it can. */
static inline bool tlb_gather_full(const struct tlb_gather *g)
{
    return g->n == TLB_GATHER_MAX;
}

/** @va was unmapped; @page (or NULL) loses the reference that the mapping held. */
static inline bool tlb_gather_add(struct tlb_gather *g, uint64_t va, struct page *page)
{
    if (va < g->start)
        g->start = va;
    if (va + PAGE_SIZE > g->end)
        g->end = va + PAGE_SIZE;
    if (page)
        g->pages[g->n++] = page;
    return tlb_gather_full(g); /* then call tlb_gather_flush() when no lock is in the way */
}

/** Flush what was unmapped, then release the pages. No spinlock held that release may take. */
void tlb_gather_flush(struct tlb_gather *g);

#endif
