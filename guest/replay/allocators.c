/* SPDX-License-Identifier: MIT */
/*
 * allocators.c - what a trace can be replayed with: glibc's malloc, ours, one that does nothing.
 *
 * The last one hands out the same memory each time. What a replay with it takes is what replaying
 * itself takes, and is subtracted from what the others take.
 */
#define _GNU_SOURCE /* mremap */
#include "replay.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "malloc/heap.h"

/* --- glibc's ---------------------------------------------------------------------------------- */

/* The C library itself has taken something before main(). */
static const char *glibc_begin(const struct trace *trace)
{
    (void)trace;
    return (const char *)sbrk(0) - mallinfo2().arena;
}

static size_t glibc_mapped(void)
{
    return mallinfo2().hblkhd;
}

static const char *no_check(void)
{
    return NULL;
}

const struct allocator glibc = {"glibc", glibc_begin,  malloc,  realloc,
                                free,    glibc_mapped, no_check};

/* --- ours, on Linux's calls ------------------------------------------------------------------- */

static size_t ours_held; /* in mappings */

static void *grow(intptr_t by)
{
    void *at = sbrk(by);
    return at == (void *)-1 ? NULL : at;
}

static void *map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    ours_held += size;
    return at;
}

static void unmap(void *at, size_t size)
{
    if (!munmap(at, size))
        ours_held -= size;
}

static void *remap(void *at, size_t old_size, size_t new_size)
{
    at = mremap(at, old_size, new_size, MREMAP_MAYMOVE);
    if (at == MAP_FAILED)
        return NULL;
    ours_held += new_size - old_size;
    return at;
}

static const char *ours_begin(const struct trace *trace)
{
    static const struct heap_system linux_calls = {grow, map, unmap, remap};
    (void)trace;
    if ((uintptr_t)sbrk(0) % CHUNK_ALIGN)
        sbrk((intptr_t)(CHUNK_ALIGN - (uintptr_t)sbrk(0) % CHUNK_ALIGN));
    heap_begin(&linux_calls);
    return sbrk(0);
}

static size_t ours_mapped(void)
{
    return ours_held;
}

const struct allocator ours = {"ours",    ours_begin,  heap_malloc, heap_realloc,
                               heap_free, ours_mapped, heap_check};

/* --- nothing ---------------------------------------------------------------------------------- */

static char *same;

static const char *nothing_begin(const struct trace *trace)
{
    same = guest_map("traces", trace->largest);
    for (size_t i = 0; i < trace->largest; i += GUEST_PAGE)
        same[i] = 1;
    return sbrk(0);
}

static void *nothing_malloc(size_t size)
{
    (void)size;
    return same;
}

static void *nothing_realloc(void *mem, size_t size)
{
    (void)size;
    return mem;
}

static void nothing_free(void *mem)
{
    (void)mem;
}

static size_t nothing_mapped(void)
{
    return 0;
}

const struct allocator nothing = {"nothing",    nothing_begin,  nothing_malloc, nothing_realloc,
                                  nothing_free, nothing_mapped, no_check};
