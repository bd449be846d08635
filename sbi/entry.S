/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instructions.
 *
 *      OpenSBI --a0 hart id, a1 device tree--> _start               physical addresses, MMU off
 *          one hart wins; BSS is zeroed; early_root is filled; satp
 *      ----------------------------------------------------------- the jump: + IMAGE_OFFSET
 *          stack, tp, trap vector  -->  monitor_main(hart id, device tree)
 *
 *      early_root    [2]         physical 2..3 GiB at its own address: where we stand when satp is
 *                                written. Only harts that start up ever use this table.
 *                    [256..495]  the linear map, 1 GiB leaves
 *                    [509]       physical 0..1 GiB: devices, before ioremap
 *                    [510]       the image
 *
 * Everything in early_root is writable or executable as need be; the kernel map (virt) replaces it
 * by one that is W^X, and leaves its satp in boot_satp. Further harts come in at secondary_entry,
 * by HSM, with the physical address of their struct hart.
 *
 * Code that runs before the jump names symbols only relative to the pc (medany), so it finds them
 * where it stands itself.
 *
 * Linux's counterpart: arch/riscv/kernel/head.S.
 */
#include "arch/csr.h"
#include "arch/hart.h"
#include "arch/layout.h"

#define IMAGE_OFFSET (IMAGE_BASE - MEMORY_BASE)
#define LINEAR_OFFSET (LINEAR_BASE - MEMORY_BASE)

/* PTE flags; arch/pte.h has the same for C. */
#define LEAF_RW 0xc7  /* D A W R V */
#define LEAF_RWX 0xcf /* D A X W R V */
#define GLOBAL 0x20
#define GIB_AS_PTE 0x10000000 /* 1 GiB >> 12 << 10 */
#define IDENTITY_ROOT 2       /* MEMORY_BASE >> 30 */

#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_SHUTDOWN 8

/* pagoda.lds cannot include layout.h: it checks its own numbers against these. */
    .globl layout_image_start, layout_image_offset
    .set layout_image_start, IMAGE_BASE + IMAGE_LOAD_OFFSET
    .set layout_image_offset, IMAGE_OFFSET

/* Turn the MMU on with early_root and go on at the linked address. Clobbers t0..t2. */
    .macro enter_image
    lla t0, early_root
    srli t0, t0, 12
    li t1, SATP_MODE_SV39 << SATP_MODE_SHIFT
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    csrr t1, satp
    bne t0, t1, no_sv39
    lla t0, 1f
    li t1, IMAGE_OFFSET
    add t0, t0, t1
    jr t0
1:
    .endm

/* The trap vector, the mark in sscratch that this is the monitor, and clocks for guests. */
    .macro enter_monitor
    lla t0, trap_entry
    csrw stvec, t0
    csrw sscratch, zero
    li t0, SCOUNTEREN_ALL
    csrw scounteren, t0
    li s0, 0 /* backtraces end here */
    li ra, 0
    .endm

    .section .init, "ax"
    .globl _start
_start:
    csrw sie, zero
    /* Firmware without HSM sends all harts here at once: the first one boots, the others stay. */
    lla t0, boot_claimed
    li t1, 1
    amoswap.w.aq t1, t1, (t0)
    bnez t1, park
    mv s2, a0
    mv s3, a1

    lla t0, bss_start
    lla t1, bss_end
zero_bss:
    sd zero, 0(t0)
    sd zero, 8(t0)
    sd zero, 16(t0)
    sd zero, 24(t0)
    addi t0, t0, 32
    bltu t0, t1, zero_bss

    call fill_early_root
    enter_image
    lla sp, boot_stack_top
    lla tp, boot_hart
    enter_monitor
    mv a0, s2
    mv a1, s3
    tail monitor_main

/* a0 = hart id, a1 = physical address of struct hart; MMU off, as HSM starts it. */
    .globl secondary_entry
secondary_entry:
    csrw sie, zero
    enter_image
    ld t0, boot_satp
    beqz t0, 2f
    csrw satp, t0
    sfence.vma
2:
    li t0, LINEAR_OFFSET
    add tp, a1, t0
    ld sp, ARCH_HART_KERNEL_SP(tp)
    enter_monitor
    mv a0, tp
    tail secondary_main

/* Clobbers t0..t4. */
fill_early_root:
    lla t0, early_root
    li t1, GIB_AS_PTE * IDENTITY_ROOT + LEAF_RWX
    sd t1, IDENTITY_ROOT * 8(t0)
    li t1, GIB_AS_PTE * IDENTITY_ROOT + LEAF_RWX + GLOBAL
    li t2, IMAGE_ROOT * 8
    add t2, t0, t2
    sd t1, 0(t2)
    li t1, LEAF_RW + GLOBAL
    li t2, EARLY_MMIO_ROOT * 8
    add t2, t0, t2
    sd t1, 0(t2)

    li t1, GIB_AS_PTE * IDENTITY_ROOT + LEAF_RW + GLOBAL
    li t2, LINEAR_ROOT_FIRST * 8
    add t2, t0, t2
    li t3, LINEAR_ROOT_COUNT
    li t4, GIB_AS_PTE
1:
    sd t1, 0(t2)
    add t1, t1, t4
    addi t2, t2, 8
    addi t3, t3, -1
    bnez t3, 1b
    ret

/* satp did not take Sv39: say so through the oldest of all interfaces, and stop. */
no_sv39:
    lla s4, no_sv39_text
1:
    lbu a0, 0(s4)
    beqz a0, 2f
    li a7, SBI_LEGACY_PUTCHAR
    ecall
    addi s4, s4, 1
    j 1b
2:
    li a7, SBI_LEGACY_SHUTDOWN
    ecall
park:
    wfi
    j park

    .section .rodata
no_sv39_text:
    .ascii "\r\nPagoda needs harts with Sv39 virtual memory (mmu-type riscv,sv39 or better);"
    .asciz " this one has none.\r\n"

/* Not in BSS: written before that is zeroed. */
    .section .data
    .balign 8
boot_claimed:
    .word 0
    .word 0

    .section .bss
    .balign 4096
early_root:
    .skip 4096
