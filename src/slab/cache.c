/* SPDX-License-Identifier: MIT */
/*
 * cache.c - handing objects out and taking them back.
 *
 *      hart 0: freelist -> o -> o -> o         objects of its slab: no lock
 *      hart 1: freelist -> o
 *      node 0: partial  -> [slab: free -> o -> o] -> [slab: free -> o]      under the node's lock
 *
 *      full slabs are on no list; the first object that comes back puts them on `partial`
 *
 * A hart takes all free objects of one slab at once as its stock. Objects that other hands give
 * back to that slab gather on the slab's own list (slab_free), and become the next stock.
 *
 * Locks: a hart's stock has none (the monitor is not preempted); slab_free, private and the lists
 * are under the lock of the slab's node.
 * Invariants: page->private counts objects that are out or in a stock; a slab on `partial` has
 * 0 < free objects and PG_active clear; PG_active marks a hart's slab.
 * Linux's counterpart: mm/slub.c. After Bonwick, 1994.
 */
#include "slab/cache.h"

#include "base/string.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "slab/slab_debug.h"
#include "slab/slab_page.h"

/* --- out, slowly ------------------------------------------------------------------------------ */

/* All free objects of a slab become someone's stock. */
static void *take_free_list(struct kmem_cache *cache, struct page *slab)
{
    /* lab slab: begin 3 */
    void *list = slab->slab_free;
    slab->slab_free = NULL;
    slab->private = cache->objects;
    return list;
    /* lab slab: stub lab_missing("slab", 3, cache, slab); */
    /* lab slab: end */
}

/*
 * The hart's slab has run dry: perhaps others gave objects back to it meanwhile. If not it is full,
 * and stays with nobody: on no list until something comes back.
 */
static bool refill_from_own(struct kmem_cache *cache, struct kmem_cache_hart *h)
{
    struct page *slab = h->page;
    if (!slab)
        return false;
    /* lab slab: begin 3 */
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    spin_lock(&n->lock);
    h->freelist = take_free_list(cache, slab);
    if (!h->freelist) {
        page_clear_flag(slab, PG_active);
        h->page = NULL;
    }
    spin_unlock(&n->lock);
    return h->freelist != NULL;
    /* lab slab: stub lab_missing("slab", 3, cache, h, take_free_list); */
    /* lab slab: end */
}

/* A hart without a slab gets the first of a node's list. False: the node has none either. */
static bool refill_from_partial(struct kmem_cache *cache, struct kmem_cache_hart *h, int nid)
{
    /* lab slab: begin 3 */
    struct kmem_cache_node *n = cache->nodes[nid];
    spin_lock(&n->lock);
    struct page *slab = list_first_entry_or_null(&n->partial, struct page, slab_list);
    if (slab) {
        list_del(&slab->slab_list);
        n->nr_partial--;
        page_set_flag(slab, PG_active);
        h->page = slab;
        h->freelist = take_free_list(cache, slab);
    }
    spin_unlock(&n->lock);
    return slab != NULL;
    /* lab slab: stub lab_missing("slab", 3, cache, h, nid); */
    /* lab slab: end */
}

static bool refill_from_pages(struct kmem_cache *cache, gfp_t gfp, int nid)
{
    struct page *slab = slab_page_alloc(cache, gfp, nid);
    if (!slab)
        return false;
    /* the allocation may have waited, and moved us to a hart that has a slab: look there first */
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    if (h->page) {
        slab_page_enlist(cache, slab);
        return true;
    }
    page_set_flag(slab, PG_active);
    h->page = slab;
    h->freelist = take_free_list(cache, slab);
    return true;
}

/* Where slabs for a node come from: itself, or the nearest node that has memory. */
static int node_of_slabs(int nid)
{
    struct zone *zone = NODE_DATA(nid)->preferred_zone[ZONE_NORMAL];
    return zone ? zone->nid : nid;
}

/* No page is to be had: rather an object that lies far away than none. */
static bool refill_from_far(struct kmem_cache *cache)
{
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    /* the same as above: this may be another hart now, one with a stock that must not be lost */
    if (h->freelist || refill_from_own(cache, h))
        return true;
    for (int nid = 0; nid < MAX_NODES; nid++)
        if (cache->nodes[nid] && refill_from_partial(cache, h, nid))
            return true;
    return false;
}

