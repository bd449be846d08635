/* SPDX-License-Identifier: MIT */
/*
 * futex_queue.h - who sleeps at which word; between the files of futexes.
 *
 *      bucket[hash(key)]:  waiter - waiter - waiter      each on the stack of who sleeps
 *      key                 private or anonymous: (address space, address)
 *                          mapped from a file:   (file, offset), the same for all who map it
 *
 * Locks: bucket lock (RANK_FUTEX). A waiter's fields belong to the lock of its bucket.
 */
#ifndef PAGODA_TASK_FUTEX_QUEUE_H
#define PAGODA_TASK_FUTEX_QUEUE_H

#include "kern/lock.h"
#include "task/futex.h"

#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu

struct futex_key {
    const void *space;
    uint64_t at;
};

struct futex_bucket {
    struct spinlock lock;
    struct list_head waiters; /* oldest first */
} cache_aligned;

enum futex_kind {
    FUTEX_PLAIN,   /* waits to be woken */
    FUTEX_REQUEUE, /* waits at one word to be put to the lock at another */
    FUTEX_LOCK,    /* waits for a lock whose word is its owner's tid */
};

struct futex_waiter {
    struct list_head node; /* empty: woken */
    struct task *task;
    struct futex_bucket *bucket; /* changes under both buckets' locks */
    struct futex_key key;
    struct futex_key target; /* FUTEX_REQUEUE: the lock */
    uint32_t bits;
    uint32_t owner; /* FUTEX_LOCK: the tid that had the lock */
    enum futex_kind kind;
    bool has_lock;   /* woken as its owner */
    bool owner_died; /* woken because `owner` ended */
};

/** The key of a word. 0, -EINVAL (not aligned), -EFAULT (nothing is mapped there). */
int futex_key(struct mm_struct *mm, vaddr_t addr, unsigned flags, struct futex_key *key) must_check;

static inline bool futex_same(const struct futex_key *a, const struct futex_key *b)
{
    return a->space == b->space && a->at == b->at;
}

struct futex_bucket *futex_bucket(const struct futex_key *key);

/** All buckets one after the other; NULL after the last. */
struct futex_bucket *futex_next_bucket(struct futex_bucket *b);

/** Read the word with a spinlock held. -EFAULT: it must be touched without. */
int futex_peek(uint32_t *value, vaddr_t addr) must_check;

/** The same for a change, as cmpxchg_user_u32(). */
int futex_poke(vaddr_t addr, uint32_t *expected, uint32_t value) must_check;

/** Lock the bucket with *value being the word now. Not locked on failure: -EFAULT. */
int futex_lock_with_value(struct futex_bucket *b, vaddr_t addr, uint32_t *value) must_check;

/** Both, by address, so that two who do the same cannot wait for each other. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/** Bring the word's page in for writing. No spinlock held. */
int futex_touch(vaddr_t addr) must_check;

/** The keys of two words. */
int futex_two_keys(struct mm_struct *mm, vaddr_t addr, vaddr_t addr2, unsigned flags,
                   struct futex_key keys[2]) must_check;

/** Both buckets, if the word at addr is *expected (NULL: whatever it is). -EAGAIN, -EFAULT. */
int futex_lock_two_with_value(struct futex_bucket *a, struct futex_bucket *b, vaddr_t addr,
                              const uint32_t *expected) must_check;

/** As futex_wake(), of a bucket that is locked. */
int64_t futex_wake_locked(struct futex_bucket *b, const struct futex_key *key, uint32_t n,
                          uint32_t bits);

/** To the end of another bucket, or its own. Both locked. */
void futex_move_locked(struct futex_waiter *w, struct futex_bucket *to);

/** Who waits for a lock of that task, which ends, wakes and looks again. */
void futex_owner_ends(uint32_t tid);

/** Into the bucket's list. Bucket locked. */
void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w);

/** Off the list, and awake. Its memory may be gone as soon as this returns. Bucket locked. */
void futex_wake_waiter_locked(struct futex_waiter *w);

/** Sleep until woken: 0, -EINTR, -ETIMEDOUT; off the list in any case. */
int64_t futex_sleep(struct task *t, struct futex_waiter *w, uint64_t deadline);

/** The same, when the word at addr has that value: else -EAGAIN, or -EFAULT. w->key is set. */
int64_t futex_sleep_if(struct task *t, struct futex_waiter *w, vaddr_t addr, uint32_t value,
                       uint64_t deadline);

#endif
