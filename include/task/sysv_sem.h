/* SPDX-License-Identifier: MIT */
/*
 * sysv_sem.h - sets of semaphores, and several operations on one set at once.
 *
 *      struct sem_set [ perm | value, pid | value, pid | ... ]
 *        waiters --> struct sem_waiter on a sleeper's stack: the operations that it waits to do
 *        undos   --> struct sem_undo: what a guest's end gives back <-- guest->sem_undos
 *
 * Locks: sem_ids.lock for all of it. Linux's counterpart: ipc/sem.c.
 */
#ifndef PAGODA_TASK_SYSV_SEM_H
#define PAGODA_TASK_SYSV_SEM_H

#include "task/sysv_ipc.h"

#define SEMVMX 32767 /* the most that a semaphore, or what an end gives back to it, can be */
#define SEM_UNDO 0x1000u

#define SEM_STAT 18u
#define SEM_INFO 19u
#define SEM_STAT_ANY 20u

struct sem {
    int32_t value;
    uint32_t pid; /* of the last that changed it, or waited for it */
};

struct sem_set {
    struct ipc_perm perm;
    uint64_t otime, ctime;    /* seconds */
    struct list_head waiters; /* struct sem_waiter.wait.node, oldest first */
    struct list_head undos;   /* struct sem_undo.of_set */
    uint32_t nr;
    struct sem sems[];
};

/* As in Linux's struct sembuf. */
struct sem_op {
    uint16_t num;
    int16_t op;
    uint16_t flags;
};

struct sem_undo {
    struct list_head of_guest, of_set;
    struct sem_set *set;
    int16_t adjust[]; /* what is added to each at the guest's end */
};

/** One semop(): who, and what. */
struct sem_waiter {
    struct ipc_waiter wait;
    const struct sem_op *ops, *blocked; /* blocked: the first that could not be done */
    uint32_t n, pid;
    struct sem_undo *undo; /* NULL: none of them has SEM_UNDO */
    bool alters;           /* one of them is more than waiting for zero */
};

/** kernel.sem: in a set, in all sets, operations in a call, sets. */
extern uint64_t sysctl_semmsl, sysctl_semmns, sysctl_semopm, sysctl_semmni;

extern struct ipc_ids sem_ids;
extern uint64_t sem_total; /* (sem_ids.lock) semaphores in all sets */

/** The set of an id, or NULL. */
struct sem_set *sem_find_locked(int32_t id);

/** Do all of the operations or none. 0; IPC_WAITING: not now; -EAGAIN, -ERANGE. */
int sem_try_locked(struct sem_set *set, struct sem_waiter *w);

/** Values have changed: let those go on that now can. */
void sem_changed_locked(struct sem_set *set);

/** Remove it; who waits gets -EIDRM. The memory is the caller's to free, without the lock. */
void sem_remove_locked(struct sem_set *set);

/** See to it that sem_undo_find_locked() will find something. 0, -EINVAL (no such set), -ENOMEM. */
int sem_undo_prepare(struct guest *g, int32_t id) must_check;

/** What this guest gives back to the set at its end, or NULL. */
struct sem_undo *sem_undo_find_locked(const struct guest *g, const struct sem_set *set);

/** No guest has anything to give back to this semaphore any more. */
void sem_forget_undos_locked(struct sem_set *set, uint32_t num);

/** A guest ends: give back what it took with SEM_UNDO. May block. */
void sem_guest_exit(struct guest *g);

#endif
