/* SPDX-License-Identifier: MIT */
/*
 * fpu_regs.S - the FP registers, all at once. The only code of the monitor that names them.
 *
 *      a0 -> struct fpu_state: f0..f31, then fcsr
 *
 * sstatus.FS is on only in here: the guest's own FS comes from its frame.
 * Linux's counterpart: arch/riscv/kernel/fpu.S.
 */
#include "arch/csr.h"

#define FCSR (32 * 8)

    .altmacro
    .macro save_f n
    fsd f\n, (8 * \n)(a0)
    .endm
    .macro load_f n
    fld f\n, (8 * \n)(a0)
    .endm
    .macro each what
    .set i, 0
    .rept 32
    \what %i
    .set i, i + 1
    .endr
    .endm

    .section .text.fpu, "ax"
    .globl fpu_regs_save
fpu_regs_save:
    li t0, SSTATUS_FS
    csrs sstatus, t0
    each save_f
    frcsr t1
    sd t1, FCSR(a0)
    csrc sstatus, t0
    ret

    .globl fpu_regs_load
fpu_regs_load:
    li t0, SSTATUS_FS
    csrs sstatus, t0
    each load_f
    ld t1, FCSR(a0)
    fscsr t1
    csrc sstatus, t0
    ret
