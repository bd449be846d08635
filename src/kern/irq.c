/* SPDX-License-Identifier: MIT */
/*
 * irq.c - joins the trap entry to timer, mailbox and PLIC.
 *
 *      arch/trap  --irq_ops-->  { timer_interrupt, software, external, fatal }
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/irq.c.
 */
#include "kern/irq.h"

#include "arch/plic.h"
#include "arch/trap.h"
#include "kern/ipi.h"
#include "kern/panic.h"
#include "kern/percpu.h"
#include "kern/timer.h"

static void external(void)
{
    struct hart *h = this_hart();
    h->in_interrupt++;
    h->irq_count++;
    plic_interrupt();
    h->in_interrupt--;
}

static void fatal(const struct trap_frame *frame, const char *why)
{
    panic_frame(frame, "%s", why);
}

void irq_init(void)
{
    static const struct trap_irq_ops ops = {
        .timer = timer_interrupt,
        .ipi = ipi_poll,
        .external = external,
        .fatal = fatal,
    };
    trap_set_irq_ops(&ops);
}

void irq_enable_hart(void)
{
    trap_enable_irqs(SIE_SOFT | SIE_TIMER | SIE_EXTERNAL);
}
