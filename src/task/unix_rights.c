/* SPDX-License-Identifier: MIT */
/*
 * unix_rights.c - open files that travel in messages, and what to do when they go in circles.
 *
 *      a's packets --> [ file of b ]          a and b are closed by all guests, and yet each has
 *      b's packets --> [ file of a ]          a reference in the other's packet: garbage
 *
 * A socket is a candidate when all references to its file travel. Of those, what is in packets of
 * candidates is subtracted; what is left over comes from outside, and keeps that candidate and all
 * that its packets lead to alive. The others lose their packets' files, and so end.
 *
 * Files are closed by whoever comes first, one after the other: closing one may free packets with
 * more files, and that must not recurse.
 *
 * Locks: unix_lock. Linux's counterpart: net/unix/garbage.c, net/core/scm.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/unix.h"

#define CLOSES_PAY 64 /* so many sockets under way are looked at for each that was closed */

enum { LIVE, CANDIDATE, REACHED };

static LIST_HEAD(travelling);    /* (u) unix_sock.travelling */
static uint32_t nr_travelling;   /* (u) files under way, of all kinds */
static LIST_HEAD(unwanted);      /* (u) unix_rights.node: to be closed */
static uint32_t somebody_closes; /* (a) */
static uint32_t closes;          /* (a) of sockets, since the last collection */

/* --- under way -------------------------------------------------------------------------------- */

static bool too_many(struct task *t, uint32_t n)
{
    const struct guest *g = t->guest;
    uint64_t all = load_relaxed(&nr_travelling) + n;
    bool free = cred_capable(&g->cred, CAP_SYS_RESOURCE) || cred_capable(&g->cred, CAP_SYS_ADMIN);
    return all > UNIX_INFLIGHT_MAX || (!free && all > g->limits[RLIMIT_NOFILE].cur);
}

struct unix_rights *rights_take(struct task *t, uint64_t user, uint32_t n, int *err)
{
    *err = n > UNIX_RIGHTS_MAX ? -EINVAL : too_many(t, n) ? -ETOOMANYREFS : 0;
    struct unix_rights *r = *err ? NULL : kmalloc(sizeof(*r) + n * sizeof(r->files[0]), GFP_KERNEL);
    if (!r) {
        *err = *err ? *err : -ENOMEM;
        return NULL;
    }
    for (r->n = 0; r->n < n; r->n++) {
        uint32_t fd;
        struct file *f = NULL;
        *err = get_user_u32(&fd, mk_vaddr(user + r->n * sizeof(fd))) ? -EFAULT : -EBADF;
        if (*err == -EBADF)
            f = file_get(t->guest->files, fd);
        if (!f) {
            rights_drop(r);
            return NULL;
        }
        r->files[r->n] = f;
    }
    *err = 0;
    return r;
}

void rights_travel_locked(struct unix_rights *r)
{
    assert_locked(&unix_lock);
    nr_travelling += r->n;
    for (uint32_t i = 0; i < r->n; i++) {
        struct unix_sock *s = unix_of(r->files[i]);
        if (s && s->inflight++ == 0)
            list_add(&s->travelling, &travelling);
    }
}

void rights_arrive_locked(struct unix_rights *r)
{
    assert_locked(&unix_lock);
    nr_travelling -= r->n;
    for (uint32_t i = 0; i < r->n; i++) {
        struct unix_sock *s = unix_of(r->files[i]);
        if (s && --s->inflight == 0)
            list_del_init(&s->travelling);
    }
}

void rights_copy_locked(struct unix_rights *to, const struct unix_rights *from)
{
    assert_locked(&unix_lock);
    to->n = from->n;
    for (uint32_t i = 0; i < from->n; i++) {
        to->files[i] = from->files[i];
        fetch_add_relaxed(&to->files[i]->refcount, 1);
    }
}

/* --- closing ---------------------------------------------------------------------------------- */

static struct unix_rights *next_unwanted(void)
{
    spin_lock(&unix_lock);
    struct unix_rights *r = list_first_entry_or_null(&unwanted, struct unix_rights, node);
    if (r)
        list_del(&r->node);
    spin_unlock(&unix_lock);
    return r;
}

