/* SPDX-License-Identifier: MIT */
/*
 * run.h - tasks as threads of the monitor, between the files of the task floor.
 */
#ifndef PAGODA_TASK_RUN_H
#define PAGODA_TASK_RUN_H

#include "task/task.h"

/** What OOM and reclaim do to a guest that they know only by its address space. */
extern const struct mm_owner_ops guest_mm_owner_ops;

/** Boot only. */
void task_cache_init(void);

/** Tasks that there may be; /proc/sys/kernel/threads-max. Their stacks are an eighth of memory. */
extern uint64_t sysctl_threads_max;
#define THREADS_MIN 20u

/** May g's user have one task more? False: -EAGAIN, by RLIMIT_NPROC or threads-max. */
bool task_may_have_more(const struct guest *g);

/**
 * A task of g with a thread that will run fn(task), not yet started; in g->tasks. tid 0: the
 * guest's pid. NULL when out of memory.
 */
struct task *task_create(struct guest *g, uint32_t tid, void (*fn)(void *));

/** Undo task_create() of a task that was never started. */
void task_discard(struct task *t);

/** trap_ops of guests. */
void task_trap_init(void);

/** Free what a guest whose tasks have all ended still holds, and tell who waits for it. */
void guest_finish(struct guest *g, struct mm_struct *mm);

/** A guest that was waited for, or for which nobody will: out of the table. */
void guest_reap(struct guest *g);

#endif
