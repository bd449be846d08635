/* SPDX-License-Identifier: MIT */
/*
 * plic.h - which device wants something, and whom it tells.
 *
 *      device --source n--> PLIC --context c--> hart's SEIP --> plic_interrupt()
 *                           priority[n]                            claim -> handler -> complete
 *                           enable[c] bit n
 *                           threshold[c]
 *
 * A machine may have several PLICs (QEMU's virt has one for each socket), and not every hart has a
 * context in each. A source is enabled at one context only, so one hart serves it.
 *
 * Locks: none; set up by one hart at boot. Handlers run with interrupts off and do not block.
 * Linux's counterpart: drivers/irqchip/irq-sifive-plic.c.
 */
#ifndef PAGODA_ARCH_PLIC_H
#define PAGODA_ARCH_PLIC_H

#include "base/limits.h"
#include "base/types.h"

#define PLIC_MAX 16
#define PLIC_NO_CONTEXT (-1)

/** How much of a PLIC is ours to touch, for ioremap. */
#define PLIC_SIZE 0x4000000UL

struct plic_desc {
    void *regs;                 /* where its registers are mapped */
    uint32_t nr_sources;        /* sources are 1 .. nr_sources */
    int16_t context[MAX_HARTS]; /* S-mode context by hart index, or PLIC_NO_CONTEXT */
};

/**
 * Add one; all its sources are disabled in all its S contexts. Returns its number, counted up from
 * 0, or -ENOSPC.
 */
must_check int plic_add(const struct plic_desc *desc);

/**
 * Have handler(arg) called for a source. `hart` is the index of the hart that should serve it; if
 * that has no context there, the first online one that has is taken. Returns the hart's index,
 * -EINVAL (no such source), -EBUSY (taken), -ENODEV (no hart can take it).
 */
must_check int plic_request(uint32_t plic, uint32_t source, void (*handler)(void *), void *arg,
                            uint32_t hart, uint64_t online_harts);

/** Disable a source and forget its handler. */
void plic_release(uint32_t plic, uint32_t source);

/** Let all priorities through to this hart. Each hart, once. The caller sets sie.SEIE. */
void plic_init_hart(void);

/** The handler of external interrupts (trap_irq_ops.external): claims until nothing is left. */
void plic_interrupt(void);

/** How often a source has been served, for /proc/interrupts. */
uint64_t plic_count(uint32_t plic, uint32_t source);

/** Interrupts claimed that had no handler. They are disabled and counted. */
uint64_t plic_spurious(void);

#endif
