/* SPDX-License-Identifier: MIT */
/*
 * shm.c - shared memory by key, and what two processes see of it.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static int attached(int id)
{
    struct shmid_ds ds;
    return shmctl(id, IPC_STAT, &ds) ? -1 : (int)ds.shm_nattch;
}

int main(void)
{
    struct shmid_ds ds;
    int status, key = 0x5047 + getpid();
    int id = shmget(key, 3 * PAGE - 10, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK(fails(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST));
    CHECK(shmget(key, PAGE, 0600) == id && shmget(key, 0, 0) == id);
    CHECK(fails(shmget(key, 4 * PAGE, 0600), EINVAL));
    CHECK(fails(shmget(key + 1, PAGE, 0600), ENOENT));
    CHECK(fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL));
    CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == 3 * PAGE - 10);
    CHECK(ds.shm_nattch == 0 && ds.shm_cpid == getpid() && (ds.shm_perm.mode & 0777) == 0600);
    char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
    CHECK(p != (void *)-1 && q != (void *)-1 && p != q && attached(id) == 2);
    CHECK(p[0] == 0);
    strcpy(p + PAGE, "seen");
    CHECK(!strcmp(q + PAGE, "seen") && faults(q, 1) && !faults(p, 1));
    if (!fork()) {
        int ok = attached(id) == 4 && !strcmp(q + PAGE, "seen");
        strcpy(p, "child");
        _exit(!ok);
    }
    CHECK(wait(&status) > 0 && status == 0 && !strcmp(q, "child") && attached(id) == 2);
    CHECK(fails(shmdt(p + 1), EINVAL) && fails(shmdt(p + PAGE), EINVAL));
    CHECK(shmdt(q) == 0 && attached(id) == 1 && faults(q, 0));
    CHECK(fails((long)shmat(id, p, 0), EINVAL));
    CHECK(shmat(id, p, SHM_REMAP) == p && !strcmp(p, "child") && attached(id) == 1);
    CHECK(fails((long)shmat(id, p + 5, 0), EINVAL));
    CHECK(fails((long)shmat(-1, NULL, 0), EINVAL) && fails((long)shmat(id + 77, NULL, 0), EINVAL));
    CHECK(munmap(p, PAGE) == 0 && !strcmp(p + PAGE, "seen"));
    CHECK(shmdt(p) == 0 && faults(p + PAGE, 0) && attached(id) == 0);
    p = shmat(id, NULL, 0);
    CHECK(!strcmp(p, "child"));
    ds.shm_perm.mode = 0640;
    CHECK(shmctl(id, IPC_SET, &ds) == 0 && shmctl(id, IPC_STAT, &ds) == 0);
    CHECK((ds.shm_perm.mode & 0777) == 0640);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && fails(shmget(key, PAGE, 0600), ENOENT));
    CHECK(shmctl(id, IPC_STAT, &ds) == 0 && (ds.shm_perm.mode & SHM_DEST));
    CHECK(!strcmp(p, "child") && shmdt(p) == 0);
    CHECK(fails(shmctl(id, IPC_STAT, &ds), EINVAL) && fails(shmctl(id, IPC_RMID, NULL), EINVAL));
    id = shmget(IPC_PRIVATE, PAGE, 0600);
    CHECK(id >= 0 && fails(shmctl(id, 99, NULL), EINVAL) && shmctl(id, IPC_RMID, NULL) == 0);
    struct shm_info info;
    struct shminfo limits;
    CHECK(shmctl(0, SHM_INFO, (void *)&info) >= 0 && shmctl(0, IPC_INFO, (void *)&limits) >= 0);
    CHECK(limits.shmmin == 1 && limits.shmmni > 0);
    return report("shm");
}
