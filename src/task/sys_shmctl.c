/* SPDX-License-Identifier: MIT */
/*
 * sys_shmctl.c - what segments of shared memory say of themselves, and their end.
 *
 * Locks: shm_lock. Linux's counterpart: ipc/shm.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "file/inode.h"
#include "task/guest.h"
#include "task/sysv_shm.h"
#include "task/syscalls.h"

#define SEQUENCE (1 << 15)
#define SHM_DEST 01000u
#define SHM_LOCKED 02000u

static int64_t remove_segment(struct guest *g, int32_t id)
{
    spin_lock(&shm_lock);
    struct shm_segment *s = shm_find_locked(id);
    uint32_t uid = g->cred.uid[ID_EFFECTIVE];
    int64_t err = !s ? -EINVAL : uid && uid != s->uid && uid != s->cuid ? -EPERM : 0;
    bool last = !err && !s->nattch;
    if (!err) {
        s->removed = true;
        s->key = 0;
        s->mode |= SHM_DEST;
    }
    if (last)
        shm_forget_locked(s);
    spin_unlock(&shm_lock);
    if (last)
        shm_destroy(s);
    return err;
}

static void fill_locked(const struct shm_segment *s, struct shmid_abi *out)
{
    assert_locked(&shm_lock);
    *out = (struct shmid_abi){
        .key = s->key,
        .uid = s->uid,
        .gid = s->gid,
        .cuid = s->cuid,
        .cgid = s->cgid,
        .mode = s->mode,
        .seq = (uint16_t)(s->id / SEQUENCE),
        .segsz = s->mapping.size,
        .atime = s->atime,
        .dtime = s->dtime,
        .ctime = s->ctime,
        .cpid = s->cpid,
        .lpid = s->lpid,
        .nattch = s->nattch,
    };
}

/* IPC_STAT by id; SHM_STAT by place in the table, which also says the id. */
static int64_t stat_segment(struct guest *g, uint32_t cmd, int32_t id, uint64_t to)
{
    struct shmid_abi ds;
    bool by_place = cmd != IPC_STAT;
    spin_lock(&shm_lock);
    struct shm_segment *s = !by_place                 ? shm_find_locked(id)
                            : id >= 0 && id < SHM_MNI ? shm_table[id]
                                                      : NULL;
    int64_t err = s ? 0 : -EINVAL;
    if (s && cmd != SHM_STAT_ANY)
        err = shm_permission(s, g, 4);
    if (!err) {
        fill_locked(s, &ds);
        err = by_place ? s->id : 0;
    }
    spin_unlock(&shm_lock);
    if (err >= 0 && copy_to_user(mk_vaddr(to), &ds, sizeof(ds)))
        return -EFAULT;
    return err;
}

static int64_t change_segment(struct guest *g, int32_t id, uint64_t from)
{
    struct shmid_abi ds;
    if (copy_from_user(&ds, mk_vaddr(from), sizeof(ds)))
        return -EFAULT;
    spin_lock(&shm_lock);
    struct shm_segment *s = shm_find_locked(id);
    uint32_t uid = g->cred.uid[ID_EFFECTIVE];
    int64_t err = !s ? -EINVAL : uid && uid != s->uid && uid != s->cuid ? -EPERM : 0;
    if (!err) {
        s->uid = ds.uid;
        s->gid = ds.gid;
        s->mode = (s->mode & ~0777u) | (ds.mode & 0777);
        s->ctime = inode_now() / NSEC_PER_SEC;
    }
    spin_unlock(&shm_lock);
    return err;
}

static int64_t lock_segment(int32_t id, bool locked)
{
    spin_lock(&shm_lock);
    struct shm_segment *s = shm_find_locked(id);
    if (s)
        s->mode = (s->mode & ~SHM_LOCKED) | (locked ? SHM_LOCKED : 0);
    spin_unlock(&shm_lock);
    return s ? 0 : -EINVAL;
}

/* The highest place in use, for who goes through the table. */
static int64_t highest(void)
{
    int64_t top = 0;
    spin_lock(&shm_lock);
    for (uint32_t i = 0; i < SHM_MNI; i++)
        top = shm_table[i] ? i : top;
    spin_unlock(&shm_lock);
    return top;
}

static int64_t shm_info(uint32_t cmd, uint64_t to)
{
    uint64_t limits[8] = {sysctl_shmmax, 1, SHM_MNI, SHM_MNI, sysctl_shmall};
    uint64_t usage[6] = {shm_nr_segments, shm_total_pages, shm_total_pages};
    bool fault = cmd == IPC_INFO ? copy_to_user(mk_vaddr(to), limits, sizeof(limits))
                                 : copy_to_user(mk_vaddr(to), usage, sizeof(usage));
    return fault ? -EFAULT : highest();
}

int64_t sys_shmctl(struct task *t, const uint64_t *a)
{
    int32_t id = (int32_t)a[0];
    switch ((uint32_t)a[1]) {
    case IPC_RMID:
        return remove_segment(t->guest, id);
    case IPC_SET:
        return change_segment(t->guest, id, a[2]);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return stat_segment(t->guest, (uint32_t)a[1], id, a[2]);
    case IPC_INFO:
    case SHM_INFO:
        return shm_info((uint32_t)a[1], a[2]);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return lock_segment(id, (uint32_t)a[1] == SHM_LOCK);
    default:
        return -EINVAL;
    }
}
