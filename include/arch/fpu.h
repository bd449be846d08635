/* SPDX-License-Identifier: MIT */
/*
 * fpu.h - a guest's floating-point registers, moved only when it must be.
 *
 *      sstatus.FS of the guest's frame
 *      OFF     never used: the first FP instruction traps, and gets zeroed registers (CLEAN)
 *      CLEAN   the registers are as in the saved state: leaving the hart costs nothing
 *      DIRTY   hardware saw a write: saved when the thread leaves the hart, then CLEAN
 *
 *      arch_hart.fpu_owner --> fpu_state --loaded_on--> arch_hart
 *
 * If both pointers still agree when a thread comes back, its values are still in the registers, and
 * they are not loaded either. The monitor itself is compiled without FP.
 *
 * Locks: none; a state is touched by the hart that runs its thread.
 * Linux's counterpart: <asm/switch_to.h>'s fstate_save() and fstate_restore().
 */
#ifndef PAGODA_ARCH_FPU_H
#define PAGODA_ARCH_FPU_H

#ifndef __ASSEMBLER__
#include "arch/hart.h"
#include "arch/trap.h"
#include "base/types.h"

struct fpu_state {
    uint64_t f[32];
    uint64_t fcsr;
    struct arch_hart *loaded_on; /* which hart's registers hold these values, NULL: none */
};

/** All zero, in no hart. For a new task and at exec (with FS of the frame off). */
void fpu_init(struct fpu_state *fpu);

/** The thread leaves the hart: save if the guest has written FP registers. */
void fpu_switch_out(struct fpu_state *fpu, struct trap_frame *frame);

/** The thread comes to this hart: load unless it never used them, or they are still there. */
void fpu_switch_in(struct fpu_state *fpu, struct trap_frame *frame);

/**
 * An illegal-instruction trap: was it the first use of the FPU? Then it is given one, and the
 * instruction should be tried again: true. False: it really is illegal.
 */
bool fpu_first_use(struct fpu_state *fpu, struct trap_frame *frame);

/** Bring fpu up to date without leaving: for fork and signal frames. Current thread only. */
void fpu_sync(struct fpu_state *fpu, struct trap_frame *frame);

/** The saved values were changed (sigreturn, fork's child): the registers are stale. */
void fpu_changed(struct fpu_state *fpu, struct trap_frame *frame);

#endif
#endif
