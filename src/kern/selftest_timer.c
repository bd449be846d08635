/* SPDX-License-Identifier: MIT */
/*
 * selftest_timer.c - do timers run in order, on time, once, and not after they were cancelled?
 *
 * Locks: none of its own. Linux's counterpart: kernel/time/timer tests.
 */
#include "kern/selftest_suites.h"

#include "base/atomic.h"
#include "kern/crew.h"
#include "kern/thread.h"
#include "kern/timer.h"

#define NR_TIMERS 8u

struct shot {
    struct timer timer;
    uint32_t *clock; /* counts the shots of all */
    uint32_t order;  /* which shot this one was, 0: none yet */
    uint64_t at;
};

static void shoot(struct timer *timer)
{
    struct shot *s = container_of(timer, struct shot, timer);
    s->at = now_ticks();
    store_release(&s->order, ++*s->clock);
}

static void in_order(struct selftest *t)
{
    static const uint8_t delays[NR_TIMERS] = {5, 1, 7, 3, 0, 6, 2, 4}; /* tenths of ms */
    struct shot shots[NR_TIMERS];
    hartmask_t here = {.bits = 1UL << hart_index()}, before = thread_current()->affinity;
    uint64_t start = now_ticks() + ns_to_ticks(NSEC_PER_MSEC);
    uint32_t clock = 0;

    EXPECT(t, thread_set_affinity(thread_current(), here) == 0);
    for (uint32_t i = 0; i < NR_TIMERS; i++) {
        shots[i] = (struct shot){.clock = &clock};
        timer_init(&shots[i].timer, shoot);
        timer_add_at(&shots[i].timer, start + ns_to_ticks(delays[i] * NSEC_PER_MSEC / 10));
    }
    EXPECT(t, sleep_ns(5 * NSEC_PER_MSEC) == 0);
    for (uint32_t i = 0; i < NR_TIMERS; i++) {
        EXPECT(t, load_acquire(&shots[i].order) == delays[i] + 1u);
        EXPECT(t, shots[i].at >= shots[i].timer.expires);
        EXPECT(t, !timer_cancel(&shots[i].timer));
    }
    EXPECT(t, thread_set_affinity(thread_current(), before) == 0);
}

static void cancelled(struct selftest *t)
{
    uint32_t clock = 0;
    struct shot s = {.clock = &clock};
    timer_init(&s.timer, shoot);
    timer_add(&s.timer, NSEC_PER_MSEC);
    EXPECT(t, timer_cancel(&s.timer));
    EXPECT(t, !timer_cancel(&s.timer));
    EXPECT(t, sleep_ns(2 * NSEC_PER_MSEC) == 0);
    EXPECT(t, s.order == 0);
}

static void moved(struct selftest *t)
{
    uint32_t clock = 0;
    struct shot s = {.clock = &clock};
    timer_init(&s.timer, shoot);
    timer_add(&s.timer, NSEC_PER_SEC);
    timer_add(&s.timer, NSEC_PER_MSEC);
    EXPECT(t, sleep_ns(2 * NSEC_PER_MSEC) == 0);
    EXPECT(t, s.order == 1);
    EXPECT(t, !timer_cancel(&s.timer));
}

static void sleep_some(void *arg, uint32_t who)
{
    uint32_t *early = arg;
    for (uint32_t i = 0; i < 5; i++) {
        uint64_t ns = (who + 1) * 100 * NSEC_PER_USEC, before = now_ns();
        (void)sleep_ns(ns);
        if (now_ns() - before < ns)
            (void)fetch_add(early, 1u);
    }
}

static void sleepers(struct selftest *t)
{
    uint32_t early = 0;
    EXPECT(t, crew_run(8, sleep_some, &early) == 0);
    EXPECT(t, early == 0);
}

static void conversion(struct selftest *t)
{
    EXPECT(t, ticks_to_ns(ns_to_ticks(NSEC_PER_SEC)) == NSEC_PER_SEC);
    EXPECT(t, ns_to_ticks(0) == 0);
    EXPECT(t, ns_to_ticks(1) == 1);
    EXPECT(t, ns_to_ticks(UINT64_MAX) > ns_to_ticks(NSEC_PER_SEC));
    uint64_t a = now_ns(), b = now_ns();
    EXPECT(t, a <= b);
}

static const struct selftest_case cases[] = {
    {"timers run in the order of their times", in_order},
    {"a cancelled timer does not run", cancelled},
    {"an armed timer can be moved", moved},
    {"nobody wakes too early", sleepers},
    {"ticks and nanoseconds", conversion},
};
struct selftest_suite selftest_timer = SELFTEST_SUITE("timer", cases);
