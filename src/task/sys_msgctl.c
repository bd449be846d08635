/* SPDX-License-Identifier: MIT */
/*
 * sys_msgctl.c - what queues of messages say of themselves, and their end.
 *
 * Locks: msg_ids.lock. Linux's counterpart: ksys_msgctl().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/syscalls.h"
#include "task/sysv_msg.h"

/* Linux's struct msqid64_ds on riscv64. */
struct msqid_abi {
    struct ipc_perm_abi perm;
    uint64_t stime, rtime, ctime;
    uint64_t cbytes, qnum, qbytes;
    uint32_t lspid, lrpid;
    uint64_t unused4, unused5;
};
_Static_assert(sizeof(struct msqid_abi) == 120, "Linux's struct msqid64_ds");

/* Linux's struct msginfo. */
struct msginfo_abi {
    uint32_t pool, map, max, mnb, mni, ssz, tql;
    uint16_t seg;
};

#define MSGSSZ 16u
#define MSGSEG 0xffffu

static int64_t remove_queue(const struct guest *g, int32_t id)
{
    spin_lock(&msg_ids.lock);
    struct msg_queue *q = msg_find_locked(id);
    int64_t err = q ? ipc_owner(&q->perm, g) : -EINVAL;
    if (!err)
        msg_remove_locked(q);
    spin_unlock(&msg_ids.lock);
    if (!err)
        msg_destroy(q);
    return err;
}

static void fill_locked(const struct msg_queue *q, struct msqid_abi *out)
{
    *out = (struct msqid_abi){
        .perm = ipc_perm_to_abi(&q->perm),
        .stime = q->stime,
        .rtime = q->rtime,
        .ctime = q->ctime,
        .cbytes = q->bytes,
        .qnum = q->nr,
        .qbytes = q->max_bytes,
        .lspid = q->lspid,
        .lrpid = q->lrpid,
    };
}

/* IPC_STAT by id; MSG_STAT by place in the table, which also says the id. */
static int64_t stat_queue(const struct guest *g, uint32_t cmd, int32_t id, uint64_t to)
{
    struct msqid_abi ds;
    bool by_place = cmd != IPC_STAT;
    spin_lock(&msg_ids.lock);
    struct ipc_perm *p = by_place ? ipc_at_locked(&msg_ids, id) : ipc_find_locked(&msg_ids, id);
    int64_t err = p ? 0 : -EINVAL;
    if (p && cmd != MSG_STAT_ANY)
        err = ipc_permission(p, g, IPC_READ);
    if (!err) {
        fill_locked(container_of(p, struct msg_queue, perm), &ds);
        err = by_place ? p->id : 0;
    }
    spin_unlock(&msg_ids.lock);
    if (err >= 0 && copy_to_user(mk_vaddr(to), &ds, sizeof(ds)))
        return -EFAULT;
    return err;
}

/* Who waits looks again: there may be room, or no right any more. */
static int64_t change_queue(const struct guest *g, int32_t id, uint64_t from)
{
    struct msqid_abi ds;
    if (copy_from_user(&ds, mk_vaddr(from), sizeof(ds)))
        return -EFAULT;
    spin_lock(&msg_ids.lock);
    struct msg_queue *q = msg_find_locked(id);
    int64_t err = q ? ipc_owner(&q->perm, g) : -EINVAL;
    if (!err && ds.qbytes > sysctl_msgmnb && !cred_capable(&g->cred, CAP_SYS_RESOURCE))
        err = -EPERM;
    if (!err) {
        ipc_perm_change_locked(&q->perm, &ds.perm);
        q->max_bytes = ds.qbytes;
        q->ctime = ipc_now();
        ipc_wake_all_locked(&q->receivers, 0);
        ipc_wake_all_locked(&q->senders, 0);
    }
    spin_unlock(&msg_ids.lock);
    return err;
}

static int64_t msg_info(uint32_t cmd, uint64_t to)
{
    struct msginfo_abi info = {.max = (uint32_t)sysctl_msgmax,
                               .mnb = (uint32_t)sysctl_msgmnb,
                               .mni = (uint32_t)sysctl_msgmni,
                               .ssz = MSGSSZ,
                               .seg = MSGSEG};
    info.pool = (uint32_t)(sysctl_msgmni * sysctl_msgmnb / 1024);
    info.map = info.tql = info.mnb;
    spin_lock(&msg_ids.lock);
    if (cmd == MSG_INFO) {
        info.pool = msg_ids.used;
        info.map = (uint32_t)msg_total;
        info.tql = (uint32_t)msg_total_bytes;
    }
    int64_t highest = ipc_highest_locked(&msg_ids);
    spin_unlock(&msg_ids.lock);
    return copy_to_user(mk_vaddr(to), &info, sizeof(info)) ? -EFAULT : highest;
}

int64_t sys_msgctl(struct task *t, const uint64_t *a)
{
    int32_t id = (int32_t)a[0];
    uint32_t cmd = (uint32_t)a[1];
    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
        return msg_info(cmd, a[2]);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return stat_queue(t->guest, cmd, id, a[2]);
    case IPC_SET:
        return change_queue(t->guest, id, a[2]);
    case IPC_RMID:
        return remove_queue(t->guest, id);
    default:
        return -EINVAL;
    }
}
