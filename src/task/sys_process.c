/* SPDX-License-Identifier: MIT */
/*
 * sys_process.c - beginning, ending and waiting.
 *
 * Linux's counterpart: kernel/exit.c, kernel/fork.c, fs/exec.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/archive.h"
#include "kern/timer.h"
#include "slab/kmalloc.h"
#include "task/clone.h"
#include "task/exec.h"
#include "task/signal_set.h"
#include "task/syscalls.h"
#include "task/wait.h"

int64_t sys_exit(struct task *t, const uint64_t *a)
{
    (void)t;
    task_exit((int)(a[0] & 0xff) << 8);
}

int64_t sys_exit_group(struct task *t, const uint64_t *a)
{
    (void)t;
    task_exit_group((int)(a[0] & 0xff) << 8);
}

int64_t sys_set_tid_address(struct task *t, const uint64_t *a)
{
    t->clear_child_tid = mk_vaddr(a[0]);
    return t->tid;
}

int64_t sys_set_robust_list(struct task *t, const uint64_t *a)
{
    if (a[1] != 24) /* sizeof(struct robust_list_head) */
        return -EINVAL;
    t->robust_list = mk_vaddr(a[0]);
    return 0;
}

int64_t sys_clone(struct task *t, const uint64_t *a)
{
    struct clone_request req = {
        .flags = a[0] & ~0xffUL,
        .exit_signal = (a[0] & 0xff) > NSIG ? 0 : (uint8_t)a[0],
        .stack = a[1],
        .parent_tid = mk_vaddr(a[2]),
        .tls = a[3],
        .child_tid = mk_vaddr(a[4]),
        .pidfd = mk_vaddr(a[2]), /* in the same place, so not both: */
    };
    if ((req.flags & CLONE_PIDFD) && (req.flags & CLONE_PARENT_SETTID))
        return -EINVAL;
    return task_clone(t, &req);
}

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1

int64_t sys_getrusage(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    const struct mm_struct *mm = t->mm;
    switch ((int)a[0]) {
    case RUSAGE_SELF:
        return put_rusage(mk_vaddr(a[1]), guest_run_ns(g), mm->minflt, mm->majflt,
                          MAX(mm_rss(mm), mm->hiwater_rss) * 4);
    case RUSAGE_THREAD:
        return put_rusage(mk_vaddr(a[1]), thread_run_ns(t->thread), mm->minflt, mm->majflt,
                          MAX(mm_rss(mm), mm->hiwater_rss) * 4);
    case RUSAGE_CHILDREN:
        return put_rusage(mk_vaddr(a[1]), g->child_run_ns, 0, 0, 0);
    default:
        return -EINVAL;
    }
}
