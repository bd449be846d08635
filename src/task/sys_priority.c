/* SPDX-License-Identifier: MIT */
/*
 * sys_priority.c - how much a guest wants to be favoured: nice, ioprio, classes of scheduling.
 *
 *      (which, who):   one guest        all of a process group        all of a user
 *
 * There is one class of guests here, and all are served alike; what is asked for is checked, kept
 * and told back, as a program expects it. A promise of time (SCHED_DEADLINE) is refused, as by a
 * Linux that has none left.
 *
 * Locks: guest_table_lock while many are looked at. Linux's counterpart: kernel/sys.c,
 * kernel/sched/syscalls.c, block/ioprio.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/guest_table.h"
#include "task/syscall.h"
#include "task/syscalls.h"

/* --- whom it is about ------------------------------------------------------------------------- */

enum whose { ONE_GUEST, A_GROUP, A_USER };

/* 0: the caller's own. */
static bool is_meant(struct task *t, enum whose which, uint32_t who, const struct guest *g)
{
    switch (which) {
    case ONE_GUEST:
        return who ? g->pid == who : g == t->guest;
    case A_GROUP:
        return load_relaxed(&g->pgid) == (who ? who : load_relaxed(&t->guest->pgid));
    case A_USER:
        return g->cred.uid[ID_REAL] == (who ? who : t->guest->cred.uid[ID_REAL]);
    default:
        return false;
    }
}

/* fn's best result; -ESRCH when there is nobody. */
static int64_t for_all(struct task *t, enum whose which, uint64_t who,
                       int64_t (*fn)(struct task *t, struct guest *g, int wanted), int wanted)
{
    int64_t best = -ESRCH;
    struct guest *thread = which == ONE_GUEST ? arg_guest(t, who) : NULL;
    if (thread) { /* a thread's number stands for its guest */
        best = fn(t, thread, wanted);
        guest_put(thread);
        return best;
    }
    spin_lock(&guest_table_lock);
    for (struct guest *g = guest_first_locked(); g; g = guest_after_locked(g)) {
        if (load_relaxed(&g->state) < GUEST_ZOMBIE && is_meant(t, which, (uint32_t)who, g)) {
            int64_t result = fn(t, g, wanted);
            best = best == -ESRCH ? result : MAX(best, result);
        }
    }
    spin_unlock(&guest_table_lock);
    return best;
}

static bool may_change(const struct guest_cred *who, const struct guest_cred *whom)
{
    uint32_t uid = who->uid[ID_EFFECTIVE];
    return uid == whom->uid[ID_REAL] || uid == whom->uid[ID_EFFECTIVE] ||
           cred_capable(who, CAP_SYS_NICE);
}

/* --- nice ------------------------------------------------------------------------------------- */

static int64_t tell_nice(struct task *t, struct guest *g, int wanted)
{
    (void)t;
    (void)wanted;
    return 20 - load_relaxed(&g->nice); /* never negative, as an error would be */
}

static int64_t set_nice(struct task *t, struct guest *g, int nice)
{
    const struct guest_cred *cred = &t->guest->cred;
    if (!may_change(cred, &g->cred))
        return -EPERM;
    if (nice < g->nice && (uint64_t)(20 - nice) > g->limits[RLIMIT_NICE].cur &&
        !cred_capable(cred, CAP_SYS_NICE))
        return -EACCES;
    store_relaxed(&g->nice, (int8_t)nice);
    return 0;
}

int64_t sys_getpriority(struct task *t, const uint64_t *a)
{
    return (uint32_t)a[0] > A_USER ? -EINVAL : for_all(t, (enum whose)a[0], a[1], tell_nice, 0);
}

int64_t sys_setpriority(struct task *t, const uint64_t *a)
{
    int nice = MIN(MAX((int)a[2], -20), 19);
    return (uint32_t)a[0] > A_USER ? -EINVAL : for_all(t, (enum whose)a[0], a[1], set_nice, nice);
}

