/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - a heap of chunks: taken from bins or from the top, joined again when they come back.
 *
 *      start of the heap                                        the break
 *      | used | free | used | used | free | used |      top        |   <-- grow: the break rises
 *             in bins              in bins         in no bin       |       trim: it falls
 *
 *      | used | free | used | used | free |        top             |   after the last was freed:
 *                                                                      it joined the top, and then
 *      | used | free | used | used |           top                 |   so did the free one
 *
 *      | used chunk of a megabyte |         somewhere else: a mapping of its own
 *
 * Invariants (heap_check() looks at them):
 *   1. The chunks lie side by side from heap.first to heap.top, which ends at the break.
 *   2. Behind a chunk in use the flag PREV_INUSE is set; behind a free one it is not, and
 *      prev_size is its size.
 *   3. No two free chunks are neighbours, and none borders the top.
 *   4. The bins keep each free chunk but the top, and nothing else.
 *   5. The top has at least CHUNK_MIN bytes, and PREV_INUSE.
 *
 * A large request gets a mapping of its own, which goes back whole when it is freed, whatever lies
 * around it. That costs two calls and a fault for each page, each time. So when a mapping is freed,
 * its size becomes the threshold: what comes and goes had better be in the heap.
 *
 * Locks: none, the heap belongs to one thread. glibc's counterpart: malloc/malloc.c: _int_malloc(),
 * sysmalloc(), _int_free(), systrim(), mremap_chunk(), _int_realloc().
 */
#include "malloc/heap.h"

#include <string.h>

#include "malloc/bins.h"

static struct heap heap;

static size_t whole_pages(size_t size)
{
    return (size + HEAP_PAGE - 1) & ~(HEAP_PAGE - 1);
}

void heap_begin(const struct heap_system *system)
{
    heap = (struct heap){
        .system = system, .mmap_threshold = MMAP_THRESHOLD, .trim_threshold = TRIM_THRESHOLD};
    bins_begin();
}

