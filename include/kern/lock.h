/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the spinlock.
 *
 * Test-and-test-and-set: one amoswap to try, then plain loads until the word is free. A ticket
 * lock would be fairer, but harts are often only threads of a busy host: with tickets all waiters
 * stand still while the one whose turn it is does not run.
 *
 *      word   0 free, 1 held
 *      debug: rank, owner hart, name, and the address that acquired it
 *
 * The monitor runs with interrupts off and is not preempted, so a spinlock touches no CSR and the
 * path without contention is a handful of instructions. With a spinlock held one must not block,
 * not call cond_resched() and not wait for another hart by ipi_call(): that is asserted, and it is
 * what makes spinning safe without looking at the own mailbox - a holder never waits for us. (It
 * must not look, either: code that waits for a lock may be in the middle of its per-hart data.)
 *
 * Debug builds check the rank of each acquisition, see lock_rank.h.
 * Linux's counterpart: raw_spinlock_t and lockdep.
 */
#ifndef PAGODA_KERN_LOCK_H
#define PAGODA_KERN_LOCK_H

#include "base/types.h"
#include "kern/lock_rank.h"
#include "kern/panic.h"

struct spinlock {
    uint32_t word;
#if CONFIG_DEBUG
    uint16_t rank;  /* enum lock_rank */
    uint16_t owner; /* hart index + 1, 0 when free */
    const char *name;
    const void *site; /* return address of the acquirer */
#endif
};

#if CONFIG_DEBUG
#define SPINLOCK_INIT(lock_name, lock_rank_)                                           \
    {                                                                                  \
        .word = 0, .rank = (lock_rank_), .owner = 0, .name = (lock_name), .site = NULL \
    }
#else
#define SPINLOCK_INIT(lock_name, lock_rank_) \
    {                                        \
        .word = 0                            \
    }
#endif

static inline void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
    lock->word = 0;
#if CONFIG_DEBUG
    lock->rank = (uint16_t)rank;
    lock->owner = 0;
    lock->name = name;
    lock->site = NULL;
#else
    (void)name;
    (void)rank;
#endif
}

/** Wait until the word can be set; the word is known to be held by another hart. */
void spin_lock_contended(struct spinlock *lock);

/* The debug twins: rank check, owner, site. Only there in debug builds. Not called by hand. */
void spin_lock_checked(struct spinlock *lock, bool nested);
bool spin_trylock_checked(struct spinlock *lock);
void spin_unlock_checked(struct spinlock *lock);

static inline bool spin_try_word(struct spinlock *lock)
{
    return __atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE) == 0;
}

/** Acquire. The lock's rank must be above all that this hart holds. */
static inline void spin_lock(struct spinlock *lock)
{
    if (CONFIG_DEBUG)
        spin_lock_checked(lock, false);
    else if (unlikely(!spin_try_word(lock)))
        spin_lock_contended(lock);
}

/** Acquire a second lock of a rank that is held already; the caller's order makes it safe. */
static inline void spin_lock_nested(struct spinlock *lock)
{
    if (CONFIG_DEBUG)
        spin_lock_checked(lock, true);
    else if (unlikely(!spin_try_word(lock)))
        spin_lock_contended(lock);
}

/** Acquire if free. No rank check: a lock that is not waited for cannot deadlock. */
static inline bool spin_trylock(struct spinlock *lock)
{
    return CONFIG_DEBUG ? spin_trylock_checked(lock) : spin_try_word(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
    if (CONFIG_DEBUG)
        spin_unlock_checked(lock);
    else
        __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

/** Held by anyone? Only a hint unless the caller holds it. */
static inline bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0;
}

/** The first line of each _locked function: this hart holds the lock. */
#if CONFIG_DEBUG
bool spin_held_here(const struct spinlock *lock);
#define assert_locked(lock) ASSERT(spin_held_here(lock))
#else
#define assert_locked(lock) ((void)(lock))
#endif

/** No spinlock is held on this hart: the first line of all that may block. */
#if CONFIG_DEBUG
void assert_no_locks(void);
#else
static inline void assert_no_locks(void) {}
#endif

#endif
