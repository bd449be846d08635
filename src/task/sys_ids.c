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

/* Oneself, or a child that has not executed a program yet; within one session. */
static int64_t check_group(const struct guest *self, const struct guest *g, uint32_t pgid)
{
    if (g != self) {
        if (load_relaxed(&g->parent) != self)
            return -ESRCH;
        if (g->sid != self->sid)
            return -EPERM;
        if (load_relaxed(&g->executed))
            return -EACCES;
    }
    if (g->sid == g->pid) /* who leads a session stays in its group */
        return -EPERM;
    return pgid == g->pid || guest_group_exists(pgid, self->sid) ? 0 : -EPERM;
}

int64_t sys_setpgid(struct task *t, const uint64_t *a)
{
    uint32_t pid = (uint32_t)a[0] ? (uint32_t)a[0] : t->guest->pid;
    uint32_t pgid = (uint32_t)a[1] ? (uint32_t)a[1] : pid;
    if ((int32_t)pgid < 0)
        return -EINVAL;
    struct guest *g = guest_of_pid(t, pid);
    if (!g)
        return -ESRCH;
    int64_t err = check_group(t->guest, g, pgid);
    if (!err)
        store_relaxed(&g->pgid, pgid);
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
