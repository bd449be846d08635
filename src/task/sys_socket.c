/* SPDX-License-Identifier: MIT */
/*
 * sys_socket.c - the calls that make sockets and connect them.
 *
 * There is one family, AF_UNIX; others are answered as by a Linux that was built without them.
 *
 * Linux's counterpart: net/socket.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/syscalls.h"
#include "task/unix.h"

#define SOCK_TYPE_MASK 0xfu
#define SOCK_MAX 11u
#define NPROTO 46u

struct file *socket_get(struct task *t, uint64_t fd, int64_t *err)
{
    struct file *f = file_get(t->guest->files, (uint32_t)fd);
    *err = !f ? -EBADF : f->flags & O_PATH ? -EBADF : unix_of(f) ? 0 : -ENOTSOCK;
    if (f && *err) {
        file_put(f);
        f = NULL;
    }
    return f;
}

/* A number for a new open file, which is closed when there is none. */
static int64_t install(struct task *t, struct file *f, uint64_t flags)
{
    if (!f)
        return -ENOMEM;
    int64_t fd = file_install(t->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* --- making ----------------------------------------------------------------------------------- */

static int check_kind(const uint64_t *a, uint32_t *type)
{
    uint32_t family = (uint32_t)a[0], protocol = (uint32_t)a[2];
    *type = (uint32_t)a[1] & SOCK_TYPE_MASK;
    if ((uint32_t)a[1] & ~(SOCK_TYPE_MASK | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (family >= NPROTO)
        return -EAFNOSUPPORT;
    if (*type >= SOCK_MAX)
        return -EINVAL;
    if (family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (protocol && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (*type == SOCK_RAW)
        *type = SOCK_DGRAM;
    bool known = *type == SOCK_STREAM || *type == SOCK_DGRAM || *type == SOCK_SEQPACKET;
    return known ? 0 : -ESOCKTNOSUPPORT;
}

int64_t sys_socket(struct task *t, const uint64_t *a)
{
    uint32_t type;
    int err = check_kind(a, &type);
    if (err)
        return err;
    struct unix_sock *s = unix_create(type);
    return s ? install(t, unix_open(s, (uint32_t)a[1]), a[1]) : -ENOMEM;
}

static void close_again(struct task *t, int64_t fd)
{
    int err = file_close(t->guest->files, (uint64_t)fd); /* another thread may have been faster */
    (void)err;
}

static struct file *open_one(uint32_t type, uint32_t flags)
{
    struct unix_sock *s = unix_create(type);
    return s ? unix_open(s, flags) : NULL;
}

int64_t sys_socketpair(struct task *t, const uint64_t *a)
{
    uint32_t type;
    int err = check_kind(a, &type);
    if (err)
        return err;
    struct file *f = open_one(type, (uint32_t)a[1]), *g = open_one(type, (uint32_t)a[1]);
    if (f && g)
        unix_pair(f->private, g->private, t->guest);
    int64_t one = install(t, f, a[1]);
    if (one < 0) {
        if (g)
            file_put(g);
        return one;
    }
    int64_t two = install(t, g, a[1]);
    int32_t fds[2] = {(int32_t)one, (int32_t)two};
    if (two >= 0 && !copy_to_user(mk_vaddr(a[3]), fds, sizeof(fds)))
        return 0;
    close_again(t, one);
    if (two >= 0)
        close_again(t, two);
    return two < 0 ? two : -EFAULT;
}

/* --- names and connections -------------------------------------------------------------------- */

static int64_t with_address(struct task *t, const uint64_t *a, bool connects)
{
    struct unix_address address;
    int64_t err;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    err = unix_address_take(&address, a[1], (uint32_t)a[2]);
    if (!err)
        err = connects ? unix_connect(t, f, &address) : unix_bind(t, f->private, &address);
    file_put(f);
    return err;
}

int64_t sys_bind(struct task *t, const uint64_t *a)
{
    return with_address(t, a, false);
}

int64_t sys_connect(struct task *t, const uint64_t *a)
{
    return with_address(t, a, true);
}

int64_t sys_listen(struct task *t, const uint64_t *a)
{
    int64_t err;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    err = unix_listen(f->private, (uint32_t)a[1], t->guest);
    file_put(f);
    return err;
}

int64_t sys_shutdown(struct task *t, const uint64_t *a)
{
    int64_t err;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    err = unix_shutdown(f->private, (uint32_t)a[1]);
    file_put(f);
    return err;
}

/* The name of a socket, or of its peer. False: it has no peer. */
static bool name_of(struct unix_sock *s, bool peer, struct unix_address *out)
{
    spin_lock(&unix_lock);
    const struct unix_sock *which = peer ? s->peer : s;
    if (which)
        *out = which->address;
    spin_unlock(&unix_lock);
    return which;
}

static int64_t get_name(struct task *t, const uint64_t *a, bool peer)
{
    struct unix_address address;
    int64_t err;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    bool there = name_of(f->private, peer, &address);
    file_put(f);
    return there ? unix_address_give(&address, a[1], a[2]) : -ENOTCONN;
}

int64_t sys_getsockname(struct task *t, const uint64_t *a)
{
    return get_name(t, a, false);
}

int64_t sys_getpeername(struct task *t, const uint64_t *a)
{
    return get_name(t, a, true);
}

static int64_t accept(struct task *t, struct file *f, const uint64_t *a)
{
    struct unix_address address = {.size = 0};
    int err;
    struct unix_sock *n = unix_accept(f, &err);
    if (!n)
        return err;
    bool connected = name_of(n, true, &address);
    struct file *accepted = unix_open(n, (uint32_t)a[3]);
    if (accepted && a[1] && connected && (err = unix_address_give(&address, a[1], a[2]))) {
        file_put(accepted);
        return err;
    }
    return install(t, accepted, a[3]);
}

int64_t sys_accept4(struct task *t, const uint64_t *a)
{
    int64_t err;
    if (a[3] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    err = accept(t, f, a);
    file_put(f);
    return err;
}

int64_t sys_accept(struct task *t, const uint64_t *a)
{
    uint64_t args[4] = {a[0], a[1], a[2], 0};
    return sys_accept4(t, args);
}
