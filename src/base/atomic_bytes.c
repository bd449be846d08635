/* SPDX-License-Identifier: MIT */
/*
 * atomic_bytes.c - atomic operations on single bytes, which the A extension does not have.
 *
 *      word    | byte 3 | byte 2 | byte 1 | byte 0 |
 *      or              0       v       0        0      amoor.w
 *      and            ff       v      ff       ff      amoand.w
 *
 * GCC 12 calls these functions where newer compilers put the instructions in place. The other bytes
 * of the word are written back as they are, in the same atomic step.
 *
 * Locks: none. Linux's counterpart: arch/riscv/include/asm/bitops.h, which uses words only.
 */
#include "base/types.h"

#define BYTE_MASK 0xffu

uint8_t __atomic_fetch_or_1(volatile void *p, uint8_t value, int order);
uint8_t __atomic_fetch_and_1(volatile void *p, uint8_t value, int order);

static volatile uint32_t *word_of(volatile void *p, unsigned *shift)
{
    uintptr_t address = (uintptr_t)p;
    *shift = (unsigned)(address & 3) * 8;
    return (volatile uint32_t *)(address & ~(uintptr_t)3);
}

uint8_t __atomic_fetch_or_1(volatile void *p, uint8_t value, int order)
{
    unsigned shift;
    volatile uint32_t *word = word_of(p, &shift);
    (void)order; /* the strongest order serves all */
    uint32_t old = __atomic_fetch_or(word, (uint32_t)value << shift, __ATOMIC_SEQ_CST);
    return (uint8_t)(old >> shift);
}

uint8_t __atomic_fetch_and_1(volatile void *p, uint8_t value, int order)
{
    unsigned shift;
    volatile uint32_t *word = word_of(p, &shift);
    (void)order;
    uint32_t keep = ~(BYTE_MASK << shift) | (uint32_t)value << shift;
    uint32_t old = __atomic_fetch_and(word, keep, __ATOMIC_SEQ_CST);
    return (uint8_t)(old >> shift);
}
