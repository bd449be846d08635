/* SPDX-License-Identifier: MIT */
/*
 * harts.c - waking the other harts, one after the other.
 *
 *      hart_add        struct hart, on the hart's own node; early, as pagesets are per hart
 *      harts_start     idle thread, SBI hart_start --> entry.S (satp, tp, sp) --> secondary_main
 *      secondary_main  traps, timer, interrupts; online; idle loop
 *
 * All stacks first, while no other hart can hold a translation: mapping one after a hart is up
 * asks for a remote fence, and how to fence is only known once harts can be asked (fence.c). Then
 * one hart at a time, so that what goes wrong can be named.
 *
 * Locks: none; harts_online is set atomically by the hart itself, last of all.
 * Linux's counterpart: arch/riscv/kernel/smpboot.c.
 */
#include "kern/harts.h"

#include "arch/layout.h"
#include "arch/trap.h"
#include "base/atomic.h"
#include "base/errno.h"
#include "base/format.h"
#include "kern/fence.h"
#include "kern/ipi.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "sbi/sbi.h"

/* A hart reports in some microseconds, but the machine may be a thread on a busy host. */
#define START_NS (2 * NSEC_PER_SEC)

int hart_add(uint32_t index, uint64_t hartid, uint32_t nid, hart_memory_fn memory)
{
    if (index >= MAX_HARTS)
        return -ENOSPC;
    struct hart *h = memory(sizeof(*h), _Alignof(struct hart), (int)nid);
    if (!h)
        return -ENOMEM;
    percpu_add_hart(h, index, hartid, nid);
    return 0;
}

/* An idle thread for the hart, standing on its own stack already. */
static int give_idle_thread(struct hart *h)
{
    char name[THREAD_NAME_MAX];
    void *stack = thread_stack_alloc((int)h->arch.nid);
    if (!stack)
        return -ENOMEM;
    (void)snprintf(name, sizeof(name), "idle/%u", h->arch.index);
    struct thread *idle = thread_make(stack, name, NULL, NULL);
    sched_init_hart(h, idle, idle);
    hart_set_stack(&h->arch, idle->stack, thread_stack_top(idle));
    return 0;
}

/* Did it report in time? */
static bool wait_until_online(const struct hart *h)
{
    uint64_t end = now_ticks() + ns_to_ticks(START_NS);
    for (uint32_t round = 0; !hart_is_online(h->arch.index); round++) {
        if (now_ticks() >= end)
            return false;
        spin_wait(round);
    }
    return true;
}

static void start(const struct hart *h)
{
    int err = sbi_hart_start(h->arch.hartid, virt_to_phys(secondary_entry), virt_to_phys(h).v);
    if (err)
        pr_warn("hart %u (id %lu) left out: it does not start: %s", h->arch.index, h->arch.hartid,
                sbi_error_name(err));
    else if (!wait_until_online(h))
        pr_warn("hart %u (id %lu) left out: it started but does not report", h->arch.index,
                h->arch.hartid);
}

uint32_t harts_start(void)
{
    hartmask_t ready = {0};
    struct hart *h;
    for_each_hart(h) {
        if (hart_is_online(h->arch.index))
            continue;
        if (give_idle_thread(h) == 0)
            mask_set(&ready, h->arch.index);
        else
            pr_warn("hart %u (id %lu) left out: no memory for its stack", h->arch.index,
                    h->arch.hartid);
    }
    uint32_t i;
    for_each_in_mask(i, &ready)
        start(harts[i]);
    fence_choose();
    return mask_weight(&harts_online);
}

void harts_set_online(struct hart *h)
{
    (void)fetch_or(&harts_online.bits, 1UL << h->arch.index);
}

void secondary_main(struct hart *h)
{
    trap_init_hart();
    timer_init_hart();
    irq_enable_hart();
    harts_set_online(h);
    idle_loop();
}
