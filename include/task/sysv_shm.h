/* SPDX-License-Identifier: MIT */
/*
 * sysv_shm.h - segments of shared memory that have keys.
 */
#ifndef PAGODA_TASK_SYSV_SHM_H
#define PAGODA_TASK_SYSV_SHM_H

#include "task/sysv_ipc.h"
#include "virt/mapping.h"

#define SHM_LOCK 11u
#define SHM_UNLOCK 12u
#define SHM_STAT 13u
#define SHM_INFO 14u
#define SHM_STAT_ANY 15u

/* Fields: under shm_ids.lock. */
struct shm_segment {
    struct ipc_perm perm;
    struct address_space mapping;
    uint32_t cpid, lpid;
    uint64_t atime, dtime, ctime; /* seconds */
    uint64_t nattch;              /* VMAs */
    bool removed;                 /* goes with its last VMA */
};

/* Linux's struct shmid64_ds on riscv64. */
struct shmid_abi {
    struct ipc_perm_abi perm;
    uint64_t segsz, atime, dtime, ctime;
    uint32_t cpid, lpid;
    uint64_t nattch, unused3, unused4;
};
_Static_assert(sizeof(struct shmid_abi) == 112, "Linux's struct shmid64_ds");

/** In bytes, in pages, and segments: kernel.shmmax, kernel.shmall, kernel.shmmni. */
extern uint64_t sysctl_shmmax, sysctl_shmall, sysctl_shmmni;

extern struct ipc_ids shm_ids;
extern uint64_t shm_total_pages;

/** The segment of an id, or NULL. */
struct shm_segment *shm_find_locked(int32_t id);

/** Out of the table: it has no VMA and is removed. Then, without the lock, shm_destroy(). */
void shm_forget_locked(struct shm_segment *s);
void shm_destroy(struct shm_segment *s);

#endif
