/* SPDX-License-Identifier: MIT */
/*
 * sys_message.c - the calls that send and receive: sendto to recvmmsg.
 *
 *      struct msghdr [ name | buffers | control: [SCM_CREDENTIALS pid uid gid][SCM_RIGHTS fd fd ] ]
 *
 * Linux's counterpart: net/socket.c, net/core/scm.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/syscall.h"
#include "task/syscalls.h"
#include "task/unix.h"

#define SOL_SOCKET 1u
#define SCM_RIGHTS 1u
#define SCM_CREDENTIALS 2u
#define MESSAGES_MAX 1024u /* of one call */

struct msghdr_abi {
    uint64_t name;
    uint32_t name_size, pad1;
    uint64_t iov, iov_n, control, control_size;
    uint32_t flags, pad2;
};

struct mmsghdr_abi {
    struct msghdr_abi hdr;
    uint32_t len, pad;
};

struct cmsghdr_abi {
    uint64_t size; /* with this header */
    uint32_t level, type;
};

/* --- what comes along, out -------------------------------------------------------------------- */

/* May it say that it is that? */
static int check_cred(const struct guest *g, const struct ucred_abi *c)
{
    const struct guest_cred *own = &g->cred;
    bool uid = cred_capable(own, CAP_SETUID), gid = cred_capable(own, CAP_SETGID);
    for (int i = ID_REAL; i <= ID_SAVED; i++) {
        uid |= c->uid == own->uid[i];
        gid |= c->gid == own->gid[i];
    }
    bool pid = c->pid == g->pid || cred_capable(own, CAP_SYS_ADMIN);
    return uid && gid && pid ? 0 : -EPERM;
}

static int take_one(struct task *t, struct unix_message *m, const struct cmsghdr_abi *c,
                    uint64_t at)
{
    uint64_t n = c->size - sizeof(*c);
    int err = 0;
    if (c->level != SOL_SOCKET)
        return 0;
    if (c->type == SCM_RIGHTS && !m->rights) {
        if (n / sizeof(uint32_t))
            m->rights = rights_take(t, at, (uint32_t)MIN(n / sizeof(uint32_t), 1000UL), &err);
        return err;
    }
    if (c->type != SCM_CREDENTIALS || n != sizeof(m->cred))
        return -EINVAL;
    if (copy_from_user(&m->cred, mk_vaddr(at), sizeof(m->cred)))
        return -EFAULT;
    m->has_cred = true;
    return check_cred(t->guest, &m->cred);
}

static int take_control(struct task *t, struct unix_message *m, const struct msghdr_abi *h)
{
    uint64_t at = h->control, left = h->control_size;
    if (left > INT32_MAX)
        return -ENOBUFS;
    while (left >= sizeof(struct cmsghdr_abi)) {
        struct cmsghdr_abi c;
        if (copy_from_user(&c, mk_vaddr(at), sizeof(c)))
            return -EFAULT;
        if (c.size < sizeof(c) || c.size > left)
            return -EINVAL;
        int err = take_one(t, m, &c, at + sizeof(c));
        if (err)
            return err;
        uint64_t step = MIN(ALIGN_UP(c.size, sizeof(uint64_t)), left);
        at += step;
        left -= step;
    }
    return 0;
}

/* --- what came along, in ---------------------------------------------------------------------- */

/* The guest's buffer for it. */
struct control {
    uint64_t at, left, used;
    uint32_t flags;
};

/* A header with n bytes behind it: where these go to; 0: there is no room. */
static uint64_t put_header(struct control *c, uint32_t type, uint64_t n)
{
    struct cmsghdr_abi h = {sizeof(h) + n, SOL_SOCKET, type};
    if (c->left < h.size || copy_to_user(mk_vaddr(c->at), &h, sizeof(h))) {
        c->flags |= MSG_CTRUNC;
        return 0;
    }
    uint64_t data = c->at + sizeof(h), step = MIN(ALIGN_UP(h.size, sizeof(uint64_t)), c->left);
    c->at += step;
    c->left -= step;
    c->used += step;
    return data;
}

