/* SPDX-License-Identifier: MIT */
/*
 * futex.c - sleeping on a word of user memory.
 *
 *      word == expected?  --yes--> bucket[hash(mm, address)]: waiter --> sleep
 *      another thread changes the word, FUTEX_WAKE --> the waiters of that address wake
 *
 * The look at the word and the entry into the bucket happen under the bucket's lock, as does the
 * wake-up: a waker that changed the word before is seen, one that does so after finds the waiter.
 * With a spinlock held user memory is read without faulting; if that fails, the page is touched
 * without the lock and all begins again.
 *
 * Futexes are private: the key is the address space and the address.
 *
 * Locks: bucket lock (RANK_FUTEX). Linux's counterpart: kernel/futex/.
 */
#include "task/futex.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/hash.h"
#include "kern/timer.h"

#define BUCKET_BITS 6
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu
#define ROBUST_LIMIT 2048

struct waiter {
    struct list_head node; /* empty: woken */
    struct thread *thread;
    struct mm_struct *mm;
    uint64_t addr;
    uint32_t bits;
};

static struct bucket {
    struct spinlock lock;
    struct list_head waiters;
} cache_aligned buckets[1u << BUCKET_BITS];

void futex_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        spin_init(&buckets[i].lock, "futex", RANK_FUTEX);
        INIT_LIST_HEAD(&buckets[i].waiters);
    }
}

static struct bucket *bucket_of(const struct mm_struct *mm, vaddr_t addr)
{
    return &buckets[hash_64((uint64_t)(uintptr_t)mm ^ addr.v, BUCKET_BITS)];
}

/* Read the word with a spinlock held. */
static int peek(uint32_t *value, vaddr_t addr)
{
    uaccess_nofault_begin();
    int err = get_user_u32(value, addr);
    uaccess_nofault_end();
    return err;
}

/* Lock the bucket with *value being the word now. The bucket is not locked on failure. */
static int lock_with_value(struct bucket *b, vaddr_t addr, uint32_t *value)
{
    for (;;) {
        spin_lock(&b->lock);
        if (!peek(value, addr))
            return 0;
        spin_unlock(&b->lock);
        if (get_user_u32(value, addr))
            return -EFAULT;
    }
}

static int64_t sleep_until_woken(struct task *t, struct waiter *w, uint64_t deadline)
{
    uint64_t ticks = deadline == TIMER_NEVER ? TIMER_NEVER : ns_to_ticks(deadline);
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
    /* requeue may have moved it: the list it is on tells nothing, but its own address does */
    for (;;) {
        struct bucket *now = bucket_of(w->mm, mk_vaddr(load_relaxed(&w->addr)));
        spin_lock(&now->lock);
        bool right = now == bucket_of(w->mm, mk_vaddr(w->addr));
        if (right && list_empty(&w->node))
            err = 0;
        else if (right)
            list_del_init(&w->node);
        spin_unlock(&now->lock);
        if (right)
            break;
    }
    return err;
}

int64_t futex_wait(struct task *t, vaddr_t addr, uint32_t value, uint32_t bits, uint64_t deadline)
{
    struct bucket *b = bucket_of(t->mm, addr);
    struct waiter w = {.thread = thread_current(), .mm = t->mm, .addr = addr.v, .bits = bits};
    uint32_t now;
    if (!IS_ALIGNED(addr.v, sizeof(uint32_t)) || !bits)
        return -EINVAL;
    int err = lock_with_value(b, addr, &now);
    if (err)
        return err;
    if (now != value) {
        spin_unlock(&b->lock);
        return -EAGAIN;
    }
    list_add_tail(&w.node, &b->waiters);
    spin_unlock(&b->lock);
    return sleep_until_woken(t, &w, deadline);
}

/* The waiter's stack frame may be gone as soon as it is off the list. */
static void wake_waiter(struct waiter *w)
{
    struct thread *thread = w->thread;
    list_del(&w->node);
    store_release(&w->node.prev, &w->node);
    store_release(&w->node.next, &w->node);
    thread_wake(thread, THREAD_ASLEEP);
}

