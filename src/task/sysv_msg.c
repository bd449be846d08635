/* SPDX-License-Identifier: MIT */
/*
 * sysv_msg.c - queues of messages by key: msgget, msgsnd, msgrcv. sysv_msg.h has the picture.
 *
 *      msgrcv type  0: the oldest    n > 0: the oldest of type n (or, MSG_EXCEPT, of another)
 *                   -n: the lowest type up to n       MSG_COPY: number n in the queue, which stays
 *
 * Who cannot go on waits in the queue, is woken when something has changed, and begins again with
 * the id: the queue may be gone by then.
 *
 * Locks: msg_ids.lock; messages are filled and read without it, when they are in no queue.
 * Linux's counterpart: ipc/msg.c, ipc/msgutil.c.
 */
#include "task/sysv_msg.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/syscalls.h"

#define MSG_NOERROR 010000u
#define MSG_EXCEPT 020000u
#define MSG_COPY 040000u

uint64_t sysctl_msgmax = 8192, sysctl_msgmnb = 16384, sysctl_msgmni = IPC_MNI;

struct ipc_ids msg_ids = IPC_IDS_INIT("sysv msg");
uint64_t msg_total, msg_total_bytes;

static struct msg_queue *of_perm(struct ipc_perm *p)
{
    return container_of(p, struct msg_queue, perm);
}

struct msg_queue *msg_find_locked(int32_t id)
{
    struct ipc_perm *p = ipc_find_locked(&msg_ids, id);
    return p ? of_perm(p) : NULL;
}

/* --- msgget ----------------------------------------------------------------------------------- */

static struct ipc_perm *make(uint64_t size, int *err)
{
    struct msg_queue *q = ipc_alloc(sizeof(*q));
    (void)size;
    *err = -ENOMEM;
    if (!q)
        return NULL;
    q->ctime = ipc_now();
    q->max_bytes = sysctl_msgmnb;
    INIT_LIST_HEAD(&q->messages);
    INIT_LIST_HEAD(&q->receivers);
    INIT_LIST_HEAD(&q->senders);
    return &q->perm;
}

static int admit_locked(struct ipc_perm *new)
{
    (void)new;
    return msg_ids.used >= sysctl_msgmni ? -ENOSPC : 0;
}

static int fits_locked(const struct ipc_perm *old, uint64_t size)
{
    (void)old;
    (void)size;
    return 0;
}

static void discard(struct ipc_perm *new)
{
    ipc_free(of_perm(new));
}

static const struct ipc_kind kind = {&msg_ids, make, admit_locked, fits_locked, discard};

int64_t sys_msgget(struct task *t, const uint64_t *a)
{
    return ipc_get(&kind, t->guest, (uint32_t)a[0], 0, (uint32_t)a[1]);
}

void msg_remove_locked(struct msg_queue *q)
{
    ipc_wake_all_locked(&q->receivers, -EIDRM);
    ipc_wake_all_locked(&q->senders, -EIDRM);
    msg_total -= q->nr;
    msg_total_bytes -= q->bytes;
    ipc_forget_locked(&msg_ids, &q->perm);
}

void msg_destroy(struct msg_queue *q)
{
    while (!list_empty(&q->messages)) {
        struct msg *m = list_first_entry(&q->messages, struct msg, node);
        list_del(&m->node);
        ipc_free(m);
    }
    ipc_free(q);
}

/* --- in and out ------------------------------------------------------------------------------- */

/* As Linux: empty messages count too, so no queue holds more of them than it may hold bytes. */
static bool has_room(const struct msg_queue *q, size_t size)
{
    return q->bytes + size <= q->max_bytes && q->nr + 1 <= q->max_bytes;
}

static void put_in(struct msg_queue *q, struct msg *m, uint32_t pid)
{
    list_add_tail(&m->node, &q->messages);
    q->nr++;
    q->bytes += m->size;
    msg_total++;
    msg_total_bytes += m->size;
    q->lspid = pid;
    q->stime = ipc_now();
    ipc_wake_all_locked(&q->receivers, 0);
}

static void take_out(struct msg_queue *q, struct msg *m, uint32_t pid)
{
    list_del(&m->node);
    q->nr--;
    q->bytes -= m->size;
    msg_total--;
    msg_total_bytes -= m->size;
    q->lrpid = pid;
    q->rtime = ipc_now();
    ipc_wake_all_locked(&q->senders, 0);
}

static struct msg *choose(const struct msg_queue *q, int64_t type, uint32_t flags)
{
    struct msg *m, *best = NULL;
    int64_t n = 0, most = type == INT64_MIN ? INT64_MAX : -type;
    list_for_each_entry(m, &q->messages, node) {
        if (flags & MSG_COPY ? n++ == type : !type)
            return m;
        if (flags & MSG_COPY)
            continue;
        if (type > 0 && (m->type == type) != ((flags & MSG_EXCEPT) != 0))
            return m;
        if (type < 0 && m->type <= most && (!best || m->type < best->type))
            best = m;
    }
    return best;
}

/* --- msgsnd ----------------------------------------------------------------------------------- */

