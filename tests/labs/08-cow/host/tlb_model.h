/* SPDX-License-Identifier: MIT */
/*
 * tlb_model.h - harts that remember translations, and so notice when they are not told to forget.
 *
 *      hart 0   [ space 1, 0x40000 -> entry ]...        an access looks here first, then walks the
 *      hart 1   [ space 1, 0x40000 -> entry ]...        table, then faults
 *
 * A remembered entry is used as it was, whatever the table says by now: without W a store faults,
 * with W it goes through. Hardware of this kind sets no A or D; it faults where they are missing.
 *
 * A flush that takes a translation away looks at two things. The frame that could still be reached
 * until then is not free; and no other frame is to be had at its address yet.
 */
#ifndef TLB_MODEL_H
#define TLB_MODEL_H

#include <stdint.h>
#include <stdio.h>

#include "base/types.h"
#include "phys/page.h"
#include "virt/mm.h"
#include "virt/tlb.h"

#define MODEL_HARTS 2
#define MODEL_SLOTS 256

static struct translation {
    uint64_t space; /* 0: nothing */
    uint64_t page;
    pte_t e;
} tlb_model[MODEL_HARTS][MODEL_SLOTS];

static uint64_t tlb_last_space;
static unsigned tlb_flushes;    /* calls that may reach other harts */
static char tlb_complaint[160]; /* the first thing that was wrong, or "" */

static inline struct translation *tlb_slot(uint32_t hart, uint64_t addr)
{
    return &tlb_model[hart][(addr >> PAGE_SHIFT) % MODEL_SLOTS];
}

/** What the hart remembers of the page, or NULL. */
static inline struct translation *tlb_find(uint32_t hart, const struct tlb_space *space,
                                           uint64_t addr)
{
    struct translation *t = tlb_slot(hart, addr);
    return t->space == space->id && t->page == addr >> PAGE_SHIFT ? t : NULL;
}

static inline void tlb_remember(struct mm_struct *mm, uint64_t addr, pte_t e)
{
    *tlb_slot(hart_index(), addr) = (struct translation){mm->tlb.id, addr >> PAGE_SHIFT, e};
}

static void tlb_complain(const char *what, uint32_t hart, const struct translation *t)
{
    if (!tlb_complaint[0])
        snprintf(tlb_complaint, sizeof(tlb_complaint), "%s (hart %u, address %#lx, frame %#lx)",
                 what, hart, t->page << PAGE_SHIFT, pte_pfn(t->e).v);
}

static void tlb_drop(struct tlb_space *space, uint32_t hart, struct translation *t)
{
    struct mm_struct *mm = (struct mm_struct *)((char *)space - offsetof(struct mm_struct, tlb));
    const pte_t *pte = mm_find_pte(mm, t->page << PAGE_SHIFT);
    pte_t now = pte ? pte_load(pte) : mk_pte(0);
    if (page_count(pfn_to_page(pte_pfn(t->e))) < 1)
        tlb_complain("a page was given back while a hart could still reach it", hart, t);
    if (pte_leaf(now) && pte_pfn(now).v != pte_pfn(t->e).v)
        tlb_complain("another page was put in while a hart could still reach the old one", hart, t);
    t->space = 0;
}

static void tlb_drop_range(struct tlb_space *space, uint64_t start, uint64_t end)
{
    tlb_flushes++;
    for (uint32_t hart = 0; hart < MODEL_HARTS; hart++) {
        for (unsigned i = 0; i < MODEL_SLOTS; i++) {
            struct translation *t = &tlb_model[hart][i];
            uint64_t addr = t->page << PAGE_SHIFT;
            if (t->space == space->id && addr + PAGE_SIZE > start && addr < end)
                tlb_drop(space, hart, t);
        }
    }
}

/* --- what src/virt/tlb.c has ------------------------------------------------------------------ */

void tlb_space_init(struct tlb_space *space)
{
    *space = (struct tlb_space){.id = ++tlb_last_space};
}

void tlb_flush_page(struct tlb_space *space, vaddr_t va)
{
    tlb_drop_range(space, ALIGN_DOWN(va.v, PAGE_SIZE), ALIGN_DOWN(va.v, PAGE_SIZE) + PAGE_SIZE);
}

void tlb_flush_range(struct tlb_space *space, vaddr_t start, vaddr_t end)
{
    tlb_drop_range(space, start.v, end.v);
}

void tlb_flush_space(struct tlb_space *space)
{
    tlb_drop_range(space, 0, UINT64_MAX);
}

void tlb_flush_spurious(struct tlb_space *space, vaddr_t va)
{
    struct translation *t = tlb_find(hart_index(), space, va.v);
    if (t)
        t->space = 0;
}

void tlb_gather_init(struct tlb_gather *g, struct tlb_space *space,
                     void (*release)(struct page **pages, unsigned n))
{
    *g = (struct tlb_gather){.space = space, .release = release, .start = UINT64_MAX};
}

void tlb_gather_flush(struct tlb_gather *g)
{
    tlb_drop_range(g->space, g->start, g->end);
    if (g->n)
        g->release(g->pages, g->n);
    *g = (struct tlb_gather){.space = g->space, .release = g->release, .start = UINT64_MAX};
}

#endif
