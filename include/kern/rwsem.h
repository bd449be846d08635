/* SPDX-License-Identifier: MIT */
/*
 * rwsem.h - many readers or one writer, and all of them may sleep.
 *
 *      state:  | readers ............ | HANDOFF | WAITERS | WRITER |
 *                bits 3 and up          bit 2     bit 1     bit 0
 *
 *      waiters, in order of arrival:  [W] [R] [R] [W]
 *
 * Once someone waits, newcomers do not join the readers that are in: so a stream of readers does
 * not starve a writer. When the lock is free it goes to who takes it first, the head of the queue
 * (one writer, or all readers up to the next writer) or a newcomer; but the head is not passed for
 * longer than some milliseconds. Without contention each operation is one atomic instruction.
 *
 * Locks: RANK_SLEEP_LOCK inside. Never taken with a spinlock held. Not recursive, not even for
 * readers: a writer may have queued in between.
 * Linux's counterpart: struct rw_semaphore.
 */
#ifndef PAGODA_KERN_RWSEM_H
#define PAGODA_KERN_RWSEM_H

#include "kern/wait.h"

struct rwsem {
    uint64_t state;           /* (a) */
    struct spinlock lock;     /* the list of waiters */
    struct list_head waiters; /* struct rwsem_waiter, on their stacks */
};

#define RWSEM_INIT(s)                                                             \
    {                                                                             \
        .state = 0, .lock = SPINLOCK_INIT("rwsem", RANK_SLEEP_LOCK), .waiters = { \
            &(s).waiters,                                                         \
            &(s).waiters                                                          \
        }                                                                         \
    }

void rwsem_init(struct rwsem *s);

void down_read(struct rwsem *s);
bool down_read_trylock(struct rwsem *s);
void up_read(struct rwsem *s);

void down_write(struct rwsem *s);
bool down_write_trylock(struct rwsem *s);
void up_write(struct rwsem *s);

/** From writer to reader without letting another writer in between. */
void downgrade_write(struct rwsem *s);

/** As down_*, but a killed thread gives up with -EINTR. */
must_check int down_read_killable(struct rwsem *s);
must_check int down_write_killable(struct rwsem *s);

/** Held by anyone as writer / at all: for assertions. */
bool rwsem_is_write_locked(const struct rwsem *s);
bool rwsem_is_locked(const struct rwsem *s);

#endif
