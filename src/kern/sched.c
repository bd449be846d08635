/* SPDX-License-Identifier: MIT */
/*
 * sched.c - the switch, and who may wake whom onto which hart.
 *
 *      schedule() on hart 0, from A to B
 *
 *      A:  lock rq ... A to the tail, B picked, current = B
 *          context_switch -----------------------------.     rq.lock stays held
 *                                                       v
 *      B:                                       finish_switch: unlock rq
 *
 * Because the lock is held until B stands on its own stack, no other hart can steal or wake A while
 * half of A is still in this hart's registers: to do so it needs that lock.
 *
 * A thread that must not stay here (it died, or its affinity changed) is put down in h->leaving and
 * dealt with after the unlock. Between two queues a thread is RUNNABLE, on no list, and known only
 * to the hart that carries it.
 *
 * Locks: rq.lock (RANK_RUN_QUEUE), one at a time.
 * Invariants: a thread is on harts[t->hart]'s queue, or is its current, or sleeps, or is carried.
 * Linux's counterpart: __schedule(), try_to_wake_up(), finish_task_switch().
 */
#include "kern/sched.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "kern/balance.h"
#include "kern/ipi.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/timer.h"

void sched_init_hart(struct hart *h, struct thread *running, struct thread *idle)
{
    spin_init(&h->rq.lock, "run queue", RANK_RUN_QUEUE);
    for (uint32_t i = 0; i < NR_RUN_CLASSES; i++)
        INIT_LIST_HEAD(&h->rq.queue[i]);
    idle->is_idle = 1;
    idle->hart = running->hart = h->arch.index;
    idle->state = running->state = THREAD_RUNNABLE;
    idle->affinity.bits = running->affinity.bits = 1UL << h->arch.index;
    h->idle = idle;
    h->current = running;
}

/* Lock the queue that t belongs to; it may move while we wait for the lock. */
static struct hart *lock_home(struct thread *t)
{
    for (;;) {
        struct hart *h = harts[load_acquire(&t->hart)];
        spin_lock(&h->rq.lock);
        if (likely(h->arch.index == load_relaxed(&t->hart)))
            return h;
        spin_unlock(&h->rq.lock);
    }
}

/* --- queues ---------------------------------------------------------------------------------- */

/* RUN_HIGH is for short work: who has used up a slice waits among the guests until it sleeps. */
static enum run_class class_now(const struct thread *t)
{
    return t->spent ? RUN_NORMAL : (enum run_class)t->run_class;
}

static void enqueue_locked(struct hart *h, struct thread *t)
{
    assert_locked(&h->rq.lock);
    list_add_tail(&t->run_node, &h->rq.queue[class_now(t)]);
    h->rq.nr_queued++;
}

static void dequeue_locked(struct hart *h, struct thread *t)
{
    assert_locked(&h->rq.lock);
    list_del_init(&t->run_node);
    h->rq.nr_queued--;
}

static struct thread *pick_locked(struct hart *h)
{
    for (uint32_t i = 0; i < NR_RUN_CLASSES; i++) {
        if (list_empty(&h->rq.queue[i]))
            continue;
        struct thread *t = list_first_entry(&h->rq.queue[i], struct thread, run_node);
        dequeue_locked(h, t);
        return t;
    }
    return h->idle;
}

/* Does a thread just queued on h need h's attention now rather than at its next schedule()? */
static bool wants_attention(const struct hart *h, const struct thread *t)
{
    const struct thread *running = h->current;
    return running->is_idle || class_now(t) < class_now(running) ||
           h->timers.slice_end == TIMER_NEVER;
}

/* Queue a carried thread on the hart of its choice. */
static void put_down(struct thread *t)
{
    for (;;) {
        uint32_t target = balance_choose_hart(t);
        struct hart *h = harts[target];
        spin_lock(&h->rq.lock);
        __atomic_store_n(&t->hart, target, __ATOMIC_SEQ_CST); /* see thread_notify() */
        if (unlikely(!mask_test(&t->affinity, target) && balance_may_move(t))) {
            spin_unlock(&h->rq.lock); /* its affinity changed while it was carried */
            continue;
        }
        enqueue_locked(h, t);
        bool kick = wants_attention(h, t);
        spin_unlock(&h->rq.lock);
        if (kick)
            ipi_resched(target);
        return;
    }
}

/* --- the switch ------------------------------------------------------------------------------ */

/* On the new thread's stack, rq.lock held since schedule(). */
static void finish_switch(void)
{
    struct hart *h = this_hart();
    struct thread *leaving = h->leaving;
    h->leaving = NULL;
    spin_unlock(&h->rq.lock);
    if (likely(!leaving))
        return;
    if (leaving->state == THREAD_DEAD)
        thread_reap_later(leaving);
    else
        put_down(leaving);
}

static void switch_to(struct hart *h, struct thread *prev, struct thread *next)
{
    uint64_t now = now_ticks();
    prev->run_ticks += now - prev->slice_start;
    next->slice_start = now;
    next->switches++;
    h->switches++;
    h->current = next;
    hart_set_stack(&h->arch, next->stack, thread_stack_top(next));
    if (unlikely(load_relaxed(&next->notified)))
        hart_add_user_work(&h->arch, USER_WORK_SIGNAL);
    if (h->rq.nr_queued > 0 && h->timers.slice_end == TIMER_NEVER)
        timer_arm_slice(now + ns_to_ticks(SLICE_NS));
    if (prev->ops && prev->ops->switch_out)
        prev->ops->switch_out(prev);
    if (next->ops && next->ops->switch_in)
        next->ops->switch_in(next);
    context_switch(&prev->context, &next->context);
    finish_switch();
}

