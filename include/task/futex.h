/* SPDX-License-Identifier: MIT */
/*
 * futex.h - sleeping on a word of user memory.
 *
 * Whether a futex is private to its address space says `flags`, as the guest does: FUTEX_PRIVATE.
 */
#ifndef PAGODA_TASK_FUTEX_H
#define PAGODA_TASK_FUTEX_H

#include "task/task.h"

#define FUTEX_PRIVATE 0x80u /* else it may be in memory that others map */

/** Boot only. */
void futex_init(void);

/**
 * Sleep while the word at addr is `value`, at most until `deadline` (ns of now_ns(), or
 * TIMER_NEVER). 0, -EAGAIN (it was not), -EINTR, -ETIMEDOUT, -EFAULT, -EINVAL.
 */
int64_t futex_wait(struct task *t, vaddr_t addr, unsigned flags, uint32_t value, uint32_t bits,
                   uint64_t deadline);

/** Wake up to n (one at least) of those whose bits meet. How many, or -EINVAL, -EFAULT. */
int64_t futex_wake(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, uint32_t bits);

/** Wake up to n, and let up to m others sleep at addr2 instead. How many in all, or -Exxx. */
int64_t futex_requeue(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                      uint32_t m, const uint32_t *expected);

/**
 * Do to the word at addr2 what `op` says, and wake up to n at addr, and up to m at addr2 if the
 * word was as op says. How many, or -Exxx.
 */
int64_t futex_wake_op(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                      uint32_t m, uint32_t op);

/* --- locks whose word is the owner's tid: futex_pi.c ------------------------------------------ */

/** Take the lock at addr. 0, -EDEADLK, -ESRCH (its owner is no task), -ETIMEDOUT, -EINTR... */
int64_t futex_lock_pi(struct task *t, vaddr_t addr, unsigned flags, uint64_t deadline);

/** The same without waiting: -EAGAIN. */
int64_t futex_trylock_pi(struct task *t, vaddr_t addr, unsigned flags);

/** Give it to who has waited longest. 0, -EPERM (not the owner), -EINVAL, -EFAULT. */
int64_t futex_unlock_pi(struct task *t, vaddr_t addr, unsigned flags);

/** Wait at addr until futex_requeue_pi() makes it a wait for the lock at addr2; then have that. */
int64_t futex_wait_requeue_pi(struct task *t, vaddr_t addr, unsigned flags, uint32_t value,
                              uint32_t bits, uint64_t deadline, vaddr_t addr2);

/** One waiter at addr gets the lock at addr2 or waits for it, up to m others wait for it. */
int64_t futex_requeue_pi(struct task *t, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                         uint32_t m, uint32_t expected);

/* --- the end: futex_exit.c -------------------------------------------------------------------- */

/** The task leaves its address space: clear_child_tid and the robust list. */
void futex_leave_space(struct task *t);

/** The task ends. Its address space is still in use. */
void futex_task_exit(struct task *t);

#endif
