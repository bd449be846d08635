/* SPDX-License-Identifier: MIT */
/*
 * sys_misc.c - small calls: priorities, scheduling classes, close_range, what the machine can do.
 *
 * There is one class of guests here, and all are served alike; what is asked for is remembered and
 * told back, as a program expects it.
 *
 * Linux's counterpart: kernel/sys.c, kernel/sched/syscalls.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscall.h"
#include "task/syscalls.h"

/* --- priorities ------------------------------------------------------------------------------- */

#define PRIO_USER 2

int64_t sys_getpriority(struct task *t, const uint64_t *a)
{
    if (a[0] > PRIO_USER)
        return -EINVAL;
    struct guest *g = arg_guest(t, a[0] ? 0 : a[1]);
    if (!g)
        return -ESRCH;
    int64_t nice = load_relaxed(&g->nice);
    guest_put(g);
    return 20 - nice; /* never negative, as an error would be */
}

int64_t sys_setpriority(struct task *t, const uint64_t *a)
{
    int nice = MIN(MAX((int)a[2], -20), 19);
    if (a[0] > PRIO_USER)
        return -EINVAL;
    struct guest *g = arg_guest(t, a[0] ? 0 : a[1]);
    if (!g)
        return -ESRCH;
    int64_t err = nice < g->nice && !cred_capable(&t->guest->cred, CAP_SYS_NICE) ? -EACCES : 0;
    if (!err)
        store_relaxed(&g->nice, (int8_t)nice);
    guest_put(g);
    return err;
}

/* --- scheduling classes ----------------------------------------------------------------------- */

#define SCHED_FIFO 1u
#define SCHED_RR 2u
#define SCHED_IDLE 5u
#define SCHED_RESET_ON_FORK 0x40000000u

