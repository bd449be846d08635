/* SPDX-License-Identifier: MIT */
/*
 * hart.h - the processor we run on: who it is, and the few things one asks of it directly.
 *
 *      tp --> struct hart (kern/percpu.h)
 *             [ struct arch_hart ][ kern's fields ... ]
 *               ^ offset 0: the trap entry reaches its words with one load from tp
 *
 * sscratch is 0 while the monitor runs; while a guest runs it points to the trap frame at the top
 * of the kernel stack of the thread that runs the guest. So the trap entry knows where it came
 * from and has its frame in one exchange.
 *
 * Locks: none; a hart touches only its own, except for user_work (atomic).
 * Linux's counterpart: thread_info's first words, <asm/processor.h>.
 */
#ifndef PAGODA_ARCH_HART_H
#define PAGODA_ARCH_HART_H

/* Offsets for assembly; checked by static assertions in trap.c. */
#define ARCH_HART_KERNEL_SP 0
#define ARCH_HART_STACK_LOW 8
#define ARCH_HART_USER_WORK 16
#define ARCH_HART_SCRATCH 24

/* Reasons not to go straight back to the guest, in arch_hart.user_work. */
#define USER_WORK_RESCHED 1u /* someone else wants the hart */
#define USER_WORK_SIGNAL 2u  /* the task has a signal to take, or was killed */
#define USER_WORK_RSEQ 8u    /* the task came to another hart than it has told its guest */
#define USER_WORK_FRAME 4u   /* more of the frame than a0 must be loaded, see trap_entry.S */

#ifndef __ASSEMBLER__
#include "base/types.h"

struct hart;
struct fpu_state;

struct arch_hart {
    uint64_t kernel_sp;  /* top of the current thread's stack: user trap frames end here */
    uint64_t stack_low;  /* its lowest usable byte, 0 if unknown: below it is the guard page */
    uint64_t user_work;  /* (atomic) USER_WORK_*: look before going back to a guest */
    uint64_t scratch[3]; /* the trap entry's own */
    uint64_t hartid;     /* the machine's name for it, used towards SBI only */
    uint32_t index;      /* ours: 0 .. nr_harts-1 */
    uint32_t nid;        /* its node */
    struct fpu_state *fpu_owner; /* whose values the FP registers hold, see fpu.h */
    uint64_t nofault;            /* not 0: a fault in uaccess takes its fixup at once */
};

static inline struct hart *this_hart(void)
{
    struct hart *h;
    /* volatile: a thread may come back from schedule() on another hart */
    __asm__ volatile("mv %0, tp" : "=r"(h));
    return h;
}

/** The same as arch sees it: struct hart begins with struct arch_hart. */
static inline struct arch_hart *this_arch_hart(void)
{
    return (struct arch_hart *)this_hart();
}

/** Become the hart whose struct lies at h. Boot only. */
static inline void set_this_hart(struct hart *h)
{
    __asm__ volatile("mv tp, %0" ::"r"(h));
}

/** Have the hart call trap_ops.user_return before it next enters a guest. Any hart may ask. */
static inline void hart_add_user_work(struct arch_hart *h, uint64_t bits)
{
    __atomic_fetch_or(&h->user_work, bits, __ATOMIC_ACQ_REL);
}

/** Which stack the hart runs on from now on; the scheduler calls it at each switch. */
static inline void hart_set_stack(struct arch_hart *h, const void *low, const void *top)
{
    h->stack_low = (uint64_t)low;
    h->kernel_sp = (uint64_t)top;
    hart_add_user_work(h, USER_WORK_FRAME);
}

/** Take what there is to do. Only the hart itself, in user_return. */
static inline uint64_t hart_take_user_work(struct arch_hart *h)
{
    return __atomic_exchange_n(&h->user_work, 0, __ATOMIC_ACQ_REL);
}

/** A pause in a spin loop. */
static inline void cpu_relax(void)
{
    /* Zihintpause's `pause`, a fence that older harts execute as nothing */
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

/** Sleep until an enabled interrupt is pending; it is not taken here. */
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/** Take the interrupts that are pending now: the only moments the monitor can be interrupted. */
static inline void interrupt_window(void)
{
    __asm__ volatile("csrsi sstatus, 2\n\tcsrci sstatus, 2" ::: "memory");
}

#endif
#endif
