/* SPDX-License-Identifier: MIT */
/*
 * rwsem.c - readers or a writer, first come first served.
 *
 *      state & WRITER      a writer is in
 *      state & WAITERS     the list is not empty: newcomers queue, leavers look at the list
 *      state / READER      readers that are in
 *
 *      grant: while the head of the list fits, let it in, take it off
 *             [R] [R] [W] [R]  ->  both R go in together, W waits for them, the last R for W
 *
 * Locks: s.lock over the list and over every change of WAITERS. A granted waiter takes s.lock once
 * before it leaves, as its entry lies on its stack and the granter may not be done with it.
 * Invariants: WRITER and readers exclude each other; WAITERS set == list not empty.
 * Linux's counterpart: kernel/locking/rwsem.c, without optimistic spinning.
 */
#include "kern/rwsem.h"

#include "base/atomic.h"
#include "kern/panic.h"

#define WRITER 1UL
#define WAITERS 2UL
#define READER 4UL

enum rw_mode { RW_READ, RW_WRITE };

struct rwsem_waiter {
    struct list_head node;
    struct thread *thread;
    enum rw_mode mode;
    uint32_t granted;
};

void rwsem_init(struct rwsem *s)
{
    s->state = 0;
    spin_init(&s->lock, "rwsem", RANK_SLEEP_LOCK);
    INIT_LIST_HEAD(&s->waiters);
}

bool down_read_trylock(struct rwsem *s)
{
    uint64_t old = load_relaxed(&s->state);
    while (!(old & (WRITER | WAITERS)))
        if (cmpxchg(&s->state, &old, old + READER))
            return true;
    return false;
}

bool down_write_trylock(struct rwsem *s)
{
    uint64_t old = 0;
    return cmpxchg(&s->state, &old, WRITER);
}

/* Let in whoever is at the head, as long as it fits. Only up_read() changes state meanwhile. */
static void grant_locked(struct rwsem *s)
{
    assert_locked(&s->lock);
    while (!list_empty(&s->waiters)) {
        struct rwsem_waiter *w = list_first_entry(&s->waiters, struct rwsem_waiter, node);
        uint64_t state = load_acquire(&s->state);
        if (state & WRITER)
            return;
        if (w->mode == RW_WRITE && state != WAITERS)
            return;
        (void)fetch_add(&s->state, w->mode == RW_WRITE ? WRITER : READER);
        list_del_init(&w->node);
        store_release(&w->granted, 1u);
        (void)thread_wake(w->thread, THREAD_ASLEEP);
    }
    (void)fetch_and(&s->state, ~WAITERS);
}

/* Free now? Else say in the state that someone waits. True when it was taken. */
static bool take_or_announce_locked(struct rwsem *s, enum rw_mode mode)
{
    assert_locked(&s->lock);
    uint64_t old = load_relaxed(&s->state);
    for (;;) {
        uint64_t want = old | WAITERS;
        if (mode == RW_READ && !(old & (WRITER | WAITERS)))
            want = old + READER;
        else if (mode == RW_WRITE && old == 0)
            want = WRITER;
        if (want == old || cmpxchg(&s->state, &old, want))
            return want != (old | WAITERS);
    }
}

/* A waiter that was killed: leaves the list unless it has been let in already. */
static int give_up(struct rwsem *s, struct rwsem_waiter *w)
{
    spin_lock(&s->lock);
    bool granted = w->granted;
    if (!granted) {
        list_del_init(&w->node);
        grant_locked(s); /* readers behind a writer that gives up may go in now */
    }
    spin_unlock(&s->lock);
    return granted ? 0 : -EINTR;
}

static int down_slow(struct rwsem *s, enum rw_mode mode, uint32_t sleep_state)
{
    struct rwsem_waiter w = {.thread = thread_current(), .mode = mode};
    assert_no_locks();

    spin_lock(&s->lock);
    if (take_or_announce_locked(s, mode)) {
        spin_unlock(&s->lock);
        return 0;
    }
    list_add_tail(&w.node, &s->waiters);
    spin_unlock(&s->lock);

    int err = 0;
    for (;;) {
        thread_set_state(sleep_state);
        if (load_acquire(&w.granted))
            break;
        if (sleep_state == THREAD_KILLABLE && kill_pending()) {
            err = -EINTR;
            break;
        }
        schedule();
    }
    thread_set_state(THREAD_RUNNABLE);
    if (err)
        return give_up(s, &w);
    spin_lock(&s->lock); /* whoever granted has let go of w */
    spin_unlock(&s->lock);
    return 0;
}

void down_read(struct rwsem *s)
{
    if (!down_read_trylock(s))
        (void)down_slow(s, RW_READ, THREAD_SLEEPING);
}

void down_write(struct rwsem *s)
{
    if (!down_write_trylock(s))
        (void)down_slow(s, RW_WRITE, THREAD_SLEEPING);
}

int down_read_killable(struct rwsem *s)
{
    return down_read_trylock(s) ? 0 : down_slow(s, RW_READ, THREAD_KILLABLE);
}

int down_write_killable(struct rwsem *s)
{
    return down_write_trylock(s) ? 0 : down_slow(s, RW_WRITE, THREAD_KILLABLE);
}

static void grant(struct rwsem *s)
{
    spin_lock(&s->lock);
    grant_locked(s);
    spin_unlock(&s->lock);
}

void up_read(struct rwsem *s)
{
    uint64_t old = fetch_sub(&s->state, READER);
    ASSERT(old >= READER);
    if (unlikely(old - READER == WAITERS))
        grant(s);
}

void up_write(struct rwsem *s)
{
    uint64_t old = fetch_and(&s->state, ~WRITER);
    ASSERT(old & WRITER);
    if (unlikely(old & WAITERS))
        grant(s);
}

void downgrade_write(struct rwsem *s)
{
    uint64_t old = fetch_add(&s->state, READER - WRITER);
    ASSERT(old & WRITER);
    if (unlikely(old & WAITERS))
        grant(s);
}

bool rwsem_is_write_locked(const struct rwsem *s)
{
    return load_relaxed(&s->state) & WRITER;
}

bool rwsem_is_locked(const struct rwsem *s)
{
    return (load_relaxed(&s->state) & ~WAITERS) != 0;
}
