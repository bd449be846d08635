/* SPDX-License-Identifier: MIT */
/*
 * sysv_ipc.h - what segments, semaphores and message queues of System V have in common: keys, ids,
 * owners, and waiting for one of them.
 *
 *      key 0x1234 --find--> place 7 of the table --> struct ipc_perm, first in each kind's object
 *                           id = place + uses of the place * IPC_SEQUENCE
 *
 * The three kinds have a struct ipc_ids each, and differ in what they give ipc_get().
 *
 * Locks: ids->lock (RANK_INODE) for the table and for all that is in the objects.
 * Linux's counterpart: struct kern_ipc_perm, struct ipc_ids, ipc/util.h.
 */
#ifndef PAGODA_TASK_SYSV_IPC_H
#define PAGODA_TASK_SYSV_IPC_H

#include "base/list.h"
#include "kern/lock.h"
#include "kern/wait.h"
#include "task/guest.h"

#define IPC_MNI 1024u          /* places in a table */
#define IPC_SEQUENCE (1 << 15) /* ids of one place are so far apart, as on Linux */

#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_NOWAIT 04000u

#define IPC_RMID 0u
#define IPC_SET 1u
#define IPC_STAT 2u
#define IPC_INFO 3u

/* Rights, as in one digit of a mode. */
#define IPC_READ 4u
#define IPC_WRITE 2u

/** Fields: under the table's lock. */
struct ipc_perm {
    int32_t id;
    uint32_t key; /* 0: private */
    uint32_t mode, uid, gid, cuid, cgid;
};

struct ipc_ids {
    struct spinlock lock;
    struct ipc_perm *table[IPC_MNI]; /* (lock) by the lower part of an id */
    uint32_t uses[IPC_MNI];          /* (lock) how often a place was used: the upper part of ids */
    uint32_t used;                   /* (lock) places */
};

#define IPC_IDS_INIT(name)                      \
    {                                           \
        .lock = SPINLOCK_INIT(name, RANK_INODE) \
    }

/** What the kinds differ in when one is made or found. */
struct ipc_kind {
    struct ipc_ids *ids;
    /** Allocate one of that size; NULL with *err: there may be no such size. No lock. */
    struct ipc_perm *(*make)(uint64_t size, int *err);
    /** May one more be entered? 0 or -ENOSPC; then it counts. */
    int (*admit_locked)(struct ipc_perm *new);
    /** Does the one of that key do for this size? 0 or -EINVAL. */
    int (*fits_locked)(const struct ipc_perm *old, uint64_t size);
    /** It is not needed after all. No lock. */
    void (*discard)(struct ipc_perm *new);
};

/** shmget, semget, msgget: the id for a key, of an object found or made. Or -Exxx as those. */
int64_t ipc_get(const struct ipc_kind *kind, const struct guest *g, uint32_t key, uint64_t size,
                uint32_t flags);

/** The object of an id, or of a place in the table; or NULL. */
struct ipc_perm *ipc_find_locked(struct ipc_ids *ids, int32_t id);
struct ipc_perm *ipc_at_locked(struct ipc_ids *ids, int32_t place);

/** The highest place in use, or 0: for who goes through the table. */
int32_t ipc_highest_locked(const struct ipc_ids *ids);

/** Out of the table. */
void ipc_forget_locked(struct ipc_ids *ids, struct ipc_perm *p);

/** 0 or -EACCES: has it these rights (IPC_READ | IPC_WRITE)? */
int ipc_permission(const struct ipc_perm *p, const struct guest *g, uint32_t wanted);

/** 0 or -EPERM: may it remove the object, or change its owner? */
int ipc_owner(const struct ipc_perm *p, const struct guest *g);

/** Each object, under the lock: fn must not block. */
void ipc_each(struct ipc_ids *ids, void (*fn)(const struct ipc_perm *p, void *arg), void *arg);

/* --- as calls see it -------------------------------------------------------------------------- */

/* Linux's struct ipc64_perm on riscv64. */
struct ipc_perm_abi {
    uint32_t key, uid, gid, cuid, cgid, mode;
    uint16_t seq, pad1;
    uint32_t pad2;
    uint64_t unused1, unused2;
};
_Static_assert(sizeof(struct ipc_perm_abi) == 48, "Linux's struct ipc64_perm");

struct ipc_perm_abi ipc_perm_to_abi(const struct ipc_perm *p);

/** IPC_SET: the owner and the nine bits of the mode. */
void ipc_perm_change_locked(struct ipc_perm *p, const struct ipc_perm_abi *from);

/** Seconds, as all times of these objects. */
uint64_t ipc_now(void);

/* --- memory ----------------------------------------------------------------------------------- */

/** Zeroed memory for what guests keep here beyond their own end: an eighth of all, at most. */
void *ipc_alloc(size_t size) must_check;
void ipc_free(void *p);

/* --- waiting ---------------------------------------------------------------------------------- */

#define IPC_WAITING 1

/** On the stack of who waits for an object, and in a list of the object. */
struct ipc_waiter {
    struct list_head node; /* (ids->lock) */
    struct wait_queue woken;
    int32_t status; /* (ids->lock) IPC_WAITING; then what the waker decided */
};

/**
 * Enter the list and sleep until somebody decides, or `end` (ticks; TIMER_NEVER). Takes the lock
 * of the objects held, gives it back. What was decided; -EINTR; -ETIMEDOUT: the time is up.
 */
int ipc_wait(struct spinlock *lock, struct list_head *list, struct ipc_waiter *w, uint64_t end);

/** Decide for a waiter, which then is in no list; for all of a list. The objects' lock held. */
void ipc_wake_locked(struct ipc_waiter *w, int32_t status);
void ipc_wake_all_locked(struct list_head *list, int32_t status);

#endif
