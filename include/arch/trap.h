/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the way into the monitor, and back out.
 *
 *      guest --ecall------> trap_entry --> ops.syscall(frame) -------.
 *            --page fault-> trap_entry --> ops.user_fault            +--> user_work? user_return
 *            --others-----> trap_entry --> ops.user_exception        |        |
 *            --interrupt--> trap_entry --> irq.{timer,ipi,external} -'        v
 *      guest <--sret--------------------------------------------------------- +
 *
 *      monitor --fault at a user address, inside uaccess--> ops.kernel_fault, else its fixup
 *              --interrupt, in a window--> irq.{timer,ipi,external}
 *              --anything else--> irq.fatal: registers, backtrace, panic
 *
 * The frame of a guest lies at the very top of the kernel stack of the thread that runs it; frames
 * of kernel traps lie wherever the stack was.
 *
 * The floors above register what they do; arch calls no one by name.
 *
 * Locks: none. The tables of operations are set at boot, by one hart.
 * Linux's counterpart: arch/riscv/kernel/entry.S and traps.c.
 */
#ifndef PAGODA_ARCH_TRAP_H
#define PAGODA_ARCH_TRAP_H

/* Offsets for assembly; checked in trap.c. */
#define FRAME_REG(n) ((n)*8)
#define FRAME_HART 0 /* the place of x0: the hart to come back to, valid while in the guest */
#define FRAME_SEPC 256
#define FRAME_SSTATUS 264
#define FRAME_SCAUSE 272
#define FRAME_STVAL 280
#define FRAME_SIZE 288

#ifndef __ASSEMBLER__
#include "arch/csr.h"
#include "arch/hart.h"
#include "base/format.h"
#include "base/types.h"

/* Registers by the names of the calling convention: indexes into trap_frame.regs. */
enum reg {
    REG_RA = 1,
    REG_SP,
    REG_GP,
    REG_TP,
    REG_T0,
    REG_T1,
    REG_T2,
    REG_S0,
    REG_S1,
    REG_A0,
    REG_A1,
    REG_A2,
    REG_A3,
    REG_A4,
    REG_A5,
    REG_A6,
    REG_A7,
    REG_S2,
    REG_S3,
    REG_S4,
    REG_S5,
    REG_S6,
    REG_S7,
    REG_S8,
    REG_S9,
    REG_S10,
    REG_S11,
    REG_T3,
    REG_T4,
    REG_T5,
    REG_T6,
};

struct trap_frame {
    uint64_t regs[32]; /* regs[0] is the entry's own */
    uint64_t sepc;     /* where to go on; for a system call already past the ecall */
    uint64_t sstatus;  /* SPP, SPIE, FS of the interrupted */
    uint64_t scause;   /* not set for system calls */
    uint64_t stval;    /* not set for system calls */
};

/**
 * What the floors above do. All run on the current thread's stack with interrupts off; all but
 * those of the kernel may block. NULL: a guest trap is fatal, a kernel fault takes its fixup.
 */
struct trap_ops {
    /* An ecall: number and arguments in a7, a0..a5 of the frame, result to a0. A call that writes
     * other registers of the frame calls trap_frame_rewritten() last of all. */
    void (*syscall)(struct trap_frame *frame);
    /* Page fault of a guest: cause is CAUSE_{FETCH,LOAD,STORE}_PAGE. */
    void (*user_fault)(struct trap_frame *frame, uint64_t cause, vaddr_t addr);
    /* Every other exception of a guest, with stval still in the frame. */
    void (*user_exception)(struct trap_frame *frame, uint64_t cause);
    /* Page fault inside uaccess: true when the access should be tried again. May block. */
    bool (*kernel_fault)(struct trap_frame *frame, uint64_t cause, vaddr_t addr);
    /* Before going back to a guest, if this hart's user_work is not 0; it takes the bits. */
    void (*user_return)(struct trap_frame *frame);
};

/** What the kern floor does. */
struct trap_irq_ops {
    void (*timer)(void);
    void (*ipi)(void); /* the pending bit is already cleared */
    void (*external)(void);
    /* The monitor itself cannot go on. Does not return. */
    void (*fatal)(const struct trap_frame *frame, const char *why);
};

void trap_set_ops(const struct trap_ops *ops);
void trap_set_irq_ops(const struct trap_irq_ops *ops);

/** Point stvec here, sscratch to 0. Each hart, first of all. */
void trap_init_hart(void);

/** The user frame of the thread that runs now. */
static inline struct trap_frame *trap_user_frame(void)
{
    return (struct trap_frame *)this_arch_hart()->kernel_sp - 1;
}

/**
 * Make a frame with which trap_enter_user() starts a program at pc with stack pointer sp: all
 * other registers 0, interrupts on in the guest, FPU off until it is used.
 */
void trap_frame_init(struct trap_frame *frame, vaddr_t pc, vaddr_t sp);

/** Go to the guest with all of the frame, which must be trap_user_frame(). The stack is dropped. */
noreturn void trap_enter_user(struct trap_frame *frame);

/**
 * The system call changed more than a0 (exec, sigreturn): restore every register. Must be the last
 * thing before returning to the entry code: not followed by anything that may block.
 */
static inline void trap_frame_rewritten(void)
{
    hart_add_user_work(this_arch_hart(), USER_WORK_FRAME);
}

/** Did the trap come from a guest? */
static inline bool trap_from_user(const struct trap_frame *frame)
{
    return !(frame->sstatus & SSTATUS_SPP);
}

/** "load page fault" and so on; never NULL. */
const char *trap_cause_name(uint64_t scause);

/** Registers, four on a line, with cause and address, for panics and guest deaths. */
void trap_frame_print(struct sink *out, const struct trap_frame *frame);

/** Hang the hart's interrupt sources on: SIE_SOFT | SIE_TIMER | SIE_EXTERNAL. */
static inline void trap_enable_irqs(uint64_t sie_bits)
{
    csr_set(sie, sie_bits);
}

#endif
#endif
