/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - the lock whose waiters sleep.
 *
 *      owner = A          held by A, nobody waits: A leaves with one compare-and-swap
 *      owner = A | 1      someone has queued: A leaves through the queue and wakes the first
 *      owner = B | 1      B has come from the queue; others may still wait, so the bit stays
 *
 * Locks: the wait queue's own.
 * Linux's counterpart: kernel/locking/mutex.c, without spinning on the owner.
 */
#include "kern/mutex.h"

#include "base/atomic.h"
#include "kern/panic.h"

#define WAITERS ((uintptr_t)1)

void mutex_init(struct mutex *m)
{
    m->owner = 0;
    wait_queue_init(&m->waiters);
}

static bool take_if_free(struct mutex *m, uintptr_t as)
{
    uintptr_t expected = 0;
    return cmpxchg(&m->owner, &expected, as);
}

/* For a waiter: take it if it is free, else make sure that its owner will wake us. */
static bool take_or_announce(struct mutex *m)
{
    uintptr_t me = (uintptr_t)thread_current();
    uintptr_t old = load_relaxed(&m->owner);
    for (;;) {
        uintptr_t want = old == 0 ? me | WAITERS : old | WAITERS;
        if (old == want || cmpxchg(&m->owner, &old, want))
            return old == 0;
    }
}

void mutex_lock(struct mutex *m)
{
    assert_no_locks();
    ASSERT(!mutex_held(m));
    if (!take_if_free(m, (uintptr_t)thread_current()))
        wait_event(&m->waiters, take_or_announce(m));
}

int mutex_lock_killable(struct mutex *m)
{
    assert_no_locks();
    ASSERT(!mutex_held(m));
    if (take_if_free(m, (uintptr_t)thread_current()))
        return 0;
    int err = wait_event_killable(&m->waiters, take_or_announce(m));
    if (err && load_relaxed(&m->owner) == 0)
        wake_up_one(&m->waiters); /* the wake-up that we do not use may have been the only one */
    return err;
}

bool mutex_trylock(struct mutex *m)
{
    return take_if_free(m, (uintptr_t)thread_current());
}

void mutex_unlock(struct mutex *m)
{
    uintptr_t me = (uintptr_t)thread_current();
    ASSERT(mutex_held(m));
    if (likely(cmpxchg(&m->owner, &me, 0)))
        return;
    store_release(&m->owner, (uintptr_t)0);
    wake_up_one(&m->waiters);
}

bool mutex_held(const struct mutex *m)
{
    return (load_relaxed(&m->owner) & ~WAITERS) == (uintptr_t)thread_current();
}
