/* SPDX-License-Identifier: MIT */
/*
 * sysv_sem.c - sets of semaphores: operating on them, and undoing it. sysv_sem.h has the picture.
 *
 *      try:      op 0 ok, op 1 ok, op 2 blocks --> undo 1, undo 0; wait, all or nothing
 *      changed:  each waiter tries again: those that wait for zero first, then in order of age;
 *                whoever alters something lets all earlier ones try once more
 *
 * The operations of a sleeper are done by who makes them possible, so that no newcomer overtakes.
 *
 * Locks: sem_ids.lock. Linux's counterpart: ipc/sem.c; its lock a semaphore is one for all here.
 */
#include "task/sysv_sem.h"

#include "base/errno.h"
#include "task/syscalls.h"

uint64_t sysctl_semmsl = 32000, sysctl_semmns = 1024000000, sysctl_semopm = 500;
uint64_t sysctl_semmni = IPC_MNI;

struct ipc_ids sem_ids = IPC_IDS_INIT("sysv sem");
uint64_t sem_total;

static struct sem_set *of_perm(struct ipc_perm *p)
{
    return container_of(p, struct sem_set, perm);
}

struct sem_set *sem_find_locked(int32_t id)
{
    struct ipc_perm *p = ipc_find_locked(&sem_ids, id);
    return p ? of_perm(p) : NULL;
}

/* --- semget ----------------------------------------------------------------------------------- */

static struct ipc_perm *make(uint64_t nr, int *err)
{
    *err = -EINVAL;
    if (!nr)
        return NULL;
    *err = -ENOMEM;
    struct sem_set *set = ipc_alloc(sizeof(*set) + nr * sizeof(set->sems[0]));
    if (!set)
        return NULL;
    set->nr = (uint32_t)nr;
    set->ctime = ipc_now();
    INIT_LIST_HEAD(&set->waiters);
    INIT_LIST_HEAD(&set->undos);
    return &set->perm;
}

static int admit_locked(struct ipc_perm *new)
{
    uint32_t nr = of_perm(new)->nr;
    if (sem_ids.used >= sysctl_semmni || sem_total + nr > sysctl_semmns)
        return -ENOSPC;
    sem_total += nr;
    return 0;
}

static int fits_locked(const struct ipc_perm *old, uint64_t nr)
{
    return nr > container_of(old, struct sem_set, perm)->nr ? -EINVAL : 0;
}

static void discard(struct ipc_perm *new)
{
    ipc_free(of_perm(new));
}

static const struct ipc_kind kind = {&sem_ids, make, admit_locked, fits_locked, discard};

int64_t sys_semget(struct task *t, const uint64_t *a)
{
    int32_t nr = (int32_t)a[1];
    if (nr < 0 || (uint64_t)nr > sysctl_semmsl)
        return -EINVAL;
    return ipc_get(&kind, t->guest, (uint32_t)a[0], (uint64_t)nr, (uint32_t)a[2]);
}

/* --- operations ------------------------------------------------------------------------------- */

/* One of several. 0; IPC_WAITING or -EAGAIN: it cannot be done now; -ERANGE. */
static int do_op(struct sem_set *set, struct sem_waiter *w, const struct sem_op *op)
{
    struct sem *sem = &set->sems[op->num];
    int32_t value = sem->value + op->op;
    if (op->op ? value < 0 : value != 0) {
        w->blocked = op;
        return op->flags & IPC_NOWAIT ? -EAGAIN : IPC_WAITING;
    }
    if (value > SEMVMX)
        return -ERANGE;
    if (op->flags & SEM_UNDO) {
        int32_t adjust = w->undo->adjust[op->num] - op->op;
        if (adjust < -SEMVMX - 1 || adjust > SEMVMX)
            return -ERANGE;
        w->undo->adjust[op->num] = (int16_t)adjust;
    }
    sem->value = value;
    return 0;
}

static void undo_op(struct sem_set *set, struct sem_waiter *w, const struct sem_op *op)
{
    set->sems[op->num].value -= op->op;
    if (op->flags & SEM_UNDO)
        w->undo->adjust[op->num] = (int16_t)(w->undo->adjust[op->num] + op->op);
}

