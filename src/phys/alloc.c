/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - pages for everyone: the fast path, and what follows when it fails.
 *
 *      pageset hit -------------------------------------------------> page       alloc_pages_mask
 *         | miss
 *      zonelist above the low mark: refill the pageset, or freelists -> page     from_zonelist
 *         | none
 *      slowpath.c: helpers, reserves, the ladder
 *
 * The pageset of the preferred zone is looked at without asking for its watermark: what lies there
 * was taken above the mark when it was refilled.
 *
 * Locks: zone->lock inside, one zone at a time.
 * Linux's counterpart: __alloc_pages(), get_page_from_freelist(), rmqueue(), mm/page_alloc.c.
 */
#include "phys/alloc.h"

#include "base/string.h"
#include "phys/alloc_slow.h"
#include "phys/buddy.h"
#include "phys/fallback.h"
#include "phys/page_debug.h"
#include "phys/pcp.h"

/* --- out ---------------------------------------------------------------------------------------------- */

static inline void prepare(struct page *page, gfp_t gfp, unsigned order)
{
    if (CONFIG_DEBUG)
        page_debug_alloc(page, order);
    page->type = PAGE_KERNEL;
    page->flags = 0;
    page->refcount = 1;
    if (unlikely(gfp & __GFP_ZERO))
        for (unsigned i = 0; i < 1U << order; i++)
            clear_page(page_address(page + i));
}

static inline struct page *pcp_take(struct per_cpu_pages *pcp, struct list_head *list,
                                    unsigned order)
{
    struct page *page = list_first_entry(list, struct page, buddy_list);
    struct list_head *next = page->buddy_list.next;
    list->next = next;
    next->prev = list;
    pcp->count -= 1 << order;
    pcp->allocs += 1UL << order;
    return page;
}

/* From the freelists themselves, for orders that no pageset keeps. */
static struct page *take_from_freelists(struct zone *zone, unsigned order, enum migratetype mt,
                                        unsigned alloc_flags)
{
    struct page *page = NULL;
    spin_lock(&zone->lock);
    if (alloc_flags & ALLOC_HIGHATOMIC)
        page = buddy_alloc_locked(zone, order, MIGRATE_HIGHATOMIC);
    if (!page)
        page = buddy_alloc_locked(zone, order, mt);
    if (!page)
        page = fallback_alloc_locked(zone, order, mt);
    if (!page && (alloc_flags & (ALLOC_OOM | ALLOC_NO_WATERMARKS)))
        page = buddy_alloc_locked(zone, order, MIGRATE_HIGHATOMIC);
    spin_unlock(&zone->lock);
    if (page)
        zone_pcp(zone)->allocs += 1UL << order;
    return page;
}

static struct page *take_from_zone(struct zone *zone, unsigned order, enum migratetype mt,
                                   unsigned alloc_flags)
{
    if (order <= PCP_MAX_ORDER && !(alloc_flags & ALLOC_HIGHATOMIC)) {
        struct per_cpu_pages *pcp = zone_pcp(zone);
        struct list_head *list = pcp_list(pcp, order, mt);
        if (!list_empty(list) || pcp_refill(zone, pcp, order, mt))
            return pcp_take(pcp, list, order);
    }
    return take_from_freelists(zone, order, mt, alloc_flags);
}

static void count_numa(const struct zone *zone, int nid)
{
    if (likely(zone->nid == nid))
        return;
    count_vm_event(NUMA_MISS);
    count_vm_event(NUMA_FOREIGN);
}

struct page *alloc_from_zonelist(struct alloc_context *ac, unsigned alloc_flags)
{
    struct zoneref *ref;
    struct zone *zone;
    for_each_zone_zonelist_nodemask(zone, ref, ac->request.zonelist, ac->request.highest_zone,
                                    ac->request.nodes)
    {
        uint64_t mark = zone->watermark[alloc_flags & ALLOC_WMARK_MASK];
        if ((alloc_flags & ALLOC_WMARK_MASK) != WMARK_MIN)
            mark += zone->watermark_boost;
        if (!zone_watermark_ok(zone, ac->request.order, mark, ac->request.highest_zone,
                               alloc_flags))
            continue;
        struct page *page = take_from_zone(zone, ac->request.order, ac->migratetype, alloc_flags);
        if (!page)
            continue;
        count_numa(zone, ac->request.nid);
        if (unlikely((alloc_flags & ALLOC_HIGHATOMIC) && ac->request.order))
            highatomic_reserve(zone, page);
        return page;
    }
    return NULL;
}

