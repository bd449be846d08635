/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - a lock whose waiters sleep.
 *
 *      owner: NULL free | struct thread * of the holder, bit 0 set when someone waits
 *
 * Free and wanted by nobody else it is one compare-and-swap to take and one to give back. The
 * holder may block. Never taken with a spinlock held, nor in an interrupt.
 *
 * Invariants: only the holder unlocks; a waiter sets bit 0 before it sleeps.
 * Linux's counterpart: struct mutex.
 */
#ifndef PAGODA_KERN_MUTEX_H
#define PAGODA_KERN_MUTEX_H

#include "kern/wait.h"

struct mutex {
    uintptr_t owner; /* (a) */
    struct wait_queue waiters;
};

#define MUTEX_INIT(m)                                       \
    {                                                       \
        .owner = 0, .waiters = WAIT_QUEUE_INIT((m).waiters) \
    }

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
must_check int mutex_lock_killable(struct mutex *m); /* -EINTR when killed */
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); /* by this thread */

#endif
