/* SPDX-License-Identifier: MIT */
/*
 * slab_check.c - auditing the caches, from two sides.
 *
 *      from the caches:   node -> partial slabs -> free objects         what the lists say
 *      from the memory:   each frame of type SLAB -> its cache          what there is
 *
 * Full slabs are on no list, so only the second way finds them all; the counts of both must agree.
 * A cache that is destroyed too early has its objects told by the second way, too.
 *
 * Locks: each node's for its lists; memory is read without, so a slab that comes or goes meanwhile
 * may make the counts differ: who audits a busy machine looks twice.
 * Linux's counterpart: slabinfo -v, validate_slab_cache().
 */
#include "base/string.h"
#include "kern/log.h"
#include "phys/page.h"
#include "slab/slab_debug.h"
#include "slab/slab_page.h"

#define MAX_REPORTED 8

/* --- from the caches -------------------------------------------------------------------------- */

/* Free objects on a slab's own list; more than fit means that it is broken. */
static unsigned count_free(const struct kmem_cache *cache, const struct page *slab)
{
    char *base = page_address(slab);
    unsigned n = 0;
    for (char *o = slab->slab_free; o && n <= cache->objects; n++) {
        size_t offset = (size_t)(o - base);
        if (offset % cache->size || offset / cache->size >= cache->objects)
            return cache->objects + 1U;
        o = *free_link(cache, o);
    }
    return n;
}

static bool partial_slab_ok(const struct kmem_cache *cache, const struct page *slab, unsigned free)
{
    return slab->type == PAGE_SLAB && slab->slab_cache == cache && free &&
           slab->private + free == cache->objects && !page_flag(slab, PG_active);
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
        if (!partial_slab_ok(cache, slab, free)) {
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

/* --- from the memory -------------------------------------------------------------------------- */

/* The first slab at or behind @pfn, or NULL. */
static struct page *next_slab(uint64_t *pfn)
{
    for (; *pfn < max_pfn.v; (*pfn)++) {
        if (!pfn_valid(mk_pfn(*pfn)))
            continue;
        struct page *page = pfn_to_page(mk_pfn(*pfn));
        if (page->type == PAGE_SLAB)
            return page;
    }
    return NULL;
}

#define for_each_slab(slab) \
    for (uint64_t pfn_ = MEMORY_BASE_PFN; ((slab) = next_slab(&pfn_)) != NULL; pfn_++)

static unsigned check_objects(const struct page *slab, struct sink *out)
{
    const struct kmem_cache *cache = slab->slab_cache;
    char *object = page_address(slab);
    unsigned faults = 0;
    for (unsigned i = 0; CONFIG_DEBUG && i < cache->objects; i++, object += cache->size) {
        if (slab_debug_is_sane(cache, object))
            continue;
        print(out, "slab %s: object %p is overrun\n", cache->name, (void *)object);
        faults++;
    }
    return faults;
}

static unsigned check_count(const struct kmem_cache *cache, uint64_t found, struct sink *out)
{
    struct slabinfo info;
    unsigned faults = 0;
    slabinfo_get(cache, &info);
    if (info.active_objs > info.num_objs) {
        print(out, "slab %s: %lu objects are out of %lu\n", cache->name, info.active_objs,
              info.num_objs);
        faults++;
    }
    if (info.num_slabs != found) {
        print(out, "slab %s: %lu slabs counted, %lu found in memory\n", cache->name, info.num_slabs,
              found);
        faults++;
    }
    return faults;
}

unsigned slab_check(struct sink *out)
{
    struct kmem_cache *cache;
    struct page *slab;
    unsigned faults = 0;
    list_for_each_entry(cache, &slab_caches, list) {
        cache->found = 0;
        for (unsigned nid = 0; nid < MAX_NODES; nid++)
            if (cache->nodes[nid])
                faults += check_node(cache, cache->nodes[nid], out);
    }
    for_each_slab(slab)
    {
        if (!slab->slab_cache)
            continue; /* on its way to or from the page allocator just now */
        slab->slab_cache->found++;
        faults += check_objects(slab, out);
    }
    list_for_each_entry(cache, &slab_caches, list) {
        faults += check_count(cache, cache->found, out);
    }
    return faults;
}

/* --- leaks ------------------------------------------------------------------------------------ */

void slab_report_leaks(struct kmem_cache *cache)
{
    struct page *slab;
    unsigned told = 0;
    for_each_slab(slab)
    {
        char *object = page_address(slab);
        if (slab->slab_cache != cache)
            continue;
        for (unsigned i = 0; CONFIG_DEBUG && i < cache->objects; i++, object += cache->size)
            if (slab_debug_is_out(cache, object) && told++ < MAX_REPORTED)
                pr_err("slab: %s object %p was never freed", cache->name, (void *)object);
    }
}
