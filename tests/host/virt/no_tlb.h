/* SPDX-License-Identifier: MIT */
/*
 * no_tlb.h - no hart remembers a translation: there is nothing to forget, but a test may look.
 */
#ifndef NO_TLB_H
#define NO_TLB_H

#include "virt/tlb_harts.h"

struct hart_tlb hart_tlb[MAX_HARTS]; /* no hart runs a space */

void tlb_space_init(struct tlb_space *space)
{
    *space = (struct tlb_space){0};
}

/* Who wants to know what is flushed; spinlocks are held. NULL: nobody. */
static void (*space_flushed)(struct tlb_space *space, uint64_t start, uint64_t end);

void tlb_flush_range(struct tlb_space *space, vaddr_t start, vaddr_t end)
{
    if (space_flushed)
        space_flushed(space, start.v, end.v);
}

void tlb_flush_page(struct tlb_space *space, vaddr_t va)
{
    tlb_flush_range(space, va, mk_vaddr(va.v + PAGE_SIZE));
}

void tlb_flush_space(struct tlb_space *space)
{
    tlb_flush_range(space, mk_vaddr(0), mk_vaddr(UINT64_MAX));
}

void tlb_flush_spurious(struct tlb_space *space, vaddr_t va)
{
    (void)space, (void)va;
}

void tlb_gather_init(struct tlb_gather *g, struct tlb_space *space,
                     void (*release)(struct page **pages, unsigned n))
{
    *g = (struct tlb_gather){.space = space, .release = release, .start = UINT64_MAX};
}

void tlb_gather_flush(struct tlb_gather *g)
{
    if (g->n)
        g->release(g->pages, g->n);
    g->n = 0;
}

#endif
