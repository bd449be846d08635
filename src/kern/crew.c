/* SPDX-License-Identifier: MIT */
/*
 * crew.c - several threads, one function.
 *
 *      members[]   { crew, who, thread }       done: counted once by each member
 *
 * Each member is pinned to one online hart, in turn.
 *
 * Locks: the completion's.
 * Linux's counterpart: lib/test_* with kthread_create_on_cpu().
 */
#include "kern/crew.h"

#include "base/errno.h"
#include "kern/completion.h"
#include "kern/panic.h"
#include "kern/thread.h"

struct crew;

struct member {
    struct crew *crew;
    uint32_t who;
};

struct crew {
    void (*fn)(void *arg, uint32_t who);
    void *arg;
    struct completion done;
    struct member members[CREW_MAX];
};

static void member_main(void *arg)
{
    struct member *m = arg;
    m->crew->fn(m->crew->arg, m->who);
    complete(&m->crew->done);
}

static hartmask_t nth_online_hart(uint32_t n)
{
    hartmask_t online = harts_online;
    uint32_t hart = mask_first(&online);
    for (n %= mask_weight(&online); n > 0; n--)
        hart = mask_next(&online, hart);
    return (hartmask_t){.bits = 1UL << hart};
}

int crew_run(uint32_t n, void (*fn)(void *arg, uint32_t who), void *arg)
{
    struct crew crew = {.fn = fn, .arg = arg};
    uint32_t started = 0;

    BUG_ON(n > CREW_MAX);
    completion_init(&crew.done);
    for (uint32_t i = 0; i < n; i++) {
        crew.members[i] = (struct member){.crew = &crew, .who = i};
        struct thread *t =
            thread_create("crew", member_main, &crew.members[i], NO_NODE, nth_online_hart(i));
        if (!t)
            break;
        thread_start(t);
        started++;
    }
    for (uint32_t i = 0; i < started; i++)
        wait_for_completion(&crew.done);
    return started == n ? 0 : -ENOMEM;
}