int64_t futex_wake(struct mm_struct *mm, vaddr_t addr, uint32_t n, uint32_t bits)
{
    struct bucket *b = bucket_of(mm, addr);
    struct waiter *w, *next;
    int64_t woken = 0;
    if (!IS_ALIGNED(addr.v, sizeof(uint32_t)) || !bits)
        return -EINVAL;
    spin_lock(&b->lock);
    list_for_each_entry_safe(w, next, &b->waiters, node) {
        if (woken == n)
            break;
        if (w->mm != mm || w->addr != addr.v || !(w->bits & bits))
            continue;
        wake_waiter(w);
        woken++;
    }
    spin_unlock(&b->lock);
    return woken;
}

/* Both buckets, by address, so that two who do the same cannot wait for each other. */
static void lock_two(struct bucket *a, struct bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock_nested(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct bucket *a, struct bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

int64_t futex_requeue(struct mm_struct *mm, vaddr_t addr, uint32_t n, vaddr_t addr2, uint32_t m,
                      const uint32_t *expected)
{
    struct bucket *from = bucket_of(mm, addr), *to = bucket_of(mm, addr2);
    struct waiter *w, *next;
    int64_t done = 0;
    uint32_t value;
    if (!IS_ALIGNED(addr.v | addr2.v, sizeof(uint32_t)))
        return -EINVAL;
    if (expected && get_user_u32(&value, addr))
        return -EFAULT;
    lock_two(from, to);
    if (expected && (peek(&value, addr) || value != *expected)) {
        unlock_two(from, to);
        return -EAGAIN;
    }
    list_for_each_entry_safe(w, next, &from->waiters, node) {
        if (w->mm != mm || w->addr != addr.v)
            continue;
        if (done < n) {
            wake_waiter(w);
        } else if (done - n < m) {
            store_relaxed(&w->addr, addr2.v);
            list_move_tail(&w->node, &to->waiters);
        } else {
            break;
        }
        done++;
    }
    unlock_two(from, to);
    return done;
}

/* --- the end of a task ------------------------------------------------------------------------ */

/* The dead held this lock: say so in the word, and wake one who waits for it. */
static bool free_robust(struct task *t, uint64_t addr)
{
    uint32_t value;
    if (get_user_u32(&value, mk_vaddr(addr)))
        return false;
    while ((value & FUTEX_TID_MASK) == t->tid) {
        uint32_t dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        int done = cmpxchg_user_u32(mk_vaddr(addr), &value, dead);
        if (done < 0)
            return false;
        if (!done)
            continue;
        if (value & FUTEX_WAITERS)
            (void)futex_wake(t->mm, mk_vaddr(addr), 1, UINT32_MAX);
        break;
    }
    return true;
}

/* struct robust_list_head: { next, futex_offset, list_op_pending } */
static void walk_robust_list(struct task *t)
{
    uint64_t head = t->robust_list.v, entry, offset, pending;
    if (!head || get_user_u64(&entry, mk_vaddr(head)) ||
        get_user_u64(&offset, mk_vaddr(head + 8)) || get_user_u64(&pending, mk_vaddr(head + 16)))
        return;
    for (int i = 0; i < ROBUST_LIMIT && (entry & ~1UL) != head; i++) {
        uint64_t next;
        bool more = get_user_u64(&next, mk_vaddr(entry & ~1UL)) == 0;
        if ((entry != pending && !free_robust(t, (entry & ~1UL) + offset)) || !more)
            return;
        entry = next;
    }
    if (pending)
        (void)free_robust(t, (pending & ~1UL) + offset);
}

void futex_task_exit(struct task *t)
{
    walk_robust_list(t);
    /* only others in the same space can wait for it */
    if (t->clear_child_tid.v && load_relaxed(&t->guest->nr_tasks) > 1) {
        if (!put_user_u32(0, t->clear_child_tid))
            (void)futex_wake(t->mm, t->clear_child_tid, 1, UINT32_MAX);
    }
}
