/* SPDX-License-Identifier: MIT */
/*
 * unix_connect.c - from two sockets to a connection.
 *
 *      client a        listener l             accept(l)
 *      connect ----->  l->pending: [n] ---->  an open file of n
 *                      n is new, and a's peer at once: a may write before it is accepted
 *
 * Locks: unix_lock. Linux's counterpart: unix_stream_connect(), unix_dgram_connect().
 */
#include "base/errno.h"
#include "task/unix.h"

#define BACKLOG_MAX 4096u /* net.core.somaxconn */
#define NO_ROOM 1         /* the listener has as many as it wants: wait */

static void join_locked(struct unix_sock *a, struct unix_sock *b)
{
    unix_get(b);
    a->peer = b;
    a->state = UNIX_CONNECTED;
}

void unix_pair(struct unix_sock *a, struct unix_sock *b, const struct guest *g)
{
    spin_lock(&unix_lock);
    join_locked(a, b);
    join_locked(b, a);
    if (a->type == SOCK_DGRAM) {
        list_add(&a->client, &b->clients);
        list_add(&b->client, &a->clients);
    }
    a->peer_cred = b->peer_cred = unix_cred_of(g);
    spin_unlock(&unix_lock);
}

/* --- listening -------------------------------------------------------------------------------- */

int unix_listen(struct unix_sock *s, uint32_t backlog, const struct guest *g)
{
    if (s->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    spin_lock(&unix_lock);
    bool named = !list_empty(&s->named);
    int err = named && s->state != UNIX_CONNECTED ? 0 : -EINVAL;
    if (!err) {
        s->state = UNIX_LISTENING;
        s->backlog = MIN(backlog, BACKLOG_MAX);
        s->peer_cred = unix_cred_of(g);
        wake_up_all(&s->wait);
    }
    spin_unlock(&unix_lock);
    return err;
}

static bool may_take(const struct unix_sock *s)
{
    return load_relaxed(&s->nr_pending) || (load_relaxed(&s->shutdown) & SHUT_RECEIVE);
}

static struct unix_sock *take_pending(struct unix_sock *s, int *err)
{
    spin_lock(&unix_lock);
    struct unix_sock *n = list_first_entry_or_null(&s->pending, struct unix_sock, pending);
    *err = s->state != UNIX_LISTENING || (s->shutdown & SHUT_RECEIVE) ? -EINVAL : 0;
    if (n && !*err) {
        list_del_init(&n->pending);
        s->nr_pending--;
        wake_up_all(&s->wait);
    }
    spin_unlock(&unix_lock);
    return *err ? NULL : n;
}

struct unix_sock *unix_accept(struct file *f, int *err)
{
    struct unix_sock *s = f->private, *n = NULL;
    uint64_t end = unix_deadline(s->recv_timeout);
    *err = s->type == SOCK_DGRAM ? -EOPNOTSUPP : 0;
    while (!*err && !(n = take_pending(s, err)) && !*err)
        *err = unix_wait(s, may_take(s), unix_may_wait(f, 0), end);
    return n;
}

/* --- connecting ------------------------------------------------------------------------------- */

/* `n` is to be the other end. 0, NO_ROOM or -Exxx. */
static int try_locked(struct unix_sock *s, struct unix_sock *l, struct unix_sock *n,
                      const struct guest *g)
{
    if (l->dead || l->state != UNIX_LISTENING || (l->shutdown & SHUT_RECEIVE))
        return -ECONNREFUSED;
    if (s->state != UNIX_UNCONNECTED)
        return s->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
    if (l->nr_pending > l->backlog)
        return NO_ROOM;
    join_locked(s, n);
    join_locked(n, s);
    n->address = l->address;
    n->peer_cred = unix_cred_of(g);
    s->peer_cred = l->peer_cred;
    list_add_tail(&n->pending, &l->pending);
    l->nr_pending++;
    wake_up_all(&l->wait);
    wake_up_all(&s->wait);
    return 0;
}

static bool may_retry(const struct unix_sock *l)
{
    return load_relaxed(&l->nr_pending) <= load_relaxed(&l->backlog) || load_relaxed(&l->dead) ||
           (load_relaxed(&l->shutdown) & SHUT_RECEIVE);
}

static int64_t connect_to_listener(struct task *t, struct file *f, const struct unix_address *a)
{
    struct unix_sock *s = f->private, *n = unix_create(s->type);
    uint64_t end = unix_deadline(s->send_timeout);
    int err = n ? NO_ROOM : -ENOMEM;
    while (err == NO_ROOM) {
        struct unix_sock *l = unix_find(t, a, s->type, &err);
        if (!l)
            break;
        spin_lock(&unix_lock);
        err = try_locked(s, l, n, t->guest);
        spin_unlock(&unix_lock);
        if (err == NO_ROOM) {
            err = unix_wait(l, may_retry(l), unix_may_wait(f, 0), end);
            err = err ? err : NO_ROOM;
        }
        unix_put(l);
    }
    if (err)
        unix_put(n);
    return err;
}

struct unix_sock *unix_set_peer_locked(struct unix_sock *s, struct unix_sock *peer)
{
    struct unix_sock *old = s->peer;
    assert_locked(&unix_lock);
    if (!list_empty(&s->client))
        list_del_init(&s->client);
    s->peer = peer;
    s->state = peer ? UNIX_CONNECTED : UNIX_UNCONNECTED;
    if (peer) {
        unix_get(peer);
        list_add(&s->client, &peer->clients);
    }
    wake_up_all(&s->wait);
    return old;
}

static int64_t connect_datagrams(struct task *t, struct unix_sock *s, const struct unix_address *a)
{
    struct unix_sock *other = NULL, *old = NULL;
    int err = 0;
    if (a->family != AF_UNSPEC && !(other = unix_find(t, a, s->type, &err)))
        return err;
    spin_lock(&unix_lock);
    if (other && other->dead)
        err = -ECONNREFUSED;
    else if (other && other->peer && other->peer != s)
        err = -EPERM;
    else
        old = unix_set_peer_locked(s, other);
    spin_unlock(&unix_lock);
    unix_put(old);
    unix_put(other);
    return err;
}

int64_t unix_connect(struct task *t, struct file *f, const struct unix_address *a)
{
    struct unix_sock *s = f->private;
    if (a->size < sizeof(a->family))
        return -EINVAL;
    return s->type == SOCK_DGRAM ? connect_datagrams(t, s, a) : connect_to_listener(t, f, a);
}

/* --- shutting down ---------------------------------------------------------------------------- */

int unix_shutdown(struct unix_sock *s, uint32_t how)
{
    static const uint8_t here[] = {SHUT_RECEIVE, SHUT_SEND, SHUT_BOTH};
    static const uint8_t there[] = {SHUT_SEND, SHUT_RECEIVE, SHUT_BOTH};
    if (how >= ARRAY_SIZE(here))
        return -EINVAL;
    spin_lock(&unix_lock);
    s->shutdown |= here[how];
    if (s->peer && s->type != SOCK_DGRAM) {
        s->peer->shutdown |= there[how];
        wake_up_all(&s->peer->wait);
    }
    wake_up_all(&s->wait);
    spin_unlock(&unix_lock);
    return 0;
}
