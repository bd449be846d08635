/* SPDX-License-Identifier: MIT */
/*
 * balance.h - which hart should a thread run on?
 *
 *      asked when                      answered with
 *      a thread wakes or starts        balance_choose_hart: idle and near, else where it was
 *      a hart has nothing to do        balance_steal: the longest queue's last thread
 *      a slice ends with others        balance_pick_to_push: the last one, if somewhere is idle
 *      waiting                         or much less crowded
 *
 * A policy, apart from sched.c's mechanism: it may be replaced without touching the switch.
 *
 * Locks: reads other harts' queues without their locks (hints); takes a thread off a queue under
 * that queue's rq.lock, after which the caller carries it.
 * Linux's counterpart: select_task_rq(), load_balance().
 */
#ifndef PAGODA_KERN_BALANCE_H
#define PAGODA_KERN_BALANCE_H

#include "base/types.h"
#include "kern/percpu.h"

/** The index of an online hart for a thread that is about to be queued. */
uint32_t balance_choose_hart(const struct thread *t);

/** Is any online hart in its affinity mask? If not it may run anywhere. */
bool balance_may_move(const struct thread *t);

/** A thread taken from another hart's queue for this idle hart, now carried; or NULL. */
struct thread *balance_steal(struct hart *thief);

/** A thread taken from h's queue because it would fare better elsewhere, now carried; or NULL. */
struct thread *balance_pick_to_push(struct hart *h);

#endif
