/* SPDX-License-Identifier: MIT */
/*
 * compaction.c - another solution: free pages are taken before the mover asks, and what was left
 * over goes back when nobody waits for a block any more.
 */
#include "pressure/compaction.h"

#include "base/string.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "phys/alloc.h"
#include "phys/fallback.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "virt/lru.h"

int sysctl_extfrag_threshold = 500;

static compact_watcher *watcher;
static void *watcher_arg;

void compaction_watch(compact_watcher *fn, void *arg)
{
    watcher_arg = arg;
    store_release(&watcher, fn);
}

static void tell_watcher(const struct compact_control *cc)
{
    compact_watcher *fn = load_acquire(&watcher);
    if (unlikely(fn))
        fn(cc, watcher_arg);
}

/* --- is it worth it? -------------------------------------------------------------------------- */

enum compact_result compaction_suitable(const struct zone *zone, unsigned order,
                                        enum zone_type highest)
{
    uint64_t mark = zone->watermark[WMARK_MIN];
    int index = order > COMPACT_COSTLY_ORDER ? fragmentation_index(zone, order) : 1000;
    bool there = zone_watermark_ok(zone, order, mark, highest, 0);
    bool room = zone_watermark_ok(zone, 0, mark + (2UL << order), highest, 0);
    if (there)
        return COMPACT_SUCCESS;
    if (!room)
        return COMPACT_SKIPPED;
    return index < 0 || index > sysctl_extfrag_threshold ? COMPACT_CONTINUE : COMPACT_NOT_SUITABLE;
}

/* --- is it enough? ---------------------------------------------------------------------------- */

/* Is there a block on the freelists that the allocation could have? */
static bool block_is_there(const struct compact_control *cc)
{
    for (unsigned order = (unsigned)cc->order; order < NR_ORDERS; order++) {
        const struct free_area *area = &cc->zone->free_area[order];
        if (!list_empty(&area->free_list[cc->migratetype]))
            return true;
        /* a whole pageblock can change its type */
        if (order >= PAGEBLOCK_ORDER && (!list_empty(&area->free_list[MIGRATE_MOVABLE]) ||
                                         !list_empty(&area->free_list[MIGRATE_RECLAIMABLE])))
            return true;
    }
    return false;
}

static void begin_anew(struct zone *zone)
{
    for (unsigned mode = 0; mode < ARRAY_SIZE(zone->compact_cached_migrate_pfn); mode++)
        zone->compact_cached_migrate_pfn[mode] = zone->compact_init_migrate_pfn;
    zone->compact_cached_free_pfn = zone->compact_init_free_pfn;
    pageblock_clear_skips(zone);
}

/*
 * Asked before each step. In this order:
 *
 *      SUCCESS          somebody freed what was wanted, and it was captured
 *      COMPLETE         the scanners met, which began at the ends: they stand in one pageblock, or
 *                       have crossed
 *      PARTIAL_SKIPPED  they met, but began elsewhere
 *      CONTENDED        this thread is to be killed; with order COMPACT_ALL it goes on to the end
 *      SUCCESS          a block of the wanted order is there
 *      CONTINUE         none of it
 *
 * When they have met, the next run begins at the ends again, with fresh eyes: cached positions and
 * skip bits are as at boot.
 */
static enum compact_result compact_finished(struct compact_control *cc)
{
    bool for_order = cc->order != COMPACT_ALL;
    if (cc->capture.page)
        return COMPACT_SUCCESS;
    if (ALIGN_DOWN(cc->free_pfn, PAGEBLOCK_PAGES) <= cc->migrate_pfn) {
        begin_anew(cc->zone);
        return cc->from_ends ? COMPACT_COMPLETE : COMPACT_PARTIAL_SKIPPED;
    }
    if (for_order && kill_pending())
        return COMPACT_CONTENDED;
    return for_order && block_is_there(cc) ? COMPACT_SUCCESS : COMPACT_CONTINUE;
}

/* --- the run ---------------------------------------------------------------------------------- */

/* Scanners, lists and skip bits as a run begins with them. */
static void set_start(struct compact_control *cc)
{
    struct zone *zone = cc->zone;
    uint64_t start = zone->compact_init_migrate_pfn, last = zone->compact_init_free_pfn;
    cc->migrate_pfn = cc->whole_zone ? start : zone->compact_cached_migrate_pfn[cc->mode];
    cc->free_pfn = cc->whole_zone ? last : zone->compact_cached_free_pfn;
    if (cc->migrate_pfn < start || cc->migrate_pfn >= zone_end_pfn(zone))
        cc->migrate_pfn = start;
    if (cc->free_pfn < start || cc->free_pfn > last)
        cc->free_pfn = last;
    cc->from_ends = cc->migrate_pfn == start && cc->free_pfn == last;
    INIT_LIST_HEAD(&cc->migrate_list);
    INIT_LIST_HEAD(&cc->free_list);
    if (cc->whole_zone)
        pageblock_clear_skips(zone);
}

/* From here to end_capture() the first block that suits goes to cc->capture. */
static void begin_capture(struct compact_control *cc)
{
    cc->capture = (struct capture_control){(unsigned)MAX(cc->order, 0), cc->migratetype, NULL};
    if (cc->order <= 0)
        return;
    spin_lock(&cc->zone->lock);
    if (!cc->zone->capture)
        cc->zone->capture = &cc->capture;
    spin_unlock(&cc->zone->lock);
}

static void end_capture(struct compact_control *cc)
{
    spin_lock(&cc->zone->lock);
    if (cc->zone->capture == &cc->capture)
        cc->zone->capture = NULL;
    spin_unlock(&cc->zone->lock);
}

/* The list goes to the mover, with as many free pages as it needs in stock. */
static void move_list(struct compact_control *cc)
{
    unsigned moved = 0;
    isolate_freepages(cc);
    cc->failed += migrate_pages(&cc->migrate_list, compaction_new_page, cc, cc->mode, &moved);
    cc->moved += moved;
    cc->nr_migrate = 0;
    pcp_drain_local(cc->zone);
}

enum compact_result compact_zone(struct compact_control *cc)
{
    enum compact_result result;
    lru_add_drain_all();
    drain_all_pages(cc->zone);
    set_start(cc);
    begin_capture(cc);
    for (;;) {
        tell_watcher(cc);
        result = compact_finished(cc);
        if (result != COMPACT_CONTINUE)
            break;
        if (isolate_migratepages(cc))
            move_list(cc);
        else
            cc->migrate_pfn = MAX(cc->migrate_pfn, ALIGN_DOWN(cc->free_pfn, PAGEBLOCK_PAGES));
        cond_resched();
    }
    end_capture(cc);
    release_freepages(cc);
    return result;
}

/* --- by hand ---------------------------------------------------------------------------------- */

void compact_node(int nid)
{
    for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
        struct zone *zone = &NODE_DATA(nid)->node_zones[i];
        struct compact_control cc = {.zone = zone,
                                     .order = COMPACT_ALL,
                                     .migratetype = MIGRATE_MOVABLE,
                                     .mode = MIGRATE_SYNC,
                                     .whole_zone = true};
        if (zone_is_populated(zone))
            (void)compact_zone(&cc);
    }
}

void compact_all_nodes(void)
{
    unsigned nid;
    for_each_node(nid)
        compact_node((int)nid);
}
