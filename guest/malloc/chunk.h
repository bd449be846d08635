/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - how the heap is cut into chunks, with a tag at both borders of each.
 *
 *      in use                                free
 *      +------------------------------+      +------------------------------+
 *      | (belongs to who is before)   |      | (belongs to who is before)   |  <- struct chunk
 *      | size                 | flags |      | size                 | flags |
 *      +------------------------------+      +------------------------------+
 *      | what malloc() gave out       |      | next, prev: links in a bin   |  <- mem_of(chunk)
 *      | ...                          |      | (nothing)                    |
 *      | ...                          |      | prev_size: this chunk's size |
 *      +------------------------------+      +------------------------------+  <- next_chunk(chunk)
 *      | size                 | flags |      | size        | no PREV_INUSE  |
 *
 * Whether a chunk is in use stands in the *next* one's flag PREV_INUSE, and the word before that,
 * prev_size, holds the size of a free chunk and belongs to the user of one that is in use. So a
 * chunk costs its user 8 bytes, and from any chunk one finds both neighbours. All chunks of the
 * heap lie side by side from its start to its break; the last one is the top.
 *
 * A chunk that has a mapping of its own (IS_MMAPPED) has no neighbours and no word behind it.
 *
 * Sizes count the whole chunk; they and the addresses of chunks are multiples of 16. The names are
 * glibc's; D. Knuth, The Art of Computer Programming 1, 2.5, has the idea.
 */
#ifndef MALLOC_CHUNK_H
#define MALLOC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_ALIGN 16UL
#define CHUNK_MIN 32UL  /* the two words of a header and two links */
#define CHUNK_TAG 8UL   /* what a chunk of the heap costs beside what its user has */
#define CHUNK_HEAD 16UL /* what a mapped one costs */

#define PREV_INUSE 1UL /* the chunk before this one is in use, or there is none */
#define IS_MMAPPED 2UL /* a mapping of its own */
#define CHUNK_FLAGS (CHUNK_ALIGN - 1)

struct chunk {
    size_t prev_size; /* of the chunk before, if that is free */
    size_t head;      /* size | flags */
    struct chunk *next, *prev;
};

static inline void *mem_of(struct chunk *c)
{
    return (char *)c + CHUNK_HEAD;
}

static inline struct chunk *chunk_of(void *mem)
{
    return (struct chunk *)(void *)((char *)mem - CHUNK_HEAD);
}

static inline size_t chunk_size(const struct chunk *c)
{
    return c->head & ~CHUNK_FLAGS;
}

/** The size changes, the flags stay. */
static inline void set_chunk_size(struct chunk *c, size_t size)
{
    c->head = size | (c->head & CHUNK_FLAGS);
}

/** What begins @offset bytes behind the start of @c. */
static inline struct chunk *chunk_at(struct chunk *c, size_t offset)
{
    return (struct chunk *)(void *)((char *)c + offset);
}

/** Not of the top, which is the last. */
static inline struct chunk *next_chunk(struct chunk *c)
{
    return chunk_at(c, chunk_size(c));
}

static inline bool is_mmapped(const struct chunk *c)
{
    return c->head & IS_MMAPPED;
}

static inline bool prev_in_use(const struct chunk *c)
{
    return c->head & PREV_INUSE;
}

/** Only when that one is free: !prev_in_use(@c). */
static inline struct chunk *prev_chunk(struct chunk *c)
{
    return (struct chunk *)(void *)((char *)c - c->prev_size);
}

/** Of a chunk of the heap; the top has nothing behind it, and must not be asked. */
static inline bool in_use(struct chunk *c)
{
    return prev_in_use(next_chunk(c));
}

/** Tell the next chunk that @c is in use. */
static inline void set_in_use(struct chunk *c)
{
    next_chunk(c)->head |= PREV_INUSE;
}

/** Tell the next chunk that @c is free, and how large. */
static inline void set_free(struct chunk *c)
{
    struct chunk *next = next_chunk(c);
    next->head &= ~PREV_INUSE;
    next->prev_size = chunk_size(c);
}

#endif
