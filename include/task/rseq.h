/* SPDX-License-Identifier: MIT */
/*
 * rseq.h - restartable sequences: a guest's code that is on one hart from begin to end, or told.
 *
 *      struct rseq, in the guest's memory         struct rseq_cs, likewise
 *      +----------------------------+             +------------------------------+
 *      | cpu_id_start, cpu_id       |  rseq_cs--> | start, length, abort         |
 *      | node_id, mm_cid            |             +------------------------------+
 *      +----------------------------+
 *
 * Who was interrupted inside of [start, start + length) goes on at abort. The numbers say where the
 * task runs; libc registers one struct for each thread.
 *
 * It costs a switch three loads: where a system call switches nothing can be in a sequence, so only
 * a change of hart is looked at. Preemption, signals and faults that have slept look at rseq_cs.
 *
 * Locks: none, the task's own. Linux's counterpart: kernel/rseq.c.
 */
#ifndef PAGODA_TASK_RSEQ_H
#define PAGODA_TASK_RSEQ_H

#include "arch/trap.h"
#include "base/types.h"

struct task;

struct rseq_state {
    uint64_t addr; /* 0: not registered */
    uint32_t len, signature;
    uint32_t hart; /* that the guest's memory names */
    bool stirred;  /* it left a hart since it was last looked at */
};

#define RSEQ_NO_HART UINT32_MAX
#define RSEQ_FEATURE_SIZE 28 /* bytes of struct rseq that mean something: AT_RSEQ_FEATURE_SIZE */
#define RSEQ_ALIGN 32

/** On the way to U-mode, or to a handler: abort a sequence, say where it runs. Current task. */
void rseq_resume(struct task *t, struct trap_frame *frame);

#endif
