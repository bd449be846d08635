/* SPDX-License-Identifier: MIT */
/*
 * completion.c - "it is done".
 *
 *      complete()                   waiter
 *      lock, done += 1, wake, unlock   lock, done > 0?, done -= 1, unlock
 *
 * Waker and waiter meet under waiters.lock, and the waiter leaves only through it: once it has
 * gone, complete() no longer looks at a completion that lay on its stack.
 *
 * Linux's counterpart: kernel/sched/completion.c.
 */
#include "kern/completion.h"

void completion_init(struct completion *c)
{
    c->done = 0;
    wait_queue_init(&c->waiters);
}

static void say_done(struct completion *c, uint32_t how_often)
{
    spin_lock(&c->waiters.lock);
    if (how_often == COMPLETION_ALL)
        c->done = COMPLETION_ALL;
    else if (c->done < COMPLETION_ALL - 1)
        c->done++;
    struct wait_entry *e, *next;
    list_for_each_entry_safe(e, next, &c->waiters.waiters, node) {
        list_del_init(&e->node);
        (void)thread_wake(e->thread, THREAD_ASLEEP);
        if (how_often != COMPLETION_ALL)
            break;
    }
    spin_unlock(&c->waiters.lock);
}

void complete(struct completion *c)
{
    say_done(c, 1);
}

void complete_all(struct completion *c)
{
    say_done(c, COMPLETION_ALL);
}

static bool take_done(struct completion *c)
{
    spin_lock(&c->waiters.lock);
    bool done = c->done > 0;
    if (done && c->done != COMPLETION_ALL)
        c->done--;
    spin_unlock(&c->waiters.lock);
    return done;
}

void wait_for_completion(struct completion *c)
{
    wait_event(&c->waiters, take_done(c));
}

int wait_for_completion_killable(struct completion *c)
{
    return wait_event_killable(&c->waiters, take_done(c));
}

bool completion_done(struct completion *c)
{
    spin_lock(&c->waiters.lock);
    bool done = c->done > 0;
    spin_unlock(&c->waiters.lock);
    return done;
}
