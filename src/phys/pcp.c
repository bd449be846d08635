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
    /* lab pagesets: begin 1 */
    if (load_relaxed(&zone->nr_free_pages) < load_relaxed(&zone->watermark[WMARK_HIGH]))
        pcp->alloc_factor = 0;
    int32_t want = MIN(pcp->batch << pcp->alloc_factor, MAX(pcp->room, pcp->batch));
    if (pcp->alloc_factor < MAX_FACTOR)
        pcp->alloc_factor++;
    pcp->free_factor >>= 1;
    return (unsigned)want;
    /* lab pagesets: stub lab_missing("pagesets", 1, zone, pcp); */
    /* lab pagesets: end */
}

/* Blocks that lie one behind the other, up to n of them; how many. */
static unsigned take_run(struct zone *zone, unsigned order, enum migratetype mt, unsigned n,
                         struct page **first)
{
    unsigned run = buddy_alloc_run_locked(zone, order, mt, n, first);
    if (run)
        return run;
    *first = fallback_alloc_locked(zone, order, mt);
    return *first != NULL;
}

unsigned pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned order,
                    enum migratetype mt)
{
    /* lab pagesets: begin 2 */
    unsigned pages = refill_pages(zone, pcp), blocks = MAX(pages >> order, 1u), got = 0;
    struct page **end = pcp_stack(pcp, order, mt);

    spin_lock(&zone->lock);
    while (got < blocks) {
        struct page *page;
        unsigned run = take_run(zone, order, mt, blocks - got, &page);
        if (!run)
            break;
        for (got += run; run; run--, page += 1UL << order) {
            page_set_type(page, PAGE_PCP);
            page->order = (uint8_t)order;
            *end = page; /* the first one taken is handed out first: addresses ascend */
            end = &page->pcp_next;
        }
    }
    spin_unlock(&zone->lock);
    *end = NULL;
    add_relaxed(&pcp->room, -(int32_t)(got << order));
    add_relaxed(&pcp->filled, (uint64_t)got << order);
    pcp->refills++;
    return got;
    /* lab pagesets: stub lab_missing("pagesets", 2, zone, pcp, order, mt, refill_pages, */
    /* lab pagesets: stub             take_run); */
    /* lab pagesets: end */
}

/* Take blocks off one stack until @pages are gone or it is empty. Returns the pages taken. */
static int32_t give_back_stack(struct zone *zone, struct page **stack, unsigned order,
                               int32_t pages)
{
    /* lab pagesets: begin 3 */
    int32_t given = 0;
    while (*stack && given < pages) {
        struct page *page = *stack;
        *stack = page->pcp_next;
        page_set_type(page, PAGE_TAIL);
        buddy_free_locked(zone, page, order, pageblock_type(page));
        given += 1 << order;
    }
    return given;
    /* lab pagesets: stub lab_missing("pagesets", 3, zone, stack, order, pages); */
    /* lab pagesets: end */
}

/* Give back @pages pages or a little more, some from each stack in turn; at most all. */
static void give_back(struct zone *zone, struct per_cpu_pages *pcp, int32_t pages)
{
    /* lab pagesets: begin 4 */
    int32_t left = MIN(pages, pcp_count(pcp));
    spin_lock(&zone->lock);
    for (unsigned i = 0; left > 0; i = (i + 1) % ((PCP_MAX_ORDER + 1) * PCP_TYPES)) {
        unsigned order = i / PCP_TYPES;
        int32_t given = give_back_stack(zone, &pcp->stacks[order][i % PCP_TYPES], order,
                                        MIN(left, MAX(pcp->batch, 1)));
        left -= given;
        add_relaxed(&pcp->room, given);
        add_relaxed(&pcp->given_back, given);
    }
    spin_unlock(&zone->lock);
    pcp->drains++;
    /* lab pagesets: stub lab_missing("pagesets", 4, zone, pcp, pages, give_back_stack); */
    /* lab pagesets: end */
}

void pcp_trim(struct zone *zone, struct per_cpu_pages *pcp)
{
    /* lab pagesets: begin 5 */
    int32_t pages = pcp->batch << pcp->free_factor;
    if (pcp->free_factor < MAX_FACTOR)
        pcp->free_factor++;
    pcp->alloc_factor >>= 1;
    give_back(zone, pcp, pages);
    /* lab pagesets: stub lab_missing("pagesets", 5, zone, pcp); */
    /* lab pagesets: end */
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
    /* lab pagesets: begin 6 */
    hartmask_t mask = {0};
    for (uint32_t i = 0; i < nr_harts; i++)
        if (hart_has_pages(i, zone))
            mask_set(&mask, i);
    count_vm_event(PCP_DRAIN_ALL);
    ipi_call(mask, drain_here, zone, IPI_WAIT);
    /* lab pagesets: stub lab_missing("pagesets", 6, zone, hart_has_pages, drain_here); */
    /* lab pagesets: end */
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
