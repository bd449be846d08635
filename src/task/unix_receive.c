/* SPDX-License-Identifier: MIT */
/*
 * unix_receive.c - taking messages out of one's queue.
 *
 *      stream:     [ab][cde] read 4 --> "abcd", [e] stays    files end a read
 *      the others: one packet a call; what does not fit is lost (MSG_TRUNC)
 *
 * Locks: read_mutex while bytes go to the guest, so that each goes to one reader; it is given back
 * to sleep. unix_lock for the queue. Linux's counterpart: unix_stream_read_generic().
 */
#include "base/errno.h"
#include "base/string.h"
#include "slab/kmalloc.h"
#include "task/unix.h"

static struct packet *first_packet(struct unix_sock *s)
{
    spin_lock(&unix_lock);
    struct packet *p = list_first_entry_or_null(&s->packets, struct packet, node);
    spin_unlock(&unix_lock);
    return p;
}

/* Lock read_mutex and find a packet. NULL, the mutex not held: *err, 0 for the end. */
static struct packet *wait_for_packet(struct unix_sock *s, bool may_wait, uint64_t end, int *err)
{
    for (*err = 0;;) {
        mutex_lock(&s->read_mutex);
        struct packet *p = first_packet(s);
        if (p)
            return p;
        mutex_unlock(&s->read_mutex);
        spin_lock(&unix_lock);
        bool over = s->shutdown & SHUT_RECEIVE;
        bool unread = s->nr_packets;
        *err = unread ? 0 : unix_error_locked(s);
        spin_unlock(&unix_lock);
        if (unread)
            continue;
        if (!*err && over)
            *err = s->type == SOCK_DGRAM && !may_wait ? -EAGAIN : 0;
        if (*err || over)
            return NULL;
        *err = unix_wait(s,
                         load_relaxed(&s->nr_packets) || load_relaxed(&s->error) ||
                             (load_relaxed(&s->shutdown) & SHUT_RECEIVE),
                         may_wait, end);
        if (*err)
            return NULL;
    }
}

/* The files of a packet become ours; or, peeking, copies of them in `spare`. */
static void take_rights(struct packet *p, struct unix_message *m, struct unix_rights **spare)
{
    spin_lock(&unix_lock);
    if (p->rights && *spare) {
        rights_copy_locked(*spare, p->rights);
        m->rights = *spare;
        *spare = NULL;
    } else if (p->rights && !(m->flags & MSG_PEEK)) {
        rights_arrive_locked(p->rights);
        m->rights = p->rights;
        p->rights = NULL;
    }
    spin_unlock(&unix_lock);
}

static void take_sender(const struct packet *p, struct unix_message *m)
{
    m->address = p->address;
    if (m->address.size <= sizeof(m->address.family))
        m->address.size = 0;
    m->cred = p->cred;
}

static void remove_packet(struct unix_sock *s, struct packet *p)
{
    spin_lock(&unix_lock);
    packet_leave_locked(s, p);
    if (p->rights) /* the garbage collector may have taken them; a peek may have left them */
        rights_arrive_locked(p->rights);
    spin_unlock(&unix_lock);
    packet_free(p);
}

/* --- streams ---------------------------------------------------------------------------------- */

/* As much of the packet as is wanted. Bytes, or -EFAULT. */
static int64_t read_some(struct unix_sock *s, struct packet *p, struct unix_message *m)
{
    size_t n = MIN(m->iov.left, p->size - p->at);
    if (iov_copy_to(&m->iov, p->data + p->at, n))
        return -EFAULT;
    if (m->flags & MSG_PEEK)
        return (int64_t)n;
    spin_lock(&unix_lock);
    p->at += n;
    s->unread -= n;
    spin_unlock(&unix_lock);
    if (p->at == p->size)
        remove_packet(s, p);
    return (int64_t)n;
}

static bool same_sender(const struct packet *p, const struct unix_message *m)
{
    return p->cred.pid == m->cred.pid && p->cred.uid == m->cred.uid && p->cred.gid == m->cred.gid;
}

static int64_t receive_stream(struct file *f, struct unix_message *m, struct unix_rights **spare)
{
    struct unix_sock *s = f->private;
    uint64_t end = unix_deadline(s->recv_timeout);
    bool may_wait = unix_may_wait(f, m->flags), all = m->flags & MSG_WAITALL;
    int64_t done = 0;
    int err;
    if (load_relaxed(&s->state) != UNIX_CONNECTED)
        return -EINVAL;
    while (m->iov.left) {
        if (done && !all && !load_relaxed(&s->nr_packets))
            break; /* an error is for the next call */
        struct packet *p = wait_for_packet(s, may_wait, end, &err);
        if (!p)
            return done ? done : err;
        if (done && s->passcred && !same_sender(p, m)) {
            mutex_unlock(&s->read_mutex);
            break;
        }
        bool files = p->rights;
        if (!done)
            take_sender(p, m);
        if (files)
            take_rights(p, m, spare);
        int64_t n = read_some(s, p, m);
        mutex_unlock(&s->read_mutex);
        if (n < 0)
            return done ? done : n;
        done += n;
        if (files || (m->flags & MSG_PEEK))
            break;
    }
    return done;
}

/* --- datagrams and packets -------------------------------------------------------------------- */

static int64_t receive_packet(struct file *f, struct unix_message *m, struct unix_rights **spare)
{
    struct unix_sock *s = f->private;
    int err;
    if (s->type == SOCK_SEQPACKET && load_relaxed(&s->state) != UNIX_CONNECTED)
        return -ENOTCONN;
    struct packet *p =
        wait_for_packet(s, unix_may_wait(f, m->flags), unix_deadline(s->recv_timeout), &err);
    if (!p)
        return err;
    size_t size = p->size, n = MIN(m->iov.left, size);
    bool want_size = m->flags & MSG_TRUNC;
    err = iov_copy_to(&m->iov, p->data, n);
    take_sender(p, m);
    take_rights(p, m, spare);
    m->flags &= ~MSG_TRUNC;
    if (n < size)
        m->flags |= MSG_TRUNC;
    if (!(m->flags & MSG_PEEK))
        remove_packet(s, p);
    mutex_unlock(&s->read_mutex);
    return err ? err : (int64_t)(want_size ? size : n);
}

int64_t unix_receive(struct file *f, struct unix_message *m)
{
    const struct unix_sock *s = f->private;
    struct unix_rights *spare = NULL;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->flags & MSG_PEEK) {
        spare = kmalloc(sizeof(*spare) + UNIX_RIGHTS_MAX * sizeof(spare->files[0]), GFP_KERNEL);
        if (!spare)
            return -ENOMEM;
    }
    m->rights = NULL;
    int64_t n =
        s->type == SOCK_STREAM ? receive_stream(f, m, &spare) : receive_packet(f, m, &spare);
    kfree(spare);
    return n;
}
