/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - ASIDs and fences.
 *
 *      context:  [ generation ........ | asid ]       asid_map: which of this generation are taken
 *
 *      switch:   same generation as the hart?  yes: write satp, done
 *                no: under asid_lock take a new asid (or begin a generation), flush if told to
 *
 * The order that makes targeted fences safe. Each side stores, fences, and then looks:
 *
 *      who comes to run the space            who changed an entry
 *      space, harts, active: it is me        the entry; stale: those who do not run it
 *      ---------- fence ----------           ---------- fence ----------
 *      stale: am I marked? flush             who runs it now? fence them
 *
 * So either the flusher sees the runner, and fences it, or the runner sees its mark. The same holds
 * for a new generation: who begins it sees what a hart runs on, or the hart sees the generation.
 *
 * Locks: asid_lock. Fences never wait for another hart's software: SBI's firmware does the work.
 */
#include "virt/tlb.h"

#include "arch/barrier.h"
#include "arch/csr.h"
#include "arch/pte.h"
#include "base/atomic.h"
#include "base/limits.h"
#include "base/string.h"
#include "kern/fence.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/percpu.h"
#include "phys/vmstat.h"
#include "sbi/sbi.h"
#include "virt/kernel_map.h"

#define MAX_ASID_BITS 12   /* more would only make the map longer */
#define FLUSH_ALL_PAGES 64 /* above so many pages the whole space goes */

static struct spinlock asid_lock = SPINLOCK_INIT("asid", RANK_ASID);
static unsigned asid_bits;
static uint64_t generation; /* (asid_lock; read anywhere) steps of 1 << 16 */
static uint64_t asid_map[BITMAP_WORDS(1 << MAX_ASID_BITS)]; /* (asid_lock) */
static uint64_t next_asid = 1;                              /* (asid_lock) */
static uint64_t stale_harts; /* (a) must flush before the next switch */

/* What each hart runs on: written by itself (and active by who renews its space's context). */
static struct hart_tlb {
    uint64_t active; /* (a) context in use */
    uint64_t space;  /* (a) id of the space, 0: the monitor's */
} cache_aligned hart_tlb[MAX_HARTS];

#define ASID_MASK 0xffffUL
#define GENERATION_STEP (ASID_MASK + 1)

unsigned tlb_asid_bits(void)
{
    return asid_bits;
}

uint64_t tlb_generation(void)
{
    return load_relaxed(&generation) / GENERATION_STEP;
}

