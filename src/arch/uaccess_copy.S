/* SPDX-License-Identifier: MIT */
/*
 * uaccess_copy.S - the instructions that touch a guest's memory, and where they go when they fault.
 *
 *      __ex_table    { instruction, fixup } pairs, ascending because they are written in this order
 *
 *      may_fault L, ld t0, 0(a1)      a load or store that goes on at L if it cannot be done
 *
 * Copying tries, from the best case down: groups of eight words, words, bytes. A fault in a group
 * falls to the byte loop, which stops exactly at the byte that cannot be had. So the count returned
 * is exact. sstatus.SUM is on only between user_begin and user_end.
 *
 * All are called through uaccess.c, which has checked the range.
 * Linux's counterpart: arch/riscv/lib/uaccess.S.
 */
#include "arch/csr.h"

#define WORD 8
#define GROUP (8 * WORD)

    .macro user_begin
    li t6, SSTATUS_SUM
    csrs sstatus, t6
    .endm

    .macro user_end
    li t6, SSTATUS_SUM
    csrc sstatus, t6
    .endm

    .macro may_fault fixup, insn:vararg
9999:
    \insn
    .pushsection __ex_table, "a"
    .balign 8
    .dword 9999b, \fixup
    .popsection
    .endm

/* size_t uaccess_copy(void *dst a0, const void *src a1, size_t n a2) -> bytes not copied */
    .section .text.uaccess, "ax"
    .globl uaccess_copy
uaccess_copy:
    user_begin
    add a3, a0, a2 /* end of dst */
    xor t0, a0, a1
    andi t0, t0, WORD - 1
    bnez t0, copy_bytes /* never both aligned */
    sltiu t0, a2, 2 * WORD
    bnez t0, copy_bytes
copy_head:
    andi t0, a0, WORD - 1
    beqz t0, copy_groups
    may_fault copy_done, lbu t0, 0(a1)
    may_fault copy_done, sb t0, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    j copy_head

copy_groups:
    addi a4, a3, -GROUP /* the last place where a whole group fits */
    bgtu a0, a4, copy_words
1:
    may_fault copy_bytes, ld a5, 0(a1)
    may_fault copy_bytes, ld a6, 8(a1)
    may_fault copy_bytes, ld a7, 16(a1)
    may_fault copy_bytes, ld t0, 24(a1)
    may_fault copy_bytes, ld t1, 32(a1)
    may_fault copy_bytes, ld t2, 40(a1)
    may_fault copy_bytes, ld t3, 48(a1)
    may_fault copy_bytes, ld t4, 56(a1)
    may_fault copy_bytes, sd a5, 0(a0)
    may_fault copy_bytes, sd a6, 8(a0)
    may_fault copy_bytes, sd a7, 16(a0)
    may_fault copy_bytes, sd t0, 24(a0)
    may_fault copy_bytes, sd t1, 32(a0)
    may_fault copy_bytes, sd t2, 40(a0)
    may_fault copy_bytes, sd t3, 48(a0)
    may_fault copy_bytes, sd t4, 56(a0)
    addi a0, a0, GROUP
    addi a1, a1, GROUP
    bleu a0, a4, 1b

copy_words:
    addi a4, a3, -WORD
    bgtu a0, a4, copy_bytes
1:
    may_fault copy_bytes, ld t0, 0(a1)
    may_fault copy_bytes, sd t0, 0(a0)
    addi a0, a0, WORD
    addi a1, a1, WORD
    bleu a0, a4, 1b

copy_bytes:
    bgeu a0, a3, copy_done
    may_fault copy_done, lbu t0, 0(a1)
    may_fault copy_done, sb t0, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    j copy_bytes
copy_done:
    user_end
    sub a0, a3, a0
    ret

/* size_t uaccess_clear(void *dst a0, size_t n a1) -> bytes not zeroed */
    .globl uaccess_clear
uaccess_clear:
    user_begin
    add a3, a0, a1
    sltiu t0, a1, 2 * WORD
    bnez t0, clear_bytes
clear_head:
    andi t0, a0, WORD - 1
    beqz t0, clear_groups
    may_fault clear_done, sb zero, 0(a0)
    addi a0, a0, 1
    j clear_head
clear_groups:
    addi a4, a3, -GROUP
    bgtu a0, a4, clear_words
1:
    may_fault clear_bytes, sd zero, 0(a0)
    may_fault clear_bytes, sd zero, 8(a0)
    may_fault clear_bytes, sd zero, 16(a0)
    may_fault clear_bytes, sd zero, 24(a0)
    may_fault clear_bytes, sd zero, 32(a0)
    may_fault clear_bytes, sd zero, 40(a0)
    may_fault clear_bytes, sd zero, 48(a0)
    may_fault clear_bytes, sd zero, 56(a0)
    addi a0, a0, GROUP
    bleu a0, a4, 1b
clear_words:
    addi a4, a3, -WORD
    bgtu a0, a4, clear_bytes
1:
    may_fault clear_bytes, sd zero, 0(a0)
    addi a0, a0, WORD
    bleu a0, a4, 1b
clear_bytes:
    bgeu a0, a3, clear_done
    may_fault clear_done, sb zero, 0(a0)
    addi a0, a0, 1
    j clear_bytes
clear_done:
    user_end
    sub a0, a3, a0
    ret

/*
 * int64_t uaccess_string(char *dst a0, const char *src a1, size_t limit a2)
 * -> length without NUL; limit if there was no NUL; -1 if a byte could not be read
 */
    .globl uaccess_string
uaccess_string:
    user_begin
    li a3, 0
1:
    bgeu a3, a2, 2f
    add t0, a1, a3
    may_fault string_fault, lbu t1, 0(t0)
    add t0, a0, a3
    sb t1, 0(t0)
    beqz t1, 2f
    addi a3, a3, 1
    j 1b
string_fault:
    li a3, -1
2:
    user_end
    mv a0, a3
    ret

/* int uaccess_{load,store}{32,64}(value or place a0, address a1) -> 0 or -1 */
    .globl uaccess_load32
uaccess_load32:
    user_begin
    may_fault word_fault, lwu t0, 0(a1)
    user_end
    sw t0, 0(a0)
    li a0, 0
    ret

    .globl uaccess_load64
uaccess_load64:
    user_begin
    may_fault word_fault, ld t0, 0(a1)
    user_end
    sd t0, 0(a0)
    li a0, 0
    ret

    .globl uaccess_store32
uaccess_store32:
    user_begin
    may_fault word_fault, sw a0, 0(a1)
    user_end
    li a0, 0
    ret

    .globl uaccess_store64
uaccess_store64:
    user_begin
    may_fault word_fault, sd a0, 0(a1)
    user_end
    li a0, 0
    ret

/* int uaccess_cmpxchg32(address a0, uint32_t *expected a1, uint32_t value a2) -> 1, 0 or -1 */
    .globl uaccess_cmpxchg32
uaccess_cmpxchg32:
    lw t0, 0(a1)
    user_begin
1:
    may_fault word_fault, lr.w.aqrl t1, (a0)
    bne t1, t0, 2f
    may_fault word_fault, sc.w.aqrl t2, a2, (a0)
    bnez t2, 1b
    user_end
    li a0, 1
    ret
2:
    user_end
    sw t1, 0(a1)
    li a0, 0
    ret

word_fault:
    user_end
    li a0, -1
    ret
