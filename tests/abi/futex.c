/* SPDX-License-Identifier: MIT */
/*
 * futex.c - all commands of futex(), between threads and processes, and what becomes of locks whose
 * owner ends; then glibc's locks that are made of them.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static long futex(void *addr, int op, unsigned v, const void *time, void *addr2, unsigned v3)
{
    return syscall(SYS_futex, addr, op, v, time, addr2, v3);
}

static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * MS;
    t.tv_sec += t.tv_nsec / (1000 * MS);
    t.tv_nsec %= 1000 * MS;
    return t;
}

static void *shared_page(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void results(void)
{
    unsigned w[2] = {5, 0};
    struct timespec ms = {0, 5 * MS}, bad = {0, 1000 * MS}, mono = in_ms(CLOCK_MONOTONIC, 5),
                    real = in_ms(CLOCK_REALTIME, 5);
    CHECK(fails(futex(w, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN));
    CHECK(fails(futex(w, FUTEX_WAIT_PRIVATE, 5, &ms, NULL, 0), ETIMEDOUT));
    CHECK(fails(futex(w, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL));
    CHECK(fails(futex(w, FUTEX_WAIT_BITSET, 5, &mono, NULL, 1), ETIMEDOUT));
    CHECK(fails(futex(w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &real, NULL, 1), ETIMEDOUT));
    CHECK(fails(futex(w, FUTEX_WAIT_BITSET, 5, &mono, NULL, 0), EINVAL));
    CHECK(fails(futex(w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS));
    CHECK(fails(futex((char *)w + 1, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL));
    CHECK(fails(futex((void *)4096, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT));
    CHECK(fails(futex(w, 77, 0, NULL, NULL, 0), ENOSYS));
    CHECK(futex(w, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
    CHECK(fails(futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, w + 1, 6), EAGAIN));
    CHECK(futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, w + 1, 5) == 0);
    w[1] = 3; /* += 2, and compare what it was */
    unsigned op = FUTEX_OP(FUTEX_OP_ADD, 2, FUTEX_OP_CMP_EQ, 3);
    CHECK(futex(w, FUTEX_WAKE_OP, 1, (void *)1, w + 1, op) == 0 && w[1] == 5);
    op = FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_LT, 0);
    CHECK(futex(w, FUTEX_WAKE_OP, 1, (void *)1, w + 1, op) == 0 && w[1] == 21);
    op = FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_GE, 0);
    CHECK(futex(w, FUTEX_WAKE_OP, 1, (void *)1, w + 1, op) == 0 && w[1] == 20);
}

/* --- threads that wait ------------------------------------------------------------------------ */

static unsigned a_word, b_word;
static volatile int awake;

