/* SPDX-License-Identifier: MIT */
/*
 * irq.h - the three kinds of interrupt, and where each of them goes.
 *
 *      timer     --> timer_interrupt()     timers, end of slice
 *      software  --> ipi_poll()            the mailbox
 *      external  --> plic_interrupt()      devices
 *      (a fault of the monitor itself) --> panic_frame()
 *
 * Interrupts are taken in U-mode, in idle and in cond_resched()'s window; a handler runs on the
 * stack of whoever was interrupted and does not block.
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/irq.c.
 */
#ifndef PAGODA_KERN_IRQ_H
#define PAGODA_KERN_IRQ_H

/** Register with the trap entry. Once, at boot. */
void irq_init(void);

/** Let all three kinds through on this hart; the PLIC has thresholds of its own. */
void irq_enable_hart(void);

#endif
