/* SPDX-License-Identifier: MIT */
/*
 * futex.c - sleeping on a word of user memory. futex_queue.h has the picture.
 *
 *      word == expected?  --yes--> bucket[hash(key)]: waiter --> sleep
 *      another thread changes the word, FUTEX_WAKE --> the waiters of that key wake
 *
 * The look at the word and the entry into the bucket happen under the bucket's lock, as does the
 * wake-up: a waker that changed the word before is seen, one that does so after finds the waiter.
 * With a spinlock held user memory is read without faulting; if that fails, the page is touched
 * without the lock and all begins again.
 *
 * A key names what is mapped and not the page, so that it stays the same when the page moves.
 *
 * Locks: bucket lock (RANK_FUTEX). Linux's counterpart: kernel/futex/core.c, waitwake.c.
 */
#include "task/futex.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/hash.h"
#include "kern/timer.h"
#include "task/futex_queue.h"
#include "task/signal.h"

#define BUCKET_BITS 6

static struct futex_bucket buckets[1u << BUCKET_BITS];

void futex_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        spin_init(&buckets[i].lock, "futex", RANK_FUTEX);
        INIT_LIST_HEAD(&buckets[i].waiters);
    }
}

/* --- keys and buckets ------------------------------------------------------------------------- */

int futex_key(struct mm_struct *mm, vaddr_t addr, unsigned flags, struct futex_key *key)
{
    if (!IS_ALIGNED(addr.v, sizeof(uint32_t)))
        return -EINVAL;
    *key = (struct futex_key){mm, addr.v};
    if (flags & FUTEX_PRIVATE)
        return 0;
    spin_lock(&mm->vma_lock);
    const struct vm_area_struct *vma = vma_lookup(mm, addr.v);
    if (vma && vma_is_shared(vma) && vma->vm_mapping) {
        key->space = vma->vm_mapping;
        key->at = vma_index(vma, addr.v) << PAGE_SHIFT | (addr.v & (PAGE_SIZE - 1));
    }
    spin_unlock(&mm->vma_lock);
    return vma ? 0 : -EFAULT;
}

struct futex_bucket *futex_bucket(const struct futex_key *key)
{
    return &buckets[hash_64((uint64_t)(uintptr_t)key->space ^ key->at, BUCKET_BITS)];
}

struct futex_bucket *futex_next_bucket(struct futex_bucket *b)
{
    b = b ? b + 1 : buckets;
    return b < buckets + ARRAY_SIZE(buckets) ? b : NULL;
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock_nested(a < b ? &b->lock : &a->lock);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* --- the word --------------------------------------------------------------------------------- */

int futex_peek(uint32_t *value, vaddr_t addr)
{
    uaccess_nofault_begin();
    int err = get_user_u32(value, addr);
    uaccess_nofault_end();
    return err;
}

int futex_poke(vaddr_t addr, uint32_t *expected, uint32_t value)
{
    uaccess_nofault_begin();
    int done = cmpxchg_user_u32(addr, expected, value);
    uaccess_nofault_end();
    return done;
}

int futex_lock_with_value(struct futex_bucket *b, vaddr_t addr, uint32_t *value)
{
    for (;;) {
        spin_lock(&b->lock);
        if (!futex_peek(value, addr))
            return 0;
        spin_unlock(&b->lock);
        if (get_user_u32(value, addr))
            return -EFAULT;
    }
}

/* --- sleeping --------------------------------------------------------------------------------- */

void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
    assert_locked(&b->lock);
    store_relaxed(&w->bucket, b);
    list_add_tail(&w->node, &b->waiters);
}

void futex_move_locked(struct futex_waiter *w, struct futex_bucket *to)
{
    store_relaxed(&w->bucket, to);
    list_move_tail(&w->node, &to->waiters);
}

/* Off the list, if it is on one still: requeue may have moved it to another bucket's. */
static bool dequeue(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = load_relaxed(&w->bucket);
        spin_lock(&b->lock);
        bool right = b == w->bucket, woken = list_empty(&w->node);
        if (right && !woken)
            list_del_init(&w->node);
        spin_unlock(&b->lock);
        if (right)
            return !woken;
    }
}

/* Until the node is off the list. */
static int64_t sleep_on(struct task *t, struct futex_waiter *w, uint64_t ticks)
{
    int64_t err = 0;
    struct wait_queue none;
    struct wait_entry entry;
    wait_queue_init(&none);
    wait_entry_init(&entry);
    for (;;) {
        wait_prepare(&none, &entry, THREAD_KILLABLE);
        if (list_empty(&w->node))
            break;
        if (signal_pending(t) || kill_pending()) {
            err = -EINTR;
            break;
        }
        if (ticks == TIMER_NEVER) {
            schedule();
        } else if (now_ticks() >= ticks) {
            err = -ETIMEDOUT;
            break;
        } else {
            (void)schedule_until(ticks);
        }
    }
    wait_finish(&none, &entry);
    return err;
}

int64_t futex_sleep(struct task *t, struct futex_waiter *w, uint64_t deadline)
{
    uint64_t ticks = deadline == TIMER_NEVER ? TIMER_NEVER : ns_to_ticks(deadline);
    int64_t err = sleep_on(t, w, ticks);
    return dequeue(w) ? err : 0;
}

int64_t futex_sleep_if(struct task *t, struct futex_waiter *w, vaddr_t addr, uint32_t value,
                       uint64_t deadline)
{
    struct futex_bucket *b = futex_bucket(&w->key);
    uint32_t now;
    int err = futex_lock_with_value(b, addr, &now);
    if (err)
        return err;
    if (now != value) {
        spin_unlock(&b->lock);
        return -EAGAIN;
    }
    futex_enqueue_locked(b, w);
    spin_unlock(&b->lock);
    return futex_sleep(t, w, deadline);
}

int64_t futex_wait(struct task *t, vaddr_t addr, unsigned flags, uint32_t value, uint32_t bits,
                   uint64_t deadline)
{
    struct futex_waiter w = {.task = t, .bits = bits};
    if (!bits)
        return -EINVAL;
    int err = futex_key(t->mm, addr, flags, &w.key);
    if (err)
        return err;
    return futex_sleep_if(t, &w, addr, value, deadline);
}

/* --- waking ----------------------------------------------------------------------------------- */

void futex_wake_waiter_locked(struct futex_waiter *w)
{
    struct thread *thread = w->task->thread;
    list_del(&w->node);
    store_release(&w->node.prev, &w->node);
    store_release(&w->node.next, &w->node);
    thread_wake(thread, THREAD_ASLEEP);
}

int64_t futex_wake_locked(struct futex_bucket *b, const struct futex_key *key, uint32_t n,
                          uint32_t bits)
{
    struct futex_waiter *w, *next;
    int64_t woken = 0;
    assert_locked(&b->lock);
    list_for_each_entry_safe(w, next, &b->waiters, node) {
        if (!futex_same(&w->key, key) || !(w->bits & bits))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        futex_wake_waiter_locked(w);
        if (++woken >= (int32_t)n)
            break;
    }
    return woken;
}

int64_t futex_wake(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, uint32_t bits)
{
    struct futex_key key;
    if (!bits)
        return -EINVAL;
    int err = futex_key(mm, addr, flags, &key);
    if (err)
        return err;
    struct futex_bucket *b = futex_bucket(&key);
    spin_lock(&b->lock);
    int64_t woken = futex_wake_locked(b, &key, n, bits);
    spin_unlock(&b->lock);
    return woken;
}
