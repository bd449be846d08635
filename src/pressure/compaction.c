/* SPDX-License-Identifier: MIT */
/*
 * compaction.c - one run over a zone: isolate, migrate, look whether it is enough.
 *
 *      +--> finished? --> SUCCESS (a block), COMPLETE (the scanners met), CONTENDED
 *      |       | no
 *      |    migrate scanner: up to 32 pages off the LRU lists
 *      |    free scanner:    as many free pages off the freelists
 *      |    migrate_pages
 *      +-------'
 *
 * While it runs for somebody, zone->capture catches the first big enough block that becomes free,
 * so that nobody else snatches what was worked for.
 *
 * Locks: none across a step. Linux's counterpart: compact_zone(), mm/compaction.c.
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
    /* lab compaction: begin 5 */
    uint64_t mark = zone->watermark[WMARK_MIN];
    if (zone_watermark_ok(zone, order, mark, highest, 0))
        return COMPACT_SUCCESS;
    /* twice the block: the pages that move must fit somewhere while they do */
    if (!zone_watermark_ok(zone, 0, mark + (2UL << order), highest, 0))
        return COMPACT_SKIPPED;
    int index = fragmentation_index(zone, order);
    if (order > COMPACT_COSTLY_ORDER && index >= 0 && index <= sysctl_extfrag_threshold)
        return COMPACT_NOT_SUITABLE;
    return COMPACT_CONTINUE;
    /* lab compaction: stub lab_missing("compaction", 5, zone, order, highest); */
    /* lab compaction: end */
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

/* lab compaction: begin 6 */
static bool scanners_met(const struct compact_control *cc)
{
    return cc->migrate_pfn >> PAGEBLOCK_ORDER >= cc->free_pfn >> PAGEBLOCK_ORDER;
}
/* lab compaction: end */

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
    /* lab compaction: begin 6 */
    struct zone *zone = cc->zone;
    if (cc->order >= 0 && load_relaxed(&cc->capture.page))
        return COMPACT_SUCCESS;
    if (scanners_met(cc)) {
        zone->compact_cached_migrate_pfn[0] = zone->compact_cached_migrate_pfn[1] =
            zone->compact_init_migrate_pfn;
        zone->compact_cached_free_pfn = zone->compact_init_free_pfn;
        pageblock_clear_skips(zone);
        return cc->from_ends ? COMPACT_COMPLETE : COMPACT_PARTIAL_SKIPPED;
    }
    if (cc->order != COMPACT_ALL && kill_pending())
        return COMPACT_CONTENDED;
    if (cc->order >= 0 && block_is_there(cc))
        return COMPACT_SUCCESS;
    return COMPACT_CONTINUE;
    /* lab compaction: stub lab_missing("compaction", 6, cc, block_is_there); */
    /* lab compaction: end */
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

/* lab compaction: begin 6 */
/* One step. When there is nothing to isolate, the scanners have met. */
static void step(struct compact_control *cc)
{
    unsigned moved = 0;
    if (!isolate_migratepages(cc))
        return;
    cc->failed += migrate_pages(&cc->migrate_list, compaction_new_page, cc, cc->mode, &moved);
    cc->moved += moved;
    cc->nr_migrate = 0;
    /* what was moved lies on this hart's pageset: back to the freelists, where it can merge */
    pcp_drain_local(cc->zone);
    tell_watcher(cc);
    cond_resched();
}
/* lab compaction: end */

enum compact_result compact_zone(struct compact_control *cc)
{
    /* lab compaction: begin 6 */
    enum compact_result result;
    lru_add_drain_all();
    drain_all_pages(cc->zone);
    set_start(cc);
    begin_capture(cc);
    tell_watcher(cc);
    while ((result = compact_finished(cc)) == COMPACT_CONTINUE)
        step(cc);
    release_freepages(cc);
    end_capture(cc);
    tell_watcher(cc);
    /* what was left over may have merged into the block that was wanted */
    return load_relaxed(&cc->capture.page) ? COMPACT_SUCCESS : result;
    /* lab compaction: stub lab_missing("compaction", 6, cc, compact_finished, set_start, */
    /* lab compaction: stub             begin_capture, end_capture, tell_watcher); */
    /* lab compaction: end */
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
