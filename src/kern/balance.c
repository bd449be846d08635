/* SPDX-License-Identifier: MIT */
/*
 * balance.c - the policy of placing threads.
 *
 *      choose for t:   idle & allowed & t's last hart
 *                      idle & allowed & t's node (its preferred one, else where it ran last)
 *                      idle & allowed
 *                      the shortest queue among the allowed, the last hart in case of a tie
 *
 * harts_idle is a hint that several harts change: a waker takes the bit of the hart it chooses, so
 * that the next waker chooses another. The idle loop sets it anew.
 *
 * Locks: rq.lock of the queue from which a thread is taken, by trylock where it is not our own, so
 * that two idle harts never wait for each other.
 * Linux's counterpart: kernel/sched/fair.c: select_idle_sibling(), newidle_balance().
 */
#include "kern/balance.h"

#include "base/atomic.h"
#include "kern/thread.h"

/* A thread is pushed when its hart has so many more than another. One more is no gain. */
#define PUSH_IMBALANCE 2

/* Harts that t may run on now. A mask without any online hart is as good as none. */
static uint64_t allowed_harts(const struct thread *t)
{
    uint64_t online = load_acquire(&harts_online.bits);
    uint64_t allowed = t->affinity.bits & online;
    return allowed ? allowed : online;
}

bool balance_may_move(const struct thread *t)
{
    return (t->affinity.bits & load_acquire(&harts_online.bits)) != 0;
}

/* Threads that want this hart, the running one included. */
static uint32_t load_of(uint32_t hart)
{
    const struct hart *h = harts[hart];
    return load_relaxed(&h->rq.nr_queued) + !load_relaxed(&h->current)->is_idle;
}

static uint32_t shortest_queue(uint64_t candidates, uint32_t preferred)
{
    hartmask_t mask = {.bits = candidates};
    uint32_t best = mask_first(&mask), i;
    if (preferred < MAX_HARTS && mask_test(&mask, preferred))
        best = preferred;
    for_each_in_mask(i, &mask)
        if (load_of(i) < load_of(best))
            best = i;
    return best;
}

static uint64_t near_harts(const struct thread *t, uint32_t last)
{
    uint32_t nid = t->nid == NO_NODE ? harts[last]->arch.nid : (uint32_t)t->nid;
    return node_harts[nid].bits;
}

uint32_t balance_choose_hart(const struct thread *t)
{
    uint64_t allowed = allowed_harts(t);
    uint64_t idle = load_relaxed(&harts_idle.bits) & allowed;
    uint32_t last = load_relaxed(&t->hart);
    uint64_t choice = idle & (1UL << last);

    if (!choice)
        choice = idle & near_harts(t, last);
    if (!choice)
        choice = idle;
    if (!choice)
        return shortest_queue(allowed, last);
    uint32_t hart = (uint32_t)__builtin_ctzl(choice);
    (void)fetch_and(&harts_idle.bits, ~(1UL << hart));
    return hart;
}

/* Take the last thread in h's queues that may run on `target`. rq.lock held. */
static struct thread *take_last_locked(struct hart *h, uint64_t targets)
{
    assert_locked(&h->rq.lock);
    for (uint32_t i = NR_RUN_CLASSES; i-- > 0;) {
        struct thread *t;
        list_for_each_entry_reverse(t, &h->rq.queue[i], run_node) {
            if (!(allowed_harts(t) & targets))
                continue;
            list_del_init(&t->run_node);
            h->rq.nr_queued--;
            return t;
        }
    }
    return NULL;
}

struct thread *balance_steal(struct hart *thief)
{
    uint32_t me = thief->arch.index;
    for (uint32_t step = 1; step < nr_harts; step++) {
        uint32_t i = (me + step) % nr_harts;
        struct hart *victim = harts[i];
        if (!victim || !hart_is_online(i) || load_relaxed(&victim->rq.nr_queued) == 0 ||
            load_relaxed(&victim->current)->is_idle)
            continue;
        if (!spin_trylock(&victim->rq.lock))
            continue;
        struct thread *t = take_last_locked(victim, 1UL << me);
        if (t)
            store_release(&t->hart, me);
        spin_unlock(&victim->rq.lock);
        if (t)
            return t;
    }
    return NULL;
}

struct thread *balance_pick_to_push(struct hart *h)
{
    uint32_t me = h->arch.index;
    uint64_t others = load_acquire(&harts_online.bits) & ~(1UL << me);
    if (!others)
        return NULL;
    uint32_t target = shortest_queue(others, MAX_HARTS);
    if (load_of(target) + PUSH_IMBALANCE > load_of(me))
        return NULL;

    spin_lock(&h->rq.lock);
    struct thread *t = take_last_locked(h, 1UL << target);
    if (t)
        store_release(&t->hart, target);
    spin_unlock(&h->rq.lock);
    return t;
}
