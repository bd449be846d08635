/* SPDX-License-Identifier: MIT */
/*
 * fence.c - remote fences, by the firmware as long as that is quick.
 *
 *      asker                                      target
 *      change the table
 *      wanted = 7 ---------- interrupt --------->  sees wanted 7, done 5
 *      until done >= 7: spin_wait                  sfence.vma
 *                       <------------------------  done = 7
 *
 * The target reads `wanted` before it fences, so what was asked until then is covered by the fence.
 *
 * Locks: none. Linux's counterpart: arch/riscv/mm/tlbflush.c.
 */
#include "kern/fence.h"

#include "arch/barrier.h"
#include "base/atomic.h"
#include "kern/ipi.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/percpu.h"
#include "kern/timer.h"
#include "sbi/sbi.h"

/* A fence takes microseconds. One that took so long has waited for a turn of the machine. */
#define SLOW_NS (20 * NSEC_PER_MSEC)

/* How long a hart that has nothing to do may take to answer at boot. */
#define ANSWER_NS (5 * NSEC_PER_MSEC)

static uint32_t by_ourselves; /* (a) set once, never taken back */

void fence_poll(void)
{
    struct hart *h = this_hart();
    uint32_t wanted = load_acquire(&h->fence_wanted);
    if (likely(wanted == load_relaxed(&h->fence_done)))
        return;
    sfence_all();
    store_release(&h->fence_done, wanted);
}

/* Ask a hart for a fence; the number that fence_done will have reached after it. */
static uint32_t ask(struct hart *h)
{
    return __atomic_add_fetch(&h->fence_wanted, 1u, __ATOMIC_SEQ_CST);
}

static bool answered(const struct hart *h, uint32_t ticket)
{
    return (int32_t)(load_acquire(&h->fence_done) - ticket) >= 0;
}

static void wait_for_fence(const struct hart *h, uint32_t ticket)
{
    for (uint32_t round = 0; !answered(h, ticket); round++) {
        if (unlikely(panicking()))
            return;
        spin_wait(round);
    }
}

static void fence_by_mailbox(hartmask_t mask)
{
    uint32_t tickets[MAX_HARTS];
    uint32_t i;
    for_each_in_mask(i, &mask)
        tickets[i] = ask(harts[i]);
    ipi_kick_all(mask);
    for_each_in_mask(i, &mask)
        wait_for_fence(harts[i], tickets[i]);
}

static void fence_by_firmware(hartmask_t mask, uint64_t asid, vaddr_t start, uint64_t size)
{
    uint64_t ids[MAX_HARTS], window, base, before = now_ns();
    size_t n = 0;
    uint32_t i;
    for_each_in_mask(i, &mask)
        ids[n++] = harts[i]->arch.hartid;
    while (sbi_next_window(ids, &n, &window, &base)) {
        int err = asid ? sbi_remote_sfence_vma_asid(window, base, start, size, asid)
                       : sbi_remote_sfence_vma(window, base, start, size);
        if (unlikely(err))
            panic("remote fence of harts 0x%lx + 0x%lx: %s", base, window, sbi_error_name(err));
    }
    uint64_t took = now_ns() - before;
    if (unlikely(took > SLOW_NS) && xchg(&by_ourselves, 1u) == 0)
        pr_debug("fence: the firmware's took %lu ms; from now on by our own interrupts",
                 took / NSEC_PER_MSEC);
}

void fence_choose(void)
{
    hartmask_t others = harts_online;
    mask_clear(&others, hart_index());
    if (mask_empty(&others))
        return;
    struct hart *other = harts[mask_first(&others)];
    uint32_t ticket = ask(other);
    uint64_t end = now_ticks() + ns_to_ticks(ANSWER_NS);
    ipi_kick(other->arch.index);
    while (!answered(other, ticket) && now_ticks() < end)
        cpu_relax(); /* not spin_wait(): the question is whether it answers while we only spin */
    if (answered(other, ticket))
        return;
    store_relaxed(&by_ourselves, 1u);
    pr_info("fence: the harts of this machine take turns; remote fences by our own interrupts");
}

void fence_harts(hartmask_t mask, uint64_t asid, vaddr_t start, uint64_t size)
{
    if (load_relaxed(&by_ourselves))
        fence_by_mailbox(mask);
    else
        fence_by_firmware(mask, asid, start, size);
}
