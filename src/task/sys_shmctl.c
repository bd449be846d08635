/* SPDX-License-Identifier: MIT */
/*
 * sys_shmctl.c - what segments of shared memory say of themselves, and their end.
 *
 * Locks: shm_ids.lock. Linux's counterpart: ipc/shm.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/guest.h"
#include "task/sysv_shm.h"
#include "task/syscalls.h"

#define SHM_DEST 01000u
#define SHM_LOCKED 02000u

static int64_t remove_segment(struct guest *g, int32_t id)
{
    spin_lock(&shm_ids.lock);
    struct shm_segment *s = shm_find_locked(id);
    int64_t err = s ? ipc_owner(&s->perm, g) : -EINVAL;
    bool last = !err && !s->nattch;
    if (!err) {
        s->removed = true;
        s->perm.key = 0;
        s->perm.mode |= SHM_DEST;
    }
    if (last)
        shm_forget_locked(s);
    spin_unlock(&shm_ids.lock);
    if (last)
        shm_destroy(s);
    return err;
}

static void fill_locked(const struct shm_segment *s, struct shmid_abi *out)
{
    assert_locked(&shm_ids.lock);
    *out = (struct shmid_abi){
        .perm = ipc_perm_to_abi(&s->perm),
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
    spin_lock(&shm_ids.lock);
    struct ipc_perm *p = by_place ? ipc_at_locked(&shm_ids, id) : ipc_find_locked(&shm_ids, id);
    int64_t err = p ? 0 : -EINVAL;
    if (p && cmd != SHM_STAT_ANY)
        err = ipc_permission(p, g, IPC_READ);
    if (!err) {
        fill_locked(container_of(p, struct shm_segment, perm), &ds);
        err = by_place ? p->id : 0;
    }
    spin_unlock(&shm_ids.lock);
    if (err >= 0 && copy_to_user(mk_vaddr(to), &ds, sizeof(ds)))
        return -EFAULT;
    return err;
}

static int64_t change_segment(struct guest *g, int32_t id, uint64_t from)
{
    struct shmid_abi ds;
    if (copy_from_user(&ds, mk_vaddr(from), sizeof(ds)))
        return -EFAULT;
    spin_lock(&shm_ids.lock);
    struct shm_segment *s = shm_find_locked(id);
    int64_t err = s ? ipc_owner(&s->perm, g) : -EINVAL;
    if (!err) {
        ipc_perm_change_locked(&s->perm, &ds.perm);
        s->ctime = ipc_now();
    }
    spin_unlock(&shm_ids.lock);
    return err;
}

static int64_t lock_segment(int32_t id, bool locked)
{
    spin_lock(&shm_ids.lock);
    struct ipc_perm *p = ipc_find_locked(&shm_ids, id);
    if (p)
        p->mode = (p->mode & ~SHM_LOCKED) | (locked ? SHM_LOCKED : 0);
    spin_unlock(&shm_ids.lock);
    return p ? 0 : -EINVAL;
}

static int64_t shm_info(uint32_t cmd, uint64_t to)
{
    uint64_t limits[8] = {sysctl_shmmax, 1, sysctl_shmmni, sysctl_shmmni, sysctl_shmall};
    spin_lock(&shm_ids.lock);
    uint64_t usage[6] = {shm_ids.used, shm_total_pages, shm_total_pages};
    int64_t highest = ipc_highest_locked(&shm_ids);
    spin_unlock(&shm_ids.lock);
    bool fault = cmd == IPC_INFO ? copy_to_user(mk_vaddr(to), limits, sizeof(limits))
                                 : copy_to_user(mk_vaddr(to), usage, sizeof(usage));
    return fault ? -EFAULT : highest;
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
