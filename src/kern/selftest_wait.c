/* SPDX-License-Identifier: MIT */
/*
 * selftest_wait.c - is any wake-up ever lost?
 *
 *      ping-pong:  A sets turn=B, wakes, waits for turn=A;  B the reverse. One lost wake-up and
 *                  both sleep for ever: the test hangs, and the runner's time-out tells.
 *
 * Locks: the queues' own. Linux's counterpart: kernel/sched/wait tests in kselftest.
 */
#include "kern/selftest_suites.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "kern/completion.h"
#include "kern/crew.h"
#include "kern/thread.h"
#include "kern/wait.h"

#define ROUNDS 1000u

struct table {
    struct wait_queue queue;
    uint32_t turn;
    uint32_t passes;
};

static void play(void *arg, uint32_t who)
{
    struct table *p = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        wait_event(&p->queue, load_acquire(&p->turn) == who);
        p->passes++;
        store_release(&p->turn, 1 - who);
        wake_up_all(&p->queue);
    }
}

static void ping_pong(struct selftest *t)
{
    struct table p = {.turn = 0};
    wait_queue_init(&p.queue);
    EXPECT(t, crew_run(2, play, &p) == 0);
    EXPECT(t, p.passes == 2 * ROUNDS);
    EXPECT(t, list_empty(&p.queue.waiters));
}

static void take_from_table(void *arg, uint32_t who)
{
    struct table *p = arg;
    (void)who;
    wait_event(&p->queue, load_acquire(&p->turn) != 0);
    (void)fetch_add(&p->passes, 1u);
}

static void call_all(void *arg, uint32_t who)
{
    struct table *p = arg;
    if (who > 0) {
        take_from_table(arg, who);
        return;
    }
    (void)sleep_ns(NSEC_PER_MSEC);
    store_release(&p->turn, 1u);
    wake_up_all(&p->queue);
}

static void wake_all_wakes_all(struct selftest *t)
{
    struct table p = {.turn = 0};
    wait_queue_init(&p.queue);
    EXPECT(t, crew_run(8, call_all, &p) == 0);
    EXPECT(t, p.passes == 7);
}

static void timeout_passes(struct selftest *t)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    uint64_t before = now_ns();
    EXPECT(t, wait_event_timeout(&queue, false, 2 * NSEC_PER_MSEC) == -ETIMEDOUT);
    EXPECT(t, now_ns() - before >= 2 * NSEC_PER_MSEC);
    EXPECT(t, wait_event_timeout(&queue, true, NSEC_PER_SEC) == 0);
    EXPECT(t, list_empty(&queue.waiters));
}

struct victim {
    struct wait_queue queue;
    struct completion ended;
    int result;
};

static void wait_to_be_killed(void *arg)
{
    struct victim *v = arg;
    v->result = wait_event_killable(&v->queue, false);
    complete(&v->ended);
}

static void kill_ends_wait(struct selftest *t)
{
    struct victim v = {.result = 0};
    wait_queue_init(&v.queue);
    completion_init(&v.ended);
    struct thread *thread =
        thread_create("victim", wait_to_be_killed, &v, NO_NODE, (hartmask_t){0});
    EXPECT(t, thread != NULL);
    if (!thread)
        return;
    thread_start(thread);
    (void)sleep_ns(NSEC_PER_MSEC);
    thread_kill(thread);
    wait_for_completion(&v.ended);
    EXPECT(t, v.result == -EINTR);
    EXPECT(t, list_empty(&v.queue.waiters));
}

static void completion_counts(struct selftest *t)
{
    struct completion c;
    completion_init(&c);
    EXPECT(t, !completion_done(&c));
    complete(&c);
    complete(&c);
    wait_for_completion(&c);
    wait_for_completion(&c);
    EXPECT(t, !completion_done(&c));
    complete_all(&c);
    wait_for_completion(&c);
    EXPECT(t, completion_done(&c));
}

static const struct selftest_case cases[] = {
    {"no wake-up is lost between two threads", ping_pong},
    {"wake_up_all wakes all", wake_all_wakes_all},
    {"a wait with an end ends", timeout_passes},
    {"a killed thread leaves its wait", kill_ends_wait},
    {"a completion counts", completion_counts},
};
struct selftest_suite selftest_wait = SELFTEST_SUITE("wait", cases);
