/* SPDX-License-Identifier: MIT */
/*
 * unix_send.c - putting messages into a peer's queue.
 *
 *      stream:     cut into packets; each waits until what was sent before is below SO_SNDBUF
 *      the others: one packet a message, which also waits while the receiver has too many
 *
 * A packet is filled before the lock is taken, and then everything is looked at again.
 *
 * Locks: unix_lock. Linux's counterpart: unix_stream_sendmsg(), unix_dgram_sendmsg().
 */
#include "base/errno.h"
#include "task/unix.h"

#define STREAM_PACKET (8192 - sizeof(struct packet))
#define OVERHEAD 32u /* as Linux: a datagram is that much shorter than SO_SNDBUF, at most */
#define FULL 1       /* the receiver has too many */

/* How a message is sent. */
struct sending {
    struct task *task;
    struct file *file;
    struct unix_sock *from;
    struct unix_message *m;
    uint64_t end;
    bool may_wait;
};

/* Until less than SO_SNDBUF is under way. */
static int wait_for_room(struct sending *w)
{
    struct unix_sock *s = w->from;
    for (;;) {
        spin_lock(&unix_lock);
        int err = unix_error_locked(s);
        if (!err && (s->shutdown & SHUT_SEND))
            err = -EPIPE;
        bool room = s->sent < s->sndbuf;
        spin_unlock(&unix_lock);
        if (err || room)
            return err;
        err = unix_wait(s,
                        load_relaxed(&s->sent) < s->sndbuf || load_relaxed(&s->error) ||
                            (load_relaxed(&s->shutdown) & SHUT_SEND),
                        w->may_wait, w->end);
        if (err)
            return err;
    }
}

/* A packet with the next n bytes; the files go with the first. */
static struct packet *fill(struct sending *w, size_t n, int *err)
{
    struct packet *p = packet_alloc(w->from, n);
    *err = p ? 0 : -ENOBUFS;
    if (p && iov_copy_from(&w->m->iov, p->data, n))
        *err = -EFAULT;
    if (*err) {
        if (p)
            packet_free(p);
        return NULL;
    }
    p->cred = w->m->cred;
    p->rights = w->m->rights;
    w->m->rights = NULL;
    return p;
}

/* --- streams ---------------------------------------------------------------------------------- */

static int stream_put(struct sending *w, struct packet *p)
{
    struct unix_sock *s = w->from;
    spin_lock(&unix_lock);
    bool open = s->peer && !s->peer->dead && !(s->shutdown & SHUT_SEND) &&
                !(s->peer->shutdown & SHUT_RECEIVE);
    if (open)
        packet_enter_locked(s->peer, p);
    spin_unlock(&unix_lock);
    if (!open)
        packet_free(p);
    return open ? 0 : -EPIPE;
}

static int64_t send_stream(struct sending *w)
{
    struct unix_message *m = w->m;
    struct unix_sock *s = w->from;
    int64_t done = 0;
    int err = 0;
    if (m->address.size)
        return load_relaxed(&s->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    if (load_relaxed(&s->state) != UNIX_CONNECTED)
        return -ENOTCONN;
    if (load_relaxed(&s->shutdown) & SHUT_SEND)
        err = -EPIPE;
    while (!err && m->iov.left) {
        size_t n = MIN(m->iov.left, STREAM_PACKET);
        err = wait_for_room(w);
        struct packet *p = err ? NULL : fill(w, n, &err);
        if (p)
            err = stream_put(w, p);
        if (!err)
            done += (int64_t)n;
    }
    if (err == -EPIPE && !done && !(m->flags & MSG_NOSIGNAL))
        task_signal_self(SIGPIPE);
    return done ? done : err;
}

/* --- datagrams and packets -------------------------------------------------------------------- */

/* The receiver, referenced: the one that is named, or the peer. */
static struct unix_sock *receiver(struct sending *w, int *err)
{
    struct unix_sock *s = w->from, *to;
    if (w->m->address.size && s->type == SOCK_DGRAM)
        return unix_find(w->task, &w->m->address, s->type, err);
    spin_lock(&unix_lock);
    to = s->peer;
    if (to)
        unix_get(to);
    bool closed = s->shutdown & SHUT_SEND;
    spin_unlock(&unix_lock);
    *err = to ? 0 : closed && s->type == SOCK_SEQPACKET ? -EPIPE : -ENOTCONN;
    return to;
}

/* 0, FULL or -Exxx. *old: a peer to be put, which is dead and no more ours. */
static int try_locked(struct unix_sock *s, struct unix_sock *to, struct packet *p,
                      struct unix_sock **old)
{
    if (to->dead && s->type == SOCK_DGRAM) {
        if (s->peer == to)
            *old = unix_set_peer_locked(s, NULL);
        return -ECONNREFUSED;
    }
    if (to->dead || (to->shutdown & SHUT_RECEIVE) || (s->shutdown & SHUT_SEND))
        return -EPIPE;
    if (to->peer && to->peer != s)
        return -EPERM;
    if (to != s && to->peer != s && to->nr_packets > UNIX_QUEUE_MAX)
        return FULL;
    packet_enter_locked(to, p);
    return 0;
}

static int put_into(struct sending *w, struct unix_sock *to, struct packet *p)
{
    struct unix_sock *old = NULL;
    int err = FULL;
    while (err == FULL) {
        spin_lock(&unix_lock);
        err = try_locked(w->from, to, p, &old);
        spin_unlock(&unix_lock);
        unix_put(old);
        if (err == FULL) {
            err = unix_wait(
                to, load_relaxed(&to->nr_packets) <= UNIX_QUEUE_MAX || load_relaxed(&to->shutdown),
                w->may_wait, w->end);
            err = err ? err : FULL;
        }
    }
    return err;
}

static int64_t send_packet(struct sending *w)
{
    struct unix_sock *s = w->from;
    size_t n = w->m->iov.left;
    int err;
    if (s->type == SOCK_SEQPACKET && load_relaxed(&s->state) != UNIX_CONNECTED)
        return -ENOTCONN;
    struct unix_sock *to = receiver(w, &err);
    if (!to)
        return err;
    err = n > s->sndbuf - OVERHEAD ? -EMSGSIZE : wait_for_room(w);
    struct packet *p = err ? NULL : fill(w, n, &err);
    if (p) {
        err = put_into(w, to, p);
        if (err)
            packet_free(p);
    }
    unix_put(to);
    return err ? err : (int64_t)n;
}

int64_t unix_send(struct task *t, struct file *f, struct unix_message *m)
{
    struct unix_sock *s = f->private;
    struct sending w = {t, f, s, m, unix_deadline(s->send_timeout), unix_may_wait(f, m->flags)};
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!m->has_cred) {
        const struct guest_cred *c = &t->guest->cred;
        m->cred = (struct ucred_abi){t->guest->pid, c->uid[ID_REAL], c->gid[ID_REAL]};
    }
    return s->type == SOCK_STREAM ? send_stream(&w) : send_packet(&w);
}
