/* SPDX-License-Identifier: MIT */
/*
 * sys_mqueue.c - names of POSIX message queues, and what is asked of an open one: mq_open,
 * mq_unlink, mq_notify, mq_getsetattr. mqueue.h has the picture.
 *
 *      mq_open:  lock | find the name | found: may we?          | unlock
 *                     | not found, O_CREAT: make one, unlocked; look again; enter it
 *
 * Names are as in a directory of files that everybody may write to and that is sticky: only a
 * queue's owner takes its name away.
 *
 * Locks: mq_lock. Linux's counterpart: do_mq_open(), mqueue_get_inode(), ipc/mqueue.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/mqueue.h"
#include "task/syscalls.h"
#include "task/user.h"

/* What Linux charges for a message besides its text: a struct msg_msg and a leaf of its tree. */
#define CHARGE_OF_MESSAGE 96

uint64_t sysctl_mq_queues_max = 256, sysctl_mq_msg_max = 10, sysctl_mq_msgsize_max = 8192;
uint64_t sysctl_mq_msg_default = 10, sysctl_mq_msgsize_default = 8192;

static LIST_HEAD(queues);  /* (mq_lock) those with names */
static uint64_t nr_queues; /* (mq_lock) */

/* What mq_open asks for. */
struct wish {
    uint32_t flags, mode;
    bool has_attr;
    struct mq_attr_abi attr;
    char name[NAME_MAX + 1];
};

/* --- names ------------------------------------------------------------------------------------ */

/* libc has taken the leading slash away; another one would mean a directory. */
static int64_t take_name(char *name, uint64_t user)
{
    int64_t n = strncpy_from_user(name, mk_vaddr(user), NAME_MAX + 1);
    if (n <= 0)
        return n ? n : -ENOENT;
    return strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? -EACCES : 0;
}

static struct mqueue *find_locked(const char *name)
{
    struct mqueue *q;
    assert_locked(&mq_lock);
    list_for_each_entry(q, &queues, node) {
        if (!strcmp(q->name, name))
            return q;
    }
    return NULL;
}

/* It has no name any more; the name's reference is the caller's to put. */
static void forget_locked(struct mqueue *q)
{
    assert_locked(&mq_lock);
    list_del_init(&q->node);
    nr_queues--;
}

int64_t sys_mq_unlink(struct task *t, const uint64_t *a)
{
    const struct guest_cred *c = &t->guest->cred;
    char name[NAME_MAX + 1];
    int64_t err = take_name(name, a[0]);
    if (err)
        return err;
    spin_lock(&mq_lock);
    struct mqueue *q = find_locked(name);
    if (!q)
        err = -ENOENT;
    else if (c->uid[ID_FS] != q->perm.uid && !cred_capable(c, CAP_FOWNER))
        err = -EPERM;
    else
        forget_locked(q);
    spin_unlock(&mq_lock);
    if (!err)
        mqueue_put(q);
    return err;
}

/* --- mq_open ---------------------------------------------------------------------------------- */

/* How many messages of what size: as asked for, within what this guest may have. */
static int set_size(struct mqueue *q, const struct guest *g, const struct wish *wish)
{
    bool more = cred_capable(&g->cred, CAP_SYS_RESOURCE);
    q->max_msgs = MIN(sysctl_mq_msg_max, sysctl_mq_msg_default);
    q->max_size = MIN(sysctl_mq_msgsize_max, sysctl_mq_msgsize_default);
    if (!wish->has_attr)
        return 0;
    if (wish->attr.maxmsg <= 0 || wish->attr.msgsize <= 0)
        return -EINVAL;
    q->max_msgs = (uint64_t)wish->attr.maxmsg;
    q->max_size = (uint64_t)wish->attr.msgsize;
    bool fits = q->max_msgs <= (more ? MQ_MSG_MOST : sysctl_mq_msg_max) &&
                q->max_size <= (more ? MQ_SIZE_MOST : sysctl_mq_msgsize_max);
    return fits ? 0 : -EINVAL;
}

/* On the account of the guest's user. 0 or -EMFILE. */
static int charge(struct mqueue *q, struct guest *g)
{
    uint64_t bytes = q->max_msgs * (q->max_size + CHARGE_OF_MESSAGE);
    spin_lock(&g->lock);
    struct user_struct *u = g->user;
    uint64_t limit = g->limits[RLIMIT_MSGQUEUE].cur;
    user_get(u);
    spin_unlock(&g->lock);
    if (fetch_add_relaxed(&u->msg_bytes, bytes) + bytes > limit) {
        fetch_sub(&u->msg_bytes, bytes);
        user_put(u);
        return -EMFILE;
    }
    q->user = u;
    q->charged = bytes;
    return 0;
}

/* One reference, no name yet. */
static struct mqueue *make(struct guest *g, const struct wish *wish, int64_t *err)
{
    struct cred cred = guest_cred(g);
    struct mqueue *q = ipc_alloc(sizeof(*q));
    *err = q ? set_size(q, g, wish) : -ENOMEM;
    if (!*err)
        *err = charge(q, g);
    if (*err) {
        ipc_free(q);
        return NULL;
    }
    q->refcount = 1;
    q->perm.mode = wish->mode & 07777u & ~g->umask;
    q->perm.uid = q->perm.cuid = cred.uid;
    q->perm.gid = q->perm.cgid = cred.gid;
    INIT_LIST_HEAD(&q->node);
    INIT_LIST_HEAD(&q->receivers);
    INIT_LIST_HEAD(&q->senders);
    wait_queue_init(&q->changed);
    strlcpy(q->name, wish->name, sizeof(q->name));
    return q;
}

