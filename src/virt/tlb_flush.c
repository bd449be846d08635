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

/* This hart forgets: page by page or, when they are many, all of the ASID. 0: there are none. */
static void flush_here(uint64_t asid, vaddr_t start, uint64_t size)
{
    /* lab sv39: begin 6 */
    if (size > FLUSH_ALL_PAGES * PAGE_SIZE) {
        count_vm_event(TLB_LOCAL_FLUSH_ALL);
        asid ? sfence_asid(asid) : sfence_all();
        return;
    }
    count_vm_event(TLB_LOCAL_FLUSH_ONE);
    for (uint64_t va = start.v; va < start.v + size; va += PAGE_SIZE)
        asid ? sfence_page_asid(mk_vaddr(va), asid) : sfence_page(mk_vaddr(va));
    /* lab sv39: stub lab_missing("sv39", 6, asid, start, size); */
    /* lab sv39: end */
}

/* All these harts forget, by one call. */
static void flush_remote(uint64_t harts_mask, uint64_t asid, vaddr_t start, uint64_t size)
{
    if (size > FLUSH_ALL_PAGES * PAGE_SIZE) {
        start = mk_vaddr(0);
        size = UINT64_MAX;
    }
    count_vm_event(TLB_REMOTE_FLUSH);
    fence_harts((hartmask_t){.bits = harts_mask}, asid, start, size);
}

/* Who runs the space is fenced, who ran it once is marked. When it returns all have forgotten. */
static void flush(struct tlb_space *space, vaddr_t start, uint64_t size)
{
    /* lab sv39: begin 6 */
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the entries are stored before harts are read */
    uint64_t knowing = load_relaxed(&space->harts.bits), bit = 1UL << hart_index();
    uint64_t run = tlb_running(space, knowing), rest = knowing & ~run;
    if (rest) {
        fetch_or(&space->stale.bits, rest);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        run |= tlb_running(space, rest); /* came while we marked them */
    }
    uint64_t asid = load_relaxed(&space->context) & ASID_MASK;
    if (run & bit)
        flush_here(asid, start, size);
    if (run & ~bit)
        flush_remote(run & ~bit, asid, start, size);
    /* lab sv39: stub lab_missing("sv39", 6, space, start, size, flush_here, flush_remote); */
    /* lab sv39: end */
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
