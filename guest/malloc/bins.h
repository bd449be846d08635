/* SPDX-License-Identifier: MIT */
/*
 * bins.h - where the free chunks of the heap are kept, by size.
 *
 * The heap knows nothing else of it, so how they are kept may be changed: bins, a tree, one list.
 * A chunk that is kept lends them its fields `next` and `prev` and what it has behind these, up to
 * chunk_size() from its start. Its own prev_size belongs to the chunk before, which is in use.
 */
#ifndef MALLOC_BINS_H
#define MALLOC_BINS_H

#include "malloc/chunk.h"

/** Nothing is kept any more. */
void bins_begin(void);

/** Keep @c, a free chunk with its final size. */
void bins_put(struct chunk *c);

/** Keep @c, which is kept, no longer. */
void bins_remove(struct chunk *c);

/** The smallest chunk of at least @size bytes, no longer kept; NULL when there is none. */
struct chunk *bins_take(size_t size);

/** Call @visit for each chunk that is kept, in any order. */
void bins_each(void (*visit)(struct chunk *c, void *context), void *context);

#endif