/* --- ioprio ----------------------------------------------------------------------------------- */

#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_LEVEL 7u
#define IOPRIO_LEVELS_AND_HINTS 0x1fffu

enum { IOPRIO_NONE, IOPRIO_RT, IOPRIO_BE, IOPRIO_IDLE };

static int64_t tell_ioprio(struct task *t, struct guest *g, int wanted)
{
    (void)t;
    (void)wanted;
    return load_relaxed(&g->ioprio);
}

static int64_t set_ioprio(struct task *t, struct guest *g, int ioprio)
{
    if (!may_change(&t->guest->cred, &g->cred))
        return -EPERM;
    store_relaxed(&g->ioprio, (uint16_t)ioprio);
    return 0;
}

int64_t sys_ioprio_get(struct task *t, const uint64_t *a)
{
    int which = (int)a[0] - 1;
    return which < ONE_GUEST || which > A_USER
               ? -EINVAL
               : for_all(t, (enum whose)which, a[1], tell_ioprio, 0);
}

static int check_ioprio(struct task *t, uint32_t ioprio)
{
    const struct guest_cred *cred = &t->guest->cred;
    switch (ioprio >> IOPRIO_CLASS_SHIFT) {
    case IOPRIO_RT:
        return cred_capable(cred, CAP_SYS_ADMIN) || cred_capable(cred, CAP_SYS_NICE) ? 0 : -EPERM;
    case IOPRIO_BE:
    case IOPRIO_IDLE:
        return 0;
    case IOPRIO_NONE:
        return ioprio & IOPRIO_LEVEL ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_ioprio_set(struct task *t, const uint64_t *a)
{
    int which = (int)a[0] - 1, err = check_ioprio(t, (uint32_t)a[2]);
    if (err)
        return err;
    return which < ONE_GUEST || which > A_USER
               ? -EINVAL
               : for_all(t, (enum whose)which, a[1], set_ioprio, (int)a[2]);
}

/* --- classes of scheduling -------------------------------------------------------------------- */

#define SCHED_FIFO 1u
#define SCHED_RR 2u
#define SCHED_ISO 4u /* a number that Linux keeps free */
#define SCHED_IDLE 5u
#define SCHED_DEADLINE 6u
#define SCHED_RESET_ON_FORK 0x40000000u
#define SAME_POLICY UINT32_MAX

static bool is_realtime(uint32_t policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

int64_t sys_sched_get_priority_max(struct task *t, const uint64_t *a)
{
    (void)t;
    return a[0] > SCHED_DEADLINE || a[0] == SCHED_ISO ? -EINVAL
           : is_realtime((uint32_t)a[0])              ? 99
                                                      : 0;
}

int64_t sys_sched_get_priority_min(struct task *t, const uint64_t *a)
{
    (void)t;
    return a[0] > SCHED_DEADLINE || a[0] == SCHED_ISO ? -EINVAL : is_realtime((uint32_t)a[0]);
}

static int64_t set_class(struct task *t, struct guest *g, uint32_t policy, uint32_t priority)
{
    const struct guest_cred *cred = &t->guest->cred;
    if (policy == SAME_POLICY)
        policy = g->sched_policy;
    policy &= ~SCHED_RESET_ON_FORK;
    if (policy > SCHED_DEADLINE || policy == SCHED_ISO ||
        (is_realtime(policy) ? !priority || priority > 99 : priority != 0))
        return -EINVAL;
    if (policy == SCHED_DEADLINE)
        return -EBUSY;
    if (!may_change(cred, &g->cred) ||
        (is_realtime(policy) && priority > g->limits[RLIMIT_RTPRIO].cur &&
         !cred_capable(cred, CAP_SYS_NICE)))
        return -EPERM;
    g->sched_policy = (uint8_t)policy;
    g->sched_priority = (uint8_t)priority;
    return 0;
}

static int64_t set_class_of(struct task *t, uint64_t pid, uint32_t policy, uint64_t param)
{
    uint32_t priority;
    if (!param || (int32_t)pid < 0)
        return -EINVAL;
    if (copy_from_user(&priority, mk_vaddr(param), sizeof(priority)))
        return -EFAULT;
    struct guest *g = arg_guest(t, (uint32_t)pid);
    if (!g)
        return -ESRCH;
    int64_t err = set_class(t, g, policy, priority);
    guest_put(g);
    return err;
}

int64_t sys_sched_setscheduler(struct task *t, const uint64_t *a)
{
    return (int32_t)a[1] < 0 ? -EINVAL : set_class_of(t, a[0], (uint32_t)a[1], a[2]);
}

int64_t sys_sched_setparam(struct task *t, const uint64_t *a)
{
    return set_class_of(t, a[0], SAME_POLICY, a[1]);
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

/* --- the same in one structure ---------------------------------------------------------------- */

#define SCHED_ATTR_FIRST 48u /* its size when it was new */
#define SCHED_FLAG_KEEP_POLICY 0x08u
#define SCHED_FLAG_KEEP_PARAMS 0x10u
#define SCHED_FLAG_CLAMPS 0x60u
#define SCHED_FLAG_ALL 0x7fu

struct sched_attr_abi {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

/* Also of another size: what we do not know must be zero. */
static int64_t take_attr(struct sched_attr_abi *attr, uint64_t user)
{
    uint32_t size;
    if (get_user_u32(&size, mk_vaddr(user)))
        return -EFAULT;
    size = size ? size : SCHED_ATTR_FIRST;
    int64_t err = size < SCHED_ATTR_FIRST || size > PAGE_SIZE ? -E2BIG : 0;
    if (!err)
        err = arg_struct(attr, sizeof(*attr), mk_vaddr(user), size);
    if (err == -E2BIG && put_user_u32(sizeof(*attr), mk_vaddr(user)))
        return -EFAULT;
    attr->nice = MIN(MAX(attr->nice, -20), 19);
    return err;
}

int64_t sys_sched_setattr(struct task *t, const uint64_t *a)
{
    struct sched_attr_abi attr;
    if (!a[1] || (int32_t)a[0] < 0 || (uint32_t)a[2])
        return -EINVAL;
    int64_t err = take_attr(&attr, a[1]);
    if (err)
        return err;
    if ((int32_t)attr.policy < 0 || (attr.flags & ~(uint64_t)SCHED_FLAG_ALL))
        return -EINVAL;
    if (attr.flags & SCHED_FLAG_CLAMPS)
        return -EOPNOTSUPP;
    struct guest *g = arg_guest(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    if (attr.flags & SCHED_FLAG_KEEP_PARAMS)
        attr.priority = g->sched_priority;
    err = set_class(t, g, attr.flags & SCHED_FLAG_KEEP_POLICY ? SAME_POLICY : attr.policy,
                    attr.priority);
    if (!err && !is_realtime(g->sched_policy) && !(attr.flags & SCHED_FLAG_KEEP_PARAMS))
        err = set_nice(t, g, attr.nice);
    guest_put(g);
    return err == -EACCES ? -EPERM : err;
}

int64_t sys_sched_getattr(struct task *t, const uint64_t *a)
{
    uint32_t size = (uint32_t)a[2];
    struct sched_attr_abi attr = {.size = MIN(size, (uint32_t)sizeof(attr))};
    if (!a[1] || (int32_t)a[0] < 0 || size > PAGE_SIZE || size < SCHED_ATTR_FIRST || (uint32_t)a[3])
        return -EINVAL;
    struct guest *g = arg_guest(t, (uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    attr.policy = g->sched_policy;
    attr.priority = g->sched_priority;
    attr.nice = is_realtime(attr.policy) ? 0 : g->nice;
    guest_put(g);
    return copy_to_user(mk_vaddr(a[1]), &attr, attr.size) ? -EFAULT : 0;
}
