/* SPDX-License-Identifier: MIT */
/*
 * completion.h - "it is done", said once or several times.
 *
 *      done: 0 not yet | n: so many waiters may pass | COMPLETION_ALL: everyone may
 *
 * May be said from interrupts and with spinlocks held. The completion may lie on the waiter's
 * stack: complete() does not touch it after the waiter can have seen it.
 * Linux's counterpart: struct completion.
 */
#ifndef PAGODA_KERN_COMPLETION_H
#define PAGODA_KERN_COMPLETION_H

#include "kern/wait.h"

#define COMPLETION_ALL UINT32_MAX

struct completion {
    uint32_t done; /* under waiters.lock */
    struct wait_queue waiters;
};

#define COMPLETION_INIT(c)                                 \
    {                                                      \
        .done = 0, .waiters = WAIT_QUEUE_INIT((c).waiters) \
    }

void completion_init(struct completion *c);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
must_check int wait_for_completion_killable(struct completion *c); /* -EINTR */
bool completion_done(struct completion *c);

#endif