static void close_unwanted(void)
{
    struct unix_rights *r;
    while (!list_empty(&unwanted) && !__atomic_exchange_n(&somebody_closes, 1, __ATOMIC_ACQ_REL)) {
        while ((r = next_unwanted())) {
            for (uint32_t i = 0; i < r->n; i++)
                file_put(r->files[i]);
            kfree(r);
        }
        __atomic_store_n(&somebody_closes, 0, __ATOMIC_SEQ_CST); /* and look at the list again */
    }
}

void rights_drop(struct unix_rights *r)
{
    if (!r)
        return;
    spin_lock(&unix_lock);
    list_add_tail(&r->node, &unwanted);
    spin_unlock(&unix_lock);
    close_unwanted();
}

/* --- going in circles ------------------------------------------------------------------------- */

/* Call fn for each socket whose file is in one of this one's packets. */
static void each_in_packets(struct unix_sock *s, void (*fn)(struct unix_sock *, struct list_head *),
                            struct list_head *arg)
{
    const struct packet *p;
    struct unix_sock *n;
    list_for_each_entry(p, &s->packets, node) {
        for (uint32_t i = 0; p->rights && i < p->rights->n; i++) {
            struct unix_sock *in = unix_of(p->rights->files[i]);
            if (in)
                fn(in, arg);
        }
    }
    if (s->state != UNIX_LISTENING)
        return;
    list_for_each_entry(n, &s->pending, pending) /* which are no listeners: one level */
        each_in_packets(n, fn, arg);
}

static void subtract(struct unix_sock *s, struct list_head *unneeded)
{
    (void)unneeded;
    if (s->gc_mark == CANDIDATE)
        s->gc_left--;
}

/* It can be reached: so can what its packets lead to. */
static void reach(struct unix_sock *s, struct list_head *reached)
{
    if (s->gc_mark != CANDIDATE)
        return;
    s->gc_mark = REACHED;
    list_move_tail(&s->travelling, reached);
}

static void mark_reached_locked(void)
{
    struct unix_sock *s, *next;
    LIST_HEAD(reached);
    list_for_each_entry(s, &travelling, travelling) {
        bool candidate = s->file && load_acquire(&s->file->refcount) == s->inflight;
        s->gc_mark = candidate ? CANDIDATE : LIVE;
        s->gc_left = s->inflight;
    }
    list_for_each_entry(s, &travelling, travelling) {
        if (s->gc_mark == CANDIDATE)
            each_in_packets(s, subtract, NULL);
    }
    list_for_each_entry_safe(s, next, &travelling, travelling) {
        if (s->gc_mark == CANDIDATE && s->gc_left)
            reach(s, &reached);
    }
    list_for_each_entry(s, &reached, travelling) /* which grows meanwhile */
        each_in_packets(s, reach, &reached);
    list_splice_init(&reached, &travelling);
}

/* Take the files out of its packets; the packets stay, with their bytes. */
static void strip_locked(struct unix_sock *s, struct list_head *out)
{
    struct packet *p;
    struct unix_sock *n;
    list_for_each_entry(p, &s->packets, node) {
        if (p->rights)
            list_add_tail(&p->rights->node, out);
        p->rights = NULL;
    }
    if (s->state != UNIX_LISTENING)
        return;
    list_for_each_entry(n, &s->pending, pending)
        strip_locked(n, out);
}

void unix_closed(void)
{
    uint32_t n = fetch_add_relaxed(&closes, 1) + 1;
    if (n * CLOSES_PAY >= load_relaxed(&nr_travelling))
        unix_collect();
}

void unix_collect(void)
{
    struct unix_sock *s;
    struct unix_rights *r;
    LIST_HEAD(garbage);
    if (list_empty(&travelling))
        return;
    store_relaxed(&closes, 0);
    spin_lock(&unix_lock);
    mark_reached_locked();
    list_for_each_entry(s, &travelling, travelling) {
        if (s->gc_mark == CANDIDATE)
            strip_locked(s, &garbage);
    }
    list_for_each_entry(r, &garbage, node)
        rights_arrive_locked(r);
    list_splice_tail_init(&garbage, &unwanted);
    spin_unlock(&unix_lock);
    close_unwanted();
}
