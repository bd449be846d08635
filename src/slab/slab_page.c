/* SPDX-License-Identifier: MIT */
/*
 * slab_page.c - slabs as pages: cutting a block into objects, and giving it back.
 *
 *      order 0:  [ obj | obj | obj | obj | ... | rest ]      slab_free -> obj -> obj -> ... NULL
 *
 * Locks: the node's, for counts and lists. Linux's counterpart: allocate_slab(), shrink.
 */
#include "slab/slab_page.h"

#include "kern/ipi.h"
#include "phys/alloc.h"
#include "slab/slab_debug.h"

static enum node_stat slab_stat(const struct kmem_cache *cache)
{
    return cache->flags & SLAB_RECLAIM_ACCOUNT ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE;
}

/*
 * Make all objects of a new slab and link them in ascending order: the constructor, then the marks
 * of debugging, then the link.
 */
static void cut(struct kmem_cache *cache, struct page *slab)
{
    /* lab slab: begin 1 */
    char *base = page_address(slab);
    for (unsigned i = 0; i < cache->objects; i++) {
        char *object = base + (size_t)i * cache->size;
        if (cache->ctor)
            cache->ctor(object);
        if (CONFIG_DEBUG)
            slab_debug_init(cache, object);
        *free_link(cache, object) = i + 1U < cache->objects ? object + cache->size : NULL;
    }
    slab->slab_free = base;
    slab->private = 0;
    /* lab slab: stub lab_missing("slab", 1, cache, slab); */
    /* lab slab: end */
}

struct page *slab_page_alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
    struct page *slab = alloc_pages_node(nid, gfp | cache->gfp | __GFP_COMP, cache->order);
    if (!slab)
        return NULL;
    page_set_type(slab, PAGE_SLAB);
    slab->slab_cache = cache;
    cut(cache, slab);
    mod_node_state(page_pgdat(slab), slab_stat(cache), 1 << cache->order);
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    spin_lock(&n->lock);
    n->nr_slabs++;
    spin_unlock(&n->lock);
    return slab;
}

void slab_page_free(struct kmem_cache *cache, struct page *slab)
{
    mod_node_state(page_pgdat(slab), slab_stat(cache), -(1 << cache->order));
    slab->slab_cache = NULL;
    slab->slab_free = NULL;
    page_set_type(slab, PAGE_KERNEL);
    __free_pages(slab, cache->order);
}

void slab_page_enlist(struct kmem_cache *cache, struct page *slab)
{
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    spin_lock(&n->lock);
    list_add(&slab->slab_list, &n->partial);
    n->nr_partial++;
    spin_unlock(&n->lock);
}

/* --- shrinking -------------------------------------------------------------------------------- */

void slab_flush_hart(struct kmem_cache *cache)
{
    struct kmem_cache_hart *h = &cache->harts[hart_index()];
    struct page *slab = h->page;
    if (!slab)
        return;
    struct kmem_cache_node *n = cache->nodes[slab->nid];
    spin_lock(&n->lock);
    /* lab slab: begin 6 */
    while (h->freelist) {
        void *object = h->freelist;
        h->freelist = *free_link(cache, object);
        *free_link(cache, object) = slab->slab_free;
        slab->slab_free = object;
        slab->private --;
    }
    page_clear_flag(slab, PG_active);
    h->page = NULL;
    if (slab->slab_free) {
        list_add(&slab->slab_list, &n->partial);
        n->nr_partial++;
    }
    /* lab slab: stub lab_missing("slab", 6, cache, h, slab, n); */
    /* lab slab: end */
    spin_unlock(&n->lock);
}

/* Give back what a node lists and nobody uses, without holding its lock. Returns the pages. */
static uint64_t free_empty_slabs(struct kmem_cache *cache, struct kmem_cache_node *n)
{
    /* lab slab: begin 6 */
    struct page *slab, *next;
    uint64_t pages = 0;
    LIST_HEAD(empty);
    spin_lock(&n->lock);
    list_for_each_entry_safe(slab, next, &n->partial, slab_list) {
        if (slab->private)
            continue;
        list_move(&slab->slab_list, &empty);
        n->nr_partial--;
        n->nr_slabs--;
    }
    spin_unlock(&n->lock);
    while (!list_empty(&empty)) {
        slab = list_first_entry(&empty, struct page, slab_list);
        list_del(&slab->slab_list);
        slab_page_free(cache, slab);
        pages += 1UL << cache->order;
    }
    return pages;
    /* lab slab: stub lab_missing("slab", 6, cache, n); */
    /* lab slab: end */
}

static uint64_t free_empty_everywhere(struct kmem_cache *cache)
{
    uint64_t pages = 0;
    for (unsigned nid = 0; nid < MAX_NODES; nid++)
        if (cache->nodes[nid])
            pages += free_empty_slabs(cache, cache->nodes[nid]);
    return pages;
}

static void flush_here(void *cache)
{
    slab_flush_hart(cache);
}

uint64_t kmem_cache_shrink(struct kmem_cache *cache)
{
    ipi_call(harts_online, flush_here, cache, IPI_WAIT);
    return free_empty_everywhere(cache);
}

static void flush_all_here(void *arg)
{
    struct kmem_cache *cache;
    (void)arg;
    list_for_each_entry(cache, &slab_caches, list) {
        slab_flush_hart(cache);
    }
}

/* One interrupt a hart for all caches. */
uint64_t slab_shrink_all(void)
{
    struct kmem_cache *cache;
    uint64_t pages = 0;
    ipi_call(harts_online, flush_all_here, NULL, IPI_WAIT);
    list_for_each_entry(cache, &slab_caches, list) {
        pages += free_empty_everywhere(cache);
    }
    return pages;
}
