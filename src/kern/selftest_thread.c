/* SPDX-License-Identifier: MIT */
/*
 * selftest_thread.c - do threads begin, share, move and end as they should?
 *
 * Locks: none of its own. Linux's counterpart: tools/testing/selftests/sched.
 */
#include "kern/selftest_suites.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "kern/completion.h"
#include "kern/crew.h"
#include "kern/thread.h"
#include "kern/timer.h"

#define MANY 100u

struct tally {
    uint32_t ran;
    uint32_t wrong;
    struct completion all;
};

static void count_me(void *arg)
{
    struct tally *tally = arg;
    if (fetch_add(&tally->ran, 1u) + 1 == MANY)
        complete(&tally->all);
}

static void many_come_and_go(struct selftest *t)
{
    struct tally tally = {0};
    completion_init(&tally.all);
    for (uint32_t i = 0; i < MANY; i++) {
        struct thread *thread = thread_create("many", count_me, &tally, NO_NODE, (hartmask_t){0});
        EXPECT(t, thread != NULL);
        if (!thread)
            return;
        thread_start(thread);
    }
    wait_for_completion(&tally.all);
    EXPECT(t, tally.ran == MANY);
}

static void stay_here(void *arg, uint32_t who)
{
    struct tally *tally = arg;
    hartmask_t mine = thread_current()->affinity;
    for (uint32_t i = 0; i < MANY; i++) {
        if (!mask_test(&mine, hart_index()))
            (void)fetch_add(&tally->wrong, 1u);
        yield();
    }
    (void)fetch_add(&tally->ran, who < CREW_MAX);
}

static void affinity_is_kept(struct selftest *t)
{
    struct tally tally = {0};
    EXPECT(t, crew_run(CREW_MAX, stay_here, &tally) == 0);
    EXPECT(t, tally.ran == CREW_MAX);
    EXPECT(t, tally.wrong == 0);
}

static void affinity_moves(struct selftest *t)
{
    struct thread *me = thread_current();
    hartmask_t before = me->affinity, online = harts_online;
    uint32_t i;
    for_each_in_mask(i, &online) {
        EXPECT(t, thread_set_affinity(me, (hartmask_t){.bits = 1UL << i}) == 0);
        EXPECT(t, hart_index() == i);
    }
    EXPECT(t, thread_set_affinity(me, (hartmask_t){.bits = ~online.bits}) == -EINVAL);
    EXPECT(t, thread_set_affinity(me, before) == 0);
}

struct race {
    uint32_t at_start;
    uint64_t rounds[2];
};

static void run_the_race(void *arg, uint32_t who)
{
    struct race *r = arg;
    hartmask_t here = {.bits = 1UL << mask_first(&harts_online)};
    if (thread_set_affinity(thread_current(), here) != 0)
        return;
    (void)fetch_add(&r->at_start, 1u);
    while (load_acquire(&r->at_start) < 2)
        (void)sleep_ns(NSEC_PER_MSEC);
    uint64_t end = now_ticks() + ns_to_ticks(8 * SLICE_NS);
    while (now_ticks() < end) {
        r->rounds[who]++;
        cond_resched();
    }
}

/* Two threads that only compute share one hart by slices: neither gets less than a quarter. */
static void slices_are_fair(struct selftest *t)
{
    struct race r = {0};
    EXPECT(t, crew_run(2, run_the_race, &r) == 0);
    uint64_t sum = r.rounds[0] + r.rounds[1];
    EXPECT(t, r.rounds[0] > sum / 4 && r.rounds[1] > sum / 4);
}

static const struct selftest_case cases[] = {
    {"a hundred threads come and go", many_come_and_go},
    {"a pinned thread stays on its hart", affinity_is_kept},
    {"a thread moves to each hart", affinity_moves},
    {"two busy threads share a hart", slices_are_fair},
};
struct selftest_suite selftest_thread = SELFTEST_SUITE("thread", cases);

void kern_selftests_register(void)
{
    selftest_register(&selftest_arch);
    selftest_register(&selftest_lock);
    selftest_register(&selftest_wait);
    selftest_register(&selftest_timer);
    selftest_register(&selftest_ipi);
    selftest_register(&selftest_thread);
}
