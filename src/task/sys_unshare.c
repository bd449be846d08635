/* SPDX-License-Identifier: MIT */
/*
 * sys_unshare.c - to have alone what was shared: unshare and setns.
 *
 * Open files can be parted, and semaphores' undo lists. Working directories were never shared, and
 * namespaces there are none.
 *
 * Linux's counterpart: ksys_unshare(), kernel/nsproxy.c.
 */
#include "base/errno.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscalls.h"
#include "task/sysv_sem.h"

#define CLONE_NEWTIME 0x80UL
#define THREAD_STATE (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define KNOWN \
    (THREAD_STATE | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NAMESPACES | CLONE_NEWTIME)

int64_t sys_unshare(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    if (a[0] & ~KNOWN)
        return -EINVAL;
    if ((a[0] & THREAD_STATE) && load_relaxed(&g->nr_tasks) > 1)
        return -EINVAL;
    int64_t err = clone_check_namespaces(g, a[0] & CLONE_NEWTIME ? a[0] | CLONE_NEWUTS : a[0]);
    if (!err && (a[0] & CLONE_FILES) && load_relaxed(&g->nr_tasks) == 1)
        err = guest_unshare_files(g);
    if (!err && (a[0] & CLONE_SYSVSEM))
        sem_guest_exit(g);
    return err;
}

int64_t sys_setns(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    file_put(f);
    return -EINVAL;
}
