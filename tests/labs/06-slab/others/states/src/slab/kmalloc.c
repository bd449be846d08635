/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - memory of any size: a cache for each size class, whole pages above.
 *
 *      size      1..8  ..16 ..32 ..64 ..96 ..128 ..192 ..256 ..512 .. 8192 | more
 *      cache     k-8   k-16 k-32 k-64 k-96 k-128 k-192 k-256 k-512    k-8k | alloc_pages
 *
 * Up to 192 bytes a table of 24 entries (one for each 8 bytes) names the class; above it is the
 * next power of two.
 *
 * Locks: none here. Linux's counterpart: kmalloc_index(), mm/slab_common.c.
 */
#include "slab/kmalloc.h"

#include "base/string.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "slab/cache.h"
#include "slab/slab_page.h"

static const uint16_t class_sizes[] = {8,   16,  32,   64,   96,   128, 192,
                                       256, 512, 1024, 2048, 4096, 8192};
#define CLASS_256 7

static struct kmem_cache *classes[ARRAY_SIZE(class_sizes)];

void kmalloc_init(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(class_sizes); i++) {
        char name[CACHE_NAME_MAX];
        uint16_t size = class_sizes[i];
        bool power = (size & (size - 1)) == 0;
        snprintf(name, sizeof(name), "kmalloc-%u", size);
        classes[i] =
            kmem_cache_create(name, size, power ? MIN(size, (uint16_t)64) : 8, SLAB_PANIC, NULL);
    }
}

/* The cache for @size bytes, 1 to KMALLOC_MAX_CACHE: the smallest whose objects have room. */
static struct kmem_cache *class_of(size_t size)
{
    unsigned class = size > 192 ? CLASS_256 : 0;
    while (class_sizes[class] < size)
        class ++;
    return classes[class];
}

static unsigned order_of(size_t size)
{
    unsigned order = 0;
    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

void *kmalloc_node(size_t size, gfp_t gfp, int nid)
{
    if (!size)
        return NULL;
    if (size <= KMALLOC_MAX_CACHE)
        return nid < 0 ? kmem_cache_alloc(class_of(size), gfp)
                       : kmem_cache_alloc_node(class_of(size), gfp, nid);
    if (size > PAGE_SIZE << MAX_ORDER)
        return NULL;
    struct page *page = alloc_pages_node(nid < 0 ? numa_node_id() : nid, gfp, order_of(size));
    return page ? page_address(page) : NULL;
}

void *kmalloc(size_t size, gfp_t gfp)
{
    if (likely(size - 1 < KMALLOC_MAX_CACHE)) /* size 0 wraps */
        return kmem_cache_alloc(class_of(size), gfp);
    return kmalloc_node(size, gfp, -1);
}

void *kzalloc(size_t size, gfp_t gfp)
{
    return kmalloc(size, gfp | __GFP_ZERO);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return kzalloc(bytes, gfp);
}

size_t ksize(const void *p)
{
    struct page *page = slab_of(p);
    return page->type == PAGE_SLAB ? page->slab_cache->object_size : PAGE_SIZE << page->order;
}

void kfree(const void *p)
{
    if (!p)
        return;
    struct page *page = slab_of(p);
    if (page->type == PAGE_SLAB)
        kmem_cache_free(page->slab_cache, (void *)(uintptr_t)p);
    else
        __free_pages(page, page->order);
}

void *krealloc(void *p, size_t size, gfp_t gfp)
{
    if (!p)
        return kmalloc(size, gfp);
    size_t have = ksize(p);
    if (size && size <= have && size > have / 4)
        return p;
    void *to = kmalloc(size, gfp);
    if (!to)
        return NULL;
    memcpy(to, p, MIN(size, have));
    kfree(p);
    return to;
}

char *kstrdup(const char *s, gfp_t gfp)
{
    size_t size = strlen(s) + 1;
    char *copy = kmalloc(size, gfp);
    return copy ? memcpy(copy, s, size) : NULL;
}
