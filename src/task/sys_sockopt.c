/* SPDX-License-Identifier: MIT */
/*
 * sys_sockopt.c - settings of sockets, and what they tell of themselves.
 *
 * What has no meaning between guests of one machine is taken and told back as unset.
 *
 * Linux's counterpart: net/core/sock.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/syscalls.h"
#include "task/unix.h"

#define SOL_SOCKET 1u
#define BUFFER_MAX UNIX_BUFFER /* net.core.wmem_max */
#define SEND_LEAST 4608u
#define RECEIVE_LEAST 2304u

enum {
    SO_DEBUG = 1,
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_DONTROUTE = 5,
    SO_BROADCAST = 6,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_KEEPALIVE = 9,
    SO_OOBINLINE = 10,
    SO_PRIORITY = 12,
    SO_LINGER = 13,
    SO_PASSCRED = 16,
    SO_PEERCRED = 17,
    SO_RCVLOWAT = 18,
    SO_SNDLOWAT = 19,
    SO_RCVTIMEO = 20,
    SO_SNDTIMEO = 21,
    SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32,
    SO_RCVBUFFORCE = 33,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39,
};

/* --- setting ---------------------------------------------------------------------------------- */

/* A struct timeval: 0 is for ever. */
static int take_timeout(uint64_t user, uint64_t size, uint64_t *out)
{
    int64_t tv[2];
    if (size < sizeof(tv))
        return -EINVAL;
    if (copy_from_user(tv, mk_vaddr(user), sizeof(tv)))
        return -EFAULT;
    if (tv[1] < 0 || tv[1] >= 1000000)
        return -EDOM;
    bool never = (!tv[0] && !tv[1]) || tv[0] > (int64_t)(INT64_MAX / NSEC_PER_SEC) - 1;
    uint64_t ns = (uint64_t)tv[0] * NSEC_PER_SEC + (uint64_t)tv[1] * NSEC_PER_USEC;
    *out = never ? TIMER_NEVER : tv[0] < 0 ? 0 : ns;
    return 0;
}

/* As Linux: twice what was asked for, within bounds. */
static uint32_t buffer(uint32_t value, uint32_t least)
{
    return MAX(MIN(value, BUFFER_MAX) * 2, least);
}

static int64_t set_option(const struct guest *g, struct unix_sock *s, uint32_t name, uint32_t value)
{
    switch (name) {
    case SO_REUSEADDR:
        s->reuse = value;
        return 0;
    case SO_PASSCRED:
        s->passcred = value;
        return 0;
    case SO_SNDBUFFORCE:
    case SO_SNDBUF:
        if (name == SO_SNDBUFFORCE && !cred_capable(&g->cred, CAP_NET_ADMIN))
            return -EPERM;
        store_relaxed(&s->sndbuf, buffer(value, SEND_LEAST));
        wake_up_all(&s->wait);
        return 0;
    case SO_RCVBUFFORCE:
    case SO_RCVBUF:
        if (name == SO_RCVBUFFORCE && !cred_capable(&g->cred, CAP_NET_ADMIN))
            return -EPERM;
        s->rcvbuf = buffer(value, RECEIVE_LEAST);
        return 0;
    case SO_DEBUG:
    case SO_DONTROUTE:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_PRIORITY:
    case SO_LINGER:
    case SO_RCVLOWAT:
        return 0;
    default:
        return -ENOPROTOOPT; /* also what can only be read */
    }
}

int64_t sys_setsockopt(struct task *t, const uint64_t *a)
{
    uint32_t level = (uint32_t)a[1], name = (uint32_t)a[2], value = 0;
    uint64_t size = (uint32_t)a[4];
    int64_t err;
    if ((int32_t)size < 0)
        return -EINVAL;
    struct file *f = socket_get(t, a[0], &err);
    if (!f)
        return err;
    struct unix_sock *s = f->private;
    if (level != SOL_SOCKET)
        err = -EOPNOTSUPP;
    else if (size < sizeof(value))
        err = -EINVAL;
    else if (get_user_u32(&value, mk_vaddr(a[3])))
        err = -EFAULT;
    else if (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
        err = take_timeout(a[3], size, name == SO_RCVTIMEO ? &s->recv_timeout : &s->send_timeout);
    else
        err = set_option(t->guest, s, name, value);
    file_put(f);
    return err;
}

/* --- asking ----------------------------------------------------------------------------------- */

union answer {
    uint32_t number, two[2];
    uint64_t timeval[2];
    struct ucred_abi cred;
};

static void tell_timeout(uint64_t ns, union answer *out)
{
    bool never = ns == TIMER_NEVER;
    out->timeval[0] = never ? 0 : ns / NSEC_PER_SEC;
    out->timeval[1] = never ? 0 : ns % NSEC_PER_SEC / NSEC_PER_USEC;
}

static uint32_t take_error(struct unix_sock *s)
{
    spin_lock(&unix_lock);
    int err = unix_error_locked(s);
    spin_unlock(&unix_lock);
    return (uint32_t)-err;
}

/* The value of an option that is a number. False: there is no such. */
static bool get_number(struct unix_sock *s, uint32_t name, uint32_t *out)
{
    switch (name) {
    case SO_REUSEADDR:
        *out = s->reuse;
        return true;
    case SO_PASSCRED:
        *out = s->passcred;
        return true;
    case SO_TYPE:
        *out = s->type;
        return true;
    case SO_DOMAIN:
        *out = AF_UNIX;
        return true;
    case SO_ERROR:
        *out = take_error(s);
        return true;
    case SO_SNDBUF:
        *out = s->sndbuf;
        return true;
    case SO_RCVBUF:
        *out = s->rcvbuf;
        return true;
    case SO_ACCEPTCONN:
        *out = load_relaxed(&s->state) == UNIX_LISTENING;
        return true;
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
        *out = 1;
        return true;
    case SO_DEBUG:
    case SO_DONTROUTE:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_PRIORITY:
    case SO_PROTOCOL:
        *out = 0;
        return true;
    default:
        return false;
    }
}

/* The size of the answer, or -ENOPROTOOPT. */
static int64_t get_option(struct unix_sock *s, uint32_t name, union answer *out)
{
    *out = (union answer){.timeval = {0}};
    if (name == SO_LINGER)
        return sizeof(out->two);
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
        tell_timeout(name == SO_RCVTIMEO ? s->recv_timeout : s->send_timeout, out);
        return sizeof(out->timeval);
    }
    if (name == SO_PEERCRED) {
        spin_lock(&unix_lock);
        out->cred = s->peer_cred;
        spin_unlock(&unix_lock);
        return sizeof(out->cred);
    }
    return get_number(s, name, &out->number) ? (int64_t)sizeof(out->number) : -ENOPROTOOPT;
}

int64_t sys_getsockopt(struct task *t, const uint64_t *a)
{
    union answer answer;
    uint32_t room;
    int64_t n;
    struct file *f = socket_get(t, a[0], &n);
    if (!f)
        return n;
    if ((uint32_t)a[1] != SOL_SOCKET)
        n = -EOPNOTSUPP;
    else if (get_user_u32(&room, mk_vaddr(a[4])))
        n = -EFAULT;
    else if ((int32_t)room < 0)
        n = -EINVAL;
    else
        n = get_option(f->private, (uint32_t)a[2], &answer);
    file_put(f);
    if (n < 0)
        return n;
    room = MIN(room, (uint32_t)n);
    if (copy_to_user(mk_vaddr(a[3]), &answer, room) || put_user_u32(room, mk_vaddr(a[4])))
        return -EFAULT;
    return 0;
}
