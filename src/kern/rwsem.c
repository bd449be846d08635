/* SPDX-License-Identifier: MIT */
/*
 * rwsem.c - readers or a writer.
 *
 *      state & WRITER      a writer is in
 *      state & WAITERS     the list is not empty: newcomers queue, leavers look at the list
 *      state & HANDOFF     the head of the list has waited long: nobody may pass it any more
 *      state / READER      readers that are in
 *
 *      grant: while the head of the list fits, let it in, take it off
 *             [R] [R] [W] [R]  ->  both R go in together, W waits for them, the last R for W
 *
 * Who leaves wakes the head, which then lets itself in. Until it has arrived, whoever runs may take
 * the free lock: were it kept for the sleeper, each use of a busy lock would cost a switch of
 * threads, and some threads that do little else would stand in a convoy. A head that was passed
 * for HANDOFF_AFTER sets HANDOFF, and the next to leave lets it in itself.
 *
 * Locks: s.lock over the list and over every change of WAITERS and HANDOFF. A granted waiter takes
 * s.lock once before it leaves, as its entry lies on its stack and the granter may not be done with
 * it.
 * Invariants: WRITER and readers exclude each other; WAITERS set == list not empty.
 * Linux's counterpart: kernel/locking/rwsem.c, without optimistic spinning.
 */
#include "kern/rwsem.h"

#include "base/atomic.h"
#include "kern/panic.h"
#include "kern/timer.h"

#define WRITER 1UL
#define WAITERS 2UL
#define HANDOFF 4UL
#define READER 8UL

#define HANDOFF_AFTER (4 * NSEC_PER_MSEC)

enum rw_mode { RW_READ, RW_WRITE };

struct rwsem_waiter {
    struct list_head node;
    struct thread *thread;
    enum rw_mode mode;
    uint32_t granted;
    uint64_t impatient; /* ticks from when on nobody may pass it */
};

void rwsem_init(struct rwsem *s)
{
    s->state = 0;
    spin_init(&s->lock, "rwsem", RANK_SLEEP_LOCK);
    INIT_LIST_HEAD(&s->waiters);
}

/* Nobody is in, and nobody may insist on being next. */
static bool is_for_anyone(uint64_t state)
{
    return (state & ~WAITERS) == 0;
}

static bool fits_newcomer(uint64_t state, enum rw_mode mode)
{
    if (is_for_anyone(state))
        return true;
    return mode == RW_READ && !(state & (WRITER | WAITERS));
}

static bool fits_head(uint64_t state, enum rw_mode mode)
{
    return mode == RW_READ ? !(state & WRITER) : (state & ~(WAITERS | HANDOFF)) == 0;
}

static inline uint64_t share_of(enum rw_mode mode)
{
    return mode == RW_READ ? READER : WRITER;
}

bool down_read_trylock(struct rwsem *s)
{
    uint64_t old = load_relaxed(&s->state);
    while (fits_newcomer(old, RW_READ))
        if (cmpxchg(&s->state, &old, old + READER))
            return true;
    return false;
}

bool down_write_trylock(struct rwsem *s)
{
    uint64_t old = 0;
    while (is_for_anyone(old))
        if (cmpxchg(&s->state, &old, old + WRITER))
            return true;
    return false;
}

static bool take_for_head(struct rwsem *s, enum rw_mode mode)
{
    uint64_t old = load_relaxed(&s->state);
    while (fits_head(old, mode))
        if (cmpxchg(&s->state, &old, (old & ~HANDOFF) + share_of(mode)))
            return true;
    return false;
}

static struct rwsem_waiter *head_locked(struct rwsem *s)
{
    assert_locked(&s->lock);
    return list_empty(&s->waiters) ? NULL
                                   : list_first_entry(&s->waiters, struct rwsem_waiter, node);
}

/* Let in whoever is at the head, as long as it fits. */
static void grant_locked(struct rwsem *s)
{
    struct rwsem_waiter *w;
    while ((w = head_locked(s)) != NULL) {
        if (!take_for_head(s, w->mode))
            return;
        list_del_init(&w->node);
        struct thread *thread = w->thread;
        store_release(&w->granted, 1u);
        (void)thread_wake(thread, THREAD_ASLEEP);
    }
    (void)fetch_and(&s->state, ~(WAITERS | HANDOFF));
}

/* Free now? Else say in the state that someone waits. True when it was taken. */
static bool take_or_announce_locked(struct rwsem *s, enum rw_mode mode)
{
    assert_locked(&s->lock);
    uint64_t old = load_relaxed(&s->state);
    for (;;) {
        bool fits = fits_newcomer(old, mode);
        uint64_t want = fits ? old + share_of(mode) : old | WAITERS;
        if (want == old || cmpxchg(&s->state, &old, want))
            return fits;
    }
}

/* @w looks whether it is its turn: at the head it lets itself in, or insists. */
static void try_turn(struct rwsem *s, struct rwsem_waiter *w)
{
    bool insist = now_ticks() >= w->impatient;
    /* After the state says that we sleep: so whoever leaves later will see that, and wake us. */
    if (!insist && !fits_head(__atomic_load_n(&s->state, __ATOMIC_SEQ_CST), w->mode))
        return;
    spin_lock(&s->lock);
    if (head_locked(s) == w) {
        if (insist)
            (void)fetch_or(&s->state, HANDOFF);
        grant_locked(s);
    }
    spin_unlock(&s->lock);
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
    struct rwsem_waiter w = {.thread = thread_current(),
                             .mode = mode,
                             .impatient = now_ticks() + ns_to_ticks(HANDOFF_AFTER)};
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
        try_turn(s, &w);
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

/* The lock has become free: for the head at once if it insists, else for who comes first. */
static void leave_to_others(struct rwsem *s)
{
    spin_lock(&s->lock);
    struct rwsem_waiter *head = head_locked(s);
    if (load_relaxed(&s->state) & HANDOFF)
        grant_locked(s);
    else if (head)
        (void)thread_wake(head->thread, THREAD_ASLEEP);
    spin_unlock(&s->lock);
}

void up_read(struct rwsem *s)
{
    uint64_t old = fetch_sub(&s->state, READER);
    ASSERT(old >= READER);
    if (unlikely((old & WAITERS) && old < 2 * READER))
        leave_to_others(s);
}

void up_write(struct rwsem *s)
{
    uint64_t old = fetch_and(&s->state, ~WRITER);
    ASSERT(old & WRITER);
    if (unlikely(old & WAITERS))
        leave_to_others(s);
}

void downgrade_write(struct rwsem *s)
{
    uint64_t old = fetch_add(&s->state, READER - WRITER);
    ASSERT(old & WRITER);
    if (unlikely(old & WAITERS))
        leave_to_others(s);
}

bool rwsem_is_write_locked(const struct rwsem *s)
{
    return load_relaxed(&s->state) & WRITER;
}

bool rwsem_is_locked(const struct rwsem *s)
{
    return (load_relaxed(&s->state) & ~(WAITERS | HANDOFF)) != 0;
}
