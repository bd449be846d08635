/* SPDX-License-Identifier: MIT */
/*
 * csr.h - the names and bits of the real one; of the registers themselves this host has only the
 * clock, and a tick of it is a nanosecond.
 */
#ifndef HOST_ARCH_CSR_H
#define HOST_ARCH_CSR_H

#include <time.h>

#define rdtime hart_rdtime
#include_next "arch/csr.h"
#undef rdtime

static inline uint64_t rdtime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000UL + (uint64_t)t.tv_nsec;
}

#endif