/* As many as there is room for get numbers; the others are closed. */
static void put_rights(struct task *t, struct control *c, struct unix_rights *r, uint32_t flags)
{
    int32_t fds[UNIX_RIGHTS_MAX];
    uint32_t n = 0;
    uint64_t room = c->left <= sizeof(struct cmsghdr_abi)
                        ? 0
                        : (c->left - sizeof(struct cmsghdr_abi)) / sizeof(fds[0]);
    while (n < r->n && n < room) {
        int64_t fd = file_install(t->guest->files, r->files[n], 0, flags & MSG_CMSG_CLOEXEC);
        if (fd < 0)
            break;
        fds[n++] = (int32_t)fd;
    }
    if (n < r->n)
        c->flags |= MSG_CTRUNC;
    uint64_t to = n ? put_header(c, SCM_RIGHTS, n * sizeof(fds[0])) : 0;
    if (to && copy_to_user(mk_vaddr(to), fds, n * sizeof(fds[0])))
        c->flags |=
            MSG_CTRUNC; /* as on Linux: they are open, and nobody knows how they are called */
    for (uint32_t i = n; i < r->n; i++)
        r->files[i - n] = r->files[i];
    r->n -= n;
}

static void put_control(struct task *t, const struct unix_sock *s, struct unix_message *m,
                        struct control *c, uint32_t flags)
{
    if (s->passcred) {
        uint64_t to = put_header(c, SCM_CREDENTIALS, sizeof(m->cred));
        if (to && copy_to_user(mk_vaddr(to), &m->cred, sizeof(m->cred)))
            c->flags |= MSG_CTRUNC;
    }
    if (m->rights)
        put_rights(t, c, m->rights, flags);
}

/* --- one message ------------------------------------------------------------------------------ */

static int64_t send_message(struct task *t, struct file *f, uint64_t user, uint32_t flags)
{
    struct msghdr_abi h;
    struct unix_message m = {.flags = flags};
    if (copy_from_user(&h, mk_vaddr(user), sizeof(h)))
        return -EFAULT;
    if (h.iov_n > IOV_MAX)
        return -EMSGSIZE;
    int64_t err = h.name && h.name_size ? unix_address_take(&m.address, h.name, h.name_size) : 0;
    if (!err)
        err = iov_take(&m.iov, h.iov, h.iov_n);
    if (err)
        return err;
    err = h.control ? take_control(t, &m, &h) : 0;
    if (!err)
        err = unix_send(t, f, &m);
    rights_drop(m.rights);
    iov_drop(&m.iov);
    return err;
}

static int64_t give_header(uint64_t user, struct msghdr_abi *h, const struct unix_message *m,
                           const struct control *c)
{
    uint64_t size_at = user + offsetof(struct msghdr_abi, name_size);
    if (h->name) {
        int err = put_user_u32(h->name_size, mk_vaddr(size_at)) ? -EFAULT : 0;
        if (!err)
            err = unix_address_give(&m->address, h->name, size_at);
        if (err)
            return err;
    }
    uint32_t flags = (m->flags & (MSG_TRUNC | MSG_CTRUNC)) | c->flags;
    if (put_user_u32(flags, mk_vaddr(user + offsetof(struct msghdr_abi, flags))) ||
        put_user_u64(c->used, mk_vaddr(user + offsetof(struct msghdr_abi, control_size))))
        return -EFAULT;
    return 0;
}

