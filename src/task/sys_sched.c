/* SPDX-License-Identifier: MIT */
/*
 * sys_sched.c - which harts, and stepping back.
 *
 * Linux's counterpart: kernel/sched/syscalls.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/syscall.h"
#include "task/syscalls.h"

int64_t sys_sched_yield(struct task *t, const uint64_t *a)
{
    (void)t;
    (void)a;
    yield();
    return 0;
}

struct guest *arg_guest(struct task *t, uint64_t tid)
{
    struct guest *g = t->guest;
    if (!tid || (uint32_t)tid == t->tid) {
        guest_get(g);
        return g;
    }
    return guest_find_thread((uint32_t)tid);
}

static bool may_place(const struct guest_cred *who, const struct guest_cred *whom)
{
    uint32_t uid = who->uid[ID_EFFECTIVE];
    return uid == whom->uid[ID_EFFECTIVE] || uid == whom->uid[ID_REAL] ||
           cred_capable(who, CAP_SYS_NICE);
}

/* The caller's own move may block, so it holds no lock; another thread moves when it next runs. */
int64_t sys_sched_setaffinity(struct task *t, const uint64_t *a)
{
    hartmask_t mask = {0};
    uint32_t tid = (uint32_t)a[0];
    if (copy_from_user(&mask.bits, mk_vaddr(a[2]), MIN(a[1], sizeof(mask.bits))))
        return -EFAULT;
    mask.bits &= load_relaxed(&harts_online.bits);
    if (!tid || tid == t->tid)
        return mask_empty(&mask) ? -EINVAL : thread_set_affinity(t->thread, mask);
    struct guest *g = guest_find_thread(tid);
    if (!g)
        return -ESRCH;
    int64_t err = mask_empty(&mask) ? -EINVAL : -ESRCH;
    if (!may_place(&t->guest->cred, &g->cred))
        err = -EPERM;
    spin_lock(&g->lock);
    struct task *other = guest_task_locked(g, tid);
    if (other && err == -ESRCH)
        err = thread_set_affinity(other->thread, mask);
    spin_unlock(&g->lock);
    guest_put(g);
    return err;
}

int64_t sys_sched_getaffinity(struct task *t, const uint64_t *a)
{
    uint32_t tid = a[0] ? (uint32_t)a[0] : t->tid;
    hartmask_t mask;
    if (a[1] < sizeof(mask.bits) || a[1] % sizeof(mask.bits))
        return -EINVAL;
    struct guest *g = guest_find_thread(tid);
    if (!g)
        return -ESRCH;
    spin_lock(&g->lock);
    const struct task *other = guest_task_locked(g, tid);
    mask = other ? other->thread->affinity : g->affinity;
    spin_unlock(&g->lock);
    guest_put(g);
    uint64_t online = load_relaxed(&harts_online.bits);
    mask.bits = mask_empty(&mask) ? online : mask.bits & online;
    if (copy_to_user(mk_vaddr(a[2]), &mask.bits, sizeof(mask.bits)))
        return -EFAULT;
    return sizeof(mask.bits);
}

int64_t sys_getcpu(struct task *t, const uint64_t *a)
{
    (void)t;
    if (a[0] && put_user_u32(hart_index(), mk_vaddr(a[0])))
        return -EFAULT;
    if (a[1] && put_user_u32(hart_nid(), mk_vaddr(a[1])))
        return -EFAULT;
    return 0;
}
