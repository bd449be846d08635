/* SPDX-License-Identifier: MIT */
/*
 * thread.h - a stack and the registers to go on with.
 *
 * Each guest task has one, and so has each helper of the monitor (kswapd, kcompactd, console).
 *
 *      stack, 16 KiB, guard page below          states
 *      +--------------------+ top               NEW ---start---> RUNNABLE <---wake---.
 *      | struct thread      |                                      |   ^             |
 *      | user trap frame    |                              schedule|   |slice over   |
 *      |   ...grows down    |                                      v   |             |
 *      |                    |                                    (on a hart)--->SLEEPING/KILLABLE
 *      +--------------------+                                      |
 *      | guard page         |                                      `--exit--> DEAD --> reaped
 *      +--------------------+
 *
 * How threads get a hart and leave it is in sched.h.
 *
 * Locks: state, hart and run_node belong to the rq.lock of harts[thread->hart], which is held
 * across the switch itself: so who holds it sees each thread either wholly on or wholly off.
 * Linux's counterpart: task_struct's scheduling half, try_to_wake_up(), schedule().
 */
#ifndef PAGODA_KERN_THREAD_H
#define PAGODA_KERN_THREAD_H

#include "arch/context.h"
#include "base/bitmap.h"
#include "base/list.h"
#include "base/types.h"
#include "kern/percpu.h"
#include "kern/sched.h"

#define THREAD_STACK_SIZE KIB(16)
#define THREAD_NAME_MAX 16
#define NO_NODE (-1)

struct thread;

/** What the owner of a thread wants to know. Any may be NULL; called with interrupts off. */
struct thread_ops {
    void (*switch_out)(struct thread *); /* rq.lock held: no lock, no block */
    void (*switch_in)(struct thread *);  /* rq.lock held, on the old stack: set satp, FP state */
    void (*destroy)(struct thread *);    /* off its stack for good; from the reaper, may block */
};

struct thread {
    struct context context; /* callee-saved registers while off the hart */
    struct list_head run_node;
    uint32_t state;    /* enum thread_state */
    uint32_t hart;     /* whose rq it belongs to: runs there, or ran there last */
    uint8_t run_class; /* enum run_class */
    uint8_t killed;    /* thread_kill() was called: killable waits end with -EINTR */
    uint8_t notified;  /* thread_notify() was called */
    uint8_t is_idle;
    uint8_t spent;     /* has used up a slice since it last slept */
    uint8_t on_ladder; /* it is making memory free: its allocations do not ask for relief */
    uint8_t memalloc;  /* it may take the last reserves: it frees memory, or is dying */
    int8_t nid;        /* preferred node, or NO_NODE */
    hartmask_t affinity;
    uint64_t slice_start; /* ticks at which it got the hart */
    uint64_t run_ticks;   /* time on a hart, all told */
    uint64_t switches;
    const struct thread_ops *ops;
    void *owner; /* whose thread it is: a guest's task, or NULL */
    void (*fn)(void *);
    void *arg;
    char *stack; /* lowest usable byte */
    uint64_t id;
    struct list_head all_node; /* every thread, for thread_for_each() */
    char name[THREAD_NAME_MAX];
};

/** Where stacks come from: THREAD_STACK_SIZE bytes, 16-aligned, guard page below. NULL when out. */
struct stack_ops {
    void *(*alloc)(int nid);
    void (*free)(void *stack);
};
void thread_set_stack_ops(const struct stack_ops *ops);

static inline struct thread *thread_current(void)
{
    return this_hart()->current;
}

/** The first byte above what the thread may use of its stack: a user trap frame ends here. */
static inline char *thread_stack_top(struct thread *t)
{
    return (char *)t;
}

/**
 * A new thread that will run fn(arg), not yet runnable. nid: preferred node or NO_NODE; affinity:
 * harts that it may run on, an empty mask means all. NULL when there is no stack for it.
 * Context: may block (the stack is allocated).
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, int nid,
                             hartmask_t affinity);

/** Set the own state ahead of schedule(); wait.h does this for you. */
static inline void thread_set_state(uint32_t state)
{
    __atomic_store_n(&thread_current()->state, state, __ATOMIC_SEQ_CST);
}

/** thread_create for helpers: any hart, RUN_HIGH, started. NULL when out of memory. */
struct thread *kthread_run(const char *name, void (*fn)(void *), void *arg, int nid);

/** Undo thread_create of a thread that was never started; its ops are not called. */
void thread_discard(struct thread *t);

/** End the current thread. Its stack is freed, and ops->destroy called, by the reaper. */
noreturn void thread_exit(void);

/** Mark as killed and end its killable wait. Any context; t must not be gone. */
void thread_kill(struct thread *t);

/** Call fn for each thread until it returns false. fn must not block. */
void thread_for_each(bool (*fn)(struct thread *, void *), void *arg);

/** Nanoseconds that it has run, the present stretch included. */
uint64_t thread_run_ns(const struct thread *t);

/* --- boot ------------------------------------------------------------------------------------ */

/** The code running on the boot stack becomes thread "boot", and hart 0 gets its idle thread. */
void thread_init_boot(void);

/** The reaper: once stacks can be allocated. */
void thread_init_late(void);

/** For kern/harts.c: make a thread whose struct lies at the top of a stack that we were given. */
struct thread *thread_make(void *stack, const char *name, void (*fn)(void *), void *arg);

/** A fresh stack from the registered allocator, NULL when out of memory. */
void *thread_stack_alloc(int nid);

/** For schedule(): t is dead and off its stack. */
void thread_reap_later(struct thread *t);

#endif
