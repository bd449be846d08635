/* SPDX-License-Identifier: MIT */
/*
 * timer.c - the clock, and each hart's tree of timers.
 *
 *      base.tree, by expires      base.first -> leftmost
 *               (3 ms)            base.slice_end -> end of the running thread's slice
 *              /      \
 *          (1.2 ms)  (40 ms)      hardware := min(first, slice_end), told only when it changes
 *
 * Locks: base.lock (RANK_TIMER). A timer's function runs without it; base.running names that timer
 * meanwhile, so timer_cancel() can wait for its end.
 * Invariants: first is the leftmost of tree, or NULL with it; armed == in a tree.
 * Linux's counterpart: kernel/time/hrtimer.c.
 */
#include "kern/timer.h"

#include "arch/csr.h"
#include "base/atomic.h"
#include "base/errno.h"
#include "kern/ipi.h"
#include "kern/lock.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "sbi/sbi.h"

/* ns = ticks * scale >> SCALE_SHIFT; 0 until the device tree has told the rate. */
#define SCALE_SHIFT 32
static uint64_t ns_scale;
static uint64_t timebase_hz;

/* --- the clock ------------------------------------------------------------------------------- */

void timer_set_timebase(uint64_t hz)
{
    BUG_ON(hz == 0);
    timebase_hz = hz;
    ns_scale = (NSEC_PER_SEC << SCALE_SHIFT) / hz;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * ns_scale) >> SCALE_SHIFT);
}

uint64_t ns_to_ticks(uint64_t ns)
{
    unsigned __int128 scaled = (unsigned __int128)ns * timebase_hz;
    uint64_t whole = ns / NSEC_PER_SEC * timebase_hz;
    uint64_t rest = ns % NSEC_PER_SEC * timebase_hz;
    if (scaled >> 64)
        return TIMER_NEVER; /* some 58 years at 10 GHz: nobody waits for it */
    return whole + (rest + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
}

uint64_t now_ns(void)
{
    return ticks_to_ns(now_ticks());
}

static uint64_t realtime_offset; /* ns from the machine's clock to the one on the wall */
static struct clock_params *published;

uint64_t now_realtime_ns(void)
{
    return now_ns() + load_relaxed(&realtime_offset);
}

uint64_t realtime_to_ns(uint64_t realtime)
{
    uint64_t offset = load_relaxed(&realtime_offset);
    return realtime > offset ? realtime - offset : 0;
}

void time_set_realtime(uint64_t ns)
{
    uint64_t offset = ns - now_ns();
    store_relaxed(&realtime_offset, offset);
    if (published)
        store_relaxed(&published->realtime_offset, offset);
}

void time_publish(struct clock_params *to)
{
    *to = (struct clock_params){ns_scale, SCALE_SHIFT, load_relaxed(&realtime_offset)};
    published = to;
}

void delay_ns(uint64_t ns)
{
    uint64_t end = now_ticks() + ns_to_ticks(ns);
    while (now_ticks() < end)
        cpu_relax();
}

/* --- the hardware ---------------------------------------------------------------------------- */

static void program(struct timer_base *base)
{
    uint64_t next = base->first ? base->first->expires : TIMER_NEVER;
    next = MIN(next, base->slice_end);
    if (next == base->programmed)
        return;
    base->programmed = next;
    sbi_set_timer(next);
}

void timer_arm_slice(uint64_t end)
{
    struct timer_base *base = &this_hart()->timers;
    base->slice_end = end;
    if (end < base->programmed) {
        base->programmed = end;
        sbi_set_timer(end);
    }
}

/* --- the tree -------------------------------------------------------------------------------- */

static struct timer *node_timer(struct rb_node *node)
{
    return node ? container_of(node, struct timer, node) : NULL;
}

static void insert_locked(struct timer_base *base, struct timer *t)
{
    struct rb_node **link = &base->tree.node, *parent = NULL;
    bool leftmost = true;

    assert_locked(&base->lock);
    while (*link) {
        parent = *link;
        if (t->expires < node_timer(parent)->expires) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_link_node(&t->node, parent, link);
    rb_insert_color(&t->node, &base->tree);
    if (leftmost)
        base->first = t;
    store_release(&t->armed, 1u);
}

static void remove_locked(struct timer_base *base, struct timer *t)
{
    assert_locked(&base->lock);
    if (base->first == t)
        base->first = node_timer(rb_next(&t->node));
    rb_erase(&t->node, &base->tree);
    store_release(&t->armed, 0u);
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
    *t = (struct timer){.fn = fn, .hart = hart_index()};
}

void timer_add_at(struct timer *t, uint64_t expires)
{
    struct timer_base *base = &this_hart()->timers;
    if (load_acquire(&t->armed))
        (void)timer_cancel(t);
    spin_lock(&base->lock);
    t->expires = expires;
    t->hart = hart_index();
    insert_locked(base, t);
    program(base);
    spin_unlock(&base->lock);
}

void timer_add(struct timer *t, uint64_t ns)
{
    uint64_t now = now_ticks(), delay = ns_to_ticks(ns);
    timer_add_at(t, delay > TIMER_NEVER - now ? TIMER_NEVER : now + delay);
}

bool timer_cancel(struct timer *t)
{
    for (uint32_t round = 0;; round++) {
        struct timer_base *base = &harts[t->hart]->timers;
        spin_lock(&base->lock);
        bool was_armed = t->armed;
        bool running = base->running == t && t->hart != hart_index();
        if (was_armed)
            remove_locked(base, t); /* its hart may get one interrupt for nothing */
        spin_unlock(&base->lock);
        if (was_armed || !running)
            return was_armed;
        spin_wait(round);
    }
}

/* Run what is due. Each function runs without the lock and may arm its timer again. */
static void run_expired(struct timer_base *base, uint64_t now)
{
    spin_lock(&base->lock);
    while (base->first && base->first->expires <= now) {
        struct timer *t = base->first;
        remove_locked(base, t);
        base->running = t;
        spin_unlock(&base->lock);
        t->fn(t);
        spin_lock(&base->lock);
        base->running = NULL;
    }
    spin_unlock(&base->lock);
}

void timer_interrupt(void)
{
    struct hart *h = this_hart();
    struct timer_base *base = &h->timers;

    h->in_interrupt++;
    h->timer_count++;
    uint64_t now = now_ticks();
    run_expired(base, now);
    if (base->slice_end <= now)
        sched_tick(now);

    spin_lock(&base->lock);
    base->programmed = 0; /* whatever comes next, the pending bit must be cleared */
    program(base);
    spin_unlock(&base->lock);
    h->in_interrupt--;
}

void timer_init_hart(void)
{
    struct timer_base *base = &this_hart()->timers;
    spin_init(&base->lock, "timers", RANK_TIMER);
    base->tree = (struct rb_root){NULL};
    base->first = NULL;
    base->slice_end = TIMER_NEVER;
    base->programmed = TIMER_NEVER;
    sbi_set_timer(TIMER_NEVER);
}

int sleep_ns(uint64_t ns)
{
    uint64_t end = now_ticks() + ns_to_ticks(ns);
    while (now_ticks() < end) {
        thread_set_state(THREAD_KILLABLE);
        if (kill_pending()) {
            thread_set_state(THREAD_RUNNABLE);
            return -EINTR;
        }
        (void)schedule_until(end);
    }
    return 0;
}
