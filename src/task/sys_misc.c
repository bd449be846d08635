/* SPDX-License-Identifier: MIT */
/*
 * sys_misc.c - small calls: what the machine can do, close_range, clone3.
 *
 * Linux's counterpart: kernel/exec_domain.c, arch/riscv/kernel/sys_hwprobe.c, fs/file.c,
 * kernel/fork.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscall.h"
#include "task/syscalls.h"

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
    if ((flags & CLOSE_RANGE_UNSHARE) && guest_unshare_files(t->guest))
        return -ENOMEM;
    files = t->guest->files;
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
    int64_t err = arg_struct(&args, sizeof(args), mk_vaddr(a[0]), a[1]);
    if (err)
        return err;
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
