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
    void *list = NULL;
    unsigned n = 0;
    if (slab->slab_free) {
        list = slab->slab_free;
        n = cache->objects - (unsigned)slab->private;
    }
    slab->slab_free = NULL;
    slab->private += n;
    return list;
}

/* The lock of a slab's node, taken. */
static struct kmem_cache_node *spinlock_of(struct kmem_cache *cache, const struct page *slab)
{
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    spin_lock(&n->lock);
    return n;
}

static struct page *unlist(struct kmem_cache_node *n, struct page *slab)
{
    list_del(&slab->slab_list);
    n->nr_partial--;
    return slab;
}

static void adopt(struct kmem_cache *cache, struct kmem_cache_hart *h, struct page *slab)
{
    page_set_flag(slab, PG_active);
    h->page = slab;
    h->freelist = take_free_list(cache, slab);
}

static void let_go(struct kmem_cache_hart *h)
{
    page_clear_flag(h->page, PG_active);
    h->page = NULL;
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
    spinlock_of(cache, slab);
    adopt(cache, h, slab);
    if (!h->freelist)
        let_go(h);
    spin_unlock(&cache->nodes[slab->nid]->lock);
    return h->page;
}

/* A hart without a slab gets the first of a node's list. False: the node has none either. */
static bool refill_from_partial(struct kmem_cache *cache, struct kmem_cache_hart *h, int nid)
{
    struct kmem_cache_node *n = cache->nodes[nid];
    spin_lock(&n->lock);
    if (!list_empty(&n->partial))
        adopt(cache, h, unlist(n, list_first_entry(&n->partial, struct page, slab_list)));
    spin_unlock(&n->lock);
    return h->page;
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
    for (;;) {
        struct kmem_cache_hart *h = &cache->harts[hart_index()];
        void *object = h->freelist;
        if (likely(object)) {
            h->freelist = *free_link(cache, object);
            h->allocs++;
            return hand_out(cache, object, gfp);
        }
        if (!refill(cache, gfp & ~__GFP_ZERO))
            return NULL;
    }
}

/*
 * One object of the first slab on another node's list; the slab stays there while it has more.
 * NULL: there is none.
 */
static void *take_one_remote(struct kmem_cache *cache, int nid)
{
    struct kmem_cache_node *n = cache->nodes[nid];
    void *object = NULL;
    spin_lock(&n->lock);
    if (n->nr_partial) {
        struct page *slab = list_first_entry(&n->partial, struct page, slab_list);
        object = slab->slab_free;
        slab->slab_free = *free_link(cache, object);
        if (++slab->private == cache->objects)
            unlist(n, slab);
    }
    spin_unlock(&n->lock);
    return object;
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

enum fullness { EMPTY, PARTIAL, FULL };

static enum fullness fullness(const struct kmem_cache *cache, const struct page *slab)
{
    return !slab->private ? EMPTY : slab->private < cache->objects ? PARTIAL : FULL;
}

/* Put a slab where it belongs. True: nobody needs it; it is on no list and no longer counted. */
static bool settle(struct kmem_cache_node *n, struct page *slab, enum fullness before,
                   enum fullness now)
{
    if (page_flag(slab, PG_active))
        return false;
    bool goes = now == EMPTY && n->nr_partial + (before == FULL) > SLAB_MIN_PARTIAL;
    if (goes) {
        n->nr_slabs--;
        if (before != FULL)
            unlist(n, slab);
    } else if (before == FULL) {
        list_add_tail(&slab->slab_list, &n->partial);
        n->nr_partial++;
    }
    return goes;
}

/*
 * Give an object back to a slab that is not this hart's; it may be another hart's. A slab of which
 * nothing is out any more goes back to the page allocator when more than SLAB_MIN_PARTIAL are
 * listed, itself included.
 */
static noinline void free_slowly(struct kmem_cache *cache, struct page *slab, void *object)
{
    struct kmem_cache_node *n = spinlock_of(cache, slab);
    enum fullness before = fullness(cache, slab);
    *free_link(cache, object) = slab->slab_free;
    slab->slab_free = object;
    slab->private --;
    bool goes = settle(n, slab, before, fullness(cache, slab));
    spin_unlock(&n->lock);
    if (goes)
        slab_page_free(cache, slab);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    if (!object)
        return;
    if (CONFIG_DEBUG)
        slab_debug_free(cache, object);
    uint32_t me = hart_index();
    struct page *slab = slab_of(object);
    cache->harts[me].frees++;
    if (unlikely(slab != cache->harts[me].page)) {
        free_slowly(cache, slab, object);
        return;
    }
    *free_link(cache, object) = cache->harts[me].freelist;
    cache->harts[me].freelist = object;
}