int sem_try_locked(struct sem_set *set, struct sem_waiter *w)
{
    uint32_t i = 0;
    int err = 0;
    assert_locked(&sem_ids.lock);
    while (i < w->n && !(err = do_op(set, w, &w->ops[i])))
        i++;
    if (err) {
        while (i > 0)
            undo_op(set, w, &w->ops[--i]);
        return err;
    }
    for (i = 0; i < w->n; i++)
        set->sems[w->ops[i].num].pid = w->pid;
    set->otime = ipc_now();
    return 0;
}

/* Let those of one sort try, up to and with the first that alters something: was there one? */
static bool retry_locked(struct sem_set *set, bool alters)
{
    struct sem_waiter *w, *next;
    list_for_each_entry_safe(w, next, &set->waiters, wait.node) {
        if (w->alters != alters)
            continue;
        int result = sem_try_locked(set, w);
        if (result != IPC_WAITING)
            ipc_wake_locked(&w->wait, result);
        if (!result && alters)
            return true;
    }
    return false;
}

void sem_changed_locked(struct sem_set *set)
{
    do {
        (void)retry_locked(set, false);
    } while (retry_locked(set, true));
}

/* --- undoing ---------------------------------------------------------------------------------- */

struct sem_undo *sem_undo_find_locked(const struct guest *g, const struct sem_set *set)
{
    struct sem_undo *u;
    assert_locked(&sem_ids.lock);
    list_for_each_entry(u, &g->sem_undos, of_guest) {
        if (u->set == set)
            return u;
    }
    return NULL;
}

static void drop_undo_locked(struct sem_undo *u)
{
    list_del(&u->of_guest);
    list_del(&u->of_set);
    ipc_free(u);
}

/* Enter `new`, if nothing is there yet; how many semaphores the set has, 0: there is no set. */
static uint32_t enter_undo(struct guest *g, int32_t id, struct sem_undo **new, bool *there)
{
    spin_lock(&sem_ids.lock);
    struct sem_set *set = sem_find_locked(id);
    uint32_t nr = set ? set->nr : 0;
    *there = set && sem_undo_find_locked(g, set);
    if (set && !*there && *new) {
        (*new)->set = set;
        list_add(&(*new)->of_guest, &g->sem_undos);
        list_add(&(*new)->of_set, &set->undos);
        *new = NULL;
        *there = true;
    }
    spin_unlock(&sem_ids.lock);
    return nr;
}

int sem_undo_prepare(struct guest *g, int32_t id)
{
    struct sem_undo *new = NULL;
    bool there;
    uint32_t nr = enter_undo(g, id, &new, &there);
    if (nr && !there) {
        new = ipc_alloc(sizeof(*new) + nr * sizeof(new->adjust[0]));
        if (!new)
            return -ENOMEM;
        if (enter_undo(g, id, &new, &there) != nr)
            nr = 0; /* the set has gone meanwhile */
        ipc_free(new);
    }
    return nr ? 0 : -EINVAL;
}

void sem_forget_undos_locked(struct sem_set *set, uint32_t num)
{
    struct sem_undo *u;
    assert_locked(&sem_ids.lock);
    list_for_each_entry(u, &set->undos, of_set)
        u->adjust[num] = 0;
}

static void give_back_locked(const struct sem_undo *u, uint32_t pid)
{
    struct sem_set *set = u->set;
    for (uint32_t i = 0; i < set->nr; i++) {
        struct sem *sem = &set->sems[i];
        if (!u->adjust[i])
            continue;
        sem->value = MIN(MAX(sem->value + u->adjust[i], 0), SEMVMX);
        sem->pid = pid;
    }
    set->otime = ipc_now();
    sem_changed_locked(set);
}

void sem_guest_exit(struct guest *g)
{
    for (bool more = true; more;) {
        spin_lock(&sem_ids.lock);
        more = !list_empty(&g->sem_undos);
        if (more) {
            struct sem_undo *u = list_first_entry(&g->sem_undos, struct sem_undo, of_guest);
            give_back_locked(u, g->pid);
            drop_undo_locked(u);
        }
        spin_unlock(&sem_ids.lock);
    }
}

void sem_remove_locked(struct sem_set *set)
{
    ipc_wake_all_locked(&set->waiters, -EIDRM);
    while (!list_empty(&set->undos))
        drop_undo_locked(list_first_entry(&set->undos, struct sem_undo, of_set));
    sem_total -= set->nr;
    ipc_forget_locked(&sem_ids, &set->perm);
}
