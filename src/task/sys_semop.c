/* SPDX-License-Identifier: MIT */
/*
 * sys_semop.c - operating on semaphores, and sleeping until that can be done.
 *
 * Locks: sem_ids.lock. Linux's counterpart: do_semtimedop().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/syscall.h"
#include "task/syscalls.h"
#include "task/sysv_sem.h"

#define OPS_SMALL 32 /* carried on the stack */

/* What the operations want of the set as a whole. */
struct wish {
    uint32_t highest; /* number of a semaphore */
    bool alters, undo;
};

static struct wish look_at(const struct sem_op *ops, uint32_t n)
{
    struct wish wish = {0};
    for (uint32_t i = 0; i < n; i++) {
        wish.highest = MAX(wish.highest, (uint32_t)ops[i].num);
        wish.alters |= ops[i].op != 0;
        wish.undo |= ops[i].op && (ops[i].flags & SEM_UNDO);
    }
    return wish;
}

static int check_locked(const struct sem_set *set, const struct guest *g, const struct wish *wish)
{
    if (!set)
        return -EINVAL;
    if (wish->highest >= set->nr)
        return -EFBIG;
    return ipc_permission(&set->perm, g, wish->alters ? IPC_WRITE : IPC_READ);
}

static int64_t operate(struct task *t, int32_t id, struct sem_op *ops, uint32_t n, uint64_t end)
{
    struct wish wish = look_at(ops, n);
    struct sem_waiter w = {.ops = ops, .n = n, .pid = t->guest->pid, .alters = wish.alters};
    int err = 0;
    for (uint32_t i = 0; i < n; i++)
        ops[i].flags &= (uint16_t)(ops[i].op ? UINT16_MAX : ~SEM_UNDO); /* nothing to undo */
    if (wish.undo)
        err = sem_undo_prepare(t->guest, id);
    if (err)
        return err;
    spin_lock(&sem_ids.lock);
    struct sem_set *set = sem_find_locked(id);
    err = check_locked(set, t->guest, &wish);
    if (!err && wish.undo && !(w.undo = sem_undo_find_locked(t->guest, set)))
        err = -EIDRM;
    if (!err)
        err = sem_try_locked(set, &w);
    if (err == IPC_WAITING) {
        err = ipc_wait(&sem_ids.lock, &set->waiters, &w.wait, end);
        return err == -ETIMEDOUT ? -EAGAIN : err;
    }
    if (!err && w.alters)
        sem_changed_locked(set);
    spin_unlock(&sem_ids.lock);
    return err;
}

int64_t sys_semtimedop(struct task *t, const uint64_t *a)
{
    struct sem_op small[OPS_SMALL], *ops = small;
    uint32_t n = (uint32_t)a[2];
    int64_t ns = a[3] ? arg_timespec(mk_vaddr(a[3])) : INT64_MAX;
    if (ns == -EFAULT)
        return -EFAULT;
    if (n > sysctl_semopm)
        return -E2BIG;
    if (!n || (int32_t)a[0] < 0)
        return -EINVAL;
    if (n > OPS_SMALL)
        ops = kmalloc(n * sizeof(*ops), GFP_KERNEL);
    int64_t err = !ops                                                    ? -ENOMEM
                  : copy_from_user(ops, mk_vaddr(a[1]), n * sizeof(*ops)) ? -EFAULT
                  : ns < 0                                                ? ns
                                                                          : 0;
    if (!err) {
        uint64_t end = ns == INT64_MAX ? TIMER_NEVER : now_ticks() + ns_to_ticks((uint64_t)ns);
        err = operate(t, (int32_t)a[0], ops, n, end);
    }
    if (ops != small)
        kfree(ops);
    return err;
}

int64_t sys_semop(struct task *t, const uint64_t *a)
{
    uint64_t args[4] = {a[0], a[1], a[2], 0};
    return sys_semtimedop(t, args);
}
