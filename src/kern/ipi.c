/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - mailboxes between harts.
 *
 *      harts[target]->ipi_pending    bit n: harts[n]->ipi_slot has work for target
 *      harts[caller]->ipi_slot       fn, arg, and how many targets are left
 *
 * The order that makes it right: the caller writes fn and arg, then `left`, then sets the bits
 * (release); a target takes its bits (acquire), reads fn and arg, runs, and only then decrements
 * `left` (release); the caller reuses the slot only once it has seen `left` at 0 (acquire).
 *
 * Locks: none.
 * Linux's counterpart: kernel/smp.c.
 */
#include "kern/ipi.h"

#include "arch/csr.h"
#include "arch/hart.h"
#include "base/atomic.h"
#include "kern/fence.h"
#include "kern/lock.h"
#include "kern/percpu.h"
#include "sbi/sbi.h"

/* Rounds of plain pausing before the slice is offered: a short critical section is over by then. */
#define SPIN_ROUNDS 128

/* Rounds after which a waiting caller sleeps: its target has no processor of the host just now. */
#define SLEEP_ROUNDS 4096

void ipi_kick_all(hartmask_t mask)
{
    uint64_t ids[MAX_HARTS];
    uint64_t window, base;
    size_t n = 0;
    uint32_t i;
    for_each_in_mask(i, &mask)
        ids[n++] = harts[i]->arch.hartid;
    while (sbi_next_window(ids, &n, &window, &base)) {
        int err = sbi_send_ipi(window, base);
        if (unlikely(err) && !panicking())
            panic("the firmware does not send IPIs: %s", sbi_error_name(err));
    }
}

/*
 * Let the machine run someone else, without needing anyone to wake us: WFI with a software
 * interrupt already pending. On silicon that is nothing; under QEMU's -icount, where all harts
 * share one thread, it ends our turn. It costs one interrupt for nothing, later.
 */
static void offer_turn(void)
{
    csr_set(sip, SIE_SOFT);
    wait_for_interrupt();
}

void spin_wait(uint32_t round)
{
    cpu_relax();
    fence_poll();
    if (round % SPIN_ROUNDS == SPIN_ROUNDS - 1)
        offer_turn();
}

/* Our part of the sender's call is done. The slot may be used anew as soon as left is 0. */
static void finish_call(struct ipi_slot *slot, uint32_t sender)
{
    bool last = __atomic_fetch_sub(&slot->left, 1u, __ATOMIC_SEQ_CST) == 1;
    if (last && __atomic_load_n(&slot->sleeper, __ATOMIC_SEQ_CST))
        ipi_kick(sender);
}

void ipi_poll(void)
{
    struct hart *h = this_hart();
    if (unlikely(panicking()) && !panic_is_mine())
        panic_stop_self();
    fence_poll();
    if (load_relaxed(&h->ipi_pending) == 0)
        return;

    hartmask_t from = {.bits = xchg(&h->ipi_pending, 0UL)};
    uint32_t sender;
    h->in_interrupt++;
    for_each_in_mask(sender, &from) {
        struct ipi_slot *slot = &harts[sender]->ipi_slot;
        slot->fn(slot->arg);
        h->ipi_count++;
        finish_call(slot, sender);
    }
    h->in_interrupt--;
}

/*
 * Sleep until some interrupt is pending: the last target sends one, and so does whoever calls us.
 * What is pending already is taken back first, which is why the mailbox is looked at after that.
 */
static void sleep_for_slot(struct ipi_slot *slot)
{
    __atomic_store_n(&slot->sleeper, 1u, __ATOMIC_SEQ_CST);
    csr_clear(sip, SIE_SOFT);
    ipi_poll();
    if (__atomic_load_n(&slot->left, __ATOMIC_SEQ_CST) != 0)
        wait_for_interrupt();
    store_relaxed(&slot->sleeper, 0u);
}

/* Wait until the last call is done. Targets answer at once, or after the time of a host's turn. */
static void wait_for_slot(struct ipi_slot *slot)
{
    for (uint32_t round = 0; load_acquire(&slot->left) != 0; round++) {
        ipi_poll();
        if (round < SLEEP_ROUNDS)
            spin_wait(round);
        else
            sleep_for_slot(slot);
    }
}

void ipi_call(hartmask_t mask, void (*fn)(void *), void *arg, enum ipi_wait wait)
{
    struct hart *h = this_hart();
    struct ipi_slot *slot = &h->ipi_slot;
    uint32_t me = h->arch.index;

    ASSERT(h->in_interrupt == 0);
    assert_no_locks();
    mask.bits &= load_acquire(&harts_online.bits);
    bool self = mask_test(&mask, me);
    mask_clear(&mask, me);

    if (!mask_empty(&mask)) {
        uint32_t target;
        wait_for_slot(slot);
        slot->fn = fn;
        slot->arg = arg;
        store_release(&slot->left, mask_weight(&mask));
        for_each_in_mask(target, &mask)
            (void)fetch_or(&harts[target]->ipi_pending, 1UL << me);
        ipi_kick_all(mask);
    }
    if (self)
        fn(arg);
    if (wait == IPI_WAIT)
        wait_for_slot(slot);
}

void ipi_call_others(void (*fn)(void *), void *arg, enum ipi_wait wait)
{
    hartmask_t others = {.bits = load_acquire(&harts_online.bits)};
    mask_clear(&others, hart_index());
    ipi_call(others, fn, arg, wait);
}

void ipi_kick(uint32_t hart)
{
    if (hart != hart_index())
        (void)sbi_send_ipi(1, harts[hart]->arch.hartid);
}

void ipi_resched(uint32_t hart)
{
    hart_add_user_work(&harts[hart]->arch, USER_WORK_RESCHED);
    ipi_kick(hart);
}

void ipi_stop_others(void)
{
    hartmask_t others = {.bits = load_acquire(&harts_online.bits)};
    mask_clear(&others, hart_index());
    ipi_kick_all(others);
}