static int send_once(struct task *t, int32_t id, struct msg *m, uint32_t flags, bool again)
{
    struct ipc_waiter w;
    spin_lock(&msg_ids.lock);
    struct msg_queue *q = msg_find_locked(id);
    int err = !q ? (again ? -EIDRM : -EINVAL) : ipc_permission(&q->perm, t->guest, IPC_WRITE);
    if (!err && !has_room(q, m->size)) {
        if (!(flags & IPC_NOWAIT)) {
            err = ipc_wait(&msg_ids.lock, &q->senders, &w, TIMER_NEVER);
            return err ? err : IPC_WAITING;
        }
        err = -EAGAIN;
    }
    if (!err)
        put_in(q, m, t->guest->pid);
    spin_unlock(&msg_ids.lock);
    return err;
}

/* The guest's struct msgbuf: a type, and the text behind it. */
static struct msg *fetch(uint64_t user, size_t size, int64_t *err)
{
    uint64_t type;
    struct msg *m = NULL;
    if (get_user_u64(&type, mk_vaddr(user)))
        *err = -EFAULT;
    else if (size > sysctl_msgmax || (int64_t)type < 1)
        *err = -EINVAL;
    else if (!(m = ipc_alloc(sizeof(*m) + size)))
        *err = -ENOMEM;
    else if (copy_from_user(m->text, mk_vaddr(user + sizeof(type)), size))
        *err = -EFAULT;
    if (*err) {
        ipc_free(m);
        return NULL;
    }
    m->type = (int64_t)type;
    m->size = size;
    return m;
}

int64_t sys_msgsnd(struct task *t, const uint64_t *a)
{
    int64_t err = (int32_t)a[0] < 0 ? -EINVAL : 0;
    struct msg *m = err ? NULL : fetch(a[1], a[2], &err);
    if (!m)
        return err;
    err = send_once(t, (int32_t)a[0], m, (uint32_t)a[3], false);
    while (err == IPC_WAITING)
        err = send_once(t, (int32_t)a[0], m, (uint32_t)a[3], true);
    if (err)
        ipc_free(m);
    return err;
}

/* --- msgrcv ----------------------------------------------------------------------------------- */

/* What is wished, and where it goes to. */
struct receive {
    int64_t type;
    size_t size; /* of the guest's buffer */
    uint32_t flags;
    struct msg *msg; /* taken out; or, MSG_COPY, to be copied to */
};

static int copy_locked(const struct msg *m, struct receive *r)
{
    if (m->size > r->msg->size)
        return -E2BIG; /* longer than any when we made room for it: msgmax has changed */
    memcpy(r->msg->text, m->text, m->size);
    r->msg->type = m->type;
    r->msg->size = m->size;
    return 0;
}

static int receive_once(struct task *t, int32_t id, struct receive *r, bool again)
{
    struct ipc_waiter w;
    spin_lock(&msg_ids.lock);
    struct msg_queue *q = msg_find_locked(id);
    int err = !q ? (again ? -EIDRM : -EINVAL) : ipc_permission(&q->perm, t->guest, IPC_READ);
    struct msg *m = err ? NULL : choose(q, r->type, r->flags);
    if (m && m->size > r->size && !(r->flags & MSG_NOERROR)) {
        err = -E2BIG;
    } else if (m && (r->flags & MSG_COPY)) {
        err = copy_locked(m, r);
    } else if (m) {
        take_out(q, m, t->guest->pid);
        r->msg = m;
    } else if (!err && !(r->flags & IPC_NOWAIT)) {
        err = ipc_wait(&msg_ids.lock, &q->receivers, &w, TIMER_NEVER);
        return err ? err : IPC_WAITING;
    } else if (!err) {
        err = -ENOMSG;
    }
    spin_unlock(&msg_ids.lock);
    return err;
}

int64_t sys_msgrcv(struct task *t, const uint64_t *a)
{
    struct receive r = {.type = (int64_t)a[3], .size = a[2], .flags = (uint32_t)a[4]};
    int32_t id = (int32_t)a[0];
    if (id < 0 || (int64_t)a[2] < 0)
        return -EINVAL;
    if (r.flags & MSG_COPY) {
        size_t room = sysctl_msgmax;
        if ((r.flags & MSG_EXCEPT) || !(r.flags & IPC_NOWAIT))
            return -EINVAL;
        r.msg = ipc_alloc(sizeof(*r.msg) + room);
        if (!r.msg)
            return -ENOMEM;
        r.msg->size = room;
    }
    int64_t err = receive_once(t, id, &r, false);
    while (err == IPC_WAITING)
        err = receive_once(t, id, &r, true);
    if (!err) { /* as on Linux a message is lost that does not reach the guest's memory */
        size_t n = MIN(r.size, r.msg->size);
        bool failed = put_user_u64((uint64_t)r.msg->type, mk_vaddr(a[1])) ||
                      copy_to_user(mk_vaddr(a[1] + sizeof(uint64_t)), r.msg->text, n);
        err = failed ? -EFAULT : (int64_t)n;
    }
    ipc_free(r.msg);
    return err;
}
