/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - ASIDs, and harts that come to run a space.
 *
 *      context:  [ generation ........ | asid ]       asid_map: which of this generation are taken
 *
 *      switch:   same generation as the hart?  yes: write satp, done
 *                no: under asid_lock take a new asid (or begin a generation), flush if told to
 *
 * A switch says what it runs, and then looks whether it is marked: tlb_harts.h has the order. The
 * same holds for a new generation: who begins it sees what a hart runs on, or the hart sees the
 * generation.
 *
 * Locks: asid_lock. Linux's counterpart: arch/riscv/mm/context.c.
 */
#include "virt/tlb.h"

#include "arch/barrier.h"
#include "arch/csr.h"
#include "arch/pte.h"
#include "base/atomic.h"
#include "base/limits.h"
#include "base/string.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/percpu.h"
#include "sbi/sbi.h"
#include "virt/kernel_map.h"
#include "virt/tlb_harts.h"

#define MAX_ASID_BITS 12 /* more would only make the map longer */

static struct spinlock asid_lock = SPINLOCK_INIT("asid", RANK_ASID);
static unsigned asid_bits;
static uint64_t generation; /* (asid_lock; read anywhere) steps of 1 << 16 */
static uint64_t asid_map[BITMAP_WORDS(1 << MAX_ASID_BITS)]; /* (asid_lock) */
static uint64_t next_asid = 1;                              /* (asid_lock) */
static uint64_t kept[MAX_HARTS]; /* (asid_lock) contexts that went on into this generation, or 0 */
static uint64_t stale_harts;     /* (a) must flush before the next switch */

struct hart_tlb hart_tlb[MAX_HARTS];

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

/* Did a hart run on this context when the generation began? Then its number is nobody else's. */
static bool is_kept_locked(uint64_t context)
{
    assert_locked(&asid_lock);
    for (uint32_t i = 0; i < nr_harts; i++)
        if (kept[i] == context)
            return true;
    return false;
}

/*
 * Everything is free again but what harts run on at this moment: that they keep. A hart that is
 * just coming to a space may show a context that had lost its number long ago.
 */
static void new_generation_locked(void)
{
    uint64_t ended = generation;
    assert_locked(&asid_lock);
    store_relaxed(&generation, ended + GENERATION_STEP);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* see tlb_switch() */
    memset(asid_map, 0, sizeof(asid_map));
    for (uint32_t i = 0; i < nr_harts; i++) {
        uint64_t active = load_relaxed(&hart_tlb[i].active);
        bool valid = (active & ~ASID_MASK) == ended || is_kept_locked(active);
        kept[i] = valid ? active : 0;
        if (kept[i])
            set_bit(active & ASID_MASK, asid_map);
    }
    store_release(&stale_harts, ~0UL);
    next_asid = 1;
}

static uint64_t new_context_locked(const struct tlb_space *space)
{
    uint64_t old = load_relaxed(&space->context), limit = 1UL << asid_bits;
    if (old && is_kept_locked(old))
        return generation | (old & ASID_MASK);
    uint64_t asid = find_next_zero_bit(asid_map, limit, next_asid);
    if (asid == limit) {
        new_generation_locked();
        return new_context_locked(space);
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
