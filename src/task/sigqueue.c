/* SPDX-License-Identifier: MIT */
/*
 * sigqueue.c - signals that wait to be taken.
 *
 *      add(33)    set |= 33, [..]-[33: 1]-[33: 2]-[new]      on the account of the receiver's user
 *      take(33)   [33: 1] comes out; another 33 waits, so it stays in the set
 *
 * Locks: guest->lock. Invariant: a signal of the queue is in the set; one in the set has at most
 * one entry when it is classic, and may have none when there was no room for its details.
 * Linux's counterpart: __sigqueue_alloc(), collect_signal(), flush_sigqueue_mask().
 */
#include "task/sigqueue.h"

#include "base/errno.h"
#include "slab/cache.h"
#include "task/user.h"

#define SYNCHRONOUS                                                                         \
    (SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE) | \
     SIGBIT(SIGSYS))

/* Of one user, whatever the limit says: the memory is the monitor's. */
#define SIGNALS_MAX 32768UL

static struct kmem_cache *sigqueue_cache;

void sigqueue_init(void)
{
    sigqueue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 0, 0, NULL);
    BUG_ON(!sigqueue_cache);
}

void sigpending_init(struct sigpending *p)
{
    p->set = 0;
    INIT_LIST_HEAD(&p->queue);
}

/* An entry on the user's account. always: it is bounded otherwise, and the limit does not count. */
static struct sigqueue *sigqueue_alloc(struct guest *g, bool always)
{
    struct user_struct *u = g->user;
    uint32_t before = fetch_add_relaxed(&u->nr_signals, 1);
    struct sigqueue *q = NULL;
    if (always || before < MIN(g->limits[RLIMIT_SIGPENDING].cur, SIGNALS_MAX))
        q = kmem_cache_alloc(sigqueue_cache, GFP_ATOMIC | __GFP_ZERO);
    if (!q) {
        fetch_sub(&u->nr_signals, 1);
        return NULL;
    }
    user_get(u);
    q->user = u;
    return q;
}

/* It is off its queue. A timer's stays the timer's. */
static void sigqueue_free(struct sigqueue *q)
{
    if (!q->user)
        return;
    fetch_sub(&q->user->nr_signals, 1);
    user_put(q->user);
    kmem_cache_free(sigqueue_cache, q);
}

int sigpending_add(struct guest *g, struct sigpending *p, const struct siginfo_words *info)
{
    bool classic = info->signo < SIGRTMIN;
    assert_locked(&g->lock);
    if (classic && (p->set & SIGBIT(info->signo)))
        return 0;
    struct sigqueue *q = sigqueue_alloc(g, classic && info->code >= 0);
    if (!q && !classic && info->code != SI_USER)
        return -EAGAIN;
    if (q) {
        q->info = *info;
        list_add_tail(&q->node, &p->queue);
    }
    p->set |= SIGBIT(info->signo);
    return 0;
}

/* The oldest entry of a signal, or NULL; *more: another waits. */
static struct sigqueue *oldest(struct sigpending *p, int sig, bool *more)
{
    struct sigqueue *q, *first = NULL;
    *more = false;
    list_for_each_entry(q, &p->queue, node) {
        if (q->info.signo != sig)
            continue;
        if (first) {
            *more = true;
            break;
        }
        first = q;
    }
    return first;
}

int sigpending_take(struct sigpending *p, uint64_t set, struct siginfo_words *info)
{
    uint64_t ready = p->set & set;
    if (!ready)
        return 0;
    int sig = __builtin_ctzll(ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready) + 1;
    bool more;
    struct sigqueue *q = oldest(p, sig, &more);
    if (!more)
        p->set &= ~SIGBIT(sig);
    if (!q) { /* its details found no room */
        *info = (struct siginfo_words){.signo = sig, .code = SI_USER};
        return sig;
    }
    *info = q->info;
    q->taken_overrun = q->info.overrun;
    list_del_init(&q->node);
    sigqueue_free(q);
    return sig;
}

void sigpending_add_own(struct sigpending *p, struct sigqueue *q)
{
    list_add_tail(&q->node, &p->queue);
    p->set |= SIGBIT(q->info.signo);
    q->waits_in = p;
}

void sigpending_remove(struct sigqueue *q)
{
    bool more;
    if (list_empty(&q->node))
        return;
    list_del_init(&q->node);
    if (!oldest(q->waits_in, q->info.signo, &more))
        q->waits_in->set &= ~SIGBIT(q->info.signo);
}

void sigpending_drop(struct sigpending *p, uint64_t set)
{
    struct sigqueue *q, *next;
    if (!(p->set & set))
        return;
    p->set &= ~set;
    list_for_each_entry_safe(q, next, &p->queue, node) {
        if (!(SIGBIT(q->info.signo) & set))
            continue;
        list_del_init(&q->node);
        sigqueue_free(q);
    }
}