static int64_t receive_message(struct task *t, struct file *f, uint64_t user, uint32_t flags)
{
    struct msghdr_abi h;
    struct unix_message m = {.flags = flags};
    if (copy_from_user(&h, mk_vaddr(user), sizeof(h)))
        return -EFAULT;
    if (h.iov_n > IOV_MAX)
        return -EMSGSIZE;
    if ((int32_t)h.name_size < 0)
        return -EINVAL;
    int64_t n = iov_take(&m.iov, h.iov, h.iov_n);
    if (n)
        return n;
    n = unix_receive(f, &m);
    struct control c = {h.control, h.control ? h.control_size : 0, 0, flags & MSG_CMSG_CLOEXEC};
    if (n >= 0) {
        put_control(t, f->private, &m, &c, flags);
        int64_t err = give_header(user, &h, &m, &c);
        n = err ? err : n;
    }
    rights_drop(m.rights);
    iov_drop(&m.iov);
    return n;
}

/* --- the calls -------------------------------------------------------------------------------- */

int64_t sys_sendto(struct task *t, const uint64_t *a)
{
    struct unix_message m = {.flags = (uint32_t)a[3]};
    int64_t err;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    iov_init(&m.iov, a[1], a[2]);
    if (a[4])
        err = unix_address_take(&m.address, a[4], (uint32_t)a[5]);
    if (!err)
        err = unix_send(t, f, &m);
    file_put(f);
    return err;
}

int64_t sys_recvfrom(struct task *t, const uint64_t *a)
{
    struct unix_message m = {.flags = (uint32_t)a[3]};
    int64_t n;
    struct file *f = socket_get(t, a[0], &n);
    if (!f)
        return n;
    iov_init(&m.iov, a[1], a[2]);
    n = unix_receive(f, &m);
    file_put(f);
    rights_drop(m.rights);
    if (n >= 0 && a[4]) {
        int err = unix_address_give(&m.address, a[4], a[5]);
        n = err ? err : n;
    }
    return n;
}

static int64_t one_message(struct task *t, const uint64_t *a,
                           int64_t (*move)(struct task *, struct file *, uint64_t, uint32_t))
{
    int64_t n;
    struct file *f = socket_get(t, a[0], &n);
    if (!f)
        return n;
    n = move(t, f, a[1], (uint32_t)a[2]);
    file_put(f);
    return n;
}

int64_t sys_sendmsg(struct task *t, const uint64_t *a)
{
    return one_message(t, a, send_message);
}

int64_t sys_recvmsg(struct task *t, const uint64_t *a)
{
    return one_message(t, a, receive_message);
}

static int put_len(uint64_t message, int64_t n)
{
    vaddr_t to = mk_vaddr(message + offsetof(struct mmsghdr_abi, len));
    return put_user_u32((uint32_t)n, to) ? -EFAULT : 0;
}

int64_t sys_sendmmsg(struct task *t, const uint64_t *a)
{
    int64_t n = 0, done = 0;
    struct file *f = socket_get(t, a[0], &n);
    if (!f)
        return n;
    for (; n >= 0 && done < (int64_t)MIN((uint32_t)a[2], MESSAGES_MAX); done += n >= 0) {
        uint64_t at = a[1] + (uint64_t)done * sizeof(struct mmsghdr_abi);
        n = send_message(t, f, at, (uint32_t)a[3]);
        if (n >= 0)
            n = put_len(at, n);
    }
    file_put(f);
    return done ? done : n;
}

/* The end counts between two messages only, as on Linux. */
int64_t sys_recvmmsg(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[3];
    int64_t n = 0, done = 0, ns = a[4] ? arg_timespec(mk_vaddr(a[4])) : INT64_MAX;
    if (ns < 0)
        return ns;
    uint64_t end = ns == INT64_MAX ? TIMER_NEVER : now_ticks() + ns_to_ticks((uint64_t)ns);
    struct file *f = socket_get(t, a[0], &n);
    if (!f)
        return n;
    while (n >= 0 && done < (int64_t)MIN((uint32_t)a[2], MESSAGES_MAX)) {
        uint64_t at = a[1] + (uint64_t)done * sizeof(struct mmsghdr_abi);
        n = receive_message(t, f, at, flags & ~MSG_WAITFORONE);
        if (n >= 0)
            n = put_len(at, n);
        done += n >= 0;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (now_ticks() >= end)
            break;
    }
    file_put(f);
    return done ? done : n;
}
