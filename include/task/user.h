/* SPDX-License-Identifier: MIT */
/*
 * user.h - what all guests of one user have together, where a limit is on the user.
 *
 *      users:  [uid 0: 5 tasks, 2 signals]-[uid 1000: 1 task, 0 signals]
 *
 * An account lives as long as a guest is on it, or something is that was charged to it: a signal
 * that waits, a POSIX message queue.
 *
 * Locks: a spinlock of its own (RANK_USER) for the list; the numbers are atomic.
 * Linux's counterpart: struct user_struct, struct ucounts.
 */
#ifndef PAGODA_TASK_USER_H
#define PAGODA_TASK_USER_H

#include "base/types.h"
#include "base/list.h"

struct user_struct {
    struct list_head node;
    uint32_t uid;
    uint32_t refcount;   /* a */
    uint32_t nr_tasks;   /* a: RLIMIT_NPROC */
    uint32_t nr_signals; /* a: RLIMIT_SIGPENDING */
    uint64_t msg_bytes;  /* a: RLIMIT_MSGQUEUE */
};

/** Boot only. */
void user_init(void);

/** The account of a user, referenced. NULL: no memory. Any context. */
struct user_struct *user_find(uint32_t uid);

/** One reference more, or one less; with the last the account goes. Any context. */
void user_get(struct user_struct *u);
void user_put(struct user_struct *u);

#endif
