/* SPDX-License-Identifier: MIT */
/*
 * hart.h of the host: a hart is a thread, and knows itself by a thread-local pointer.
 * Shadows include/arch/hart.h; support/hart.h says how a test becomes a hart.
 */
#ifndef PAGODA_ARCH_HART_H
#define PAGODA_ARCH_HART_H

#include "base/types.h"

#define USER_WORK_RESCHED 1u
#define USER_WORK_SIGNAL 2u
#define USER_WORK_FRAME 4u

struct hart;
struct fpu_state;

struct arch_hart {
    uint64_t kernel_sp, stack_low, user_work, scratch[3];
    uint64_t hartid;
    uint32_t index;
    uint32_t nid;
    struct fpu_state *fpu_owner;
    uint64_t nofault;
};

extern _Thread_local struct hart *host_hart;

static inline struct hart *this_hart(void)
{
    return host_hart;
}

static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}

static inline void interrupt_window(void) {}

#endif