static int may_open(const struct mqueue *q, const struct guest *g, uint32_t flags)
{
    uint32_t access = flags & O_ACCMODE;
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (access == O_ACCMODE)
        return -EINVAL;
    uint32_t wanted = access == O_RDWR     ? IPC_READ | IPC_WRITE
                      : access == O_WRONLY ? IPC_WRITE
                                           : IPC_READ;
    return ipc_permission(&q->perm, g, wanted);
}

static bool is_full(const struct guest *g)
{
    uint64_t most = MIN(sysctl_mq_queues_max, MQ_QUEUES_MOST);
    return nr_queues >= (cred_capable(&g->cred, CAP_SYS_RESOURCE) ? MQ_QUEUES_MOST : most);
}

/* The queue of that name with a reference more; or `new`, which gets the name. NULL with *err. */
static struct mqueue *find_or_enter(const struct guest *g, const struct wish *wish,
                                    struct mqueue *new, int64_t *err)
{
    spin_lock(&mq_lock);
    struct mqueue *q = find_locked(wish->name);
    *err = q                          ? may_open(q, g, wish->flags)
           : !(wish->flags & O_CREAT) ? -ENOENT
           : is_full(g)               ? -ENOSPC
           : !new                     ? -ENOENT
                                      : 0;
    if (!*err && !q) {
        q = new;
        list_add_tail(&q->node, &queues);
        nr_queues++;
        q->refcount++; /* the name's */
    }
    if (!*err)
        q->refcount++;
    spin_unlock(&mq_lock);
    return *err ? NULL : q;
}

/* Under a number of its own, closed by execve whatever was asked. Uses the reference up. */
static int64_t install(struct task *t, struct mqueue *q, uint32_t flags)
{
    struct file *f = mqueue_file(q, flags);
    if (!f) {
        mqueue_put(q);
        return -ENOMEM;
    }
    int64_t fd = file_install(t->guest->files, f, 0, true);
    if (fd < 0)
        file_put(f);
    return fd;
}

int64_t sys_mq_open(struct task *t, const uint64_t *a)
{
    struct wish wish = {.flags = (uint32_t)a[1], .mode = (uint32_t)a[2], .has_attr = a[3] != 0};
    struct mqueue *new = NULL;
    if (a[3] && copy_from_user(&wish.attr, mk_vaddr(a[3]), sizeof(wish.attr)))
        return -EFAULT;
    int64_t err = take_name(wish.name, a[0]);
    if (err)
        return err;
    struct mqueue *q = find_or_enter(t->guest, &wish, NULL, &err);
    if (err == -ENOENT && (wish.flags & O_CREAT)) {
        new = make(t->guest, &wish, &err);
        q = new ? find_or_enter(t->guest, &wish, new, &err) : NULL;
    }
    int64_t fd = q ? install(t, q, wish.flags) : err;
    if (fd < 0 && new &&q == new) {
        spin_lock(&mq_lock);
        bool named = !list_empty(&new->node);
        if (named)
            forget_locked(new);
        spin_unlock(&mq_lock);
        if (named)
            mqueue_put(new);
    }
    if (new)
        mqueue_put(new);
    return fd;
}

/* --- an open one ------------------------------------------------------------------------------ */

/* libc has a thread of its own told through a netlink socket: here there is none of these. */
static int no_netlink(struct task *t, uint64_t fd)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    bool socket = (f->mode & S_IFMT) == S_IFSOCK;
    file_put(f);
    return socket ? -EINVAL : -ENOTSOCK;
}

static int take_event(struct task *t, uint64_t user, struct sigevent_abi *ev)
{
    if (copy_from_user(ev, mk_vaddr(user), sizeof(*ev)))
        return -EFAULT;
    if (ev->notify == SIGEV_THREAD)
        return no_netlink(t, (uint32_t)ev->signo);
    if (ev->notify == SIGEV_SIGNAL)
        return ev->signo < 0 || ev->signo > NSIG ? -EINVAL : 0;
    return ev->notify == SIGEV_NONE ? 0 : -EINVAL;
}

int64_t sys_mq_notify(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    struct sigevent_abi ev = {0};
    struct file *f;
    int64_t err = a[1] ? take_event(t, a[1], &ev) : 0;
    if (err)
        return err;
    struct mqueue *q = mqueue_get(t, (uint32_t)a[0], &f);
    if (!q)
        return -EBADF;
    spin_lock(&mq_lock);
    bool own = q->notify.pid == g->pid;
    if (!a[1] && own)
        q->notify = (struct mq_notify){0};
    else if (a[1] && q->notify.pid)
        err = -EBUSY;
    else if (a[1])
        q->notify =
            (struct mq_notify){g->pid, g->start_ns, g->files, ev.notify, ev.signo, ev.value};
    spin_unlock(&mq_lock);
    file_put(f);
    return err;
}

int64_t sys_mq_getsetattr(struct task *t, const uint64_t *a)
{
    struct mq_attr_abi new = {0};
    struct file *f;
    if (a[1] && copy_from_user(&new, mk_vaddr(a[1]), sizeof(new)))
        return -EFAULT;
    if (new.flags & ~(int64_t)O_NONBLOCK)
        return -EINVAL;
    struct mqueue *q = mqueue_get(t, (uint32_t)a[0], &f);
    if (!q)
        return -EBADF;
    struct mq_attr_abi old = {.flags = f->flags & O_NONBLOCK,
                              .maxmsg = (int64_t)q->max_msgs,
                              .msgsize = (int64_t)q->max_size,
                              .curmsgs = (int64_t)load_relaxed(&q->nr)};
    if (a[1])
        f->flags = (f->flags & ~O_NONBLOCK) | (uint32_t) new.flags;
    file_put(f);
    return a[2] && copy_to_user(mk_vaddr(a[2]), &old, sizeof(old)) ? -EFAULT : 0;
}
