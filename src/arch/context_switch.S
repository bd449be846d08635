/* SPDX-License-Identifier: MIT */
/*
 * context_switch.S - leave one stack in a call, return on another.
 *
 *      a0 -> struct context prev     a1 -> struct context next
 *      29 instructions: 14 stores, 14 loads, ret
 *
 * tp stays: it is the hart's, not the thread's.
 * Linux's counterpart: __switch_to in arch/riscv/kernel/entry.S.
 */
#define CONTEXT_RA 0
#define CONTEXT_SP 8
#define CONTEXT_S(n) (16 + 8 * (n))

    .section .text.context_switch, "ax"
    .globl context_switch
context_switch:
    sd ra, CONTEXT_RA(a0)
    sd sp, CONTEXT_SP(a0)
    sd s0, CONTEXT_S(0)(a0)
    sd s1, CONTEXT_S(1)(a0)
    sd s2, CONTEXT_S(2)(a0)
    sd s3, CONTEXT_S(3)(a0)
    sd s4, CONTEXT_S(4)(a0)
    sd s5, CONTEXT_S(5)(a0)
    sd s6, CONTEXT_S(6)(a0)
    sd s7, CONTEXT_S(7)(a0)
    sd s8, CONTEXT_S(8)(a0)
    sd s9, CONTEXT_S(9)(a0)
    sd s10, CONTEXT_S(10)(a0)
    sd s11, CONTEXT_S(11)(a0)
    ld ra, CONTEXT_RA(a1)
    ld sp, CONTEXT_SP(a1)
    ld s0, CONTEXT_S(0)(a1)
    ld s1, CONTEXT_S(1)(a1)
    ld s2, CONTEXT_S(2)(a1)
    ld s3, CONTEXT_S(3)(a1)
    ld s4, CONTEXT_S(4)(a1)
    ld s5, CONTEXT_S(5)(a1)
    ld s6, CONTEXT_S(6)(a1)
    ld s7, CONTEXT_S(7)(a1)
    ld s8, CONTEXT_S(8)(a1)
    ld s9, CONTEXT_S(9)(a1)
    ld s10, CONTEXT_S(10)(a1)
    ld s11, CONTEXT_S(11)(a1)
    ret

/* Where a new context begins: s1 = fn, s2 = its argument; s0 = 0 ends backtraces. */
    .globl context_begin
context_begin:
    mv a0, s2
    jalr s1
    ebreak /* fn does not return */
