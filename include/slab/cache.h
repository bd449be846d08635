/* SPDX-License-Identifier: MIT */
/*
 * cache.h - object caches: many objects of one size.
 */
#ifndef PAGODA_SLAB_CACHE_H
#define PAGODA_SLAB_CACHE_H

#include "base/format.h"
#include "base/limits.h"
#include "base/list.h"
#include "kern/lock.h"
#include "kern/percpu.h"
#include "phys/gfp.h"
#include "phys/page.h"

#define SLAB_RECLAIM_ACCOUNT 1u /* its pages can be won back by shrinking: counted so, grouped so */
#define SLAB_PANIC 2u           /* boot: failing to create it ends the machine */
#define SLAB_HWCACHE_ALIGN 4u   /* objects begin on cache lines */

#define CACHE_NAME_MAX 32

/** One hart's stock: the free objects of the slab that it allocates from. Own hart only. */
struct kmem_cache_hart {
    void *freelist;
    struct page *page; /* that slab; NULL: none yet */
    uint64_t allocs, frees;
};

/** The slabs of one node that have free objects and are nobody's stock. */
struct kmem_cache_node {
    struct spinlock lock;
    struct list_head partial; /* (lock) */
    uint64_t nr_partial;      /* (lock) */
    uint64_t nr_slabs;        /* (lock) all of them: partial, full, and harts' */
};

struct kmem_cache {
    struct kmem_cache_hart *harts; /* by hart index */
    uint32_t size;                 /* of an object with what debugging adds, aligned */
    uint32_t object_size;          /* as asked for */
    uint32_t link;                 /* where in a free object the address of the next one lies */
    uint32_t align;
    uint32_t flags;
    uint16_t objects; /* in a slab */
    uint8_t order;    /* of a slab */
    gfp_t gfp;        /* added to every slab's allocation */
    void (*ctor)(void *object);
    struct kmem_cache_node *nodes[MAX_NODES];
    struct list_head list; /* all caches */
    uint64_t found;        /* slab_check() counts slabs here; one audit at a time */
    char name[CACHE_NAME_MAX];
};

/** The caches of kmalloc. After mem_init(). */
void slab_init(void);

/**
 * A cache for objects of @size bytes (1 to 8192). @align 0: pointer-aligned. @ctor, or NULL, makes
 * an object once, when its slab is made; objects must be given back in that state. NULL: no memory.
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *));

/** Free the cache, which nobody uses any more. Objects still out are reported and stay: -EBUSY. */
int kmem_cache_destroy(struct kmem_cache *cache) must_check;

/**
 * An object near this hart, or near @nid; with __GFP_ZERO zeroed (no ctor then). NULL: none. With
 * GFP_ATOMIC or GFP_NOWAIT under any lock below RANK_SLAB_LIST, else where one may block.
 */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) must_check;
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid) must_check;

/** Give an object back. Any hart. NULL is ignored. */
void kmem_cache_free(struct kmem_cache *cache, void *object);

/** Give slabs without objects back to the page allocator. Returns the pages. No spinlock held. */
uint64_t kmem_cache_shrink(struct kmem_cache *cache);
uint64_t slab_shrink_all(void);

/** A line of /proc/slabinfo. */
struct slabinfo {
    const char *name;
    uint64_t active_objs, num_objs, active_slabs, num_slabs;
    uint32_t objsize, objperslab, pagesperslab;
};
void slabinfo_get(const struct kmem_cache *cache, struct slabinfo *info);
void slabinfo_each(void (*fn)(const struct slabinfo *info, void *arg), void *arg);

/**
 * Audit all caches: freelists, counts, and each page of type SLAB that the machine has. Prints
 * faults, returns their number. What other harts change meanwhile may be reported: look again.
 */
unsigned slab_check(struct sink *out);

#endif
