/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - order among memory accesses, beyond what base/atomic.h's acquire and release give.
 *
 *      mb rmb wmb     RAM, as other harts see it
 *      io_mb          RAM and device registers, both ways
 *      fence_i        what was stored may now be fetched, on this hart
 *      sfence_*       what was stored into page tables is now looked at, on this hart
 *
 * Locks: none. Linux's counterpart: <asm/barrier.h>, <asm/tlbflush.h> for the local ones.
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
    __asm__ volatile("fence rw, rw" ::: "memory");
}
static inline void rmb(void)
{
    __asm__ volatile("fence r, r" ::: "memory");
}
static inline void wmb(void)
{
    __asm__ volatile("fence w, w" ::: "memory");
}
static inline void io_mb(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}
static inline void fence_i(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

/** Forget all translations of this hart, global ones included. */
static inline void sfence_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

/** One page in all address spaces: for global (kernel) mappings. */
static inline void sfence_page(vaddr_t va)
{
    __asm__ volatile("sfence.vma %0, zero" ::"r"(va.v) : "memory");
}

/** One page of one address space; global mappings stay. */
static inline void sfence_page_asid(vaddr_t va, uint64_t asid)
{
    __asm__ volatile("sfence.vma %0, %1" ::"r"(va.v), "r"(asid) : "memory");
}

/** All of one address space; global mappings stay. */
static inline void sfence_asid(uint64_t asid)
{
    __asm__ volatile("sfence.vma zero, %0" ::"r"(asid) : "memory");
}

#endif
