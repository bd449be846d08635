/* SPDX-License-Identifier: MIT */
/*
 * slabs.h - a machine whose slabs the test lays by hand, and an audit of them.
 *
 *      node 0: 32 MiB, harts 0 1      node 1: 32 MiB, hart 2      node 2: no memory, hart 3
 *
 *      lay(cache, 0, 3):   [ out | out | out | free -> free -> ... ]    a slab on no list
 *      enlist(slab)        as one that has free objects and is nobody's
 *      activate(slab, 1)   as hart 1's: its free objects are the stock
 *
 * slab_init() is not called, so the caches' own memory comes from whole pages: nothing that is
 * tested is needed to set up a test.
 */
#ifndef LABS_SLAB_SLABS_H
#define LABS_SLAB_SLABS_H

#include "labs/wire/expect.h"

#include <string.h>

#include "base/random.h"
#include "slab/kmalloc.h"
#include "slab/slab_debug.h"
#include "slab/slab_page.h"
#include "support/fake_machine.h"
#include "support/host.h"

enum { OBJECTS_MOST = 1024, MEMORYLESS = 2 };

static uint64_t laid_out; /* objects that lay() made as if they had been allocated */

static inline int machine_without_caches(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, MIB(0), MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_hart(0);
    fake_hart(0);
    fake_hart(1);
    fake_hart(MEMORYLESS);
    fake_distance(0, MEMORYLESS, 30);
    fake_distance(1, MEMORYLESS, 15);
    fake_boot("");
    return 0;
}

static inline struct kmem_cache *make(const char *name, size_t size, void (*ctor)(void *))
{
    host_become(0);
    laid_out = 0;
    return kmem_cache_create(name, size, 0, SLAB_PANIC, ctor);
}

/* --- laying ----------------------------------------------------------------------------------- */

static inline char *object_of(const struct page *slab, unsigned i)
{
    return (char *)page_address(slab) + (size_t)i * slab->slab_cache->size;
}

/* A slab whose first @out objects are somebody's. */
static inline struct page *lay(struct kmem_cache *cache, int nid, unsigned out)
{
    gfp_t gfp = GFP_KERNEL | __GFP_COMP | __GFP_THISNODE;
    struct page *slab = alloc_pages_node(nid, gfp, cache->order);
    void **end = &slab->slab_free;
    page_set_type(slab, PAGE_SLAB);
    slab->slab_cache = cache;
    slab->private = out;
    for (unsigned i = 0; i < cache->objects; i++) {
        char *object = object_of(slab, i);
        slab_debug_init(cache, object);
        if (i < out) {
            slab_debug_alloc(cache, object);
        } else {
            *end = object;
            end = free_link(cache, object);
        }
    }
    *end = NULL;
    mod_node_state(page_pgdat(slab), NR_SLAB_UNRECLAIMABLE, 1 << cache->order);
    cache->nodes[nid]->nr_slabs++;
    laid_out += out;
    return slab;
}

static inline void enlist(struct page *slab)
{
    struct kmem_cache_node *n = slab->slab_cache->nodes[slab->nid];
    list_add(&slab->slab_list, &n->partial);
    n->nr_partial++;
}

static inline void activate(struct page *slab, uint32_t hart)
{
    struct kmem_cache_hart *h = &slab->slab_cache->harts[hart];
    page_set_flag(slab, PG_active);
    h->page = slab;
    h->freelist = slab->slab_free;
    slab->slab_free = NULL;
    slab->private = slab->slab_cache->objects;
}

/* --- the audit -------------------------------------------------------------------------------- */

static uint8_t free_here[OBJECTS_MOST]; /* objects of the slab that is looked at */

/* Length of a list of free objects, each of this slab and met once. */
static inline unsigned walk(const struct page *slab, void *list, const char *which)
{
    const struct kmem_cache *cache = slab->slab_cache;
    unsigned n = 0;
    for (char *o = list; o; o = *free_link(cache, o), n++) {
        size_t offset = (size_t)(o - (char *)page_address(slab));
        expect_true(offset / cache->size < cache->objects && offset % cache->size == 0,
                    "%s leads to an object of its own slab (it is %u objects long so far, and the "
                    "next address is %p)",
                    which, n, (void *)o);
        expect_equal(free_here[offset / cache->size]++, 0, "%s: object %u is free once", which,
                     (unsigned)(offset / cache->size));
    }
    return n;
}

