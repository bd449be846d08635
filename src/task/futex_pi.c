/* SPDX-License-Identifier: MIT */
/*
 * futex_pi.c - locks whose word is the owner's tid.
 *
 *      0                     free: taken and given back without a call
 *      tid                   taken
 *      tid | WAITERS         taken, and others sleep: the owner must ask us to give it back
 *      ... | OWNER_DIED      a former owner ended with it; who has it now is told by the word
 *
 *      unlock:     the one that has waited longest becomes the owner while it still sleeps
 *      owner ends: all that wait for its locks wake and try again; the word tells one of them that
 *                  it may take the lock
 *
 * All guests' tasks have the same priority, so there is none to inherit: what is left of PI is that
 * the lock has an owner that we know, and goes from hand to hand.
 *
 * A waiter enters the bucket first and then marks its owner (pi_waited). An owner that was marked
 * goes through the buckets when it ends; one that cannot be marked any more is past that, or never
 * was there. So no waiter is missed.
 *
 * Locks: bucket lock; guest->lock, not together, for the mark.
 * Linux's counterpart: kernel/futex/pi.c, on kernel/locking/rtmutex.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/timer.h"
#include "task/futex_queue.h"
#include "task/signal_set.h"

/* --- owners ----------------------------------------------------------------------------------- */

/* Have that task look for waiters when it ends. -ESRCH: no such task, -EBUSY: it ends just now. */
static int mark_owner(uint32_t tid)
{
    struct guest *g = guest_find_thread(tid);
    struct task *t;
    int err = -ESRCH;
    if (!g)
        return err;
    spin_lock(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (t->tid != tid)
            continue;
        err = t->exiting ? -EBUSY : 0;
        t->pi_waited |= !err;
    }
    spin_unlock(&g->lock);
    guest_put(g);
    return err;
}

void futex_owner_ends(uint32_t tid)
{
    struct futex_waiter *w, *next;
    for (struct futex_bucket *b = futex_next_bucket(NULL); b; b = futex_next_bucket(b)) {
        spin_lock(&b->lock);
        list_for_each_entry_safe(w, next, &b->waiters, node) {
            if (w->kind != FUTEX_LOCK || w->owner != tid)
                continue;
            w->owner_died = true;
            futex_wake_waiter_locked(w);
        }
        spin_unlock(&b->lock);
    }
}

/* The next to have the lock of that key, or NULL. Bucket locked. */
static struct futex_waiter *next_owner(struct futex_bucket *b, const struct futex_key *key)
{
    struct futex_waiter *w;
    list_for_each_entry(w, &b->waiters, node) {
        if (w->kind == FUTEX_LOCK && futex_same(&w->key, key))
            return w;
    }
    return NULL;
}

/* Those that wait on have a new owner to wait for. Bucket locked, `to` sleeps in it still. */
static void hand_over_locked(struct futex_bucket *b, struct futex_waiter *to)
{
    struct futex_waiter *w;
    list_for_each_entry(w, &b->waiters, node) {
        if (w->kind == FUTEX_LOCK && futex_same(&w->key, &to->key))
            w->owner = to->task->tid;
    }
    to->task->pi_waited = true;
    to->has_lock = true;
    futex_wake_waiter_locked(to);
}

/* --- taking ----------------------------------------------------------------------------------- */

/*
 * One look at the word: 0, it is taken for tid now; 1, somebody has it, *owner, and the word says
 * that there are waiters; -EDEADLK, -EFAULT (to be touched), or -EAGAIN (it changed). `dead` does
 * not count as an owner; tid may have FUTEX_WAITERS with it. Bucket locked.
 */
