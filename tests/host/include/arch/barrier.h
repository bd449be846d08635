/* SPDX-License-Identifier: MIT */
/* barrier.h of the host: fences of the C memory model. Shadows include/arch/barrier.h. */
#ifndef PAGODA_ARCH_BARRIER_H
#define PAGODA_ARCH_BARRIER_H

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

#endif