static void *wait_bits(void *bits)
{
    futex(&a_word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (unsigned)(uintptr_t)bits);
    __atomic_fetch_add(&awake, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* n threads that sleep at a_word. */
static void sleepers(pthread_t *threads, int n)
{
    awake = 0;
    for (int i = 0; i < n; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_bits, (void *)(1UL << i)) == 0);
    usleep(100000);
}

static void wait_awake(int n)
{
    for (int i = 0; i < 2000 && awake < n; i++)
        usleep(1000);
    CHECK(awake == n);
}

static void waking(void)
{
    pthread_t t[4];
    sleepers(t, 4);
    CHECK(futex(&a_word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 4) == 1);
    wait_awake(1);
    CHECK(futex(&a_word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &b_word, 0) == 2);
    wait_awake(2);
    CHECK(futex(&b_word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1);
    wait_awake(3);
    unsigned op = FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0);
    CHECK(futex(&a_word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b_word, op) == 1 && b_word == 7);
    wait_awake(4);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

/* --- processes, by what is mapped ------------------------------------------------------------- */

static void across_processes(void)
{
    int fd = memfd_create("futex", 0), status;
    CHECK(ftruncate(fd, 8192) == 0);
    unsigned *here = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t child = fork();
    if (!child) {
        unsigned *there = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
        struct timespec s = {5, 0};
        here[0] = 1;
        long r = futex(there + 3, FUTEX_WAIT, 0, &s, NULL, 0);
        _exit(r == 0 || errno == EAGAIN ? 0 : 1);
    }
    while (!*(volatile unsigned *)here)
        usleep(1000);
    usleep(50000);
    CHECK(futex(here + 1024 + 3, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
    CHECK(futex(here + 1024 + 3, FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    munmap(here, 8192);
    close(fd);
}

/* --- locks with an owner ---------------------------------------------------------------------- */

static unsigned pi;

static void *takes_pi(void *arg)
{
    long r = futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    int mine = r == 0 && (pi & FUTEX_TID_MASK) == (unsigned)gettid();
    awake++;
    if (arg) /* ends with it */
        return (void *)(long)mine;
    return (void *)(long)(mine && futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
}

static void owners(void)
{
    pthread_t t;
    void *mine;
    struct timespec soon = in_ms(CLOCK_REALTIME, 20), mono = in_ms(CLOCK_MONOTONIC, 20);
    CHECK(futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0 && pi == (unsigned)gettid());
    CHECK(fails(futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK));
    CHECK(fails(futex(&pi, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK));
    CHECK(futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0 && pi == 0);
    CHECK(fails(futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM));
    CHECK(futex(&pi, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    awake = 0;
    CHECK(pthread_create(&t, NULL, takes_pi, NULL) == 0);
    usleep(50000);
    CHECK(awake == 0 && pi == ((unsigned)gettid() | FUTEX_WAITERS));
    CHECK(fails(futex(&pi, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL));
    CHECK(futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    CHECK(pthread_join(t, &mine) == 0 && mine && pi == 0);
    /* an owner that ends without giving it back */
    CHECK(pthread_create(&t, NULL, takes_pi, (void *)1) == 0);
    CHECK(pthread_join(t, &mine) == 0 && mine);
    CHECK(fails(futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0), ESRCH));
    pi = (unsigned)getppid(); /* one that lives, but will not give it back */
    CHECK(fails(futex(&pi, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN) || errno == EPERM);
    pi = 0;
    (void)mono;
}

static void *holds_pi_a_while(void *arg)
{
    futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    awake = 1;
    usleep(100000);
    return arg; /* and ends with it */
}

static void owner_ends_waited_for(void)
{
    pthread_t t;
    struct timespec soon = in_ms(CLOCK_MONOTONIC, 20);
    awake = 0;
    CHECK(pthread_create(&t, NULL, holds_pi_a_while, NULL) == 0);
    wait_awake(1);
    CHECK(fails(futex(&pi, FUTEX_LOCK_PI2_PRIVATE, 0, &soon, NULL, 0), ETIMEDOUT));
    CHECK(futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    CHECK((pi & FUTEX_TID_MASK) == (unsigned)gettid() && (pi & FUTEX_OWNER_DIED));
    CHECK(futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    pthread_join(t, NULL);
    pi = 0;
}

static void *waits_for_both(void *arg)
{
    long r = futex(&a_word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &pi, 0);
    int mine = r == 0 && (pi & FUTEX_TID_MASK) == (unsigned)gettid();
    awake++;
    futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return mine ? arg : NULL;
}

static void requeue_to_lock(void)
{
    pthread_t t[3];
    void *mine;
    a_word = pi = awake = 0;
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&t[i], NULL, waits_for_both, t) == 0);
    usleep(100000);
    CHECK(fails(futex(&a_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)9, &pi, 0), EINVAL));
    CHECK(futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    CHECK(futex(&a_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9, &pi, 0) == 3);
    usleep(30000);
    CHECK(awake == 0);
    CHECK(futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], &mine) == 0 && mine);
    CHECK((pi & FUTEX_TID_MASK) == 0);
}

/* --- robust lists ----------------------------------------------------------------------------- */

static void hostile_lists(void)
{
    int status;
    for (int kind = 0; kind < 4; kind++) {
        if (!fork()) {
            static uint64_t ring[3], head[3];
            head[0] = kind == 0 ? (uint64_t)ring : kind == 1 ? 8 : kind == 2 ? UINT64_MAX - 7 : 1;
            ring[0] = (uint64_t)ring; /* never back at the head */
            head[1] = kind == 3 ? UINT64_MAX : 8;
            head[2] = kind == 2 ? 0xffffffff00000000 : 0;
            if (syscall(SYS_set_robust_list, head, 24))
                _exit(1);
            syscall(SYS_exit, 0);
        }
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(fails(syscall(SYS_set_robust_list, &status, 23), EINVAL));
}

/* A mutex in shared memory whose owner, another process, ends with it. */
static void owner_dies(int protocol)
{
    pthread_mutex_t *m = shared_page();
    pthread_mutexattr_t attr;
    int status;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    CHECK(pthread_mutexattr_setprotocol(&attr, protocol) == 0);
    CHECK(pthread_mutex_init(m, &attr) == 0);
    volatile int *locked = (volatile int *)m + 512;
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(m);
        *locked = 1;
        while (*locked == 1)
            usleep(1000);
        usleep(50000);
        kill(getpid(), SIGKILL);
    }
    while (!*locked)
        usleep(1000);
    CHECK(pthread_mutex_trylock(m) == EBUSY);
    *locked = 2;
    CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0);
    CHECK(pthread_mutex_lock(m) == 0 && pthread_mutex_unlock(m) == 0);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    munmap(m, 4096);
}

/* --- glibc's ---------------------------------------------------------------------------------- */

static pthread_mutex_t counter_lock;
static pthread_barrier_t barrier;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static long counter, turns;

static void *counts(void *arg)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&counter_lock);
        counter++;
        pthread_mutex_unlock(&counter_lock);
    }
    pthread_mutex_lock(&counter_lock);
    while (turns != (long)arg)
        pthread_cond_wait(&turn, &counter_lock);
    turns++;
    pthread_cond_broadcast(&turn);
    pthread_mutex_unlock(&counter_lock);
    return NULL;
}

static void exclusion(int protocol)
{
    pthread_t t[8];
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, protocol);
    CHECK(pthread_mutex_init(&counter_lock, &attr) == 0);
    CHECK(pthread_barrier_init(&barrier, NULL, 8) == 0);
    counter = turns = 0;
    for (long i = 0; i < 8; i++)
        CHECK(pthread_create(&t[i], NULL, counts, (void *)(7 - i)) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    CHECK(counter == 16000 && turns == 8);
}

static void unlock(void *m)
{
    pthread_mutex_unlock(m);
}

static void *waits_for_ever(void *arg)
{
    pthread_mutex_lock(&counter_lock);
    pthread_cleanup_push(unlock, &counter_lock);
    awake = 1;
    for (;;)
        pthread_cond_wait(&turn, &counter_lock);
    pthread_cleanup_pop(1);
    return arg;
}

static void cancelled(void)
{
    pthread_t t;
    void *result;
    awake = 0;
    CHECK(pthread_create(&t, NULL, waits_for_ever, NULL) == 0);
    wait_awake(1);
    CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(pthread_mutex_trylock(&counter_lock) == 0 && pthread_mutex_unlock(&counter_lock) == 0);
}

int main(void)
{
    results();
    waking();
    across_processes();
    owners();
    owner_ends_waited_for();
    requeue_to_lock();
    hostile_lists();
    owner_dies(PTHREAD_PRIO_NONE);
    owner_dies(PTHREAD_PRIO_INHERIT);
    exclusion(PTHREAD_PRIO_NONE);
    exclusion(PTHREAD_PRIO_INHERIT);
    cancelled();
    return report("futex");
}
