/* SPDX-License-Identifier: MIT */
/*
 * trap_entry.S - from the guest into C, and back.
 *
 *      sscratch != 0: from a guest; it is the frame at the top of the thread's stack
 *
 *          thread's stack      [ ... C ... |        struct trap_frame       | struct thread ]
 *                                          ^ sp after the exchange          ^ kernel_sp
 *
 *      sscratch == 0: from the monitor; the frame goes below the sp it had, unless that has run
 *      into the guard page: then onto the emergency stack, and trap_monitor() reports it.
 *
 * System calls are the short way back. C keeps s0..s11 and does not know gp, so only the other
 * registers are loaded. sstatus still is what it was (every sret leaves SPP 0 and SPIE 1), and the
 * frame still names this hart, unless the thread has left the hart in between. So USER_WORK_FRAME
 * sends the long way, which loads everything: it is set at each switch, by whoever changes FS, and
 * by calls that rewrite the frame.
 *
 *      47 instructions from the first to that of ops.syscall, 24 from its return to the guest.
 *
 * tp is never loaded from a kernel frame: the thread may come back on another hart.
 *
 * Linux's counterpart: arch/riscv/kernel/entry.S.
 */
#include "arch/csr.h"
#include "arch/hart.h"
#include "arch/trap.h"

#define RA 1
#define SP 2
#define GP 3
#define TP 4

#define TRAP_OPS_SYSCALL 0 /* offset in struct trap_ops; checked in trap.c */
#define GUARD_SHIFT 12     /* guard pages are 4 KiB */
#define SCRATCH_T0 ARCH_HART_SCRATCH
#define SCRATCH_SP (ARCH_HART_SCRATCH + 8)
#define SCRATCH_T1 (ARCH_HART_SCRATCH + 16)

    .macro save from, to
    .set i, \from
    .rept \to - \from + 1
    save_one %i
    .set i, i + 1
    .endr
    .endm

    .altmacro
    .macro save_one n
    sd x\n, FRAME_REG(\n)(sp)
    .endm
    .macro load_one n
    ld x\n, FRAME_REG(\n)(sp)
    .endm

    .macro load from, to
    .set i, \from
    .rept \to - \from + 1
    load_one %i
    .set i, i + 1
    .endr
    .endm

    .section .text.trap_entry, "ax"
    .balign 4 /* stvec's low bits are its mode */
    .globl trap_entry
trap_entry:
    csrrw sp, sscratch, sp
    beqz sp, from_monitor

    /* --- from a guest --- */
    save RA, RA
    save GP, 31
    csrrw t0, sscratch, zero
    csrr t1, sepc
    csrr t2, sstatus
    csrr t3, scause
    sd t0, FRAME_REG(SP)(sp)
    sd t2, FRAME_SSTATUS(sp)
    ld tp, FRAME_HART(sp)
    li t4, CAUSE_ECALL_USER
    bne t3, t4, not_syscall

    addi t1, t1, 4
    sd t1, FRAME_SEPC(sp)
    ld t0, trap_ops + TRAP_OPS_SYSCALL
    mv a0, sp
    jalr t0

    ld t0, ARCH_HART_USER_WORK(tp)
    bnez t0, user_work
    ld t0, FRAME_SEPC(sp)
    csrw sscratch, sp
    csrw sepc, t0
    load RA, RA
    load 4, 7   /* tp, t0..t2 */
    load 10, 17 /* a0..a7 */
    load 28, 31 /* t3..t6 */
    load SP, SP
    sret

not_syscall:
    csrr t4, stval
    sd t1, FRAME_SEPC(sp)
    sd t3, FRAME_SCAUSE(sp)
    sd t4, FRAME_STVAL(sp)
    mv a0, sp
    call trap_user

to_user:
    ld t0, ARCH_HART_USER_WORK(tp)
    beqz t0, to_user_now
user_work:
    mv a0, sp
    call trap_user_work
    j to_user
to_user_now:
    ld t0, FRAME_SEPC(sp)
    ld t1, FRAME_SSTATUS(sp)
    csrw sepc, t0
    csrw sstatus, t1
    sd tp, FRAME_HART(sp)
    csrw sscratch, sp
    load RA, RA
    load GP, 31
    load SP, SP
    sret

/* void trap_enter_user(struct trap_frame *): the stack below the frame is forgotten. */
    .globl trap_enter_user
trap_enter_user:
    mv sp, a0
    li s0, 0
    j to_user

    /* --- from the monitor: sp is 0, sscratch the real sp --- */
from_monitor:
    csrrw sp, sscratch, sp
    sd t0, SCRATCH_T0(tp)
    sd sp, SCRATCH_SP(tp)
    addi sp, sp, -FRAME_SIZE
    /* In the guard page, that is 0 <= stack_low - 1 - sp < 4096? */
    ld t0, ARCH_HART_STACK_LOW(tp)
    addi t0, t0, -1
    sub t0, t0, sp
    srli t0, t0, GUARD_SHIFT
    beqz t0, stack_overflow
save_kernel_frame:
    save RA, RA
    save GP, 4
    save 6, 31
    ld t0, SCRATCH_T0(tp)
    ld t1, SCRATCH_SP(tp)
    sd t0, FRAME_REG(5)(sp)
    sd t1, FRAME_REG(SP)(sp)
    csrr t0, sepc
    csrr t1, sstatus
    csrr t2, scause
    csrr t3, stval
    sd t0, FRAME_SEPC(sp)
    sd t1, FRAME_SSTATUS(sp)
    sd t2, FRAME_SCAUSE(sp)
    sd t3, FRAME_STVAL(sp)
    li t0, SSTATUS_SUM /* a fault inside uaccess: not for what we do about it */
    csrc sstatus, t0
    mv a0, sp
    call trap_monitor

    ld t0, FRAME_SEPC(sp)
    ld t1, FRAME_SSTATUS(sp)
    csrw sepc, t0
    csrw sstatus, t1
    load RA, RA
    load GP, GP
    load 5, 31
    load SP, SP
    sret

/* The first hart to get here has the emergency stack; a machine dies of it once. */
stack_overflow:
    sd t1, SCRATCH_T1(tp)
    lla t0, emergency_claimed
    li t1, 1
    amoswap.w.aq t1, t1, (t0)
    bnez t1, stand_still
    ld t1, SCRATCH_T1(tp)
    lla sp, trap_emergency_stack_top - FRAME_SIZE
    j save_kernel_frame
stand_still:
    wfi
    j stand_still

    .section .bss
    .balign 16
    .globl trap_emergency_stack, trap_emergency_stack_top
trap_emergency_stack:
    .skip 8192
trap_emergency_stack_top:
emergency_claimed:
    .skip 8