static int try_locked(vaddr_t addr, uint32_t tid, uint32_t dead, bool waits, uint32_t *owner)
{
    uint32_t value, new;
    if (futex_peek(&value, addr))
        return -EFAULT;
    *owner = value & FUTEX_TID_MASK;
    if (*owner == (tid & FUTEX_TID_MASK))
        return -EDEADLK;
    bool free = !*owner || *owner == dead;
    if (free)
        new = tid | (value & (FUTEX_OWNER_DIED | FUTEX_WAITERS)) | (*owner ? FUTEX_OWNER_DIED : 0);
    else
        new = value | (waits ? FUTEX_WAITERS : 0);
    int done = futex_poke(addr, &value, new);
    if (done <= 0)
        return done ? -EFAULT : -EAGAIN;
    return free ? 0 : 1;
}

/* Until the word stays what it is while we look. 0, 1, -EDEADLK, -EFAULT; bucket locked after. */
static int take_locked(struct futex_bucket *b, vaddr_t addr, uint32_t tid, uint32_t dead,
                       bool waits, uint32_t *owner)
{
    for (;;) {
        spin_lock(&b->lock);
        int err = try_locked(addr, tid, dead, waits, owner);
        if (err != -EAGAIN && err != -EFAULT)
            return err;
        spin_unlock(&b->lock);
        if (err == -EFAULT && futex_touch(addr)) {
            spin_lock(&b->lock);
            return -EFAULT;
        }
        if (kill_pending()) {
            spin_lock(&b->lock);
            return -EINTR;
        }
    }
}

/* One round of waiting. 1: the owner died or is about to, look again. */
static int64_t wait_once(struct task *t, struct futex_waiter *w, uint64_t deadline)
{
    int gone = mark_owner(w->owner);
    int64_t err = futex_sleep(t, w, gone ? 0 : deadline);
    if (w->has_lock)
        return 0;
    if (w->owner_died)
        return 1;
    if (gone == -ESRCH)
        return -ESRCH;
    if (gone == -EBUSY && !signal_pending(t)) {
        yield();
        return 1;
    }
    return err == -EINTR ? -ERESTARTNOINTR : err;
}

int64_t futex_lock_pi(struct task *t, vaddr_t addr, unsigned flags, uint64_t deadline)
{
    struct futex_waiter w = {.task = t, .kind = FUTEX_LOCK, .bits = UINT32_MAX};
    uint32_t dead = 0, missing = 0;
    int err = futex_key(t->mm, addr, flags, &w.key);
    if (err)
        return err;
    struct futex_bucket *b = futex_bucket(&w.key);
    for (;;) {
        err = take_locked(b, addr, t->tid, dead, true, &w.owner);
        if (err == 1 && w.owner == missing) /* the word still names it */
            err = -ESRCH;
        if (err == 1)
            futex_enqueue_locked(b, &w);
        spin_unlock(&b->lock);
        if (err != 1)
            return err;
        int64_t result = wait_once(t, &w, deadline);
        if (result != 1 && result != -ESRCH)
            return result;
        missing = result == -ESRCH ? w.owner : 0;
        dead = w.owner_died ? w.owner : 0;
        w.owner_died = false;
    }
}

int64_t futex_trylock_pi(struct task *t, vaddr_t addr, unsigned flags)
{
    struct futex_key key;
    uint32_t owner;
    int err = futex_key(t->mm, addr, flags, &key);
    if (err)
        return err;
    struct futex_bucket *b = futex_bucket(&key);
    err = take_locked(b, addr, t->tid, 0, false, &owner);
    spin_unlock(&b->lock);
    return err == 1 ? -EAGAIN : err;
}

/* --- giving back ------------------------------------------------------------------------------ */

int64_t futex_unlock_pi(struct task *t, vaddr_t addr, unsigned flags)
{
    struct futex_key key;
    uint32_t value;
    int err = futex_key(t->mm, addr, flags, &key);
    if (err)
        return err;
    struct futex_bucket *b = futex_bucket(&key);
    for (;;) {
        err = futex_lock_with_value(b, addr, &value);
        if (err)
            return err;
        if ((value & FUTEX_TID_MASK) != t->tid) {
            spin_unlock(&b->lock);
            return -EPERM;
        }
        struct futex_waiter *next = next_owner(b, &key);
        int done = futex_poke(addr, &value, next ? next->task->tid | FUTEX_WAITERS : 0);
        if (done > 0 && next)
            hand_over_locked(b, next);
        spin_unlock(&b->lock);
        if (done > 0)
            return 0;
        if (done < 0 && futex_touch(addr))
            return -EFAULT;
    }
}

