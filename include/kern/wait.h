/* SPDX-License-Identifier: MIT */
/*
 * wait.h - waiting for something to become true.
 *
 *      waiter                                  waker
 *      wait_prepare: on the list, SLEEPING
 *      look at the condition  <--- race --->   make the condition true
 *      schedule() (returns at once if woken)   wake_up: RUNNABLE, back on a run queue
 *      wait_finish: off the list, RUNNABLE
 *
 * The waiter announces itself before it looks, so a wake-up cannot fall between looking and
 * sleeping: that is the whole protocol.
 *
 * All of these take the queue's address: wait_event(&zone->wait, zone->ready).
 *
 * Locks: RANK_WAIT_QUEUE in each queue; wake-ups may be called with any lock of a lower rank held,
 * and from interrupts. Waiting needs a thread and no spinlock.
 * Linux's counterpart: wait_queue_head_t, prepare_to_wait().
 */
#ifndef PAGODA_KERN_WAIT_H
#define PAGODA_KERN_WAIT_H

#include "base/errno.h"
#include "base/list.h"
#include "base/types.h"
#include "kern/lock.h"
#include "kern/thread.h"
#include "kern/timer.h"

struct wait_queue {
    struct spinlock lock;
    struct list_head waiters; /* struct wait_entry.node, oldest first */
};

struct wait_entry {
    struct list_head node;
    struct thread *thread;
    void (*woken)(struct wait_entry *e); /* instead of waking: see wait_watch() */
};

#define WAIT_QUEUE_INIT(q)                                                 \
    {                                                                      \
        .lock = SPINLOCK_INIT("wait queue", RANK_WAIT_QUEUE), .waiters = { \
            &(q).waiters,                                                  \
            &(q).waiters                                                   \
        }                                                                  \
    }

void wait_queue_init(struct wait_queue *q);

static inline void wait_entry_init(struct wait_entry *e)
{
    INIT_LIST_HEAD(&e->node);
    e->thread = thread_current();
    e->woken = NULL;
}

/** Onto the list (once) and into `state` (THREAD_SLEEPING or THREAD_KILLABLE). */
void wait_prepare(struct wait_queue *q, struct wait_entry *e, uint32_t state);

/** Off the list and RUNNABLE. */
void wait_finish(struct wait_queue *q, struct wait_entry *e);

/**
 * Be told instead of woken: `woken` is called on each wake-up of the queue, with its lock held, and
 * the entry stays on the list. It may take locks of other queues by spin_lock_nested(), where no
 * way of such calls leads back to this queue.
 */
void wait_watch(struct wait_queue *q, struct wait_entry *e, void (*woken)(struct wait_entry *e));

/** No longer. When it returns, the function does not run any more. */
void wait_unwatch(struct wait_queue *q, struct wait_entry *e);

/** schedule() with an end: sleeps at most until `deadline` (ticks). False when that has passed. */
bool schedule_until(uint64_t deadline);

/** Wake the oldest waiter, or all of them. Each woken waiter leaves the list. Watchers are told. */
void wake_up_one(struct wait_queue *q);
void wake_up_all(struct wait_queue *q);
void wake_up_all_locked(struct wait_queue *q);

/** Does anyone wait? A hint; orders the caller's earlier stores before the look. */
static inline bool wait_queue_active(const struct wait_queue *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !list_empty(&q->waiters);
}

/** Was this thread asked to die? Killable waits then return -EINTR. */
static inline bool kill_pending(void)
{
    return __atomic_load_n(&thread_current()->killed, __ATOMIC_RELAXED) != 0;
}

#define WAIT_LOOP_(q, cond, state_, leave_, sleep_) \
    do {                                            \
        struct wait_entry we_;                      \
        assert_no_locks();                          \
        wait_entry_init(&we_);                      \
        for (;;) {                                  \
            wait_prepare((q), &we_, (state_));      \
            if (cond)                               \
                break;                              \
            leave_;                                 \
            sleep_;                                 \
        }                                           \
        wait_finish((q), &we_);                     \
    } while (0)

/** Sleep until cond. Not for what a guest controls: it cannot be killed out of it. */
#define wait_event(q, cond)                                            \
    do {                                                               \
        if (!(cond))                                                   \
            WAIT_LOOP_(q, cond, THREAD_SLEEPING, (void)0, schedule()); \
    } while (0)

/** Sleep until cond: 0, or -EINTR when the thread was killed first. */
#define wait_event_killable(q, cond)      \
    ({                                    \
        int wait_err_ = 0;                \
        if (!(cond))                      \
            WAIT_LOOP_(                   \
                q, cond, THREAD_KILLABLE, \
                if (kill_pending()) {     \
                    wait_err_ = -EINTR;   \
                    break;                \
                },                        \
                schedule());              \
        wait_err_;                        \
    })

/** Sleep until cond or so long: 0, or -ETIMEDOUT with cond still false. */
#define wait_event_timeout(q, cond, ns)                     \
    ({                                                      \
        int wait_err_ = 0;                                  \
        uint64_t wait_end_ = now_ticks() + ns_to_ticks(ns); \
        if (!(cond))                                        \
            WAIT_LOOP_(                                     \
                q, cond, THREAD_SLEEPING,                   \
                if (now_ticks() >= wait_end_) {             \
                    wait_err_ = -ETIMEDOUT;                 \
                    break;                                  \
                },                                          \
                (void)schedule_until(wait_end_));           \
        wait_err_;                                          \
    })

/** Both: 0, -ETIMEDOUT or -EINTR. */
#define wait_event_killable_timeout(q, cond, ns)                      \
    ({                                                                \
        int wait_err_ = 0;                                            \
        uint64_t wait_end_ = now_ticks() + ns_to_ticks(ns);           \
        if (!(cond))                                                  \
            WAIT_LOOP_(                                               \
                q, cond, THREAD_KILLABLE,                             \
                if (kill_pending() || now_ticks() >= wait_end_) {     \
                    wait_err_ = kill_pending() ? -EINTR : -ETIMEDOUT; \
                    break;                                            \
                },                                                    \
                (void)schedule_until(wait_end_));                     \
        wait_err_;                                                    \
    })

#endif
