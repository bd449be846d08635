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

/* --- out -------------------------------------------------------------------------------------- */

/* The rare ways are functions of their own, so that the usual one needs no stack. */
static noinline struct page *clear_block(struct page *page, unsigned order)
{
    for (unsigned i = 0; i < 1U << order; i++)
        clear_page(page_address(page + i));
    return page;
}

static inline struct page *prepare(struct page *page, gfp_t gfp, unsigned order)
{
    if (CONFIG_DEBUG)
        page_debug_alloc(page, order);
    page_set_type(
        page, PAGE_KERNEL); /* its flags were cleared when it was freed, its mapping by its owner */
    store_relaxed(&page->refcount, 1);
    return unlikely(gfp & __GFP_ZERO) ? clear_block(page, order) : page;
}

static inline struct page *pcp_take(struct per_cpu_pages *pcp, struct page **stack, unsigned order)
{
    struct page *page = *stack;
    *stack = page->pcp_next;
    add_relaxed(&pcp->room, 1 << order);
    add_relaxed(&pcp->allocs, 1UL << order);
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
    if (page) {
        add_relaxed(&zone_pcp(zone)->allocs, 1UL << order);
        add_relaxed(&zone_pcp(zone)->filled, 1UL << order);
    }
    return page;
}

static struct page *take_from_zone(struct zone *zone, unsigned order, enum migratetype mt,
                                   unsigned alloc_flags)
{
    if (order <= PCP_MAX_ORDER && !(alloc_flags & ALLOC_HIGHATOMIC)) {
        struct per_cpu_pages *pcp = zone_pcp(zone);
        struct page **stack = pcp_stack(pcp, order, mt);
        if (*stack || pcp_refill(zone, pcp, order, mt))
            return pcp_take(pcp, stack, order);
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
        uint64_t mark = load_relaxed(&zone->watermark[alloc_flags & ALLOC_WMARK_MASK]);
        if ((alloc_flags & ALLOC_WMARK_MASK) != WMARK_MIN)
            mark += load_relaxed(&zone->watermark_boost);
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
    if (unlikely(order > MAX_ORDER || gfp_migratetype(gfp) >= MIGRATE_PCPTYPES))
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
    return page ? prepare(page, gfp, order) : NULL;
}

/*
 * The fast path for this hart's own node: GFP's zone bits name the pageset, its migratetype bits
 * the stack. Both pairs of bits lie so that, as they are, they are offsets into an array of
 * pointers. A node without memory of that kind has an empty pageset there.
 */
static inline struct per_cpu_pages *local_pageset(gfp_t gfp)
{
    size_t offset = (gfp & (__GFP_DMA32 | __GFP_MOVABLE)) * (sizeof(void *) / __GFP_DMA32);
    return *(struct per_cpu_pages **)(void *)((char *)this_hart()->local_pageset + offset);
}

static inline struct page **local_stack(struct per_cpu_pages *pcp, gfp_t gfp, unsigned order)
{
    size_t offset = gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE);
    return (struct page **)(void *)((char *)pcp->stacks[order] + offset);
}

_Static_assert(__GFP_MOVABLE == MIGRATE_MOVABLE * sizeof(void *) &&
                   __GFP_RECLAIMABLE == MIGRATE_RECLAIMABLE * sizeof(void *),
               "a migratetype's GFP bits are the offset of its stack");

struct page *alloc_pages_mask(int nid, gfp_t gfp, unsigned order, const nodemask_t *nodes)
{
    if (order <= PCP_MAX_ORDER && !nodes && nid == numa_node_id()) {
        struct per_cpu_pages *pcp = local_pageset(gfp);
        struct page **stack = local_stack(pcp, gfp, order);
        if (likely(*stack))
            return prepare(pcp_take(pcp, stack, order), gfp, order);
    }
    return alloc_not_in_pageset(nid, gfp, order, nodes);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned order)
{
    return alloc_pages_mask(nid, gfp, order, NULL);
}

struct page *alloc_page(gfp_t gfp)
{
    struct per_cpu_pages *pcp = local_pageset(gfp);
    struct page **stack = local_stack(pcp, gfp, 0);
    if (unlikely(!*stack))
        return alloc_not_in_pageset(numa_node_id(), gfp, 0, NULL);
    return prepare(pcp_take(pcp, stack, 0), gfp, 0);
}

/* --- in --------------------------------------------------------------------------------------- */

static noinline void free_to_zone(struct page *page, unsigned order)
{
    struct zone *zone = page_zone(page);
    spin_lock(&zone->lock);
    page_set_type(page, PAGE_TAIL);
    buddy_free_locked(zone, page, order, pageblock_type(page));
    spin_unlock(&zone->lock);
    add_relaxed(&zone_pcp(zone)->given_back, 1UL << order);
}

/* All references are gone. */
static inline void free_block(struct page *page, unsigned order)
{
    if (CONFIG_DEBUG)
        page_debug_free(page, order); /* leaves no flag, but perhaps PG_poisoned */
    else
        page->flags = 0;
    enum migratetype mt = pageblock_type(page);
    if (unlikely(order > PCP_MAX_ORDER || mt >= MIGRATE_PCPTYPES)) {
        free_to_zone(page, order);
        return;
    }
    struct per_cpu_pages *pcp = this_hart()->pagesets + page->zone_id;
    struct page **stack = pcp_stack(pcp, order, mt);
    page_set_type(page, PAGE_PCP);
    page->pcp_next = *stack;
    *stack = page;
    int32_t room = pcp->room - (1 << order);
    store_relaxed(&pcp->room, room);
    if (unlikely(room < 0))
        pcp_trim(page_zone(page), pcp);
}

void __free_block(struct page *page, unsigned order)
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

void __free_page(struct page *page)
{
    if (CONFIG_DEBUG && page_count(page) <= 0)
        bad_page(page, "freed twice");
    if (likely(fetch_sub(&page->refcount, 1) == 1))
        free_block(page, 0);
}

void page_release(struct page *page)
{
    if (release_hook && (page_type(page) == PAGE_ANON || page_type(page) == PAGE_FILE))
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
