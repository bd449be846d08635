/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - pagesets: a private stock of free pages for each hart and zone.
 *
 *      hart 0                    hart 1                       zone->lock
 *      [ UNMOVABLE MOVABLE .. ]  [ UNMOVABLE MOVABLE .. ]         |
 *        stacks of order 0..3      stacks of order 0..3           v
 *              ^  refill: a batch at once, under the lock   [ freelists ]
 *              `------------------------------------------------'
 *
 * A page that was just freed is handed out again first: it is still in the hart's cache, and the
 * zone's lock and its list heads are left alone. Batches grow while refills (or drains) follow each
 * other without the other kind between, up to the high mark, and shrink when that ends.
 *
 * A stack needs one link, and one counter tells both how many pages there are and whether there
 * are too many (`room` counts down to below zero): so an allocation and its free, when the pageset
 * serves them, are some sixty instructions together.
 *
 * Locks: none. A pageset is touched by its own hart only, the monitor is not preempted, and
 * interrupts do not allocate from it; who wants another hart's pages asks it by IPI.
 * Invariant: high - room is the number of pages on the stacks; each head is PAGE_PCP.
 * Linux's counterpart: struct per_cpu_pages, rmqueue_bulk(), free_pcppages_bulk().
 */
#include "phys/pcp.h"

#include "base/string.h"
#include "kern/ipi.h"
#include "kern/panic.h"
#include "phys/buddy.h"
#include "phys/fallback.h"
#include "phys/memblock.h"
#include "phys/node.h"

#define MAX_BATCH_BYTES MIB(1) /* as Linux: no batch moves more than a quarter of this */
#define MAX_FACTOR 5

/* More each time while refills follow each other, little when the zone has little. */
static unsigned refill_pages(const struct zone *zone, struct per_cpu_pages *pcp)
{
    bool is_short = load_relaxed(&zone->nr_free_pages) < load_relaxed(&zone->watermark[WMARK_HIGH]);
    unsigned factor = is_short ? 0 : pcp->alloc_factor;
    int32_t want = pcp->batch << factor;
    if (want > pcp->room)
        want = MAX(pcp->room, pcp->batch);
    pcp->alloc_factor = (uint8_t)MIN(factor + 1, (unsigned)MAX_FACTOR);
    pcp->free_factor /= 2;
    return (unsigned)want;
}

static struct page *take_one(struct zone *zone, unsigned order, enum migratetype mt)
{
    struct page *page = buddy_alloc_locked(zone, order, mt);
    return page ? page : fallback_alloc_locked(zone, order, mt);
}

unsigned pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned order,
                    enum migratetype mt)
{
    unsigned pages = refill_pages(zone, pcp), got = 0;
    struct page *first = NULL, *last = NULL;
    spin_lock(&zone->lock);
    do {
        struct page *page = take_one(zone, order, mt);
        if (!page)
            break;
        page->order = (uint8_t)order;
        page->pcp_next = NULL;
        page_set_type(page, PAGE_PCP);
        if (last)
            last->pcp_next = page;
        else
            first = page;
        last = page;
        got++;
    } while ((got + 1) << order <= pages);
    spin_unlock(&zone->lock);
    *pcp_stack(pcp, order, mt) = first;
    pcp->refills++;
    add_relaxed(&pcp->filled, (uint64_t)got << order);
    add_relaxed(&pcp->room, -(int32_t)(got << order));
    return got;
}

/* One block of a stack, if there is one; the pages in it. */
static int32_t give_one(struct zone *zone, struct page **stack, unsigned order)
{
    struct page *page = *stack;
    if (!page)
        return 0;
    *stack = page->pcp_next;
    page_set_type(page, PAGE_TAIL);
    buddy_free_locked(zone, page, order, pageblock_type(page));
    return 1 << order;
}

/* Give back @pages pages or a little more, some from each stack in turn; at most all. */
static void give_back(struct zone *zone, struct per_cpu_pages *pcp, int32_t pages)
{
    int32_t given = 0, round = 1;
    spin_lock(&zone->lock);
    while (given < pages && round) {
        round = 0;
        for (unsigned order = 0; order <= PCP_MAX_ORDER; order++)
            for (unsigned mt = 0; mt < PCP_TYPES && given + round < pages; mt++)
                round += give_one(zone, &pcp->stacks[order][mt], order);
        given += round;
    }
    spin_unlock(&zone->lock);
    add_relaxed(&pcp->room, given);
    add_relaxed(&pcp->given_back, given);
    pcp->drains++;
}

void pcp_trim(struct zone *zone, struct per_cpu_pages *pcp)
{
    give_back(zone, pcp, pcp->batch << pcp->free_factor);
    pcp->alloc_factor /= 2;
    pcp->free_factor = (uint8_t)MIN(pcp->free_factor + 1, MAX_FACTOR);
}

void pcp_drain_local(struct zone *zone)
{
    struct per_cpu_pages *pcp = zone_pcp(zone);
    if (pcp_count(pcp))
        give_back(zone, pcp, pcp_count(pcp));
}

static void drain_here(void *arg)
{
    struct zone *zone = arg;
    if (zone) {
        pcp_drain_local(zone);
        return;
    }
    for_each_populated_zone(zone) pcp_drain_local(zone);
}

/* Only harts that have something: an IPI to an idle one would wake it for nothing. */
static bool hart_has_pages(uint32_t hart, const struct zone *only)
{
    struct zone *zone;
    if (only)
        return pcp_count(pageset_of(hart, only)) != 0;
    for_each_populated_zone(zone) if (pcp_count(pageset_of(hart, zone))) return true;
    return false;
}

void drain_all_pages(struct zone *zone)
{
    hartmask_t busy = {0};
    uint32_t hart = nr_harts;
    while (hart-- > 0)
        if (hart_has_pages(hart, zone))
            mask_set(&busy, hart);
    ipi_call(busy, drain_here, zone, IPI_WAIT);
    count_vm_event(PCP_DRAIN_ALL);
}

uint64_t pageset_frees(const struct per_cpu_pages *pcp)
{
    /* what lies here = filled - given back - handed out + freed */
    return (uint64_t)pcp_count(pcp) + load_relaxed(&pcp->given_back) + load_relaxed(&pcp->allocs) -
           load_relaxed(&pcp->filled);
}

uint64_t zone_pcp_pages(const struct zone *zone)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < nr_harts; i++)
        pages += (uint64_t)pcp_count(pageset_of(i, zone));
    return pages;
}

/* --- making and sizing ------------------------------------------------------------------------ */

/* Looked at where a node has no memory for a kind of allocation: always empty. */
static struct per_cpu_pages no_pageset;

static int32_t round_down_pow2(int32_t n)
{
    return n > 0 ? 1 << (31 - __builtin_clz((unsigned)n)) : 0;
}

/* Linux's formula: a thousandth of the zone, a quarter of that, not quite a power of two. */
static int32_t zone_batch(const struct zone *zone)
{
    int32_t batch = (int32_t)MIN(zone->managed_pages >> 10, MAX_BATCH_BYTES / PAGE_SIZE) / 4;
    if (batch < 1)
        batch = 1;
    return MAX(round_down_pow2(batch + batch / 2) - 1, 1);
}

/* All pagesets together hold at most an eighth of the zone, and no more than its low mark. */
static int32_t zone_high(const struct zone *zone, int32_t batch)
{
    uint64_t total = MIN(load_relaxed(&zone->watermark[WMARK_LOW]), zone->managed_pages / 8);
    return MAX((int32_t)(total / MAX(nr_harts, 1u)), batch * 4);
}

/* On the hart itself: what lies there stays. */
static void resize_here(void *arg)
{
    struct zone *zone = arg;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    int32_t count = pcp_count(pcp);
    pcp->batch = zone_batch(zone);
    store_relaxed(&pcp->high, zone_high(zone, pcp->batch));
    store_relaxed(&pcp->room, pcp->high - count);
}

void pageset_size(struct zone *zone)
{
    ipi_call(harts_online, resize_here, zone, IPI_WAIT);
    for (uint32_t i = 0; i < nr_harts; i++) {
        struct per_cpu_pages *pcp = pageset_of(i, zone);
        if (hart_is_online(i) || pcp_count(pcp))
            continue; /* it did so itself */
        pcp->batch = zone_batch(zone);
        pcp->high = pcp->room = zone_high(zone, pcp->batch);
    }
}

static void hart_pagesets_init(struct hart *h)
{
    pg_data_t *pgdat = NODE_DATA(h->arch.nid);
    static const gfp_t kinds[4] = {0, __GFP_DMA32, __GFP_MOVABLE, __GFP_DMA32 | __GFP_MOVABLE};
    h->pagesets =
        memblock_alloc(sizeof(*h->pagesets) * nr_zones, sizeof(*h->pagesets), (int)h->arch.nid);
    if (!h->pagesets)
        panic("no memory for the pagesets of hart %u", h->arch.index);
    for (unsigned i = 0; i < nr_zones; i++) {
        h->pagesets[i].batch = 1;
        h->pagesets[i].high = h->pagesets[i].room = 4;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct zone *zone = pgdat->preferred_zone[gfp_zone(kinds[i])];
        bool local = zone && zone->nid == h->arch.nid;
        h->local_pageset[i] = local ? &h->pagesets[zone->id] : &no_pageset;
    }
}

void pagesets_init(void)
{
    struct hart *h;
    for_each_hart(h)
        hart_pagesets_init(h);
}
