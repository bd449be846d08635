/* SPDX-License-Identifier: MIT */
/*
 * tlb_flush.c - what was changed in a page table is forgotten by the harts that may know it.
 *
 *      harts of the space:   never ran it     run it now        ran it once
 *                            nothing          fence, now        mark: a fence when they next do
 *
 *      this hart             sfence.vma       by page, or, of many pages, the whole space
 *      others                fence_harts()    one call for all of them
 *
 * The order of storing and looking is in tlb_harts.h.
 *
 * Locks: none. Fences never wait for another hart's software where SBI's firmware does the work.
 * Linux's counterpart: arch/riscv/mm/tlbflush.c; mm/mmu_gather.c for the gathering.
 */
#include "virt/tlb.h"

#include "arch/barrier.h"
#include "kern/fence.h"
#include "kern/percpu.h"
#include "phys/vmstat.h"
#include "virt/tlb_harts.h"

#define FLUSH_ALL_PAGES 64 /* above so many pages the whole space goes */

/* As few instructions as there may be: one, or one a page. */
static void flush_here(uint64_t asid, vaddr_t start, uint64_t size)
{
    uint64_t pages = size >> PAGE_SHIFT;
    bool whole = pages > FLUSH_ALL_PAGES;
    count_vm_event(whole ? TLB_LOCAL_FLUSH_ALL : TLB_LOCAL_FLUSH_ONE);
    if (whole && asid)
        return sfence_asid(asid);
    if (whole)
        return sfence_all();
    while (pages--) {
        vaddr_t va = mk_vaddr(start.v + pages * PAGE_SIZE);
        if (asid)
            sfence_page_asid(va, asid);
        else
            sfence_page(va);
    }
}

static void flush_remote(uint64_t harts_mask, uint64_t asid, vaddr_t start, uint64_t size)
{
    if (size > FLUSH_ALL_PAGES * PAGE_SIZE) {
        start = mk_vaddr(0);
        size = UINT64_MAX;
    }
    count_vm_event(TLB_REMOTE_FLUSH);
    fence_harts((hartmask_t){.bits = harts_mask}, asid, start, size);
}

/* All others are marked first: then one look is enough. Who is fenced as well fences once more. */
static void flush(struct tlb_space *space, vaddr_t start, uint64_t size)
{
    const uint64_t me = 1UL << hart_index();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint64_t knowing = load_relaxed(&space->harts.bits);
    uint64_t here = tlb_running(space, knowing & me), marked = knowing & ~here;
    if (marked)
        fetch_or(&space->stale.bits, marked);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint64_t elsewhere = tlb_running(space, marked), asid = load_relaxed(&space->context);
    if (elsewhere)
        flush_remote(elsewhere, asid & ASID_MASK, start, size);
    if (here)
        flush_here(asid & ASID_MASK, start, size);
}

void tlb_flush_page(struct tlb_space *space, vaddr_t va)
{
    flush(space, mk_vaddr(ALIGN_DOWN(va.v, PAGE_SIZE)), PAGE_SIZE);
}

void tlb_flush_range(struct tlb_space *space, vaddr_t start, vaddr_t end)
{
    if (start.v < end.v)
        flush(space, mk_vaddr(ALIGN_DOWN(start.v, PAGE_SIZE)),
              ALIGN_UP(end.v, PAGE_SIZE) - ALIGN_DOWN(start.v, PAGE_SIZE));
}

void tlb_flush_space(struct tlb_space *space)
{
    flush(space, mk_vaddr(0), UINT64_MAX);
}

void tlb_flush_spurious(struct tlb_space *space, vaddr_t va)
{
    (void)space;
    sfence_page(va);
}

/* --- gathering -------------------------------------------------------------------------------- */

void tlb_gather_init(struct tlb_gather *g, struct tlb_space *space,
                     void (*release)(struct page **pages, unsigned n))
{
    g->space = space;
    g->release = release;
    g->start = UINT64_MAX;
    g->end = 0;
    g->n = 0;
}

void tlb_gather_flush(struct tlb_gather *g)
{
    tlb_flush_range(g->space, mk_vaddr(g->start), mk_vaddr(g->end));
    if (g->n)
        g->release(g->pages, g->n);
    g->start = UINT64_MAX;
    g->end = 0;
    g->n = 0;
}
