/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - counting and auditing the caches.
 *
 *      active objects = what the harts handed out - what they took back
 *
 * Locks: slab_list_lock, and under it each node's. Linux's counterpart: /proc/slabinfo.
 */
#include "slab/cache.h"
#include "slab/slab_page.h"

static void fill_info(struct kmem_cache *cache, struct slabinfo *info)
{
    *info = (struct slabinfo){.name = cache->name,
                              .objsize = cache->object_size,
                              .objperslab = cache->objects,
                              .pagesperslab = 1U << cache->order};
    for (uint32_t i = 0; i < nr_harts; i++)
        info->active_objs += cache->harts[i].allocs - cache->harts[i].frees;
    for (unsigned nid = 0; nid < MAX_NODES; nid++) {
        struct kmem_cache_node *n = cache->nodes[nid];
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
        fill_info(cache, &info);
        fn(&info, arg);
    }
}

/* --- the audit -------------------------------------------------------------------------------- */

/* Free objects on a slab's own list; more than fit means that it is broken. */
static unsigned count_free(const struct kmem_cache *cache, const struct page *slab)
{
    unsigned n = 0;
    for (void *o = slab->slab_free; o && n <= cache->objects; o = *(void **)o)
        n++;
    return n;
}

static unsigned check_node(struct kmem_cache *cache, struct kmem_cache_node *n, struct sink *out)
{
    unsigned faults = 0;
    uint64_t partial = 0;
    struct page *slab;
    spin_lock(&n->lock);
    list_for_each_entry(slab, &n->partial, slab_list) {
        unsigned free = count_free(cache, slab);
        partial++;
        if (slab->type != PAGE_SLAB || slab->slab_cache != cache || !free ||
            slab->private + free != cache->objects || page_flag(slab, PG_active)) {
            print(out, "slab %s: partial slab pfn 0x%lx: %u free, %lu out, of %u\n", cache->name,
                  page_to_pfn(slab).v, free, slab->private, cache->objects);
            faults++;
        }
    }
    if (partial != n->nr_partial || partial > n->nr_slabs) {
        print(out, "slab %s: %lu partial slabs, %lu counted, of %lu\n", cache->name, partial,
              n->nr_partial, n->nr_slabs);
        faults++;
    }
    spin_unlock(&n->lock);
    return faults;
}

unsigned slab_check(struct sink *out)
{
    struct kmem_cache *cache;
    unsigned faults = 0;
    spin_lock(&slab_list_lock);
    list_for_each_entry(cache, &slab_caches, list) {
        struct slabinfo info;
        for (unsigned nid = 0; nid < MAX_NODES; nid++)
            if (cache->nodes[nid])
                faults += check_node(cache, cache->nodes[nid], out);
        fill_info(cache, &info);
        if (info.active_objs > info.num_objs) {
            print(out, "slab %s: %lu objects are out of %lu\n", cache->name, info.active_objs,
                  info.num_objs);
            faults++;
        }
    }
    spin_unlock(&slab_list_lock);
    return faults;
}
