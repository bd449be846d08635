/* SPDX-License-Identifier: MIT */
/*
 * slab_page.h - slabs as pages: for the files of this floor.
 */
#ifndef PAGODA_SLAB_PAGE_H
#define PAGODA_SLAB_PAGE_H

#include "slab/cache.h"

/** So many slabs with free objects a node keeps although nothing in them is used. */
#define SLAB_MIN_PARTIAL 5

/** A new slab, all objects free, on no list; counted in its node. NULL: no memory. */
struct page *slab_page_alloc(struct kmem_cache *cache, gfp_t gfp, int nid);

/** Give back a slab that is on no list, has no object out and is no longer counted. */
void slab_page_free(struct kmem_cache *cache, struct page *slab);

/** Put a slab with free objects on its node's list. */
void slab_page_enlist(struct kmem_cache *cache, struct page *slab);

/** This hart's stock goes back to its slab. */
void slab_flush_hart(struct kmem_cache *cache);

#endif