/* What becomes of the thread that leaves the hart. True when it may stay in this queue. */
static void retire_locked(struct hart *h, struct thread *prev)
{
    if (prev->is_idle)
        return;
    if (prev->state == THREAD_DEAD) {
        h->leaving = prev;
    } else if (prev->state == THREAD_RUNNABLE) {
        if (likely(mask_test(&prev->affinity, h->arch.index) || !balance_may_move(prev)))
            enqueue_locked(h, prev);
        else
            h->leaving = prev;
    } else {
        prev->spent = 0;
    }
}

void schedule(void)
{
    assert_no_locks();
    interrupt_window();
    struct hart *h = this_hart();
    struct thread *prev = h->current;
    ASSERT(h->in_interrupt == 0);

    spin_lock(&h->rq.lock);
    if (h->arch.user_work & USER_WORK_RESCHED)
        (void)fetch_and(&h->arch.user_work, ~(uint64_t)USER_WORK_RESCHED);
    retire_locked(h, prev);
    struct thread *next = pick_locked(h);
    if (next == prev) {
        spin_unlock(&h->rq.lock);
        return;
    }
    switch_to(h, prev, next);
}

void resched(void)
{
    /* About to sleep, in the middle of looking at its condition: schedule() would not come back.
     * The wait loop calls it soon enough. */
    if (load_relaxed(&thread_current()->state) == THREAD_RUNNABLE)
        schedule();
}

void sched_thread_begins(void)
{
    finish_switch();
}

void sched_tick(uint64_t now)
{
    struct hart *h = this_hart();
    uint64_t slice = ns_to_ticks(SLICE_NS);
    struct thread *pushed = balance_pick_to_push(h);
    if (pushed)
        put_down(pushed);

    spin_lock(&h->rq.lock); /* who queues a thread here looks at slice_end under it */
    uint64_t end = h->current->slice_start + slice;
    if (h->rq.nr_queued == 0) {
        end = TIMER_NEVER;
    } else if (end <= now) {
        h->current->spent = 1;
        hart_add_user_work(&h->arch, USER_WORK_RESCHED);
        end = now + slice;
    }
    h->timers.slice_end = end;
    spin_unlock(&h->rq.lock);
}

/* --- waking ---------------------------------------------------------------------------------- */

void thread_start(struct thread *t)
{
    BUG_ON(t->state != THREAD_NEW);
    t->state = THREAD_RUNNABLE;
    put_down(t);
}

bool thread_wake(struct thread *t, uint32_t states)
{
    if (!(__atomic_load_n(&t->state, __ATOMIC_SEQ_CST) & states))
        return false;
    struct hart *h = lock_home(t);
    if (!(t->state & states)) {
        spin_unlock(&h->rq.lock);
        return false;
    }
    t->state = THREAD_RUNNABLE;
    /* Still on its hart, between saying that it sleeps and schedule(): it will see that it may go
     * on. Otherwise it is wholly off, as rq.lock is held across switches. */
    bool off_hart = h->current != t;
    spin_unlock(&h->rq.lock);
    if (off_hart)
        put_down(t);
    return true;
}

bool thread_is_running(const struct thread *t)
{
    return load_relaxed(&harts[load_relaxed(&t->hart)]->current) == t;
}

void thread_notify(struct thread *t)
{
    struct hart *h;
    bool running;
    do {
        h = lock_home(t);
        /* If it does not run now, switch_to() will see this, under this lock. If it is just being
         * carried to another queue, whose lock we do not hold, we follow it there. */
        __atomic_store_n(&t->notified, 1, __ATOMIC_SEQ_CST);
        running = h->current == t;
        if (running)
            hart_add_user_work(&h->arch, USER_WORK_SIGNAL);
        spin_unlock(&h->rq.lock);
    } while (__atomic_load_n(&t->hart, __ATOMIC_SEQ_CST) != h->arch.index);
    if (running)
        ipi_kick(h->arch.index);
}

void thread_set_class(struct thread *t, enum run_class run_class)
{
    struct hart *h = lock_home(t);
    bool queued = !list_empty(&t->run_node);
    if (queued)
        dequeue_locked(h, t);
    t->run_class = (uint8_t)run_class;
    if (queued)
        enqueue_locked(h, t);
    spin_unlock(&h->rq.lock);
}

int thread_set_affinity(struct thread *t, hartmask_t affinity)
{
    if ((affinity.bits & load_acquire(&harts_online.bits)) == 0)
        return -EINVAL;

    struct hart *h = lock_home(t);
    t->affinity = affinity;
    bool must_move = !mask_test(&affinity, h->arch.index);
    bool queued = !list_empty(&t->run_node);
    bool running = h->current == t;
    if (must_move && queued)
        dequeue_locked(h, t);
    spin_unlock(&h->rq.lock);

    if (must_move && queued)
        put_down(t);
    else if (must_move && running && t == thread_current())
        schedule();
    else if (must_move && running)
        ipi_resched(h->arch.index);
    return 0;
}

uint32_t threads_runnable(void)
{
    uint32_t n = 0;
    struct hart *h;
    for_each_hart(h) {
        if (!hart_is_online(h->arch.index))
            continue;
        n += load_relaxed(&h->rq.nr_queued);
        n += !load_relaxed(&h->current)->is_idle;
    }
    return n;
}

/* --- idle ------------------------------------------------------------------------------------ */

void idle_loop(void)
{
    struct hart *h = this_hart();
    uint64_t me = 1UL << h->arch.index;
    for (;;) {
        (void)fetch_or(&harts_idle.bits, me);
        while (load_acquire(&h->rq.nr_queued) == 0) {
            struct thread *stolen = balance_steal(h);
            if (stolen) {
                put_down(stolen);
                continue;
            }
            wait_for_interrupt();
            interrupt_window();
        }
        (void)fetch_and(&harts_idle.bits, ~me);
        schedule();
    }
}
