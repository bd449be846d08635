/* SPDX-License-Identifier: MIT */
/*
 * wait.c - wait queues.
 *
 *      q.waiters:  [entry A]-[entry B]-[entry C]       on the waiters' own stacks
 *                   ^ wake_up_one takes this one
 *
 * An entry lies on the stack of a thread that may be running again at any moment (it was killed,
 * or its time was up). So a waker touches entry and thread only under q.lock, and wait_finish()
 * always takes q.lock before the entry goes away.
 *
 * Locks: q.lock (RANK_WAIT_QUEUE), outside of rq.lock.
 * Linux's counterpart: kernel/sched/wait.c.
 */
#include "kern/wait.h"

#include "base/atomic.h"

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock, "wait queue", RANK_WAIT_QUEUE);
    INIT_LIST_HEAD(&q->waiters);
}

void wait_prepare(struct wait_queue *q, struct wait_entry *e, uint32_t state)
{
    spin_lock(&q->lock);
    if (list_empty(&e->node))
        list_add_tail(&e->node, &q->waiters);
    thread_set_state(state);
    spin_unlock(&q->lock);
    /* The state is visible before the caller looks at its condition; wakers do it the other way. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wait_finish(struct wait_queue *q, struct wait_entry *e)
{
    thread_set_state(THREAD_RUNNABLE);
    spin_lock(&q->lock);
    if (!list_empty(&e->node))
        list_del_init(&e->node);
    spin_unlock(&q->lock);
}

void wait_watch(struct wait_queue *q, struct wait_entry *e, void (*woken)(struct wait_entry *e))
{
    e->thread = NULL;
    e->woken = woken;
    spin_lock(&q->lock);
    list_add_tail(&e->node, &q->waiters);
    spin_unlock(&q->lock);
    /* as for who sleeps: the watcher looks at its condition after it is on the list */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wait_unwatch(struct wait_queue *q, struct wait_entry *e)
{
    spin_lock(&q->lock);
    list_del_init(&e->node);
    spin_unlock(&q->lock);
}

/* Tell a watcher; or wake a thread and take it off the list: true. */
static bool wake_entry(struct wait_entry *e)
{
    if (e->woken) {
        e->woken(e);
        return false;
    }
    list_del_init(&e->node);
    (void)thread_wake(e->thread, THREAD_ASLEEP);
    return true;
}

void wake_up_one(struct wait_queue *q)
{
    struct wait_entry *e, *next;
    bool woken = false;
    if (!wait_queue_active(q))
        return;
    spin_lock(&q->lock);
    list_for_each_entry_safe(e, next, &q->waiters, node) {
        if (e->woken || !woken)
            woken |= wake_entry(e);
    }
    spin_unlock(&q->lock);
}

void wake_up_all_locked(struct wait_queue *q)
{
    struct wait_entry *e, *next;
    assert_locked(&q->lock);
    list_for_each_entry_safe(e, next, &q->waiters, node)
        (void)wake_entry(e);
}

void wake_up_all(struct wait_queue *q)
{
    if (!wait_queue_active(q))
        return;
    spin_lock(&q->lock);
    wake_up_all_locked(q);
    spin_unlock(&q->lock);
}

/* --- with an end ----------------------------------------------------------------------------- */

struct sleeper {
    struct timer timer;
    struct thread *thread;
};

static void time_is_up(struct timer *t)
{
    struct sleeper *s = container_of(t, struct sleeper, timer);
    (void)thread_wake(s->thread, THREAD_ASLEEP);
}

bool schedule_until(uint64_t deadline)
{
    struct sleeper s = {.thread = thread_current()};
    timer_init(&s.timer, time_is_up);
    timer_add_at(&s.timer, deadline);
    schedule();
    (void)timer_cancel(&s.timer); /* it may just be running elsewhere, and s lies here */
    return now_ticks() < deadline;
}
