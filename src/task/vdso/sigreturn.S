/* SPDX-License-Identifier: MIT */
/*
 * sigreturn.S - where signal handlers return to.
 *
 * Debuggers and C++ exceptions go through here on their way up the stack, so the description of the
 * frame says where the interrupted registers lie: in the mcontext, 304 bytes above sp (siginfo 128,
 * and in ucontext at 176; signal_frame.c): pc first, then x1 to x31. Column 64 stands for pc, which
 * is not the same as ra here.
 *
 * Linux's counterpart: arch/riscv/kernel/vdso/rt_sigreturn.S.
 */
#define MCONTEXT 304
#define SYS_RT_SIGRETURN 139

    .altmacro
    .macro saved n
    .cfi_offset x\n, MCONTEXT + 8 * \n
    .endm

    .section .text.sigreturn, "ax", @progbits
    .balign 4
    .globl __vdso_rt_sigreturn
    .type __vdso_rt_sigreturn, @function
    .cfi_startproc
    .cfi_signal_frame
    .cfi_return_column 64
    .cfi_def_cfa sp, 0
    .cfi_offset 64, MCONTEXT
    .set i, 1
    .rept 31
    saved %i
    .set i, i + 1
    .endr
    .option norvc
    nop /* who looks up the address before the return address finds this function too */
__vdso_rt_sigreturn:
    li a7, SYS_RT_SIGRETURN
    ecall
    .cfi_endproc
    .size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn

    .section .note.GNU-stack, "", @progbits
