/* SPDX-License-Identifier: MIT */
/*
 * threads.c - what programs build from clone() and futex(), as POSIX promises it.
 *
 *      one counter     mutexes of three kinds, a spinlock, a rwlock, a semaphore: nothing is lost
 *      a ring          a bounded buffer with two conditions: all that goes in comes out, in order
 *      rounds          a barrier: nobody is a round ahead
 *      ends            join, detach, exit with a value, cancel in a wait, keys
 *      deaths          a robust mutex whose owner ended, in this process and in a child
 *      times           what waits until a time gives up then, and not before
 *
 * Both C libraries build this in their own ways, so it runs with each.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

enum { THREADS = 6, TIMES = 400, ITEMS = 1500, ROOM = 7, ROUNDS = 100 };

static void *const done = (void *)0x600d;

/* --- one counter, guarded in each way --------------------------------------------------------- */

static struct guarded {
    pthread_mutex_t mutex;
    pthread_spinlock_t spin;
    pthread_rwlock_t rw;
    sem_t sem;
    long by_mutex, by_spin, by_rw, by_sem;
    atomic_int torn; /* a reader saw a writer at work */
} shared;

static void *count(void *arg)
{
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&shared.mutex);
        shared.by_mutex++;
        pthread_mutex_unlock(&shared.mutex);
        pthread_spin_lock(&shared.spin);
        shared.by_spin++;
        pthread_spin_unlock(&shared.spin);
        sem_wait(&shared.sem);
        shared.by_sem++;
        sem_post(&shared.sem);
        if (i % 4) {
            pthread_rwlock_rdlock(&shared.rw);
            shared.torn += *(volatile long *)&shared.by_rw % 2 != 0;
            pthread_rwlock_unlock(&shared.rw);
        } else {
            pthread_rwlock_wrlock(&shared.rw);
            shared.by_rw++;
            if (i % 16 == 0)
                sched_yield();
            shared.by_rw++;
            pthread_rwlock_unlock(&shared.rw);
        }
    }
    return arg;
}

static void count_with(int type)
{
    pthread_t threads[THREADS];
    pthread_mutexattr_t attr;
    memset(&shared, 0, sizeof(shared));
    pthread_mutexattr_init(&attr);
    CHECK(pthread_mutexattr_settype(&attr, type) == 0);
    CHECK(pthread_mutex_init(&shared.mutex, &attr) == 0);
    CHECK(pthread_spin_init(&shared.spin, 0) == 0);
    CHECK(pthread_rwlock_init(&shared.rw, NULL) == 0);
    CHECK(sem_init(&shared.sem, 0, 1) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count, done) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *value = NULL;
        CHECK(pthread_join(threads[i], &value) == 0 && value == done);
    }
    CHECK(shared.by_mutex == THREADS * TIMES);
    CHECK(shared.by_spin == THREADS * TIMES);
    CHECK(shared.by_sem == THREADS * TIMES);
    CHECK(shared.by_rw == THREADS * TIMES / 2 && shared.torn == 0);
    pthread_mutexattr_destroy(&attr);
}

/* A mutex knows its owner: an error-checking one says so, a recursive one counts. */
static void kinds(void)
{
    pthread_mutex_t m;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attr);
    CHECK(pthread_mutex_unlock(&m) == EPERM);
    CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == EDEADLK);
    CHECK(pthread_mutex_trylock(&m) == EBUSY && pthread_mutex_unlock(&m) == 0);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attr);
    CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
    CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
    CHECK(pthread_mutex_unlock(&m) == EPERM);
}

/* --- a ring ----------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    long items[ROOM];
    unsigned long in, out;
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .not_empty = PTHREAD_COND_INITIALIZER,
          .not_full = PTHREAD_COND_INITIALIZER};

static void *produce(void *arg)
{
    for (long i = 1; i <= ITEMS; i++) {
        pthread_mutex_lock(&ring.mutex);
        while (ring.in - ring.out == ROOM)
            pthread_cond_wait(&ring.not_full, &ring.mutex);
        ring.items[ring.in++ % ROOM] = i;
        pthread_cond_signal(&ring.not_empty);
        pthread_mutex_unlock(&ring.mutex);
    }
    return arg;
}

static void pass_on(void)
{
    pthread_t threads[2];
    long sum = 0;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, produce, NULL);
    for (int i = 0; i < 2 * ITEMS; i++) {
        pthread_mutex_lock(&ring.mutex);
        while (ring.in == ring.out)
            pthread_cond_wait(&ring.not_empty, &ring.mutex);
        sum += ring.items[ring.out++ % ROOM];
        pthread_cond_broadcast(&ring.not_full);
        pthread_mutex_unlock(&ring.mutex);
    }
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(sum == (long)ITEMS * (ITEMS + 1));
    CHECK(ring.in == ring.out && ring.in == 2 * ITEMS);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static pthread_barrier_t barrier;
static atomic_int arrived, leaders, ahead;

static void *take_rounds(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        arrived++;
        leaders += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        ahead += arrived < THREADS * (round + 1);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void rounds(void)
{
    pthread_t threads[THREADS];
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_rounds, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(leaders == ROUNDS);
    CHECK(ahead == 0);
    CHECK(pthread_barrier_destroy(&barrier) == 0);
}

/* --- ends ------------------------------------------------------------------------------------- */

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int onces, destroyed, cleaned;
static _Thread_local int mine = 5;
static sem_t forever;

