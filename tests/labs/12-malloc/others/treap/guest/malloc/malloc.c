/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - everything in terms of two moves: a stretch of bytes becomes free, a stretch becomes a
 * chunk in use. What lies around it is looked at there and nowhere else.
 */
#include "malloc/heap.h"

#include <string.h>

#include "malloc/bins.h"

static struct heap heap;

static size_t up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

void heap_begin(const struct heap_system *system)
{
    bins_begin();
    heap.system = system;
    heap.first = heap.top = NULL;
    heap.mmap_threshold = MMAP_THRESHOLD;
    heap.trim_threshold = TRIM_THRESHOLD;
}

const struct heap *heap_look(void)
{
    return &heap;
}

/* The @size bytes from @c on, whose head tells of the chunk before, are the heap's last. */
static void make_top(struct chunk *c, size_t size)
{
    heap.top = c;
    c->head = size | PREV_INUSE;
    if (size < heap.trim_threshold)
        return;
    size_t keep = up(TOP_PAD + CHUNK_MIN, CHUNK_ALIGN),
           back = (size - keep) / HEAP_PAGE * HEAP_PAGE;
    if (back && heap.system->grow(-(intptr_t)back))
        c->head -= back;
}

/* The @size bytes from @c on are free; no neighbour is. */
static void make_free(struct chunk *c, size_t size)
{
    c->head = size | PREV_INUSE;
    chunk_at(c, size)->prev_size = size;
    chunk_at(c, size)->head &= ~PREV_INUSE;
    bins_put(c);
}

/* The @size bytes from @c on are not used any more; whatever is behind them is a chunk. */
static void let_go(struct chunk *c, size_t size)
{
    struct chunk *behind = chunk_at(c, size);
    if (!prev_in_use(c)) {
        size += c->prev_size;
        c = prev_chunk(c);
        bins_remove(c);
    }
    if (behind == heap.top) {
        make_top(c, size + chunk_size(behind));
    } else if (!in_use(behind)) {
        bins_remove(behind);
        make_free(c, size + chunk_size(behind));
    } else {
        make_free(c, size);
    }
}

/*
 * Of the @have bytes from @c on, which are in no bin, the first @size are in use. What is behind
 * them is in use too.
 */
static struct chunk *occupy(struct chunk *c, size_t have, size_t size)
{
    size_t left = have - size;
    if (left < CHUNK_MIN) {
        c->head = have | PREV_INUSE;
        chunk_at(c, have)->head |= PREV_INUSE;
        return c;
    }
    c->head = size | PREV_INUSE;
    make_free(chunk_at(c, size), left);
    return c;
}

/* From the top, which grows if it must and @may_grow. */
static struct chunk *from_top(size_t size, bool may_grow)
{
    struct chunk *c = heap.top;
    size_t have = c ? chunk_size(c) : 0;
    if (have < size + CHUNK_MIN) {
        size_t more = up(size + CHUNK_MIN + TOP_PAD - have, HEAP_PAGE);
        void *brk = may_grow ? heap.system->grow((intptr_t)more) : NULL;
        if (!brk)
            return NULL;
        if (!c)
            c = heap.first = brk;
        have += more;
    }
    c->head = size | PREV_INUSE;
    heap.top = chunk_at(c, size);
    heap.top->head = (have - size) | PREV_INUSE;
    return c;
}

static struct chunk *from_system(size_t request)
{
    size_t size = up(request + CHUNK_HEAD, HEAP_PAGE);
    struct chunk *c = heap.system->map(size);
    if (c) {
        c->prev_size = 0;
        c->head = size | IS_MMAPPED;
    }
    return c;
}

static size_t needed(size_t request)
{
    size_t size = up(request + CHUNK_TAG, CHUNK_ALIGN);
    return size > CHUNK_MIN ? size : CHUNK_MIN;
}

void *heap_malloc(size_t request)
{
    if (request > REQUEST_MOST)
        return NULL;
    size_t size = needed(request);
    struct chunk *c = bins_take(size);
    if (c)
        return mem_of(occupy(c, chunk_size(c), size));
    c = from_top(size, size < heap.mmap_threshold);
    if (!c && size >= heap.mmap_threshold) {
        c = from_system(request);
        if (!c)
            c = from_top(size, true);
    }
    return c ? mem_of(c) : NULL;
}

void *heap_calloc(size_t n, size_t each)
{
    if (each && n > REQUEST_MOST / each)
        return NULL;
    void *mem = heap_malloc(n * each);
    return !mem || is_mmapped(chunk_of(mem)) ? mem : memset(mem, 0, n * each);
}

void heap_free(void *mem)
{
    if (!mem)
        return;
    struct chunk *c = chunk_of(mem);
    size_t size = chunk_size(c);
    if (!is_mmapped(c)) {
        let_go(c, size);
        return;
    }
    if (heap.mmap_threshold < size && size <= MMAP_THRESHOLD_MAX) {
        heap.mmap_threshold = size;
        heap.trim_threshold = size * 2;
    }
    heap.system->unmap(c, size);
}

size_t heap_usable_size(void *mem)
{
    if (!mem)
        return 0;
    size_t size = chunk_size(chunk_of(mem));
    return is_mmapped(chunk_of(mem)) ? size - CHUNK_HEAD : size - CHUNK_TAG;
}

/* A mapping with another size; NULL when the system does not want to. */
static struct chunk *stretch(struct chunk *c, size_t request)
{
    size_t size = up(request + CHUNK_HEAD, HEAP_PAGE);
    if (size == chunk_size(c))
        return c;
    c = heap.system->remap(c, chunk_size(c), size);
    if (c)
        c->head = size | IS_MMAPPED;
    return c;
}

/* The same chunk with at least @size bytes, or NULL. */
static struct chunk *fit(struct chunk *c, size_t size)
{
    size_t have = chunk_size(c);
    struct chunk *behind = next_chunk(c);
    if (have < size && behind == heap.top) {
        if (!from_top(size - have, false))
            return NULL;
        set_chunk_size(c, size);
    } else if (have < size) {
        if (in_use(behind) || have + chunk_size(behind) < size)
            return NULL;
        bins_remove(behind);
        set_chunk_size(c, have + chunk_size(behind));
        next_chunk(c)->head |= PREV_INUSE;
    }
    size_t left = chunk_size(c) - size;
    if (left >= CHUNK_MIN) {
        set_chunk_size(c, size);
        next_chunk(c)->head = left | PREV_INUSE;
        let_go(next_chunk(c), left);
    }
    return c;
}

void *heap_realloc(void *mem, size_t request)
{
    if (!mem || !request) {
        heap_free(mem);
        return mem ? NULL : heap_malloc(request);
    }
    if (request > REQUEST_MOST)
        return NULL;
    struct chunk *c = chunk_of(mem);
    c = is_mmapped(c) ? stretch(c, request) : fit(c, needed(request));
    if (c)
        return mem_of(c);
    void *to = heap_malloc(request);
    if (to) {
        size_t had = heap_usable_size(mem);
        memcpy(to, mem, had < request ? had : request);
        heap_free(mem);
    }
    return to;
}
