/* SPDX-License-Identifier: MIT */
/*
 * selftest_lock.c - do locks exclude, and do sleeping locks let everyone in at last?
 *
 *      shared.a and shared.b are written one after the other under the lock; whoever ever sees
 *      them differ was let in while someone else was inside
 *
 * Locks: the ones under test. Linux's counterpart: kernel/locking/locktorture.c.
 */
#include "kern/selftest_suites.h"

#include "base/atomic.h"
#include "kern/crew.h"
#include "kern/mutex.h"
#include "kern/rwsem.h"
#include "kern/selftest.h"

#define ROUNDS 2000u
#define CREW 4u

struct shared {
    struct spinlock spin;
    struct mutex mutex;
    struct rwsem rwsem;
    volatile uint64_t a, b;
    uint32_t torn;    /* (atomic) times that a and b were seen to differ */
    uint32_t readers; /* (atomic) inside now */
};

static void step(struct shared *s)
{
    if (s->a != s->b)
        (void)fetch_add(&s->torn, 1u);
    s->a++;
    s->b++;
}

static void use_spinlock(void *arg, uint32_t who)
{
    struct shared *s = arg;
    (void)who;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        spin_lock(&s->spin);
        step(s);
        spin_unlock(&s->spin);
    }
}

static void spinlock_excludes(struct selftest *t)
{
    struct shared s = {0};
    spin_init(&s.spin, "selftest", RANK_OOM);
    EXPECT(t, crew_run(CREW, use_spinlock, &s) == 0);
    EXPECT(t, s.torn == 0);
    EXPECT(t, s.a == CREW * ROUNDS);
    EXPECT(t, !spin_is_locked(&s.spin));
}

static void trylock_fails_when_held(struct selftest *t)
{
    struct spinlock lock;
    spin_init(&lock, "selftest", RANK_OOM);
    EXPECT(t, spin_trylock(&lock));
    EXPECT(t, !spin_trylock(&lock));
    spin_unlock(&lock);
    EXPECT(t, spin_trylock(&lock));
    spin_unlock(&lock);
}

static void use_mutex(void *arg, uint32_t who)
{
    struct shared *s = arg;
    for (uint32_t i = 0; i < ROUNDS / 4; i++) {
        mutex_lock(&s->mutex);
        uint64_t a = s->a;
        if ((i + who) % 16 == 0)
            yield(); /* holding it: the others must sleep */
        if (s->a != a)
            (void)fetch_add(&s->torn, 1u);
        step(s);
        mutex_unlock(&s->mutex);
    }
}

static void mutex_excludes(struct selftest *t)
{
    struct shared s = {0};
    mutex_init(&s.mutex);
    EXPECT(t, crew_run(CREW, use_mutex, &s) == 0);
    EXPECT(t, s.torn == 0);
    EXPECT(t, s.a == CREW * (ROUNDS / 4));
    EXPECT(t, mutex_trylock(&s.mutex));
    EXPECT(t, mutex_held(&s.mutex));
    mutex_unlock(&s.mutex);
}

static void use_rwsem(void *arg, uint32_t who)
{
    struct shared *s = arg;
    for (uint32_t i = 0; i < ROUNDS / 4; i++) {
        if ((i + who) % 4 == 0) {
            down_write(&s->rwsem);
            if (load_relaxed(&s->readers) != 0)
                (void)fetch_add(&s->torn, 1u);
            step(s);
            up_write(&s->rwsem);
            continue;
        }
        down_read(&s->rwsem);
        (void)fetch_add(&s->readers, 1u);
        if (s->a != s->b)
            (void)fetch_add(&s->torn, 1u);
        if (i % 8 == 0)
            yield();
        (void)fetch_sub(&s->readers, 1u);
        up_read(&s->rwsem);
    }
}

static void rwsem_excludes(struct selftest *t)
{
    struct shared s = {0};
    rwsem_init(&s.rwsem);
    EXPECT(t, crew_run(CREW, use_rwsem, &s) == 0);
    EXPECT(t, s.torn == 0);
    EXPECT(t, s.a == CREW * (ROUNDS / 4) / 4);
    EXPECT(t, !rwsem_is_locked(&s.rwsem));
}

static void read_once(void *arg, uint32_t who)
{
    (void)who;
    down_read(arg);
    up_read(arg);
}

/* The crew comes and goes while we are inside: did readers exclude each other, it would hang. */
static void readers_share(struct selftest *t)
{
    struct rwsem s;
    rwsem_init(&s);
    down_read(&s);
    EXPECT(t, crew_run(CREW, read_once, &s) == 0);
    up_read(&s);
    EXPECT(t, !rwsem_is_locked(&s));
}

static void rwsem_try(struct selftest *t)
{
    struct rwsem s;
    rwsem_init(&s);
    EXPECT(t, down_read_trylock(&s));
    EXPECT(t, down_read_trylock(&s));
    EXPECT(t, !down_write_trylock(&s));
    up_read(&s);
    up_read(&s);
    EXPECT(t, down_write_trylock(&s));
    EXPECT(t, !down_read_trylock(&s));
    downgrade_write(&s);
    EXPECT(t, down_read_trylock(&s));
    up_read(&s);
    up_read(&s);
    EXPECT(t, !rwsem_is_locked(&s));
}

static const struct selftest_case cases[] = {
    {"a spinlock lets one hart in", spinlock_excludes},
    {"trylock fails when held", trylock_fails_when_held},
    {"a mutex lets one thread in, though it sleeps", mutex_excludes},
    {"an rwsem lets in readers or a writer", rwsem_excludes},
    {"an rwsem lets readers share", readers_share},
    {"an rwsem tried without waiting", rwsem_try},
};
struct selftest_suite selftest_lock = SELFTEST_SUITE("lock", cases);
