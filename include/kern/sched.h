/* SPDX-License-Identifier: MIT */
/*
 * sched.h - which thread gets the hart.
 *
 *      rq of hart 0:  HIGH    [console]
 *                     NORMAL  [guest 4]->[guest 7]->[guest 2]      running: guest 1
 *                                 ^ next                    ^ tail: slice over, or yield
 *
 * A queue of threads for each hart, two classes, round robin with slices of 10 ms. HIGH is for
 * short work: who uses up a slice there waits with the guests until it next sleeps. The slice timer
 * runs only while somebody waits. A wake-up prefers the hart where the thread ran last if that is
 * idle, then an idle hart of its node, then any idle one. A hart without work steals; a hart with
 * too much of it pushes at the end of a slice.
 *
 * The monitor is not preempted: a thread leaves its hart only in schedule(), and cond_resched() is
 * where long loops offer that. Returning to U-mode offers it too.
 *
 * Locks: rq.lock of one hart at a time, held across the switch. Wake-ups: any context.
 * Linux's counterpart: kernel/sched/core.c with the real-time class's round robin.
 */
#ifndef PAGODA_KERN_SCHED_H
#define PAGODA_KERN_SCHED_H

#include "base/bitmap.h"
#include "base/types.h"
#include "kern/lock.h"
#include "kern/percpu.h"

#define SLICE_NS (10 * 1000000UL)

enum thread_state {
    THREAD_NEW = 0,
    THREAD_RUNNABLE = 1, /* queued, or on a hart */
    THREAD_SLEEPING = 2, /* until woken */
    THREAD_KILLABLE = 4, /* until woken or killed */
    THREAD_DEAD = 8,
    THREAD_ASLEEP = THREAD_SLEEPING | THREAD_KILLABLE,
};

struct thread;

/** Put a new thread on a run queue for the first time. */
void thread_start(struct thread *t);

/** Make it run if it sleeps in one of `states`. True if this call woke it. Any context. */
bool thread_wake(struct thread *t, uint32_t states);

/**
 * Have t's owner look at it (trap_ops.user_return with USER_WORK_SIGNAL) before it next enters
 * U-mode, at once if it is there now. Stays so until t->notified is cleared. Any context.
 */
void thread_notify(struct thread *t);

void thread_set_class(struct thread *t, enum run_class run_class);

/** Where it may run. -EINVAL when no online hart is in the mask. Moves it if it must. */
must_check int thread_set_affinity(struct thread *t, hartmask_t affinity);

/** Is it on a hart at this moment? A hint. */
bool thread_is_running(const struct thread *t);

/** Leave the hart; with state RUNNABLE to the tail of the queue. Context: no spinlock held. */
void schedule(void);

/** Offer the hart to others of the same class. */
static inline void yield(void)
{
    schedule();
}

/** Should this hart look at its queue? Checked on the way back to U-mode. */
static inline bool need_resched(void)
{
    return __atomic_load_n(&this_hart()->arch.user_work, __ATOMIC_RELAXED) & USER_WORK_RESCHED;
}

/** The slow half of cond_resched(). */
void resched(void);

/** Long loops: take pending interrupts, let others run if they should. No spinlock held. */
static inline void cond_resched(void)
{
    assert_no_locks();
    interrupt_window();
    if (unlikely(need_resched()))
        resched();
}

/** Threads running or wanting to, on all harts. A hint. */
uint32_t threads_runnable(void);

/** Called by the timer when a slice may be over; sets timers.slice_end anew. */
void sched_tick(uint64_t now);

/** What a thread does first on its own stack: ends the switch that brought it there. */
void sched_thread_begins(void);

/** Give this hart its queue and make `boot` the thread that runs on it. */
void sched_init_hart(struct hart *h, struct thread *running, struct thread *idle);

/** What idle threads do. */
noreturn void idle_loop(void);

#endif