static bool is_realtime(uint32_t policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

int64_t sys_sched_get_priority_max(struct task *t, const uint64_t *a)
{
    (void)t;
    return a[0] > 6 || a[0] == 4 ? -EINVAL : is_realtime((uint32_t)a[0]) ? 99 : 0;
}

int64_t sys_sched_get_priority_min(struct task *t, const uint64_t *a)
{
    (void)t;
    return a[0] > 6 || a[0] == 4 ? -EINVAL : is_realtime((uint32_t)a[0]);
}

static int64_t set_class(struct task *t, uint64_t pid, uint32_t policy, uint64_t param)
{
    uint32_t priority;
    if (!param || (int32_t)pid < 0)
        return -EINVAL;
    if (copy_from_user(&priority, mk_vaddr(param), sizeof(priority)))
        return -EFAULT;
    struct guest *g = arg_guest(t, (uint32_t)pid);
    if (!g)
        return -ESRCH;
    if (policy == UINT32_MAX)
        policy = g->sched_policy;
    policy &= ~SCHED_RESET_ON_FORK;
    int64_t err = 0;
    if (policy > SCHED_IDLE || policy == 4 ||
        (is_realtime(policy) ? !priority || priority > 99 : priority != 0))
        err = -EINVAL;
    else if (is_realtime(policy) && !cred_capable(&t->guest->cred, CAP_SYS_NICE))
        err = -EPERM;
    if (!err) {
        g->sched_policy = (uint8_t)policy;
        g->sched_priority = (uint8_t)priority;
    }
    guest_put(g);
    return err;
}

int64_t sys_sched_setscheduler(struct task *t, const uint64_t *a)
{
    return (int32_t)a[1] < 0 ? -EINVAL : set_class(t, a[0], (uint32_t)a[1], a[2]);
}

int64_t sys_sched_setparam(struct task *t, const uint64_t *a)
{
    return set_class(t, a[0], UINT32_MAX, a[1]);
}

int64_t sys_sched_getscheduler(struct task *t, const uint64_t *a)
{
    if ((int32_t)a[0] < 0)
        return -EINVAL;
    struct guest *g = arg_guest(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    int64_t policy = g->sched_policy;
    guest_put(g);
    return policy;
}

int64_t sys_sched_getparam(struct task *t, const uint64_t *a)
{
    if ((int32_t)a[0] < 0 || !a[1])
        return -EINVAL;
    struct guest *g = arg_guest(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    uint32_t priority = g->sched_priority;
    guest_put(g);
    return put_user_u32(priority, mk_vaddr(a[1])) ? -EFAULT : 0;
}

int64_t sys_sched_rr_get_interval(struct task *t, const uint64_t *a)
{
    if ((int32_t)a[0] < 0)
        return -EINVAL;
    struct guest *g = arg_guest(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    guest_put(g);
    return put_timespec(mk_vaddr(a[1]), 4 * NSEC_PER_MSEC);
}

/* --- the machine and the program -------------------------------------------------------------- */

int64_t sys_personality(struct task *t, const uint64_t *a)
{
    uint32_t old = t->guest->personality;
    if ((uint32_t)a[0] != UINT32_MAX)
        t->guest->personality = (uint32_t)a[0];
    return old;
}

#define HWPROBE_BASE_BEHAVIOR 3
#define HWPROBE_BASE_IMA 1UL
#define HWPROBE_IMA_EXT_0 4
#define HWPROBE_FD_AND_C 3UL

int64_t sys_riscv_hwprobe(struct task *t, const uint64_t *a)
{
    (void)t;
    if (a[4])
        return -EINVAL;
    for (uint64_t i = 0; i < a[1]; i++) {
        int64_t pair[2]; /* key, value */
        vaddr_t at = mk_vaddr(a[0] + i * sizeof(pair));
        if (copy_from_user(pair, at, sizeof(pair)))
            return -EFAULT;
        pair[1] = 0;
        if (pair[0] == HWPROBE_BASE_BEHAVIOR)
            pair[1] = HWPROBE_BASE_IMA;
        else if (pair[0] == HWPROBE_IMA_EXT_0)
            pair[1] = HWPROBE_FD_AND_C;
        else if (pair[0] > HWPROBE_IMA_EXT_0 || pair[0] < 0)
            pair[0] = -1;
        if (copy_to_user(at, pair, sizeof(pair)))
            return -EFAULT;
        if (kill_pending())
            return -EINTR;
    }
    return 0;
}

int64_t sys_get_robust_list(struct task *t, const uint64_t *a)
{
    uint64_t head = t->robust_list.v, size = 24;
    if (a[0] && a[0] != t->tid) /* another's is nobody's business here */
        return -EPERM;
    if (copy_to_user(mk_vaddr(a[1]), &head, sizeof(head)) ||
        copy_to_user(mk_vaddr(a[2]), &size, sizeof(size)))
        return -EFAULT;
    return 0;
}

/* --- close_range ------------------------------------------------------------------------------ */

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

int64_t sys_close_range(struct task *t, const uint64_t *a)
{
    struct file_table *files = t->guest->files;
    uint32_t first = (uint32_t)a[0], last = (uint32_t)a[1], flags = (uint32_t)a[2];
    if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    for (uint32_t fd = first; fd <= MIN(last, load_relaxed(&files->size) - 1); fd++) {
        if (flags & CLOSE_RANGE_CLOEXEC) {
            file_set_close_on_exec(files, fd, true);
        } else if (file_close(files, fd)) {
            continue; /* it was not open */
        }
    }
    return 0;
}

/* --- clone3 ----------------------------------------------------------------------------------- */

struct clone_args_abi {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};

#define CLONE_ARGS_MIN 64u

int64_t sys_clone3(struct task *t, const uint64_t *a)
{
    struct clone_args_abi args = {0};
    if (a[1] > PAGE_SIZE)
        return -E2BIG;
    if (a[1] < CLONE_ARGS_MIN)
        return -EINVAL;
    if (copy_from_user(&args, mk_vaddr(a[0]), MIN(a[1], sizeof(args))))
        return -EFAULT;
    if (args.exit_signal > NSIG || args.set_tid_size || (args.flags & 0xff) ||
        !args.stack != !args.stack_size)
        return -EINVAL;
    struct clone_request req = {
        .flags = args.flags,
        .exit_signal = (uint8_t)args.exit_signal,
        .stack = args.stack + args.stack_size,
        .parent_tid = mk_vaddr(args.parent_tid),
        .tls = args.tls,
        .child_tid = mk_vaddr(args.child_tid),
        .pidfd = mk_vaddr(args.pidfd),
    };
    return task_clone(t, &req);
}
