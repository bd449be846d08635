/* SPDX-License-Identifier: MIT */
/*
 * sigqueue.h - signals that wait to be taken; signal.h has the picture.
 *
 * All of these: guest->lock held.
 */
#ifndef PAGODA_TASK_SIGQUEUE_H
#define PAGODA_TASK_SIGQUEUE_H

#include "task/guest.h"

/** Boot only. */
void sigqueue_init(void);

void sigpending_init(struct sigpending *p);

/**
 * Put a signal to those that wait in p, which is g's or one of its tasks'. A classic one that waits
 * already is left as it is. -EAGAIN: a real-time one with details, and its user has as many waiting
 * as RLIMIT_SIGPENDING says, or there is no memory; any other then waits without its details.
 */
int sigpending_add(struct guest *g, struct sigpending *p,
                   const struct siginfo_words *info) must_check;

/**
 * Take the next of those in `set`: faults first, then by number, and of one number the oldest. Its
 * number, or 0.
 */
int sigpending_take(struct sigpending *p, uint64_t set, struct siginfo_words *info);

/** Those in `set` do not wait any more. */
void sigpending_drop(struct sigpending *p, uint64_t set);

/** A timer's signal waits in p, or does not any more. */
void sigpending_add_own(struct sigpending *p, struct sigqueue *q);
void sigpending_remove(struct sigqueue *q);

#endif
