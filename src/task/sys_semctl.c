/* SPDX-License-Identifier: MIT */
/*
 * sys_semctl.c - what sets of semaphores say of themselves; setting them; their end.
 *
 * Locks: sem_ids.lock. Linux's counterpart: ksys_semctl().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/syscalls.h"
#include "task/sysv_sem.h"

#define GETPID 11u
#define GETVAL 12u
#define GETALL 13u
#define GETNCNT 14u
#define GETZCNT 15u
#define SETVAL 16u
#define SETALL 17u

#define SEMUSZ 20u /* what Linux says the size of an undo is */

/* Linux's struct semid64_ds on riscv64. */
struct semid_abi {
    struct ipc_perm_abi perm;
    uint64_t otime, ctime, nsems, unused3, unused4;
};
_Static_assert(sizeof(struct semid_abi) == 88, "Linux's struct semid64_ds");

/* --- sets ------------------------------------------------------------------------------------- */

static int64_t remove_set(const struct guest *g, int32_t id)
{
    spin_lock(&sem_ids.lock);
    struct sem_set *set = sem_find_locked(id);
    int64_t err = set ? ipc_owner(&set->perm, g) : -EINVAL;
    if (!err)
        sem_remove_locked(set);
    spin_unlock(&sem_ids.lock);
    if (!err)
        ipc_free(set);
    return err;
}

/* IPC_STAT by id; SEM_STAT by place in the table, which also says the id. */
static int64_t stat_set(const struct guest *g, uint32_t cmd, int32_t id, uint64_t to)
{
    struct semid_abi ds;
    bool by_place = cmd != IPC_STAT;
    spin_lock(&sem_ids.lock);
    struct ipc_perm *p = by_place ? ipc_at_locked(&sem_ids, id) : ipc_find_locked(&sem_ids, id);
    int64_t err = p ? 0 : -EINVAL;
    if (p && cmd != SEM_STAT_ANY)
        err = ipc_permission(p, g, IPC_READ);
    if (!err) {
        const struct sem_set *set = container_of(p, struct sem_set, perm);
        ds = (struct semid_abi){
            .perm = ipc_perm_to_abi(p), .otime = set->otime, .ctime = set->ctime, .nsems = set->nr};
        err = by_place ? p->id : 0;
    }
    spin_unlock(&sem_ids.lock);
    if (err >= 0 && copy_to_user(mk_vaddr(to), &ds, sizeof(ds)))
        return -EFAULT;
    return err;
}

static int64_t change_set(const struct guest *g, int32_t id, uint64_t from)
{
    struct semid_abi ds;
    if (copy_from_user(&ds, mk_vaddr(from), sizeof(ds)))
        return -EFAULT;
    spin_lock(&sem_ids.lock);
    struct sem_set *set = sem_find_locked(id);
    int64_t err = set ? ipc_owner(&set->perm, g) : -EINVAL;
    if (!err) {
        ipc_perm_change_locked(&set->perm, &ds.perm);
        set->ctime = ipc_now();
    }
    spin_unlock(&sem_ids.lock);
    return err;
}

/* Linux's struct seminfo: map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem. */
static int64_t sem_info(uint32_t cmd, uint64_t to)
{
    uint32_t mns = (uint32_t)sysctl_semmns, opm = (uint32_t)sysctl_semopm;
    uint32_t info[10] = {
        mns,   (uint32_t)sysctl_semmni, mns, mns, (uint32_t)sysctl_semmsl, opm, opm, SEMUSZ, SEMVMX,
        SEMVMX};
    spin_lock(&sem_ids.lock);
    if (cmd == SEM_INFO) {
        info[7] = sem_ids.used;
        info[9] = (uint32_t)sem_total;
    }
    int64_t highest = ipc_highest_locked(&sem_ids);
    spin_unlock(&sem_ids.lock);
    return copy_to_user(mk_vaddr(to), info, sizeof(info)) ? -EFAULT : highest;
}

/* --- one semaphore ---------------------------------------------------------------------------- */

/* How many wait for it to grow, or (zero) to become zero. */
static int64_t count_waiters_locked(const struct sem_set *set, uint32_t num, bool zero)
{
    const struct sem_waiter *w;
    int64_t n = 0;
    list_for_each_entry(w, &set->waiters, wait.node)
        n += w->blocked->num == num && (w->blocked->op == 0) == zero;
    return n;
}