static inline bool is_listed(const struct page *slab)
{
    const struct kmem_cache_node *n = slab->slab_cache->nodes[slab->nid];
    const struct page *at;
    unsigned steps = 0;
    list_for_each_entry(at, &n->partial, slab_list) {
        if (at == slab)
            return true;
        expect_true(++steps < 100000, "the list of partial slabs of node %u ends", slab->nid);
    }
    return false;
}

static inline unsigned listed(const struct kmem_cache *cache, int nid)
{
    const struct page *at;
    unsigned n = 0;
    list_for_each_entry(at, &cache->nodes[nid]->partial, slab_list) {
        expect_true(++n < 100000, "the list of partial slabs of node %d ends", nid);
    }
    return n;
}

/* Free objects of one slab, wherever they are. */
static inline unsigned audit_slab(const struct page *slab)
{
    struct kmem_cache *cache = slab->slab_cache;
    unsigned owners = 0, stock = 0;
    memset(free_here, 0, sizeof(free_here));
    unsigned free = walk(slab, slab->slab_free, "page->slab_free");
    for (uint32_t i = 0; i < nr_harts; i++) {
        if (cache->harts[i].page != slab)
            continue;
        owners++;
        stock += walk(slab, cache->harts[i].freelist, "a hart's freelist");
    }
    expect_equal(slab->private, cache->objects - free,
                 "page->private of a slab of %u objects with %u in slab_free, %u in a stock",
                 cache->objects, free, stock);
    expect_true(owners <= 1, "a slab is the stock of one hart at most");
    expect_equal(page_flag(slab, PG_active), owners, "PG_active of a slab that is %s stock",
                 owners ? "a hart's" : "nobody's");
    expect_equal(is_listed(slab), free && !owners,
                 "is a slab on its node's list that has %u free objects and is %s", free,
                 owners ? "a hart's" : "nobody's");
    return free + stock;
}

/* Look at all slabs of a cache, and at what it counts. */
static inline void audit(const struct kmem_cache *cache)
{
    uint64_t slabs[MAX_NODES] = {0}, out = laid_out, found = 0;
    for (uint64_t pfn = MEMORY_BASE_PFN; pfn < max_pfn.v; pfn++) {
        const struct page *page = pfn_to_page(mk_pfn(pfn));
        if (!pfn_valid(mk_pfn(pfn)) || page->type != PAGE_SLAB || page->slab_cache != cache)
            continue;
        found += cache->objects - audit_slab(page);
        slabs[page->nid]++;
    }
    for (int nid = 0; nid < 2; nid++) {
        expect_equal(cache->nodes[nid]->nr_slabs, slabs[nid], "nr_slabs of node %d", nid);
        expect_equal(cache->nodes[nid]->nr_partial, listed(cache, nid), "nr_partial of node %d",
                     nid);
    }
    for (uint32_t i = 0; i < nr_harts; i++)
        out += cache->harts[i].allocs - cache->harts[i].frees;
    expect_equal(found, out, "objects that are on no freelist, from those that are counted as out");
}

/* --- for both ------------------------------------------------------------------------------- */

static inline void *get(struct kmem_cache *cache)
{
    return kmem_cache_alloc(cache, GFP_KERNEL);
}

/* The state of one hart and its slab: so many free in the stock, so many on the slab. */
static inline unsigned stock_of(const struct kmem_cache *cache, uint32_t hart)
{
    const struct kmem_cache_hart *h = &cache->harts[hart];
    memset(free_here, 0, sizeof(free_here));
    return h->page ? walk(h->page, h->freelist, "the hart's freelist") : 0;
}

static inline unsigned on_slab(const struct page *slab)
{
    memset(free_here, 0, sizeof(free_here));
    return walk(slab, slab->slab_free, "page->slab_free");
}

/* Hart 0's slab, whose stock is used up; the last @back objects were given back by others. */
static inline struct page *dry(struct kmem_cache *cache, unsigned back)
{
    struct page *slab = lay(cache, 0, cache->objects - back);
    void *others = slab->slab_free;
    activate(slab, 0);
    cache->harts[0].freelist = NULL;
    slab->slab_free = others;
    slab->private = cache->objects - back;
    return slab;
}

#endif