/* satp keeps only the ASID bits that exist (privileged specification, 4.1.11). */
void tlb_init(void)
{
    uint64_t satp = csr_read(satp);
    csr_write(satp, satp | (uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT);
    uint64_t bits = satp_asid(csr_read(satp));
    csr_write(satp, satp);
    sfence_all();
    asid_bits = MIN((unsigned)__builtin_popcountll(bits), (unsigned)MAX_ASID_BITS);
    if ((1UL << asid_bits) <= 2UL * nr_harts)
        asid_bits = 0; /* fewer than harts to use them at once: do without */
    generation = GENERATION_STEP;
    pr_info("tlb: %u ASID bits in use\n", asid_bits);
}

void tlb_space_init(struct tlb_space *space)
{
    static uint64_t last_id;
    *space = (struct tlb_space){.id = fetch_add(&last_id, 1) + 1};
}

/* --- giving out ASIDs ------------------------------------------------------------------------- */

/* Everything is free again but what harts run on at this moment: that they keep. */
static void new_generation_locked(void)
{
    assert_locked(&asid_lock);
    store_relaxed(&generation, generation + GENERATION_STEP);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* see tlb_switch() */
    memset(asid_map, 0, sizeof(asid_map));
    for (uint32_t i = 0; i < nr_harts; i++) {
        uint64_t active = load_relaxed(&hart_tlb[i].active);
        if (!active)
            continue;
        set_bit(active & ASID_MASK, asid_map);
    }
    store_release(&stale_harts, ~0UL);
    next_asid = 1;
}

static bool runs_somewhere_locked(uint64_t context)
{
    for (uint32_t i = 0; i < nr_harts; i++)
        if (load_relaxed(&hart_tlb[i].active) == context)
            return true;
    return false;
}

static uint64_t new_context_locked(struct tlb_space *space)
{
    uint64_t old = load_relaxed(&space->context), limit = 1UL << asid_bits;
    assert_locked(&asid_lock);
    if (old && runs_somewhere_locked(old)) /* another hart runs it: its number was kept */
        return generation | (old & ASID_MASK);
    uint64_t asid = find_next_zero_bit(asid_map, limit, next_asid);
    if (asid == limit) {
        new_generation_locked();
        asid = find_next_zero_bit(asid_map, limit, next_asid);
    }
    set_bit(asid, asid_map);
    next_asid = asid + 1;
    return generation | asid;
}

/* The space's number is of an old generation. */
static noinline uint64_t renew_context(struct tlb_space *space)
{
    spin_lock(&asid_lock);
    uint64_t context = load_relaxed(&space->context);
    if ((context & ~ASID_MASK) != generation) {
        uint64_t renewed = new_context_locked(space);
        for (uint32_t i = 0; context && i < nr_harts; i++) {
            uint64_t seen = context; /* the hart may be leaving: only if it still runs on it */
            (void)cmpxchg(&hart_tlb[i].active, &seen, renewed);
        }
        context = renewed;
        store_release(&space->context, context); /* after stale_harts, for who only reads this */
    }
    store_relaxed(&hart_tlb[hart_index()].active, context);
    spin_unlock(&asid_lock);
    return context;
}

/* --- switching -------------------------------------------------------------------------------- */

/* Forget what was changed while this hart did not run the space, and what an ASID was before. */
static noinline void catch_up(struct tlb_space *space, uint64_t bit, uint64_t asid)
{
    bool all = !asid_bits || (load_relaxed(&stale_harts) & bit);
    fetch_and(&space->stale.bits, ~bit);
    if (all) {
        fetch_and(&stale_harts, ~bit);
        sfence_all();
    } else {
        sfence_asid(asid);
    }
}

void tlb_switch(struct tlb_space *space, paddr_t root)
{
    uint32_t me = hart_index();
    struct hart_tlb *mine = &hart_tlb[me];
    uint64_t bit = 1UL << me, context;

    if (mine->space == space->id)
        return;
    store_relaxed(&mine->space, space->id);
    if (!(load_relaxed(&space->harts.bits) & bit))
        fetch_or(&space->harts.bits, bit);
    context = load_relaxed(&space->context);
    store_relaxed(&mine->active, context);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (unlikely((context & ~ASID_MASK) != load_relaxed(&generation)) && asid_bits)
        context = renew_context(space);
    csr_write(satp, satp_make(root, context & ASID_MASK));
    if (unlikely(!asid_bits ||
                 ((load_relaxed(&stale_harts) | load_relaxed(&space->stale.bits)) & bit)))
        catch_up(space, bit, context & ASID_MASK);
}

void tlb_switch_kernel(void)
{
    struct hart_tlb *mine = &hart_tlb[hart_index()];
    if (!mine->space)
        return;
    csr_write(satp, boot_satp);
    store_relaxed(&mine->active, 0);
    store_release(&mine->space, 0); /* from now on marks are enough */
    if (!asid_bits)
        sfence_all();
}

/* --- forgetting ------------------------------------------------------------------------------- */

static void flush_here(uint64_t asid, vaddr_t start, uint64_t size)
{
    if (size > FLUSH_ALL_PAGES * PAGE_SIZE) {
        count_vm_event(TLB_LOCAL_FLUSH_ALL);
        asid ? sfence_asid(asid) : sfence_all();
        return;
    }
    count_vm_event(TLB_LOCAL_FLUSH_ONE);
    for (uint64_t va = start.v; va < start.v + size; va += PAGE_SIZE)
        asid ? sfence_page_asid(mk_vaddr(va), asid) : sfence_page(mk_vaddr(va));
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

/* Those of the harts that run the space at this moment. */
static uint64_t running(const struct tlb_space *space, uint64_t mask)
{
    uint64_t found = 0;
    for (uint64_t left = mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (load_acquire(&hart_tlb[i].space) == space->id)
            found |= 1UL << i;
    }
    return found;
}

static void flush(struct tlb_space *space, vaddr_t start, uint64_t size)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the entries are stored before harts are read */
    uint64_t knowing = load_relaxed(&space->harts.bits), bit = 1UL << hart_index();
    uint64_t run = running(space, knowing), rest = knowing & ~run;
    if (rest) {
        fetch_or(&space->stale.bits, rest);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        run |= running(space, rest); /* came while we marked them */
    }
    uint64_t asid = load_relaxed(&space->context) & ASID_MASK;
    if (run & bit)
        flush_here(asid, start, size);
    if (run & ~bit)
        flush_remote(run & ~bit, asid, start, size);
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
