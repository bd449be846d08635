/* SPDX-License-Identifier: MIT */
/*
 * sys_limits.c - what a guest may use at most.
 *
 * Limits that mm checks are kept there too, so that the floors below need not know guests.
 * Linux's counterpart: do_prlimit().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/files.h"
#include "task/syscalls.h"

/* The limits that memory floors look at. g->lock held. */
static void tell_mm(struct guest *g)
{
    struct mm_struct *mm = g->mm;
    if (!mm)
        return;
    store_relaxed(&mm->stack_limit, g->limits[RLIMIT_STACK].cur);
    store_relaxed(&mm->data_limit, g->limits[RLIMIT_DATA].cur);
    store_relaxed(&mm->as_limit, g->limits[RLIMIT_AS].cur);
    store_relaxed(&mm->memlock_limit, guest_memlock_limit(g));
}

static int check(uint64_t which, const struct rlimit *new, const struct rlimit *old, bool may_raise)
{
    if (new->cur > new->max)
        return -EINVAL;
    if (new->max > old->max && !may_raise)
        return -EPERM;
    return which == RLIMIT_NOFILE && new->max > FILES_MAX ? -EPERM : 0;
}

static int64_t exchange(struct guest *g, uint64_t which, const struct rlimit *new,
                        struct rlimit *old)
{
    int64_t err = 0;
    bool may_raise = cred_capable(&task_current()->guest->cred, CAP_SYS_RESOURCE);
    spin_lock(&g->lock);
    *old = g->limits[which];
    if (new)
        err = check(which, new, old, may_raise);
    if (new && !err) {
        g->limits[which] = *new;
        tell_mm(g);
    }
    spin_unlock(&g->lock);
    return err;
}

/* The guest that a pid means, if its limits are this guest's business; referenced. */
static struct guest *guest_of(struct task *t, uint64_t pid, int64_t *err)
{
    const struct guest_cred *c = &t->guest->cred;
    struct guest *g = arg_guest(t, pid);
    *err = -ESRCH;
    if (!g)
        return NULL;
    const struct guest_cred *o = &g->cred;
    bool same = c->uid[ID_REAL] == o->uid[ID_REAL] && c->uid[ID_REAL] == o->uid[ID_EFFECTIVE] &&
                c->uid[ID_REAL] == o->uid[ID_SAVED];
    if (g == t->guest || same || cred_capable(c, CAP_SYS_RESOURCE))
        return g;
    guest_put(g);
    *err = -EPERM;
    return NULL;
}

int64_t sys_prlimit64(struct task *t, const uint64_t *a)
{
    struct rlimit new, old;
    if (a[1] >= NR_RLIMITS)
        return -EINVAL;
    if (a[2] && copy_from_user(&new, mk_vaddr(a[2]), sizeof(new)))
        return -EFAULT;
    int64_t err;
    struct guest *g = guest_of(t, a[0], &err);
    if (!g)
        return err;
    err = exchange(g, a[1], a[2] ? &new : NULL, &old);
    guest_put(g);
    if (!err && a[3] && copy_to_user(mk_vaddr(a[3]), &old, sizeof(old)))
        return -EFAULT;
    return err;
}

int64_t sys_getrlimit(struct task *t, const uint64_t *a)
{
    if (a[0] >= NR_RLIMITS)
        return -EINVAL;
    struct rlimit old;
    int64_t err = exchange(t->guest, a[0], NULL, &old);
    if (!err && copy_to_user(mk_vaddr(a[1]), &old, sizeof(old)))
        return -EFAULT;
    return err;
}