static noinline struct page *alloc_not_in_pageset(int nid, gfp_t gfp, unsigned order,
                                                  const nodemask_t *nodes)
{
    if (unlikely(order > MAX_ORDER))
        return NULL;
    struct alloc_context ac = {
        .request = {.gfp = gfp,
                    .order = order,
                    .nid = nid,
                    .highest_zone = gfp_zone(gfp),
                    .zonelist = node_zonelist(nid, gfp),
                    .nodes = nodes},
        .migratetype = gfp_migratetype(gfp),
    };
    struct page *page = alloc_from_zonelist(&ac, ALLOC_WMARK_LOW);
    if (unlikely(!page))
        page = alloc_slowly(&ac);
    if (page)
        prepare(page, gfp, order);
    return page;
}

struct page *alloc_pages_mask(int nid, gfp_t gfp, unsigned order, const nodemask_t *nodes)
{
    struct zone *zone = NODE_DATA(nid)->preferred_zone[gfp_zone(gfp)];
    if (likely(order <= PCP_MAX_ORDER && !nodes && zone && !(gfp & __GFP_THISNODE))) {
        struct per_cpu_pages *pcp = zone_pcp(zone);
        struct list_head *list = pcp_list(pcp, order, gfp_migratetype(gfp));
        if (likely(!list_empty(list))) {
            struct page *page = pcp_take(pcp, list, order);
            prepare(page, gfp, order);
            return page;
        }
    }
    return alloc_not_in_pageset(nid, gfp, order, nodes);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned order)
{
    return alloc_pages_mask(nid, gfp, order, NULL);
}

struct page *alloc_pages(gfp_t gfp, unsigned order)
{
    return alloc_pages_mask(numa_node_id(), gfp, order, NULL);
}

/* --- in ------------------------------------------------------------------------------------------------ */

static void free_to_zone(struct zone *zone, struct page *page, unsigned order)
{
    spin_lock(&zone->lock);
    page->type = PAGE_TAIL;
    buddy_free_locked(zone, page, order, pageblock_type(page));
    spin_unlock(&zone->lock);
    zone_pcp(zone)->frees += 1UL << order;
}

/* All references are gone. */
static inline void free_block(struct page *page, unsigned order)
{
    if (CONFIG_DEBUG)
        page_debug_free(page, order);
    page->mapping = NULL;
    struct zone *zone = page_zone(page);
    enum migratetype mt = pageblock_type(page);
    if (unlikely(order > PCP_MAX_ORDER || mt >= MIGRATE_PCPTYPES)) {
        free_to_zone(zone, page, order);
        return;
    }
    struct per_cpu_pages *pcp = zone_pcp(zone);
    page->type = PAGE_PCP;
    list_add(&page->buddy_list, pcp_list(pcp, order, mt));
    pcp->count += 1 << order;
    pcp->frees += 1UL << order;
    if (unlikely(pcp->count > pcp->high))
        pcp_trim(zone, pcp);
}

void __free_pages(struct page *page, unsigned order)
{
    if (CONFIG_DEBUG && page_count(page) <= 0)
        bad_page(page, "freed twice");
    if (likely(fetch_sub(&page->refcount, 1) == 1))
        free_block(page, order);
}

static void (*release_hook)(struct page *page);

void page_set_release_hook(void (*fn)(struct page *page))
{
    release_hook = fn;
}

void page_release(struct page *page)
{
    if (release_hook && (page->type == PAGE_ANON || page->type == PAGE_FILE))
        release_hook(page);
    free_block(page, page->order);
}

void free_page_list(struct list_head *pages)
{
    while (!list_empty(pages)) {
        struct page *page = list_first_entry(pages, struct page, lru);
        list_del(&page->lru);
        free_block(page, 0);
    }
}