static int64_t get_one(const struct guest *g, int32_t id, uint32_t num, uint32_t cmd)
{
    spin_lock(&sem_ids.lock);
    const struct sem_set *set = sem_find_locked(id);
    int64_t result = set ? ipc_permission(&set->perm, g, IPC_READ) : -EINVAL;
    if (!result && num >= set->nr)
        result = -EINVAL;
    if (!result) {
        if (cmd == GETVAL)
            result = set->sems[num].value;
        else if (cmd == GETPID)
            result = set->sems[num].pid;
        else
            result = count_waiters_locked(set, num, cmd == GETZCNT);
    }
    spin_unlock(&sem_ids.lock);
    return result;
}

static void set_one_locked(struct sem_set *set, uint32_t num, int32_t value, uint32_t pid)
{
    set->sems[num] = (struct sem){value, pid};
    sem_forget_undos_locked(set, num);
}

static int64_t set_one(const struct guest *g, int32_t id, uint32_t num, int32_t value)
{
    if (value < 0 || value > SEMVMX)
        return -ERANGE;
    spin_lock(&sem_ids.lock);
    struct sem_set *set = sem_find_locked(id);
    int64_t err = set && num < set->nr ? ipc_permission(&set->perm, g, IPC_WRITE) : -EINVAL;
    if (!err) {
        set_one_locked(set, num, value, g->pid);
        set->ctime = ipc_now();
        sem_changed_locked(set);
    }
    spin_unlock(&sem_ids.lock);
    return err;
}

/* --- all of a set ----------------------------------------------------------------------------- */

/* The set may go, and its id be another's, while the values are on their way from the guest. */
static struct sem_set *find_same_locked(int32_t id, uint32_t nr)
{
    struct sem_set *set = sem_find_locked(id);
    return set && set->nr == nr ? set : NULL;
}

static int64_t get_values(int32_t id, uint16_t *values, uint32_t nr, uint64_t to)
{
    spin_lock(&sem_ids.lock);
    const struct sem_set *set = find_same_locked(id, nr);
    for (uint32_t i = 0; set && i < nr; i++)
        values[i] = (uint16_t)set->sems[i].value;
    spin_unlock(&sem_ids.lock);
    if (!set)
        return -EIDRM;
    return copy_to_user(mk_vaddr(to), values, nr * sizeof(*values)) ? -EFAULT : 0;
}

static int64_t set_values(const struct guest *g, int32_t id, uint16_t *values, uint32_t nr,
                          uint64_t from)
{
    if (copy_from_user(values, mk_vaddr(from), nr * sizeof(*values)))
        return -EFAULT;
    for (uint32_t i = 0; i < nr; i++) {
        if (values[i] > SEMVMX)
            return -ERANGE;
    }
    spin_lock(&sem_ids.lock);
    struct sem_set *set = find_same_locked(id, nr);
    for (uint32_t i = 0; set && i < nr; i++)
        set_one_locked(set, i, values[i], g->pid);
    if (set) {
        set->ctime = ipc_now();
        sem_changed_locked(set);
    }
    spin_unlock(&sem_ids.lock);
    return set ? 0 : -EIDRM;
}

static int64_t all_values(const struct guest *g, int32_t id, uint32_t cmd, uint64_t user)
{
    spin_lock(&sem_ids.lock);
    const struct sem_set *set = sem_find_locked(id);
    uint32_t nr = set ? set->nr : 0;
    int64_t err =
        set ? ipc_permission(&set->perm, g, cmd == SETALL ? IPC_WRITE : IPC_READ) : -EINVAL;
    spin_unlock(&sem_ids.lock);
    if (err)
        return err;
    uint16_t *values = kmalloc(nr * sizeof(*values), GFP_KERNEL);
    if (!values)
        return -ENOMEM;
    err = cmd == SETALL ? set_values(g, id, values, nr, user) : get_values(id, values, nr, user);
    kfree(values);
    return err;
}

int64_t sys_semctl(struct task *t, const uint64_t *a)
{
    int32_t id = (int32_t)a[0];
    uint32_t num = (uint32_t)a[1], cmd = (uint32_t)a[2];
    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO:
        return sem_info(cmd, a[3]);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return stat_set(t->guest, cmd, id, a[3]);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
        return get_one(t->guest, id, num, cmd);
    case GETALL:
    case SETALL:
        return all_values(t->guest, id, cmd, a[3]);
    case SETVAL:
        return set_one(t->guest, id, num, (int32_t)a[3]);
    case IPC_SET:
        return change_set(t->guest, id, a[3]);
    case IPC_RMID:
        return remove_set(t->guest, id);
    default:
        return -EINVAL;
    }
}
