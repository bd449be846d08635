/* SPDX-License-Identifier: MIT */
/*
 * parallel.c - threads that fault in one address space while others map, unmap, protect and fork.
 *
 *      threads 0..3    map, fill, read back, give back, unmap: each its own ranges
 *      thread 4        flips the protection of pages that it writes between
 *      thread 5        forks; the child finds every page as it was, and changes it for itself
 *      threads 6, 7    one maps and unmaps a range, the other runs into it and is caught
 *
 * Then four threads use malloc at once: every block keeps its stamp.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

enum { FILLERS = 4, ROUNDS = 60, PAGES = 40, PAGE = 4096, BLOCKS = 64 };

static atomic_int wrong, working;
static char *const contested = (char *)0x1000000000; /* far from where mappings are put */

static void *start(int prot, size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    wrong += p == MAP_FAILED;
    return p;
}

static void *fill(void *arg)
{
    char me = (char)(intptr_t)arg;
    for (int round = 0; round < ROUNDS; round++) {
        char *p = start(PROT_READ | PROT_WRITE, PAGES);
        for (int i = 0; i < PAGES; i++)
            p[i * PAGE] = (char)(me + i);
        for (int i = 0; i < PAGES; i++)
            wrong += p[i * PAGE] != (char)(me + i);
        wrong += madvise(p, PAGES / 2 * PAGE, MADV_DONTNEED) != 0;
        for (int i = 0; i < PAGES; i++)
            wrong += p[i * PAGE] != (i < PAGES / 2 ? 0 : (char)(me + i));
        p = mremap(p, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
        wrong += p == MAP_FAILED || p[(PAGES - 1) * PAGE] != (char)(me + PAGES - 1);
        wrong += p[(2 * PAGES - 1) * PAGE] != 0;
        wrong += munmap(p, 2 * PAGES * PAGE) != 0;
    }
    working--;
    return NULL;
}

static void *protect(void *arg)
{
    char *p = start(PROT_READ | PROT_WRITE, PAGES);
    for (int round = 0; working; round++) {
        char *page = p + round % PAGES * PAGE;
        *page = (char)round;
        wrong += mprotect(page, PAGE, PROT_READ) != 0 || *page != (char)round;
        wrong += mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0;
        *page = (char)(round + 1);
        wrong += *page != (char)(round + 1);
    }
    return arg;
}

/* In the child, which is alone: 0 when its memory is as its parent's was. */
static int look_at_copy(char *p)
{
    for (int i = 0; i < PAGES; i++) {
        if (p[i * PAGE] != (char)i)
            return 1;
        p[i * PAGE] = 99;
    }
    return 0;
}

static void *fork_often(void *arg)
{
    char *p = start(PROT_READ | PROT_WRITE, PAGES);
    for (int i = 0; i < PAGES; i++)
        p[i * PAGE] = (char)i;
    for (int round = 0; round < 12; round++) {
        int status;
        pid_t pid = fork();
        if (!pid)
            _exit(look_at_copy(p));
        wrong += waitpid(pid, &status, 0) != pid || status != 0;
        for (int i = 0; i < PAGES; i++)
            wrong += p[i * PAGE] != (char)i;
    }
    return arg;
}

static void *come_and_go(void *arg)
{
    while (working) {
        wrong += mmap(contested, PAGES * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != contested;
        wrong += munmap(contested, PAGES * PAGE) != 0;
    }
    return arg;
}

static void *run_into_it(void *arg)
{
    int there = 0, gone = 0;
    while (working || !gone)
        *(faults(contested + (there + gone) % PAGES * PAGE, 1) ? &gone : &there) += 1;
    (void)there; /* how often depends on the machine */
    return arg;
}

static void *use_malloc(void *arg)
{
    unsigned seed = 17 + (unsigned)(intptr_t)arg, sizes[BLOCKS] = {0};
    unsigned char *blocks[BLOCKS] = {0};
    for (int i = 0; i < 6000; i++) {
        unsigned k = (unsigned)rand_r(&seed) % BLOCKS;
        unsigned char stamp = (unsigned char)(seed >> 8), *old = blocks[k];
        wrong += old && (old[1] != old[0] || old[sizes[k] - 1] != old[0]);
        sizes[k] = 2 + (unsigned)rand_r(&seed) % (i % 50 ? 3000 : 200000);
        if (i % 3 == 0 || !old) {
            free(old);
            old = malloc(sizes[k]);
        } else {
            old = realloc(old, sizes[k]);
        }
        wrong += !old;
        blocks[k] = old;
        memset(old, stamp, sizes[k]);
    }
    for (int k = 0; k < BLOCKS; k++)
        free(blocks[k]);
    return arg;
}

static void run(int n, void *(*const work[])(void *))
{
    pthread_t threads[8];
    for (int i = 0; i < n; i++)
        CHECK(!pthread_create(&threads[i], NULL, work[i], (void *)(intptr_t)i));
    for (int i = 0; i < n; i++)
        CHECK(!pthread_join(threads[i], NULL));
    CHECK(wrong == 0);
}

int main(void)
{
    working = FILLERS;
    run(8, (void *(*const[])(void *)){fill, fill, fill, fill, protect, fork_often, come_and_go,
                                      run_into_it});
    run(4, (void *(*const[])(void *)){use_malloc, use_malloc, use_malloc, use_malloc});
    return report("parallel");
}
