/* SPDX-License-Identifier: MIT */
/*
 * lock.c - waiting for a spinlock, and the checks that debug builds make.
 *
 *      held stack of a hart:   [ GUEST | PAGE_TABLE | ZONE ]      grows with each acquisition
 *                                                      ^ a new lock must rank above this
 *
 * Locks may be released in any order, so the highest rank held is looked for rather than popped.
 * After a panic the other harts stop where they are, possibly with locks: the panicking hart walks
 * through them.
 *
 * Linux's counterpart: kernel/locking/spinlock_debug.c, lockdep.c.
 */
#include "kern/lock.h"

#include "base/types.h"
#include "kern/ipi.h"
#include "kern/percpu.h"

void spin_lock_contended(struct spinlock *lock)
{
    for (uint32_t round = 0;; round++) {
        if (!spin_is_locked(lock) && spin_try_word(lock))
            return;
        if (unlikely(panicking())) {
            if (panic_is_mine())
                return;
            panic_stop_self();
        }
        spin_wait(round);
    }
}

#if CONFIG_DEBUG

/* The lock of the highest rank that this hart holds, or NULL. */
static const struct held_lock *highest_held(const struct hart *h)
{
    const struct held_lock *top = NULL;
    for (uint32_t i = 0; i < h->nr_held; i++)
        if (!top || h->held[i].rank >= top->rank)
            top = &h->held[i];
    return top;
}

static void check_order(const struct hart *h, const struct spinlock *lock, bool nested)
{
    const struct held_lock *top = highest_held(h);
    if (!top || top->rank < lock->rank || (nested && top->rank == lock->rank))
        return;
    panic("lock order: \"%s\" (rank %u) wanted while \"%s\" (rank %u, taken at %p) is held",
          lock->name, lock->rank, top->lock->name, top->rank, top->lock->site);
}

static void note_held(struct hart *h, struct spinlock *lock, const void *site)
{
    if (h->nr_held == MAX_HELD_LOCKS)
        panic("lock \"%s\": hart %u holds %u locks already", lock->name, h->arch.index, h->nr_held);
    __atomic_store_n(&lock->owner, (uint16_t)(h->arch.index + 1), __ATOMIC_RELAXED);
    lock->site = site;
    h->held[h->nr_held++] = (struct held_lock){.lock = lock, .rank = lock->rank};
}

void spin_lock_checked(struct spinlock *lock, bool nested)
{
    struct hart *h = this_hart();
    if (!panicking()) {
        if (spin_held_here(lock))
            panic("lock \"%s\" taken twice by hart %u; first at %p", lock->name, h->arch.index,
                  lock->site);
        check_order(h, lock, nested);
    }
    if (!spin_try_word(lock))
        spin_lock_contended(lock);
    if (!panicking())
        note_held(h, lock, __builtin_return_address(0));
}

bool spin_trylock_checked(struct spinlock *lock)
{
    if (!spin_try_word(lock))
        return false;
    if (!panicking())
        note_held(this_hart(), lock, __builtin_return_address(0));
    return true;
}

static void forget_held(struct hart *h, const struct spinlock *lock)
{
    for (uint32_t i = h->nr_held; i-- > 0;) {
        if (h->held[i].lock != lock)
            continue;
        for (h->nr_held--; i < h->nr_held; i++)
            h->held[i] = h->held[i + 1];
        return;
    }
    panic("lock \"%s\" released by hart %u, which does not hold it (owner: hart %d)", lock->name,
          h->arch.index, (int)lock->owner - 1);
}

void spin_unlock_checked(struct spinlock *lock)
{
    if (!panicking()) {
        forget_held(this_hart(), lock);
        __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

bool spin_held_here(const struct spinlock *lock)
{
    if (unlikely(panicking()))
        return true; /* nobody else moves any more, and nothing is noted */
    /* another hart's number may come and go while we look, ours may not */
    return spin_is_locked(lock) &&
           __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == hart_index() + 1;
}

void assert_no_locks(void)
{
    const struct hart *h = this_hart();
    if (unlikely(h->nr_held > 0) && !panicking())
        panic("may block, but \"%s\" (taken at %p) is held", h->held[h->nr_held - 1].lock->name,
              h->held[h->nr_held - 1].lock->site);
}

#endif
