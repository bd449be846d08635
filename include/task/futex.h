/* SPDX-License-Identifier: MIT */
/*
 * futex.h - sleeping on a word of user memory.
 */
#ifndef PAGODA_TASK_FUTEX_H
#define PAGODA_TASK_FUTEX_H

#include "task/task.h"

/** Boot only. */
void futex_init(void);

/**
 * Sleep while the word at addr is `value`, at most until `deadline` (ns of now_ns(), or
 * TIMER_NEVER). 0, -EAGAIN (it was not), -EINTR, -ETIMEDOUT, -EFAULT, -EINVAL.
 */
int64_t futex_wait(struct task *t, vaddr_t addr, uint32_t value, uint32_t bits, uint64_t deadline);

/** Wake up to n of those whose bits meet. How many, or -EINVAL. */
int64_t futex_wake(struct mm_struct *mm, vaddr_t addr, uint32_t n, uint32_t bits);

/** Wake up to n, and let up to m others sleep at addr2 instead. How many in all, or -Exxx. */
int64_t futex_requeue(struct mm_struct *mm, vaddr_t addr, uint32_t n, vaddr_t addr2, uint32_t m,
                      const uint32_t *expected);

/** The task ends: clear_child_tid and the robust list. Its address space is still in use. */
void futex_task_exit(struct task *t);

#endif
