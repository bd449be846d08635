/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - counting the caches.
 *
 *      active objects = what the harts handed out - what they took back
 *
 * One hart may hand out what another takes back: only the sums over all harts mean something.
 *
 * Locks: none; the list of caches only grows after boot, and numbers are read as they are.
 * Linux's counterpart: /proc/slabinfo.
 */
#include "slab/cache.h"
#include "slab/slab_page.h"

void slabinfo_get(const struct kmem_cache *cache, struct slabinfo *info)
{
    *info = (struct slabinfo){.name = cache->name,
                              .objsize = cache->object_size,
                              .objperslab = cache->objects,
                              .pagesperslab = 1U << cache->order};
    for (uint32_t i = 0; i < nr_harts; i++)
        info->active_objs +=
            load_relaxed(&cache->harts[i].allocs) - load_relaxed(&cache->harts[i].frees);
    for (unsigned nid = 0; nid < MAX_NODES; nid++) {
        const struct kmem_cache_node *n = cache->nodes[nid];
        info->num_slabs += n ? load_relaxed(&n->nr_slabs) : 0;
    }
    info->num_objs = info->num_slabs * cache->objects;
    info->active_slabs = info->num_slabs;
}

void slabinfo_each(void (*fn)(const struct slabinfo *info, void *arg), void *arg)
{
    struct kmem_cache *cache;
    list_for_each_entry(cache, &slab_caches, list) {
        struct slabinfo info;
        slabinfo_get(cache, &info);
        fn(&info, arg);
    }
}
