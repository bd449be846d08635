/* SPDX-License-Identifier: MIT */
/*
 * hart.h - the processor we run on: who it is, and the few things one asks of it directly.
 *
 *      tp --> struct hart (kern/percpu.h)
 *             [ struct arch_hart ][ kern's fields ... ]
 *               ^ offset 0: the trap entry reaches its words with one load from tp
 *
 * sscratch is 0 while the monitor runs and holds the struct hart while a guest does, so the trap
 * entry knows where it came from and finds its stack in one exchange.
 *
 * Locks: none; a hart touches only its own.
 * Linux's counterpart: thread_info's first words, <asm/processor.h>.
 */
#ifndef PAGODA_ARCH_HART_H
#define PAGODA_ARCH_HART_H

#include "base/types.h"

struct hart;

/* Offsets for assembly; checked by static assertions in trap.c. */
#define ARCH_HART_KERNEL_SP 0
#define ARCH_HART_SCRATCH 8

struct arch_hart {
    uint64_t kernel_sp;  /* top of the current thread's stack: user trap frames end here */
    uint64_t scratch[3]; /* the trap entry's own */
    uint64_t hartid;     /* the machine's name for it, used towards SBI only */
    uint32_t index;      /* ours: 0 .. nr_harts-1 */
    uint32_t nid;        /* its node */
};

static inline struct hart *this_hart(void)
{
    struct hart *h;
    /* volatile: a thread may come back from schedule() on another hart */
    __asm__ volatile("mv %0, tp" : "=r"(h));
    return h;
}

/** A pause in a spin loop. */
static inline void cpu_relax(void) { __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); }

/** Sleep until an enabled interrupt is pending; it is not taken here. */
static inline void wait_for_interrupt(void) { __asm__ volatile("wfi" ::: "memory"); }

/** Take the interrupts that are pending now: the only moments the monitor can be interrupted. */
static inline void interrupt_window(void)
{
    __asm__ volatile("csrsi sstatus, 2\n\tcsrci sstatus, 2" ::: "memory");
}

#endif
