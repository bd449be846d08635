/* SPDX-License-Identifier: MIT */
/*
 * thread.c - how threads come and go.
 *
 *      thread_create     stack from the registered allocator, struct thread at its top
 *      thread_start      onto a run queue (sched.c)
 *      ... runs fn(arg) ...
 *      thread_exit       DEAD, switched away from for good
 *      reaper            ops->destroy, stack given back
 *
 * A thread cannot free the stack it stands on, so the reaper, a helper thread, does it.
 *
 * Locks: threads_lock (RANK_THREADS) over the list of all threads and the reaper's list.
 * Invariants: each thread is on all_threads from creation until the reaper takes it.
 * Linux's counterpart: kernel/fork.c and kernel/exit.c, their thread half.
 */
#include "kern/thread.h"

#include "arch/trap.h"
#include "base/atomic.h"
#include "base/string.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/timer.h"
#include "kern/wait.h"

#define BOOT_IDLE_STACK KIB(8)
#define STACK_ALIGN 64

static const struct stack_ops *stack_ops;
static struct spinlock threads_lock = SPINLOCK_INIT("threads", RANK_THREADS);
static LIST_HEAD(all_threads);
static LIST_HEAD(dead_threads); /* by run_node */
static struct wait_queue reaper_wait = WAIT_QUEUE_INIT(reaper_wait);
static uint64_t last_id;

static struct thread boot_thread;
static char boot_idle_stack[BOOT_IDLE_STACK] __attribute__((aligned(STACK_ALIGN)));

void thread_set_stack_ops(const struct stack_ops *ops)
{
    stack_ops = ops;
}

void *thread_stack_alloc(int nid)
{
    BUG_ON(!stack_ops);
    return stack_ops->alloc(nid);
}

/* The first code of each thread, on its own stack. */
static void thread_begin(void *arg)
{
    struct thread *t = arg;
    sched_thread_begins();
    t->fn(t->arg);
    thread_exit();
}

static void enlist(struct thread *t, const char *name)
{
    (void)strlcpy(t->name, name, sizeof(t->name));
    INIT_LIST_HEAD(&t->run_node);
    t->nid = NO_NODE;
    spin_lock(&threads_lock);
    t->id = ++last_id;
    list_add_tail(&t->all_node, &all_threads);
    spin_unlock(&threads_lock);
}

static struct thread *make_on_stack(char *stack, size_t size, const char *name, void (*fn)(void *),
                                    void *arg)
{
    struct thread *t = (struct thread *)ALIGN_DOWN((uintptr_t)stack + size - sizeof(struct thread),
                                                   (uintptr_t)STACK_ALIGN);
    memset(t, 0, sizeof(*t));
    t->stack = stack;
    t->fn = fn;
    t->arg = arg;
    t->run_class = RUN_NORMAL;
    t->hart = hart_index();
    /* Below the place of a user trap frame: the thread fills it while it runs on the stack. */
    context_init(&t->context, thread_stack_top(t) - sizeof(struct trap_frame), thread_begin, t);
    enlist(t, name);
    return t;
}

struct thread *thread_make(void *stack, const char *name, void (*fn)(void *), void *arg)
{
    return make_on_stack(stack, THREAD_STACK_SIZE, name, fn, arg);
}

struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, int nid,
                             hartmask_t affinity)
{
    void *stack = thread_stack_alloc(nid);
    if (!stack)
        return NULL;
    struct thread *t = thread_make(stack, name, fn, arg);
    t->nid = (int8_t)nid;
    t->affinity = affinity;
    if (mask_empty(&affinity))
        t->affinity.bits = UINT64_MAX;
    return t;
}

struct thread *kthread_run(const char *name, void (*fn)(void *), void *arg, int nid)
{
    struct thread *t = thread_create(name, fn, arg, nid, (hartmask_t){0});
    if (!t)
        return NULL;
    t->run_class = RUN_HIGH;
    thread_start(t);
    return t;
}

/* Off the list, so that nobody finds it any more. */
static void delist(struct thread *t)
{
    spin_lock(&threads_lock);
    list_del(&t->all_node);
    spin_unlock(&threads_lock);
}

void thread_discard(struct thread *t)
{
    BUG_ON(t->state != THREAD_NEW);
    delist(t);
    stack_ops->free(t->stack);
}

void thread_exit(void)
{
    BUG_ON(thread_current()->is_idle);
    thread_set_state(THREAD_DEAD);
    schedule();
    panic("thread %s came back from the dead", thread_current()->name);
}

void thread_kill(struct thread *t)
{
    __atomic_store_n(&t->killed, 1, __ATOMIC_SEQ_CST);
    (void)thread_wake(t, THREAD_KILLABLE);
    thread_notify(t);
}

/* --- the reaper ------------------------------------------------------------------------------ */

void thread_reap_later(struct thread *t)
{
    spin_lock(&threads_lock);
    list_add_tail(&t->run_node, &dead_threads);
    spin_unlock(&threads_lock);
    wake_up_one(&reaper_wait);
}

static struct thread *next_dead(void)
{
    spin_lock(&threads_lock);
    struct thread *t = list_first_entry_or_null(&dead_threads, struct thread, run_node);
    if (t)
        list_del_init(&t->run_node);
    spin_unlock(&threads_lock);
    return t;
}

static void reaper(void *arg)
{
    (void)arg;
    for (;;) {
        struct thread *t = NULL;
        wait_event(&reaper_wait, (t = next_dead()) != NULL);
        delist(t);
        if (t->ops && t->ops->destroy)
            t->ops->destroy(t);
        if (t->stack)
            stack_ops->free(t->stack);
    }
}

/* --- looking ---------------------------------------------------------------------------------- */

void thread_for_each(bool (*fn)(struct thread *, void *), void *arg)
{
    struct thread *t;
    spin_lock(&threads_lock);
    list_for_each_entry(t, &all_threads, all_node) {
        if (!fn(t, arg))
            break;
    }
    spin_unlock(&threads_lock);
}

uint64_t thread_run_ns(const struct thread *t)
{
    uint64_t ticks = load_relaxed(&t->run_ticks);
    if (thread_is_running(t))
        ticks += now_ticks() - load_relaxed(&t->slice_start);
    return ticks_to_ns(ticks);
}

/* --- boot ------------------------------------------------------------------------------------ */

static void idle_thread(void *arg)
{
    (void)arg;
    idle_loop();
}

void thread_init_boot(void)
{
    struct hart *h = this_hart();
    struct thread *idle =
        make_on_stack(boot_idle_stack, BOOT_IDLE_STACK, "idle/0", idle_thread, NULL);

    enlist(&boot_thread, "boot");
    boot_thread.run_class = RUN_HIGH;
    sched_init_hart(h, &boot_thread, idle);
}

void thread_init_late(void)
{
    if (!kthread_run("reaper", reaper, NULL, NO_NODE))
        panic("no memory for the reaper's stack");
}
