/* SPDX-License-Identifier: MIT */
/*
 * csr.h - the supervisor's control and status registers.
 *
 *      sstatus  63 ... 18  14 13    8   5   1
 *               SD     SUM  FS     SPP SPIE SIE
 *
 *      satp     63..60  59..44  43..0           scause  63         62..0
 *               mode    ASID    root pfn                interrupt  number
 *
 * csr_read(satp) and the like take the register's name as the assembler knows it.
 *
 * Locks: none; each hart has its own.
 * Linux's counterpart: <asm/csr.h>.
 */
#ifndef PAGODA_ARCH_CSR_H
#define PAGODA_ARCH_CSR_H

#define SSTATUS_SIE (1 << 1)
#define SSTATUS_SPIE (1 << 5)
#define SSTATUS_SPP (1 << 8)
#define SSTATUS_FS (3 << 13)
#define SSTATUS_FS_OFF (0 << 13)
#define SSTATUS_FS_INITIAL (1 << 13)
#define SSTATUS_FS_CLEAN (2 << 13)
#define SSTATUS_FS_DIRTY (3 << 13)
#define SSTATUS_SUM (1 << 18)

/* Bits of sie and sip; the bit's number is also the interrupt's number in scause. */
#define IRQ_SOFT 1
#define IRQ_TIMER 5
#define IRQ_EXTERNAL 9
#define SIE_SOFT (1 << IRQ_SOFT)
#define SIE_TIMER (1 << IRQ_TIMER)
#define SIE_EXTERNAL (1 << IRQ_EXTERNAL)

/* scause without its interrupt bit. */
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_USER 8
#define CAUSE_ECALL_SUPERVISOR 9
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

/* What guests may read: cycle, time, instret. */
#define SCOUNTEREN_ALL 7

#define SATP_MODE_SHIFT 60
#define SATP_MODE_SV39 8
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffff

#ifndef __ASSEMBLER__
#include "base/types.h"

#define CAUSE_INTERRUPT (1UL << 63)

/* Sstc's compare register; the assembler of a plain rv64 does not know its name. */
#define CSR_STIMECMP 0x14d

#define csr_read(csr)                                                    \
    ({                                                                   \
        uint64_t csr_value_;                                             \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_value_)::"memory"); \
        csr_value_;                                                      \
    })
#define csr_write(csr, value) \
    ({ __asm__ volatile("csrw " #csr ", %0" ::"rK"((uint64_t)(value)) : "memory"); })
#define csr_set(csr, bits) \
    ({ __asm__ volatile("csrs " #csr ", %0" ::"rK"((uint64_t)(bits)) : "memory"); })
#define csr_clear(csr, bits) \
    ({ __asm__ volatile("csrc " #csr ", %0" ::"rK"((uint64_t)(bits)) : "memory"); })

/** The machine's clock, in ticks of the device tree's timebase. */
static inline uint64_t rdtime(void)
{
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

/** Cycles and retired instructions of this hart; under -icount they are the same thing. */
static inline uint64_t rdcycle(void)
{
    uint64_t t;
    __asm__ volatile("rdcycle %0" : "=r"(t));
    return t;
}

static inline uint64_t rdinstret(void)
{
    uint64_t t;
    __asm__ volatile("rdinstret %0" : "=r"(t));
    return t;
}

#endif
#endif
