/* SPDX-License-Identifier: MIT */
/*
 * threads.c - bench's rows of threads: faults side by side, waking each other, malloc.
 *
 * With one hart the threads take turns, and a row tells what they cost together for each step;
 * with several it shows whether they hold each other up.
 */
#include "../lib/guest.h"
#include "rows.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CROWD 4

/* Run @work in @count threads, each with its number. False when they cannot be made. */
static bool run_threads(unsigned count, void *(*work)(void *))
{
    pthread_t threads[CROWD];
    unsigned made = 0;
    while (made < count && !pthread_create(&threads[made], NULL, work, (void *)(uintptr_t)made))
        made++;
    for (unsigned i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
    return made == count;
}

/* --- touching --------------------------------------------------------------------------------- */

#define SHARE (4 * MIB)

static char *touched;

static void *touch_share(void *number)
{
    touch_pages(touched + (uintptr_t)number * SHARE, SHARE);
    return NULL;
}

static double parallel_touch(void)
{
    touched = guest_map("bench", CROWD * SHARE);
    uint64_t start = ticks();
    bool ran = run_threads(CROWD, touch_share);
    double ns = since(start, (double)(CROWD * SHARE / GUEST_PAGE));
    munmap(touched, CROWD * SHARE);
    return ran ? ns : -1;
}

/* --- a ball that two throw to each other ------------------------------------------------------ */

#define THROWS 2000

static _Atomic uint32_t ball;

static void *play(void *number)
{
    uint32_t mine = (uint32_t)(uintptr_t)number;
    for (int i = 0; i < THROWS; i++) {
        uint32_t seen;
        while ((seen = atomic_load(&ball)) % 2 != mine)
            syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, seen, NULL);
        atomic_fetch_add(&ball, 1);
        syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1);
    }
    return NULL;
}

static double futex_ping(void)
{
    atomic_store(&ball, 0);
    uint64_t start = ticks();
    return run_threads(2, play) ? since(start, THROWS) : -1;
}

/* --- malloc ----------------------------------------------------------------------------------- */

#define PAIRS 20000
#define HELD 64 /* blocks that a thread has at a time */

static void *allocate(void *number)
{
    uint64_t state = (uintptr_t)number + 1;
    void *held[HELD] = {NULL};
    for (int i = 0; i < PAIRS; i++) {
        uint64_t dice = guest_random(&state);
        void **place = &held[dice % HELD];
        free(*place);
        *place = malloc(16UL << (dice >> 32) % 8);
    }
    for (int i = 0; i < HELD; i++)
        free(held[i]);
    return NULL;
}

static double malloc_by(unsigned threads)
{
    uint64_t start = ticks();
    return run_threads(threads, allocate) ? since(start, (double)threads * PAIRS) : -1;
}

static double malloc_alone(void)
{
    return malloc_by(1);
}

static double malloc_together(void)
{
    return malloc_by(CROWD);
}

const struct row rows_of_threads[] = {
    {"parallel-touch-4", parallel_touch},
    {"futex-ping", futex_ping},
    {"malloc-free", malloc_alone},
    {"malloc-free-4", malloc_together},
    {NULL, NULL},
};