const struct heap *heap_look(void)
{
    return &heap;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* The size of a chunk of the heap for a request; 0 for more than REQUEST_MOST. */
static size_t size_for(size_t request)
{
    /* lab malloc: begin 3 */
    if (request > REQUEST_MOST)
        return 0;
    size_t size = (request + CHUNK_TAG + CHUNK_ALIGN - 1) & ~(CHUNK_ALIGN - 1);
    return size < CHUNK_MIN ? CHUNK_MIN : size;
    /* lab malloc: stub lab_missing("malloc", 3, request); */
    /* lab malloc: end */
}

/*
 * Leave @c, which is not the top, only its first @size bytes. The rest becomes a chunk that looks
 * as if it were in use, and is returned; NULL when it would be too small to be one.
 */
static struct chunk *cut(struct chunk *c, size_t size)
{
    /* lab malloc: begin 3 */
    size_t left = chunk_size(c) - size;
    if (left < CHUNK_MIN)
        return NULL;
    struct chunk *rest = chunk_at(c, size);
    set_chunk_size(c, size);
    rest->head = left | PREV_INUSE;
    return rest;
    /* lab malloc: stub lab_missing("malloc", 3, c, size); */
    /* lab malloc: end */
}

/* A chunk of @size bytes, in use, out of the smallest free one that has as many; or NULL. */
static struct chunk *take_from_bins(size_t size)
{
    /* lab malloc: begin 3 */
    struct chunk *c = bins_take(size);
    if (!c)
        return NULL;
    struct chunk *rest = cut(c, size);
    if (rest) {
        set_free(rest);
        bins_put(rest);
    } else {
        set_in_use(c);
    }
    return c;
    /* lab malloc: stub lab_missing("malloc", 3, size, cut); */
    /* lab malloc: end */
}

/* @size bytes off the lower end of the top; NULL when less than a chunk would be left of it. */
static struct chunk *take_from_top(size_t size)
{
    /* lab malloc: begin 3 */
    struct chunk *c = heap.top;
    if (!c || chunk_size(c) < size + CHUNK_MIN)
        return NULL;
    heap.top = chunk_at(c, size);
    heap.top->head = (chunk_size(c) - size) | PREV_INUSE;
    set_chunk_size(c, size);
    return c;
    /* lab malloc: stub lab_missing("malloc", 3, size); */
    /* lab malloc: end */
}

/* Have the break raised until take_from_top(@size) works, and by TOP_PAD more. */
static bool grow_top(size_t size)
{
    /* lab malloc: begin 3 */
    size_t have = heap.top ? chunk_size(heap.top) : 0;
    size_t by = whole_pages(size + CHUNK_MIN - have + TOP_PAD);
    void *end = heap.system->grow((intptr_t)by);
    if (!end)
        return false;
    if (!heap.top) {
        heap.first = heap.top = end;
        heap.top->head = PREV_INUSE;
    }
    set_chunk_size(heap.top, have + by);
    return true;
    /* lab malloc: stub lab_missing("malloc", 3, size, whole_pages); */
    /* lab malloc: end */
}

/* --- mappings --------------------------------------------------------------------------------- */

static size_t mapping_for(size_t request)
{
    return whole_pages(request + CHUNK_HEAD);
}

/* A chunk with a mapping of its own, or NULL. */
static struct chunk *map_chunk(size_t request)
{
    /* lab malloc: begin 5 */
    struct chunk *c = heap.system->map(mapping_for(request));
    if (!c)
        return NULL;
    c->prev_size = 0;
    c->head = mapping_for(request) | IS_MMAPPED;
    return c;
    /* lab malloc: stub lab_missing("malloc", 5, request, mapping_for); */
    /* lab malloc: end */
}

/* Give a mapping back, and learn from it: its size comes and goes. */
static void unmap_chunk(struct chunk *c)
{
    /* lab malloc: begin 5 */
    size_t size = chunk_size(c);
    if (size > heap.mmap_threshold && size <= MMAP_THRESHOLD_MAX) {
        heap.mmap_threshold = size;
        heap.trim_threshold = 2 * size;
    }
    heap.system->unmap(c, size);
    /* lab malloc: stub lab_missing("malloc", 5, c); */
    /* lab malloc: end */
}

/* The same mapping for another request, perhaps elsewhere; NULL when it must stay as it is. */
static struct chunk *remap_chunk(struct chunk *c, size_t request)
{
    /* lab malloc: begin 6 */
    size_t size = mapping_for(request);
    if (size == chunk_size(c))
        return c;
    c = heap.system->remap(c, chunk_size(c), size);
    if (c)
        set_chunk_size(c, size);
    return c;
    /* lab malloc: stub lab_missing("malloc", 6, c, request); */
    /* lab malloc: end */
}

/* --- malloc and calloc ------------------------------------------------------------------------ */

void *heap_malloc(size_t request)
{
    size_t size = size_for(request);
    if (!size)
        return NULL;
    struct chunk *c = take_from_bins(size);
    if (!c)
        c = take_from_top(size);
    if (!c && size >= heap.mmap_threshold)
        c = map_chunk(request);
    if (!c && grow_top(size))
        c = take_from_top(size);
    return c ? mem_of(c) : NULL;
}

void *heap_calloc(size_t n, size_t each)
{
    /* lab malloc: begin 5 */
    size_t request;
    if (__builtin_mul_overflow(n, each, &request))
        return NULL;
    void *mem = heap_malloc(request);
    if (mem && !is_mmapped(chunk_of(mem))) /* a fresh mapping is zero, and has no pages yet */
        memset(mem, 0, request);
    return mem;
    /* lab malloc: stub lab_missing("malloc", 5, n, each); */
    /* lab malloc: end */
}

/* --- giving back ------------------------------------------------------------------------------ */

/* Let the break fall when the top has become large: whole pages, all but TOP_PAD. */
static void trim_top(void)
{
    /* lab malloc: begin 4 */
    size_t size = chunk_size(heap.top);
    if (size < heap.trim_threshold)
        return;
    size_t back = (size - TOP_PAD - CHUNK_MIN) & ~(HEAP_PAGE - 1);
    if (heap.system->grow(-(intptr_t)back))
        set_chunk_size(heap.top, size - back);
    /* lab malloc: stub lab_missing("malloc", 4, heap.top); */
    /* lab malloc: end */
}

/* A chunk of the heap, in use until now, is free: it joins its neighbours that are. */
static void release(struct chunk *c)
{
    /* lab malloc: begin 4 */
    size_t size = chunk_size(c);
    struct chunk *next = next_chunk(c);
    if (!prev_in_use(c)) {
        c = prev_chunk(c);
        bins_remove(c);
        size += chunk_size(c);
    }
    if (next == heap.top) {
        set_chunk_size(c, size + chunk_size(next));
        heap.top = c;
        trim_top();
        return;
    }
    if (!in_use(next)) {
        bins_remove(next);
        size += chunk_size(next);
    }
    set_chunk_size(c, size);
    set_free(c);
    bins_put(c);
    /* lab malloc: stub lab_missing("malloc", 4, c, trim_top); */
    /* lab malloc: end */
}

void heap_free(void *mem)
{
    if (!mem)
        return;
    struct chunk *c = chunk_of(mem);
    if (is_mmapped(c))
        unmap_chunk(c);
    else
        release(c);
}

/* --- another size ----------------------------------------------------------------------------- */

size_t heap_usable_size(void *mem)
{
    if (!mem)
        return 0;
    struct chunk *c = chunk_of(mem);
    return chunk_size(c) - (is_mmapped(c) ? CHUNK_HEAD : CHUNK_TAG);
}

/* Let @c have at least @size bytes where it is, out of what is free behind it. */
static bool grow_in_place(struct chunk *c, size_t size)
{
    /* lab malloc: begin 6 */
    struct chunk *next = next_chunk(c);
    if (next == heap.top) {
        size_t more = size - chunk_size(c);
        if (!take_from_top(more) && !(grow_top(more) && take_from_top(more)))
            return false;
        set_chunk_size(c, size);
        return true;
    }
    if (in_use(next) || chunk_size(c) + chunk_size(next) < size)
        return false;
    bins_remove(next);
    set_chunk_size(c, chunk_size(c) + chunk_size(next));
    set_in_use(c);
    return true;
    /* lab malloc: stub lab_missing("malloc", 6, c, size); */
    /* lab malloc: end */
}

/* Give @c, of the heap and in use, @size bytes where it is; what it has over is free. */
static bool resize_in_place(struct chunk *c, size_t size)
{
    /* lab malloc: begin 6 */
    if (chunk_size(c) < size && !grow_in_place(c, size))
        return false;
    struct chunk *rest = cut(c, size);
    if (rest)
        release(rest);
    return true;
    /* lab malloc: stub lab_missing("malloc", 6, c, size, grow_in_place, cut); */
    /* lab malloc: end */
}

/* The last resort: another block, and a copy. */
static void *move(void *mem, size_t request)
{
    size_t keep = heap_usable_size(mem);
    void *to = heap_malloc(request);
    if (!to)
        return NULL;
    memcpy(to, mem, keep < request ? keep : request);
    heap_free(mem);
    return to;
}

void *heap_realloc(void *mem, size_t request)
{
    if (!mem)
        return heap_malloc(request);
    if (!request) {
        heap_free(mem);
        return NULL;
    }
    struct chunk *c = chunk_of(mem);
    size_t size = size_for(request);
    if (!size)
        return NULL;
    if (is_mmapped(c)) {
        c = remap_chunk(c, request);
        return c ? mem_of(c) : move(mem, request);
    }
    return resize_in_place(c, size) ? mem : move(mem, request);
}
