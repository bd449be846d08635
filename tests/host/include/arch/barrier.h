/* SPDX-License-Identifier: MIT */
/*
 * barrier.h of the host: fences of the C memory model, and those of translations for the TLBs of
 * support/mmu.c. Shadows include/arch/barrier.h.
 */
#ifndef PAGODA_ARCH_BARRIER_H
#define PAGODA_ARCH_BARRIER_H

#include "base/types.h"

static inline void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline void mb(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void rmb(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void wmb(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* In place of the instruction's register zero: every address, every space. */
#define HOST_ANY UINT64_MAX

void host_sfence(uint64_t va, uint64_t asid);

static inline void sfence_all(void)
{
    host_sfence(HOST_ANY, HOST_ANY);
}

static inline void sfence_page(vaddr_t va)
{
    host_sfence(va.v, HOST_ANY);
}

static inline void sfence_page_asid(vaddr_t va, uint64_t asid)
{
    host_sfence(va.v, asid);
}

static inline void sfence_asid(uint64_t asid)
{
    host_sfence(HOST_ANY, asid);
}

#endif
