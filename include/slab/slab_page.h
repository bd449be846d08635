/* SPDX-License-Identifier: MIT */
/*
 * slab_page.h - slabs as pages: for the files of this floor.
 */
#ifndef PAGODA_SLAB_PAGE_H
#define PAGODA_SLAB_PAGE_H

#include "slab/cache.h"

/** All caches. The lock is for adding and taking; walkers go without: caches live long. */
extern struct list_head slab_caches;
extern struct spinlock slab_list_lock;

/** So many slabs with free objects a node keeps although nothing in them is used. */
#define SLAB_MIN_PARTIAL 5

/** The slab that an object lies in. Objects are in the linear map, never in the image. */
static inline struct page *slab_of(const void *object)
{
    struct page *page = mem_map + (((uint64_t)object - LINEAR_BASE) >> PAGE_SHIFT);
    return likely(page->type != PAGE_TAIL) ? page : page_head(page);
}

/** The place of the link in a free object. */
static inline void **free_link(const struct kmem_cache *cache, void *object)
{
    return (void **)(void *)((char *)object + cache->link);
}

/** A new slab, all objects free, on no list; counted in its node. NULL: no memory. */
struct page *slab_page_alloc(struct kmem_cache *cache, gfp_t gfp, int nid);

/** Give back a slab that is on no list, has no object out and is no longer counted. */
void slab_page_free(struct kmem_cache *cache, struct page *slab);

/** Put a slab with free objects on its node's list. */
void slab_page_enlist(struct kmem_cache *cache, struct page *slab);

/** This hart's stock goes back to its slab, which is nobody's then: full, or listed. */
void slab_flush_hart(struct kmem_cache *cache);

/** Tell, when a cache is destroyed, which objects its owner never gave back. */
void slab_report_leaks(struct kmem_cache *cache);

#endif
