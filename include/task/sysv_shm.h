/* SPDX-License-Identifier: MIT */
/*
 * sysv_shm.h - segments of shared memory that have keys.
 */
#ifndef PAGODA_TASK_SYSV_SHM_H
#define PAGODA_TASK_SYSV_SHM_H

#include "virt/mapping.h"

#define SHM_MNI 1024

#define IPC_RMID 0u
#define IPC_SET 1u
#define IPC_STAT 2u
#define IPC_INFO 3u
#define SHM_LOCK 11u
#define SHM_UNLOCK 12u
#define SHM_STAT 13u
#define SHM_INFO 14u
#define SHM_STAT_ANY 15u

/* Fields: under the table's lock. */
struct shm_segment {
    struct address_space mapping;
    int32_t id;
    uint32_t key; /* 0: private */
    uint32_t mode, uid, gid, cuid, cgid;
    uint32_t cpid, lpid;
    uint64_t atime, dtime, ctime; /* seconds */
    uint64_t nattch;              /* VMAs */
    bool removed;                 /* goes with its last VMA */
};

/* Linux's struct shmid64_ds on riscv64. */
struct shmid_abi {
    uint32_t key, uid, gid, cuid, cgid, mode;
    uint16_t seq, pad1;
    uint32_t pad2;
    uint64_t unused1, unused2;
    uint64_t segsz, atime, dtime, ctime;
    uint32_t cpid, lpid;
    uint64_t nattch, unused3, unused4;
};
_Static_assert(sizeof(struct shmid_abi) == 112, "Linux's struct shmid64_ds");

/** In bytes and in pages: kernel.shmmax, kernel.shmall. */
extern uint64_t sysctl_shmmax, sysctl_shmall;

struct guest;

/* The table, by the lower part of an id; and what is in it. */
extern struct spinlock shm_lock;
extern struct shm_segment *shm_table[SHM_MNI];
extern uint32_t shm_nr_segments;
extern uint64_t shm_total_pages;

/** The segment of an id, or NULL. */
struct shm_segment *shm_find_locked(int32_t id);

/** Out of the table: it has no VMA and is removed. Then, without the lock, shm_destroy(). */
void shm_forget_locked(struct shm_segment *s);
void shm_destroy(struct shm_segment *s);

/** 0 or -EACCES. Read is 4, write 2, as in modes. */
int shm_permission(const struct shm_segment *s, const struct guest *g, uint32_t wanted);

/** Each segment, under the lock: fn must not block. */
void shm_each(void (*fn)(const struct shm_segment *s, void *arg), void *arg);

#endif
