/* SPDX-License-Identifier: MIT */
/*
 * slab_debug.h - debug builds: is each object used by its owner only, and only while it has one?
 *
 *      [ object ............ | red zone | trailer ]   trailer: ALLOCATED or FREE, and the address
 *        free: first word links, the rest is 0x6b
 *
 * Each costs some stores an object; a release build has none of it.
 * Linux's counterpart: slab_debug=FZP.
 */
#ifndef PAGODA_SLAB_DEBUG_H
#define PAGODA_SLAB_DEBUG_H

#include "kern/panic.h"
#include "slab/cache.h"

/** Bytes that debugging adds to each object. */
#define SLAB_TRAILER (CONFIG_DEBUG ? sizeof(uint64_t) : 0)

/** A new slab's object. */
void slab_debug_init(const struct kmem_cache *cache, void *object);

/** The object leaves: it must be free and untouched since. Panics if not. */
void slab_debug_alloc(const struct kmem_cache *cache, void *object);

/** The object comes back: it must be out, of this cache, and not overrun. Panics if not. */
void slab_debug_free(const struct kmem_cache *cache, void *object);

/** Is the object out, as far as its trailer tells? */
bool slab_debug_is_out(const struct kmem_cache *cache, void *object);

/** Trailer and red zone are as they should be, whether it is out or free. */
bool slab_debug_is_sane(const struct kmem_cache *cache, void *object);

#endif
