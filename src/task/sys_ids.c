/* SPDX-License-Identifier: MIT */
/*
 * sys_ids.c - who am I, and with whom?
 *
 * Linux's counterpart: kernel/sys.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/guest_table.h"
#include "task/syscalls.h"

int64_t sys_getpid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->guest->pid;
}

int64_t sys_gettid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->tid;
}

int64_t sys_getppid(struct task *t, const uint64_t *a)
{
    (void)a;
    spin_lock(&guest_table_lock);
    int64_t pid = guest_ppid(t->guest);
    spin_unlock(&guest_table_lock);
    return pid;
}

/* pid 0 is the caller. With a reference; NULL: -ESRCH. */
static struct guest *guest_of_pid(struct task *t, uint64_t pid)
{
    if (pid)
        return guest_find((uint32_t)pid);
    guest_get(t->guest);
    return t->guest;
}

int64_t sys_setpgid(struct task *t, const uint64_t *a)
{
    if ((int32_t)a[1] < 0)
        return -EINVAL;
    struct guest *g = guest_of_pid(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    int64_t err = g == t->guest || g->parent == t->guest ? 0 : -ESRCH;
    if (!err)
        store_relaxed(&g->pgid, a[1] ? (uint32_t)a[1] : g->pid);
    guest_put(g);
    return err;
}

int64_t sys_getpgid(struct task *t, const uint64_t *a)
{
    struct guest *g = guest_of_pid(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    int64_t pgid = load_relaxed(&g->pgid);
    guest_put(g);
    return pgid;
}

int64_t sys_getsid(struct task *t, const uint64_t *a)
{
    struct guest *g = guest_of_pid(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    int64_t sid = load_relaxed(&g->sid);
    guest_put(g);
    return sid;
}

int64_t sys_setsid(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    (void)a;
    if (g->pgid == g->pid)
        return -EPERM;
    store_relaxed(&g->pgid, g->pid);
    store_relaxed(&g->sid, g->pid);
    return g->pid;
}

int64_t sys_umask(struct task *t, const uint64_t *a)
{
    uint32_t old = t->guest->umask;
    t->guest->umask = (uint32_t)a[0] & 0777;
    return old;
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16

int64_t sys_prctl(struct task *t, const uint64_t *a)
{
    char name[THREAD_NAME_MAX] = {0};
    switch (a[0]) {
    case PR_SET_NAME:
        if (strncpy_from_user(name, mk_vaddr(a[1]), sizeof(name)) == -EFAULT)
            return -EFAULT;
        name[sizeof(name) - 1] = '\0';
        memcpy(t->thread->name, name, sizeof(name));
        return 0;
    case PR_GET_NAME:
        return copy_to_user(mk_vaddr(a[1]), t->thread->name, sizeof(name)) ? -EFAULT : 0;
    default:
        return -EINVAL;
    }
}
