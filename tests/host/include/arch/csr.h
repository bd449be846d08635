/* SPDX-License-Identifier: MIT */
/*
 * csr.h - the names and bits of the real one; of the registers themselves this host has only the
 * clock, a tick of which is a nanosecond, and satp (support/mmu.c).
 */
#ifndef HOST_ARCH_CSR_H
#define HOST_ARCH_CSR_H

#include <time.h>

#define rdtime hart_rdtime
#include_next "arch/csr.h"
#undef rdtime

#undef csr_read
#undef csr_write
#define csr_read(csr) host_read_##csr()
#define csr_write(csr, value) host_write_##csr(value)

uint64_t host_read_satp(void);
void host_write_satp(uint64_t satp);

static inline uint64_t rdtime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000UL + (uint64_t)t.tv_nsec;
}

#endif
