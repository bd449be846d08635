/* SPDX-License-Identifier: MIT */
/*
 * fake.h - a system for the heap under test: a break in an array, mappings with a guard behind.
 *
 *      arena   | the heap ............ | poisoned: touching it is reported ......... |
 *              ^ arena.start           ^ arena.brk                             arena.end
 *
 * Memory that the break gives is full of rubbish, as it may be. All calls are counted, and each can
 * be made to fail.
 */
#ifndef FAKE_H
#define FAKE_H

#include "labs/wire/expect.h"

#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "malloc/bins.h"
#include "malloc/heap.h"

#define KIB 1024UL
#define MIB (1024 * KIB)
#define ARENA (256 * MIB)
#define MAPPINGS 64
#define RUBBISH 0xa5

static struct {
    char *start, *brk, *end;
    unsigned rises, falls, maps, unmaps, remaps; /* calls that did what was asked */
    bool no_grow, no_trim, no_map, no_remap;     /* refuse it */
    bool only_head;                              /* a mapping is touched in its first page only */
    unsigned refuse_one_in;                      /* at random, if not 0 */
    uint64_t random;
    struct {
        char *at;
        size_t size;
    } mapping[MAPPINGS];
    size_t mapped, peak;
} fake;

static inline uint64_t draw(void)
{
    fake.random = fake.random * 6364136223846793005UL + 1442695040888963407UL;
    return fake.random >> 33;
}

static inline bool refuses(bool always)
{
    return always || (fake.refuse_one_in && draw() % fake.refuse_one_in == 0);
}

static inline size_t held(void)
{
    return (size_t)(fake.brk - fake.start) + fake.mapped;
}

static inline void note_peak(void)
{
    if (held() > fake.peak)
        fake.peak = held();
}

static void *fake_grow(intptr_t by)
{
    char *old = fake.brk;
    expect_equal(by % (long)HEAP_PAGE, 0, "the break moves by whole pages; it was asked for %ld",
                 by);
    if (refuses(by < 0 ? fake.no_trim : fake.no_grow) || by > fake.end - old)
        return NULL;
    expect_true(by >= fake.start - old, "the break falls below the start of the heap");
    fake.brk += by;
    if (by > 0) {
        ASAN_UNPOISON_MEMORY_REGION(old, by);
        memset(old, RUBBISH, (size_t)by);
        fake.rises++;
    } else {
        ASAN_POISON_MEMORY_REGION(fake.brk, -by);
        fake.falls++;
    }
    note_peak();
    return old;
}

static inline unsigned find_mapping(const void *at)
{
    for (unsigned i = 0; i < MAPPINGS; i++) {
        if (fake.mapping[i].at == at)
            return i;
    }
    fail_msg("what is at %p was not mapped", at);
    return 0;
}

/* With a page behind it that cannot be touched. */
static char *new_mapping(size_t size)
{
    char *at = mmap(NULL, size + HEAP_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect_true(at != MAP_FAILED, "this host has memory for the test");
    mprotect(at, fake.only_head ? HEAP_PAGE : size, PROT_READ | PROT_WRITE);
    return at;
}

static void *fake_map(size_t size)
{
    expect_true(size && size % HEAP_PAGE == 0,
                "a mapping has whole pages; %zu bytes were asked for", size);
    if (refuses(fake.no_map) || size > ARENA)
        return NULL;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        if (fake.mapping[i].at)
            continue;
        fake.mapping[i].at = new_mapping(size);
        fake.mapping[i].size = size;
        fake.mapped += size;
        fake.maps++;
        note_peak();
        return fake.mapping[i].at;
    }
    return NULL;
}

static void fake_unmap(void *at, size_t size)
{
    unsigned i = find_mapping(at);
    expect_equal(size, fake.mapping[i].size, "bytes that are unmapped; so many were mapped");
    munmap(at, size + HEAP_PAGE);
    fake.mapping[i].at = NULL;
    fake.mapped -= size;
    fake.unmaps++;
}

/* It always moves. */
static void *fake_remap(void *at, size_t old_size, size_t new_size)
{
    unsigned i = find_mapping(at);
    expect_equal(old_size, fake.mapping[i].size, "the old size of what is remapped");
    expect_true(new_size && new_size % HEAP_PAGE == 0, "a mapping has whole pages, not %zu bytes",
                new_size);
    if (refuses(fake.no_remap) || new_size > ARENA)
        return NULL;
    char *to = new_mapping(new_size);
    memcpy(to, at, old_size < new_size ? old_size : new_size);
    munmap(at, old_size + HEAP_PAGE);
    fake.mapping[i].at = to;
    fake.mapping[i].size = new_size;
    fake.mapped += new_size - old_size;
    fake.remaps++;
    note_peak();
    return to;
}

static const struct heap_system fake_system = {fake_grow, fake_map, fake_unmap, fake_remap};

/* An empty heap on a fresh system. */
static int set_up(void **state)
{
    (void)state;
    char *start = fake.start;
    if (!start)
        start = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(&fake, 0, sizeof(fake));
    fake.start = fake.brk = start;
    fake.end = start + ARENA;
    fake.random = lab_seed();
    ASAN_POISON_MEMORY_REGION(start, ARENA);
    heap_begin(&fake_system);
    return 0;
}

/* The heap's invariants, and that it ends at the break. */
static inline void sound(void)
{
    const struct heap *heap = heap_look();
    const char *wrong = heap_check();
    expect_true(!wrong, "%s", wrong ? wrong : "");
    if (heap->top)
        expect_equal((char *)next_chunk(heap->top) - fake.start, fake.brk - fake.start,
                     "invariant 1: the top ends at the break (bytes from the start of the heap)");
}

static inline void *take(size_t request)
{
    char *mem = heap_malloc(request);
    expect_true(mem, "malloc(%zu) gives a block", request);
    expect_equal((uintptr_t)mem % CHUNK_ALIGN, 0, "address of malloc(%zu) modulo 16", request);
    return mem;
}

static inline bool in_heap(const void *mem)
{
    return (const char *)mem >= fake.start && (const char *)mem < fake.brk;
}

static inline void fill(void *mem, size_t size, unsigned tag)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)mem)[i] = (unsigned char)(tag + i * 7);
}

/* How many bytes from the start on are what fill() wrote. */
static inline size_t intact(const void *mem, size_t size, unsigned tag)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)mem)[i] == (unsigned char)(tag + i * 7))
        i++;
    return i;
}

static inline void count_one(struct chunk *c, void *context)
{
    (void)c;
    ++*(size_t *)context;
}

static inline size_t chunks_kept(void)
{
    size_t n = 0;
    bins_each(count_one, &n);
    return n;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

#endif
