/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - pagesets: a private stock of free pages for each hart and zone.
 *
 *      hart 0                    hart 1                       zone->lock
 *      [ UNMOVABLE MOVABLE .. ]  [ UNMOVABLE MOVABLE .. ]         |
 *        order 0..3 lists          order 0..3 lists               v
 *              ^  refill: a batch at once, under the lock   [ freelists ]
 *              `------------------------------------------------'
 *
 * A page that was just freed is handed out again first: it is still in the hart's cache, and the
 * zone's lock and its list heads are left alone. Batches grow while refills (or drains) follow each
 * other without the other kind between, up to the high mark, and shrink when that ends.
 *
 * Locks: none. A pageset is touched by its own hart only, the monitor is not preempted, and
 * interrupts do not allocate from it; who wants another hart's pages asks it by IPI.
 * Invariant: count is the number of pages on the lists; each head is PAGE_PCP.
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

static struct page *take_block(struct zone *zone, unsigned order, enum migratetype mt)
{
    struct page *page = buddy_alloc_locked(zone, order, mt);
    return page ? page : fallback_alloc_locked(zone, order, mt);
}

unsigned pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned order,
                    enum migratetype mt)
{
    int32_t want = MIN(pcp->batch << pcp->alloc_factor, MAX(pcp->high - pcp->count, pcp->batch));
    unsigned blocks = MAX((unsigned)want >> order, 1u), got = 0;
    struct list_head *list = pcp_list(pcp, order, mt);

    if (pcp->alloc_factor < MAX_FACTOR)
        pcp->alloc_factor++;
    pcp->free_factor >>= 1;
    spin_lock(&zone->lock);
    for (; got < blocks; got++) {
        struct page *page = take_block(zone, order, mt);
        if (!page)
            break;
        page->type = PAGE_PCP;
        list_add_tail(&page->buddy_list, list); /* ascending addresses are handed out in order */
    }
    spin_unlock(&zone->lock);
    pcp->count += (int32_t)(got << order);
    pcp->refills++;
    return got;
}

/* Give back at least @pages pages (or all), oldest first, list by list in turn. */
static void give_back(struct zone *zone, struct per_cpu_pages *pcp, int32_t pages)
{
    unsigned list = 0;
    spin_lock(&zone->lock);
    while (pages > 0 && pcp->count > 0) {
        struct list_head *head = &pcp->lists[list];
        unsigned order = list / MIGRATE_PCPTYPES;
        list = (list + 1) % NR_PCP_LISTS;
        if (list_empty(head))
            continue;
        /* some from each list, so that one empty list does not make many turns */
        for (int32_t n = 0; n < pcp->batch && !list_empty(head) && pages > 0; n += 1 << order) {
            struct page *page = list_last_entry(head, struct page, buddy_list);
            list_del(&page->buddy_list);
            pcp->count -= 1 << order;
            pages -= 1 << order;
            page->type = PAGE_TAIL;
            buddy_free_locked(zone, page, order, pageblock_type(page));
        }
    }
    spin_unlock(&zone->lock);
    pcp->drains++;
}

void pcp_trim(struct zone *zone, struct per_cpu_pages *pcp)
{
    int32_t pages = MIN(pcp->batch << pcp->free_factor, pcp->count);
    if (pcp->free_factor < MAX_FACTOR)
        pcp->free_factor++;
    pcp->alloc_factor >>= 1;
    give_back(zone, pcp, pages);
}

void pcp_drain_local(struct zone *zone)
{
    struct per_cpu_pages *pcp = zone_pcp(zone);
    if (pcp->count)
        give_back(zone, pcp, pcp->count);
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
        return load_relaxed(&only->pageset[hart].count) != 0;
    for_each_populated_zone(zone) if (load_relaxed(&zone->pageset[hart].count)) return true;
    return false;
}

void drain_all_pages(struct zone *zone)
{
    hartmask_t mask = {0};
    for (uint32_t i = 0; i < nr_harts; i++)
        if (hart_has_pages(i, zone))
            mask_set(&mask, i);
    count_vm_event(PCP_DRAIN_ALL);
    ipi_call(mask, drain_here, zone, IPI_WAIT);
}

/* --- sizes ---------------------------------------------------------------------------------------- */

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
    uint64_t total = MIN(zone->watermark[WMARK_LOW], zone->managed_pages / 8);
    return MAX((int32_t)(total / MAX(nr_harts, 1u)), batch * 4);
}

void pageset_size(struct zone *zone)
{
    int32_t batch = zone_batch(zone), high = zone_high(zone, batch);
    for (uint32_t i = 0; i < nr_harts; i++) {
        store_relaxed(&zone->pageset[i].batch, batch);
        store_relaxed(&zone->pageset[i].high, high);
    }
}

void pageset_init(struct zone *zone)
{
    zone->pageset = memblock_alloc(sizeof(*zone->pageset) * nr_harts, 64, zone->nid);
    if (!zone->pageset)
        panic("no memory for the pagesets of node %u zone %s", zone->nid, zone->name);
    for (uint32_t i = 0; i < nr_harts; i++) {
        zone->pageset[i].batch = 1;
        zone->pageset[i].high = 4;
        for (unsigned l = 0; l < NR_PCP_LISTS; l++)
            INIT_LIST_HEAD(&zone->pageset[i].lists[l]);
    }
}

uint64_t zone_pcp_pages(const struct zone *zone)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < nr_harts; i++)
        pages += (uint64_t)load_relaxed(&zone->pageset[i].count);
    return pages;
}