static void destroy(void *value)
{
    destroyed += value == done;
}

static void first_only(void)
{
    onces++;
}

static void clean(void *arg)
{
    cleaned += arg == done;
}

static void *end_with_key(void *arg)
{
    pthread_once(&once, first_only);
    pthread_setspecific(key, done);
    mine++;
    pthread_exit(mine == 6 ? arg : NULL);
}

static void *wait_for_ever(void *arg)
{
    pthread_cleanup_push(clean, done);
    sem_wait(&forever);
    pthread_cleanup_pop(0);
    return arg;
}

static void ends(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attr;
    void *value = NULL;
    CHECK(pthread_key_create(&key, destroy) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, end_with_key, done);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], &value) == 0 && value == done);
    CHECK(onces == 1 && destroyed == THREADS && mine == 5);
    CHECK(pthread_key_delete(key) == 0);
    sem_init(&forever, 0, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, wait_for_ever, NULL);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_cancel(threads[i]) == 0);
        CHECK(pthread_join(threads[i], &value) == 0 && value == PTHREAD_CANCELED);
    }
    CHECK(cleaned == THREADS);
    pthread_attr_init(&attr);
    CHECK(pthread_attr_setstacksize(&attr, 65536) == 0);
    CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    for (int i = 0; i < 50; i++)
        CHECK(pthread_create(&threads[0], &attr, count, NULL) == 0);
}

/* --- deaths ----------------------------------------------------------------------------------- */

static void *lock_and_end(void *mutex)
{
    return pthread_mutex_lock(mutex) ? NULL : done;
}

static void deaths(void)
{
    pthread_mutex_t *m =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attr;
    pthread_t thread;
    void *value = NULL;
    int status = 1;
    pthread_mutexattr_init(&attr);
    CHECK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(m, &attr) == 0);
    pthread_create(&thread, NULL, lock_and_end, m);
    CHECK(pthread_join(thread, &value) == 0 && value == done);
    CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(lock_and_end(m) != done);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(pthread_mutex_trylock(m) == EOWNERDEAD);
    CHECK(pthread_mutex_unlock(m) == 0); /* and not made consistent: it is of no use any more */
    CHECK(pthread_mutex_lock(m) == ENOTRECOVERABLE);
    munmap(m, 4096);
}

/* --- times ------------------------------------------------------------------------------------ */

static struct timespec in_20_ms(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += 20000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static int is_past(struct timespec at, clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec);
}

static void times(void)
{
    struct timespec at = in_20_ms(CLOCK_REALTIME);
    pthread_condattr_t attr;
    pthread_cond_t cond;
    CHECK(fails(sem_timedwait(&forever, &at), ETIMEDOUT) && is_past(at, CLOCK_REALTIME));
    pthread_mutex_lock(&ring.mutex);
    pthread_condattr_init(&attr);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&cond, &attr) == 0);
    at = in_20_ms(CLOCK_MONOTONIC);
    CHECK(pthread_cond_timedwait(&cond, &ring.mutex, &at) == ETIMEDOUT);
    CHECK(is_past(at, CLOCK_MONOTONIC));
    at.tv_nsec = -1;
    CHECK(pthread_cond_timedwait(&cond, &ring.mutex, &at) == EINVAL);
    CHECK(pthread_mutex_trylock(&ring.mutex) == EBUSY);
    pthread_mutex_unlock(&ring.mutex);
}

int main(void)
{
    count_with(PTHREAD_MUTEX_NORMAL);
    count_with(PTHREAD_MUTEX_RECURSIVE);
    count_with(PTHREAD_MUTEX_ERRORCHECK);
    kinds();
    pass_on();
    rounds();
    ends();
    deaths();
    times();
    return report("threads");
}
