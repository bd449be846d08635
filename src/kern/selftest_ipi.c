/* SPDX-License-Identifier: MIT */
/*
 * selftest_ipi.c - does each hart of a mask run the function once, and can all call each other?
 *
 * Locks: none. Linux's counterpart: kernel/scftorture.c.
 */
#include "kern/selftest_suites.h"

#include "arch/layout.h"
#include "base/atomic.h"
#include "kern/crew.h"
#include "kern/fence.h"
#include "kern/ipi.h"
#include "kern/percpu.h"
#include "kern/thread.h"

#define ROUNDS 40u

struct roll {
    uint32_t calls[MAX_HARTS];
};

static void answer(void *arg)
{
    struct roll *r = arg;
    (void)fetch_add(&r->calls[hart_index()], 1u);
}

static void each_answers_once(struct selftest *t)
{
    struct roll r = {{0}};
    ipi_call(harts_online, answer, &r, IPI_WAIT);
    for (uint32_t i = 0; i < nr_harts; i++)
        EXPECT(t, load_acquire(&r.calls[i]) == (hart_is_online(i) ? 1u : 0u));
}

static void others_only(struct selftest *t)
{
    struct roll r = {{0}};
    hartmask_t before = thread_current()->affinity;
    uint32_t me = hart_index();
    EXPECT(t, thread_set_affinity(thread_current(), (hartmask_t){.bits = 1UL << me}) == 0);
    ipi_call_others(answer, &r, IPI_WAIT);
    EXPECT(t, r.calls[me] == 0);
    for (uint32_t i = 0; i < nr_harts; i++)
        EXPECT(t, i == me || r.calls[i] == (hart_is_online(i) ? 1u : 0u));
    EXPECT(t, thread_set_affinity(thread_current(), before) == 0);
}

static void call_everyone(void *arg, uint32_t who)
{
    (void)who;
    for (uint32_t i = 0; i < ROUNDS; i++)
        ipi_call(harts_online, answer, arg, i % 4 ? IPI_WAIT : IPI_NO_WAIT);
    ipi_call(harts_online, answer, arg, IPI_WAIT);
}

static void all_call_all(struct selftest *t)
{
    struct roll r = {{0}};
    uint32_t n = MIN(mask_weight(&harts_online), CREW_MAX);
    EXPECT(t, crew_run(n, call_everyone, &r) == 0);
    for (uint32_t i = 0; i < nr_harts; i++)
        EXPECT(t, load_acquire(&r.calls[i]) == (hart_is_online(i) ? n * (ROUNDS + 1) : 0u));
}

/* Everyone asks everyone at once, with a lock held over which the others spin meanwhile. */
struct fence_test {
    struct spinlock lock;
    uint32_t fences;
};

static void fence_everyone(void *arg, uint32_t who)
{
    struct fence_test *f = arg;
    for (uint32_t i = 0; i < ROUNDS / 2; i++) {
        spin_lock(&f->lock);
        hartmask_t others = harts_online;
        mask_clear(&others, hart_index());
        if (!mask_empty(&others))
            fence_harts(others, 0, mk_vaddr(LINEAR_BASE), (who + 1) * PAGE_SIZE);
        f->fences++;
        spin_unlock(&f->lock);
    }
}

static void fences_under_a_lock(struct selftest *t)
{
    struct fence_test f = {.fences = 0};
    uint32_t n = MIN(mask_weight(&harts_online), CREW_MAX);
    spin_init(&f.lock, "selftest", RANK_OOM);
    EXPECT(t, crew_run(n, fence_everyone, &f) == 0);
    EXPECT(t, f.fences == n * (ROUNDS / 2));
}

static const struct selftest_case cases[] = {
    {"each hart answers once", each_answers_once},
    {"all harts but this one", others_only},
    {"all harts call all harts", all_call_all},
    {"remote fences, though the others wait for our lock", fences_under_a_lock},
};
struct selftest_suite selftest_ipi = SELFTEST_SUITE("ipi", cases);