/* --- from a condition to a lock --------------------------------------------------------------- */

int64_t futex_wait_requeue_pi(struct task *t, vaddr_t addr, unsigned flags, uint32_t value,
                              uint32_t bits, uint64_t deadline, vaddr_t addr2)
{
    struct futex_waiter w = {.task = t, .kind = FUTEX_REQUEUE, .bits = bits};
    struct futex_key keys[2];
    if (!bits || addr.v == addr2.v)
        return -EINVAL;
    int err = futex_two_keys(t->mm, addr, addr2, flags, keys);
    if (err)
        return err;
    w.key = keys[0];
    w.target = keys[1];
    int64_t result = futex_sleep_if(t, &w, addr, value, deadline);
    if (w.has_lock)
        return 0;
    if (w.owner_died)
        return futex_lock_pi(t, addr2, flags, deadline);
    if (result == -EINTR)
        return w.kind == FUTEX_LOCK ? -EAGAIN : -ERESTARTNOINTR;
    return result;
}

/* The first waiter takes the free lock; or it waits for it, as the others do. Buckets locked. */
static int64_t requeue_locked(struct futex_bucket *from, struct futex_bucket *to,
                              const struct futex_key keys[2], uint32_t m, uint32_t owner)
{
    struct futex_waiter *w, *next, *first = NULL;
    int64_t done = 0;
    list_for_each_entry_safe(w, next, &from->waiters, node) {
        if (!futex_same(&w->key, &keys[0]))
            continue;
        if (w->kind != FUTEX_REQUEUE || !futex_same(&w->target, &keys[1]))
            return -EINVAL;
        if (done > m)
            break;
        w->key = keys[1];
        w->kind = FUTEX_LOCK;
        w->owner = owner;
        futex_move_locked(w, to);
        first = first ? first : w;
        done++;
    }
    if (first && owner == first->task->tid)
        hand_over_locked(to, first);
    return done;
}

/* Whom a free lock is for: the first that waits for the condition; or 0. Bucket locked. */
static uint32_t first_tid(const struct futex_bucket *b, const struct futex_key *key)
{
    const struct futex_waiter *w;
    list_for_each_entry(w, &b->waiters, node) {
        if (futex_same(&w->key, key))
            return w->task->tid;
    }
    return 0;
}

int64_t futex_requeue_pi(struct task *t, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                         uint32_t m, uint32_t expected)
{
    struct futex_key keys[2];
    uint32_t owner = 0;
    if (n != 1 || (int32_t)m < 0 || addr.v == addr2.v)
        return -EINVAL;
    int err = futex_two_keys(t->mm, addr, addr2, flags, keys);
    if (err)
        return err;
    struct futex_bucket *from = futex_bucket(&keys[0]), *to = futex_bucket(&keys[1]);
    for (;;) {
        err = futex_lock_two_with_value(from, to, addr, &expected);
        if (err)
            return err;
        uint32_t tid = first_tid(from, &keys[0]);
        err = tid ? try_locked(addr2, m ? tid | FUTEX_WAITERS : tid, 0, true, &owner) : 0;
        int64_t done = err < 0 ? err : requeue_locked(from, to, keys, m, err ? owner : tid);
        futex_unlock_two(from, to);
        if (err >= 0) {
            if (err && mark_owner(owner))
                futex_owner_ends(owner);
            return done;
        }
        if (err == -EFAULT ? futex_touch(addr2) : err != -EAGAIN)
            return err;
    }
}
