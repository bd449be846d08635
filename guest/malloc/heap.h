/* SPDX-License-Identifier: MIT */
/*
 * heap.h - a malloc of our own, as a program sees it.
 *
 *      heap_malloc()  -->  bins (free chunks)  -->  top  -->  grow: sbrk, or map: mmap
 *      heap_free()    -->  neighbours join     -->  bins, or top  -->  trim: sbrk, or munmap
 *
 * The heap makes no system call itself: who uses it hands over four functions. So the same files
 * run in a guest, where they are what we know them by, and in a test, where they are arrays.
 *
 * There is one heap, for one thread. Nobody else moves the break while it is in use.
 */
#ifndef MALLOC_HEAP_H
#define MALLOC_HEAP_H

#include "malloc/chunk.h"

#define HEAP_PAGE 4096UL
#define REQUEST_MOST (PTRDIFF_MAX / 2)  /* more is refused, so that no sum of sizes overflows */
#define TOP_PAD (128UL << 10)           /* asked for beyond what is needed; kept by a trim */
#define TRIM_THRESHOLD (256UL << 10)    /* a top of this size is trimmed; at first */
#define MMAP_THRESHOLD (128UL << 10)    /* a chunk of this size is mapped; at first */
#define MMAP_THRESHOLD_MAX (32UL << 20) /* up to here the thresholds follow what is freed */

/** What the heap asks of the system. Sizes are multiples of HEAP_PAGE. */
struct heap_system {
    /**
     * sbrk: move the break by @by bytes, down if that is negative. Returns where it was, or NULL,
     * and then it stays there. It is a multiple of 16. New memory may hold anything.
     */
    void *(*grow)(intptr_t by);
    /** mmap: fresh memory, all of it zero. NULL when there is none. */
    void *(*map)(size_t size);
    /** munmap. */
    void (*unmap)(void *at, size_t size);
    /** mremap: the same memory with another size, perhaps elsewhere. NULL: it stays as it is. */
    void *(*remap)(void *at, size_t old_size, size_t new_size);
};

struct heap {
    const struct heap_system *system;
    struct chunk *first;   /* the lowest chunk; NULL before the heap has any memory */
    struct chunk *top;     /* the last one, which ends at the break; free, and in no bin */
    size_t mmap_threshold; /* of chunk sizes */
    size_t trim_threshold;
};

/** An empty heap, whatever was before. */
void heap_begin(const struct heap_system *system);

/** As the C library's functions without heap_. realloc to 0 bytes frees and returns NULL. */
void *heap_malloc(size_t request);
void *heap_calloc(size_t n, size_t each);
void *heap_realloc(void *mem, size_t request);
void heap_free(void *mem);

/** How much of a block may be used: what was asked for, or a little more. */
size_t heap_usable_size(void *mem);

/** The heap, for those who look at it. */
const struct heap *heap_look(void);

/** Walk the heap and the bins. NULL, or a sentence: which invariant is broken. */
const char *heap_check(void);

#endif
