/* SPDX-License-Identifier: MIT */
/*
 * check.c - walks the heap from its first chunk to its top, and compares it with the bins.
 *
 *      heap:  [used] [free] [used] [free] [used] [ top ]      tags, sizes, neighbours
 *      bins:         [free]        [free]                     the same two, nothing else
 *
 * It needs nothing but what chunk.h and heap.h say, so it is right for any way to keep free chunks.
 * Whether both are the same chunks is told by their number and the sum of their addresses.
 */
#include "malloc/bins.h"
#include "malloc/heap.h"

struct sum {
    size_t n;
    uintptr_t addresses;
    const char *wrong;
};

static void add(struct sum *sum, struct chunk *c)
{
    sum->n++;
    sum->addresses += (uintptr_t)c;
}

static void look_at_kept(struct chunk *c, void *context)
{
    const struct heap *heap = heap_look();
    struct sum *kept = context;
    add(kept, c);
    if (c < heap->first || c >= heap->top)
        kept->wrong = "invariant 4: the bins keep what is no chunk of the heap";
    else if (in_use(c))
        kept->wrong = "invariant 4: the bins keep a chunk that is in use";
}

/* A chunk that is not the top: what is wrong with it, or NULL. */
static const char *look_at(struct chunk *c, const struct heap *heap, struct sum *free)
{
    size_t size = chunk_size(c);
    if (size < CHUNK_MIN || size > (size_t)((char *)heap->top - (char *)c))
        return "invariant 1: a chunk does not end where another one begins";
    if (c->head & (CHUNK_FLAGS & ~PREV_INUSE))
        return "invariant 1: a chunk of the heap has flags of others";
    if (in_use(c))
        return NULL;
    if (next_chunk(c)->prev_size != size)
        return "invariant 2: prev_size behind a free chunk is not its size";
    if (!prev_in_use(c))
        return "invariant 3: two free chunks are neighbours";
    if (next_chunk(c) == heap->top)
        return "invariant 3: a free chunk borders the top";
    add(free, c);
    return NULL;
}

const char *heap_check(void)
{
    const struct heap *heap = heap_look();
    struct sum free = {0, 0, NULL}, kept = {0, 0, NULL};
    if (!heap->top)
        return heap->first ? "invariant 1: the heap has no top" : NULL;
    if (!prev_in_use(heap->first))
        return "invariant 2: what is before the first chunk is not in use";
    for (struct chunk *c = heap->first; c != heap->top; c = next_chunk(c)) {
        const char *wrong = look_at(c, heap, &free);
        if (wrong)
            return wrong;
    }
    if (chunk_size(heap->top) < CHUNK_MIN || !prev_in_use(heap->top))
        return "invariant 5: the top is too small, or not told that the chunk before is in use";
    bins_each(look_at_kept, &kept);
    if (kept.wrong)
        return kept.wrong;
    if (kept.n != free.n || kept.addresses != free.addresses)
        return "invariant 4: the bins do not keep each free chunk once";
    return NULL;
}
