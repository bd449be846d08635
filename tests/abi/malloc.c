/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - eight threads that use the C library's malloc for all it offers.
 *
 *      thread n        owns SLOTS blocks; at random allocates, grows, shrinks, frees
 *      the exchange    slots where any thread leaves a block and takes what another left there,
 *                      so that much of what one thread allocates is freed by another
 *
 *      block:  | size | owner's stamp | bytes that follow from the stamp ............ |
 *
 * Each block is looked at before it is given back or moved. Some are big enough to be mappings of
 * their own. glibc gives each thread an arena, which it grows by mprotect(), and takes a second
 * heap for it when 64 MiB do not do; musl maps groups of slots. Both must find their memory as
 * they left it, and what calloc() returns must be zero, also when it was used before.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "abi.h"

enum { THREADS = 8, SLOTS = 64, STEPS = 800, SHARED = 32, LARGE = 200 * 1024 };

struct block {
    size_t size; /* of the whole, this head too */
    uint64_t stamp;
    unsigned char bytes[];
};

struct worker {
    uint64_t state;
    struct block *slots[SLOTS];
    unsigned long allocated, exchanged;
};

static atomic_uint torn, unaligned, dirty, refused;
static _Atomic(struct block *) exchange[SHARED];

static uint64_t rnd(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return z ^ (z >> 27);
}

/* Mostly small, some of pages, a few that are mappings of their own. */
static size_t some_size(uint64_t *state)
{
    uint64_t kind = rnd(state) % 32;
    size_t most = kind == 0 ? LARGE : kind < 4 ? 16384 : 400;
    return sizeof(struct block) + 1 + rnd(state) % most;
}

/* The byte at @i of a block with that stamp; only every 61st is looked at, and the last. */
static unsigned char byte_at(uint64_t stamp, size_t i)
{
    return (unsigned char)(stamp + i * 7);
}

static void fill(struct block *b, size_t size, uint64_t stamp)
{
    size_t n = size - sizeof(*b);
    b->size = size;
    b->stamp = stamp;
    for (size_t i = 0; i < n; i += 61)
        b->bytes[i] = byte_at(stamp, i);
    b->bytes[n - 1] = byte_at(stamp, n - 1);
}

/* Are the first @size bytes as fill() left them? */
static void look(const struct block *b, size_t size)
{
    size_t n = size - sizeof(*b), last = b->size - sizeof(*b) - 1;
    for (size_t i = 0; i < n; i += 61)
        torn += b->bytes[i] != byte_at(b->stamp, i) && i != last;
    if (size == b->size)
        torn += b->bytes[last] != byte_at(b->stamp, last);
}

static struct block *allocate(struct worker *w)
{
    size_t size = some_size(&w->state), align = 16;
    struct block *b = NULL;
    switch (rnd(&w->state) % 4) {
    case 0:
        b = calloc(1, size);
        for (size_t i = 0; b && i < size; i++)
            dirty += ((unsigned char *)b)[i] != 0;
        break;
    case 1:
        align = 16UL << rnd(&w->state) % 9;
        if (posix_memalign((void **)&b, align, size))
            b = NULL;
        break;
    default:
        b = malloc(size);
    }
    if (!b) {
        refused++;
        return NULL;
    }
    unaligned += (uintptr_t)b % align != 0;
    unaligned += malloc_usable_size(b) < size;
    fill(b, size, rnd(&w->state));
    w->allocated++;
    return b;
}

static void release(struct block *b)
{
    if (b)
        look(b, b->size);
    free(b);
}

static struct block *resize(struct worker *w, struct block *b)
{
    size_t old = b->size, size = some_size(&w->state);
    look(b, old);
    b = realloc(b, size);
    if (!b) {
        refused++;
        return NULL;
    }
    look(b, old < size ? old : size);
    fill(b, size, rnd(&w->state));
    return b;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    for (int step = 0; step < STEPS; step++) {
        struct block **slot = &w->slots[rnd(&w->state) % SLOTS];
        switch (rnd(&w->state) % 4) {
        case 0:
            *slot = atomic_exchange(&exchange[rnd(&w->state) % SHARED], *slot);
            w->exchanged += *slot != NULL;
            break;
        case 1:
            *slot = *slot ? resize(w, *slot) : allocate(w);
            break;
        default:
            release(*slot);
            *slot = allocate(w);
        }
    }
    for (int i = 0; i < SLOTS; i++)
        release(w->slots[i]);
    return NULL;
}

/* What no memory can hold is refused, and nothing is lost by it. */
static void refuse(void)
{
    volatile size_t most = SIZE_MAX;
    char *p = malloc(100), *q;
    CHECK(p != NULL);
    strcpy(p, "kept");
    errno = 0;
    CHECK(malloc(most) == NULL && errno == ENOMEM);
    CHECK(calloc(most / 2, 3) == NULL && errno == ENOMEM);
    CHECK(malloc(1UL << 40) == NULL && errno == ENOMEM);
    q = realloc(p, most / 2 + 1);
    CHECK(q == NULL);
    if (!q) {
        CHECK(!strcmp(p, "kept"));
        free(p);
    }
    p = aligned_alloc(1 << 20, 1 << 20);
    CHECK(p && (uintptr_t)p % (1 << 20) == 0);
    memset(p, 1, 1 << 20);
    free(p);
}

int main(void)
{
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    unsigned long allocated = 0, exchanged = 0;
    refuse();
    for (int i = 0; i < THREADS; i++) {
        workers[i].state = (uint64_t)i + 1;
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        allocated += workers[i].allocated;
        exchanged += workers[i].exchanged;
    }
    for (int i = 0; i < SHARED; i++)
        release(exchange[i]);
    CHECK(torn == 0);
    CHECK(dirty == 0);
    CHECK(unaligned == 0);
    CHECK(refused == 0);
    CHECK(allocated > THREADS * STEPS / 3);
    CHECK(exchanged > THREADS * STEPS / 10);
    return report("malloc");
}