static noinline bool refill(struct kmem_cache *cache, gfp_t gfp)
{
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    int nid = node_of_slabs(numa_node_id());
    if (refill_from_own(cache, h) || refill_from_partial(cache, h, nid) ||
        refill_from_pages(cache, gfp, nid))
        return true;
    return !(gfp & __GFP_THISNODE) && refill_from_far(cache);
}

/* --- out -------------------------------------------------------------------------------------- */

static inline void *hand_out(struct kmem_cache *cache, void *object, gfp_t gfp)
{
    if (CONFIG_DEBUG)
        slab_debug_alloc(cache, object);
    if (gfp & __GFP_ZERO)
        memset(object, 0, cache->object_size);
    return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
    /* lab slab: begin 2 */
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    while (unlikely(!h->freelist)) {
        if (!refill(cache, gfp & ~__GFP_ZERO))
            return NULL;
        h = &cache->harts[hart_index()];
    }
    void *object = h->freelist;
    h->freelist = *free_link(cache, object);
    h->allocs++;
    return hand_out(cache, object, gfp);
    /* lab slab: stub lab_missing("slab", 2, cache, gfp, refill, hand_out); */
    /* lab slab: end */
}

/*
 * One object of the first slab on another node's list; the slab stays there while it has more.
 * NULL: there is none.
 */
static void *take_one_remote(struct kmem_cache *cache, int nid)
{
    /* lab slab: begin 5 */
    struct kmem_cache_node *n = cache->nodes[nid];
    void *object = NULL;
    spin_lock(&n->lock);
    struct page *slab = list_first_entry_or_null(&n->partial, struct page, slab_list);
    if (slab) {
        object = slab->slab_free;
        slab->slab_free = *free_link(cache, object);
        slab->private ++;
        if (!slab->slab_free) {
            list_del(&slab->slab_list);
            n->nr_partial--;
        }
    }
    spin_unlock(&n->lock);
    return object;
    /* lab slab: stub lab_missing("slab", 5, cache, nid); */
    /* lab slab: end */
}

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
    if (nid >= 0 && !cache->nodes[nid] && (gfp & __GFP_THISNODE))
        return NULL;
    if (nid >= 0)
        nid = node_of_slabs(nid);
    if (nid < 0 || nid == node_of_slabs(numa_node_id()))
        return kmem_cache_alloc(cache, gfp);
    void *object = take_one_remote(cache, nid);
    while (!object) {
        struct page *slab = slab_page_alloc(cache, gfp & ~__GFP_ZERO, nid);
        if (!slab)
            return gfp & __GFP_THISNODE ? NULL : kmem_cache_alloc(cache, gfp);
        nid = slab->nid; /* the wanted node may be full */
        slab_page_enlist(cache, slab);
        object = take_one_remote(cache, nid); /* unless others were quicker */
    }
    cache->harts[hart_index()].allocs++;
    return hand_out(cache, object, gfp);
}

/* --- in --------------------------------------------------------------------------------------- */

/*
 * Give an object back to a slab that is not this hart's; it may be another hart's. A slab of which
 * nothing is out any more goes back to the page allocator when more than SLAB_MIN_PARTIAL are
 * listed, itself included.
 */
static noinline void free_slowly(struct kmem_cache *cache, struct page *slab, void *object)
{
    /* lab slab: begin 4 */
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    struct page *empty = NULL;
    spin_lock(&n->lock);
    bool was_full = !slab->slab_free;
    *free_link(cache, object) = slab->slab_free;
    slab->slab_free = object;
    slab->private --;
    if (!page_flag(slab, PG_active)) {
        if (was_full) {
            list_add(&slab->slab_list, &n->partial);
            n->nr_partial++;
        }
        if (!slab->private && n->nr_partial > SLAB_MIN_PARTIAL) {
            list_del(&slab->slab_list);
            n->nr_partial--;
            n->nr_slabs--;
            empty = slab;
        }
    }
    spin_unlock(&n->lock);
    if (empty)
        slab_page_free(cache, empty);
    /* lab slab: stub lab_missing("slab", 4, cache, slab, object); */
    /* lab slab: end */
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    if (!object)
        return;
    if (CONFIG_DEBUG)
        slab_debug_free(cache, object);
    /* lab slab: begin 2 */
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    struct page *slab = slab_of(object);
    h->frees++;
    if (likely(slab == h->page)) {
        *free_link(cache, object) = h->freelist;
        h->freelist = object;
        return;
    }
    free_slowly(cache, slab, object);
    /* lab slab: stub lab_missing("slab", 2, cache, object, free_slowly); */
    /* lab slab: end */
}
