/* SPDX-License-Identifier: MIT */
/*
 * fake_heap.h - the slab floor replaced by malloc(), so that the sanitizer sees who keeps or loses
 * an object, and who uses one that is gone.
 */
#ifndef FAKE_HEAP_H
#define FAKE_HEAP_H

#include <limits.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"

static long objects_out;             /* (a) */
static long objects_left = LONG_MAX; /* (a) how many more cache objects there are memory for */

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *))
{
    struct kmem_cache *c = calloc(1, sizeof(*c));
    (void)name, (void)align, (void)flags, (void)ctor;
    c->object_size = (uint32_t)size;
    return c;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
    (void)gfp;
    if (fetch_add_relaxed(&objects_left, -1) <= 0)
        return NULL;
    fetch_add_relaxed(&objects_out, 1);
    return calloc(1, c->object_size);
}

void kmem_cache_free(struct kmem_cache *c, void *object)
{
    (void)c;
    fetch_add_relaxed(&objects_out, -1);
    free(object);
}

void *kzalloc(size_t size, gfp_t gfp)
{
    (void)gfp;
    fetch_add_relaxed(&objects_out, 1);
    return calloc(1, size);
}

void kfree(const void *p)
{
    fetch_add_relaxed(&objects_out, -(p != NULL));
    free((void *)p);
}

#endif
