/* SPDX-License-Identifier: MIT */
/*
 * cache_create.c - making caches: how big is a slab, and where do the caches themselves live?
 *
 *      object 200 bytes:  order 0: 20 objects, 96 bytes lost  (2 %)   taken
 *      object 3000 bytes: order 0:  1 object, 1096 lost (27 %)  order 2: 5, 1384 lost (8 %)  taken
 *
 * A cache and its parts are objects too, of caches that must exist before any cache can be made:
 * the very first are cut from whole pages and live for ever.
 *
 * A slab is as small as may be while it loses at most an eighth and holds at least four objects:
 * small blocks are easier to find than large ones, and easier to give back.
 *
 * Locks: slab_list_lock for the list. Linux's counterpart: mm/slab_common.c, calculate_order().
 */
#include "base/errno.h"
#include "base/string.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "phys/pressure.h"
#include "slab/kmalloc.h"
#include "slab/slab_debug.h"
#include "slab/slab_page.h"

#define MAX_SLAB_ORDER 3
#define MAX_WASTE 8 /* a slab may lose a part in so many */
#define MIN_OBJECTS 4
#define CACHE_LINE 64

LIST_HEAD(slab_caches);
struct spinlock slab_list_lock = SPINLOCK_INIT("slab list", RANK_SLAB_LIST);

static bool kmalloc_ready;

/* --- memory for the caches themselves --------------------------------------------------------- */

static void *boot_memory(size_t size)
{
    static char *at;
    static size_t left;
    size = ALIGN_UP(size, (size_t)CACHE_LINE);
    if (size > left) {
        left = MAX(size, PAGE_SIZE);
        at = alloc_pages_exact(left, GFP_KERNEL | __GFP_ZERO);
        left = ALIGN_UP(left, PAGE_SIZE);
        if (!at)
            panic("slab: no memory for the first caches; the machine is too small");
    }
    void *p = at;
    at += size;
    left -= size;
    return p;
}

static void *own_memory(size_t size)
{
    return kmalloc_ready ? kzalloc(size, GFP_KERNEL) : boot_memory(size);
}

/* --- sizes ------------------------------------------------------------------------------------ */

static unsigned choose_order(uint32_t size)
{
    for (unsigned order = 0; order < MAX_SLAB_ORDER; order++) {
        size_t bytes = PAGE_SIZE << order, objects = bytes / size;
        if (objects >= MIN_OBJECTS && bytes - objects * size <= bytes / MAX_WASTE)
            return order;
    }
    return MAX_SLAB_ORDER;
}

static void set_sizes(struct kmem_cache *cache, size_t size, size_t align)
{
    align = MAX(align, sizeof(void *));
    if (cache->flags & SLAB_HWCACHE_ALIGN)
        align = MAX(align, (size_t)CACHE_LINE);
    cache->object_size = (uint32_t)size;
    cache->align = (uint32_t)align;
    /* what a constructor made must outlast being free, so the link then lies behind the object */
    size = ALIGN_UP(size, sizeof(void *));
    cache->link = cache->ctor ? (uint32_t)size : 0;
    size += cache->ctor ? sizeof(void *) : 0;
    cache->size = (uint32_t)ALIGN_UP(size + SLAB_TRAILER, align);
    cache->order = (uint8_t)choose_order(cache->size);
    cache->objects = (uint16_t)((PAGE_SIZE << cache->order) / cache->size);
}

/* --- making ----------------------------------------------------------------------------------- */

static void free_parts(struct kmem_cache *cache)
{
    kfree(cache->harts);
    for (unsigned nid = 0; nid < MAX_NODES; nid++)
        kfree(cache->nodes[nid]);
    kfree(cache);
}

static bool make_parts(struct kmem_cache *cache)
{
    unsigned nid;
    cache->harts = own_memory(sizeof(*cache->harts) * nr_harts);
    if (!cache->harts)
        return false;
    for_each_in_mask(nid, &node_states[N_MEMORY]) {
        struct kmem_cache_node *n = own_memory(sizeof(*n));
        if (!n)
            return false;
        spin_init(&n->lock, "slab node", RANK_SLAB_NODE);
        INIT_LIST_HEAD(&n->partial);
        cache->nodes[nid] = n;
    }
    return true;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *))
{
    bool bad = !size || size > KMALLOC_MAX_CACHE || (align & (align - 1)) || align > PAGE_SIZE;
    struct kmem_cache *cache = bad ? NULL : own_memory(sizeof(*cache));
    if (cache) {
        strlcpy(cache->name, name, sizeof(cache->name));
        cache->flags = flags;
        cache->ctor = ctor;
        cache->gfp = flags & SLAB_RECLAIM_ACCOUNT ? __GFP_RECLAIMABLE : 0;
        set_sizes(cache, size, align);
        if (!make_parts(cache)) {
            free_parts(cache);
            cache = NULL;
        }
    }
    if (!cache) {
        if (flags & SLAB_PANIC)
            panic("slab: cannot create the cache %s of objects of %zu bytes", name, size);
        return NULL;
    }
    spin_lock(&slab_list_lock);
    list_add_tail(&cache->list, &slab_caches);
    spin_unlock(&slab_list_lock);
    return cache;
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
    uint64_t left = 0;
    kmem_cache_shrink(cache);
    for (unsigned nid = 0; nid < MAX_NODES; nid++)
        left += cache->nodes[nid] ? cache->nodes[nid]->nr_slabs : 0;
    if (left) {
        pr_err("slab: cache %s is destroyed with objects in %lu slabs", cache->name, left);
        slab_report_leaks(cache);
        return -EBUSY;
    }
    spin_lock(&slab_list_lock);
    list_del(&cache->list);
    spin_unlock(&slab_list_lock);
    free_parts(cache);
    return 0;
}

/* --- relief ----------------------------------------------------------------------------------- */

static enum relief_result relieve(struct relief_request *request)
{
    (void)request;
    count_vm_event(DROP_SLAB);
    return slab_shrink_all() ? RELIEF_PROGRESS : RELIEF_NONE;
}

static struct relief shrink_slabs = {
    .name = "shrink slabs", .rank = RELIEF_RANK_SHRINK, .relieve = relieve};

void slab_init(void)
{
    kmalloc_init();
    kmalloc_ready = true;
    relief_register(&shrink_slabs);
}
