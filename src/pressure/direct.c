/* SPDX-License-Identifier: MIT */
/*
 * direct.c - compaction on behalf of one allocation: a rung of the ladder.
 *
 *      alloc_pages(order 9) finds no block --> for each zone of its list:
 *         deferred? too little free? --> next zone
 *         compact_zone --> captured: the block is the caller's, nobody else ever saw it
 *
 * The first time up the ladder the scanners do not wait for locks (async); after that they do.
 *
 * Locks: none. Linux's counterpart: try_to_compact_pages(), __alloc_pages_direct_compact().
 */
#include "kern/thread.h"
#include "phys/alloc.h"
#include "phys/pressure.h"
#include "pressure/compaction.h"
#include "pressure/kcompactd.h"

static enum compact_result compact_for(struct relief_request *request, struct zone *zone)
{
    struct compact_control cc = {
        .zone = zone,
        .order = (int)request->order,
        .migratetype = gfp_migratetype(request->gfp),
        .mode = request->attempt ? MIGRATE_SYNC : MIGRATE_ASYNC,
        .whole_zone = request->attempt > 1,
    };
    enum compact_result result = compact_zone(&cc);
    request->captured = cc.capture.page;
    return result;
}

static enum compact_result try_zone(struct relief_request *request, struct zone *zone)
{
    int order = (int)request->order;
    if (request->attempt < 2 && compaction_deferred(zone, order))
        return COMPACT_DEFERRED;
    enum compact_result result = compaction_suitable(zone, request->order, request->highest_zone);
    if (result != COMPACT_CONTINUE)
        return result;
    result = compact_for(request, zone);
    if (result == COMPACT_SUCCESS)
        compaction_defer_reset(zone, order, request->captured != NULL);
    else if (result == COMPACT_COMPLETE && request->attempt)
        defer_compaction(zone, order);
    return result;
}

static enum relief_result relieve(struct relief_request *request)
{
    struct zoneref *ref;
    struct zone *zone;
    bool ran = false;
    if (!request->order)
        return RELIEF_NONE;
    for_each_zone_zonelist_nodemask(zone, ref, request->zonelist, request->highest_zone,
                                    request->nodes)
    {
        enum compact_result result = try_zone(request, zone);
        ran |= result >= COMPACT_CONTINUE;
        if (result != COMPACT_SUCCESS)
            continue;
        count_vm_event(COMPACTSTALL);
        count_vm_event(COMPACTSUCCESS);
        return request->captured ? RELIEF_CAPTURED : RELIEF_PROGRESS;
    }
    if (ran) {
        count_vm_event(COMPACTSTALL);
        count_vm_event(COMPACTFAIL);
    }
    /* the second and third time it tries harder: worth a round, if there was anything to try */
    return ran && request->attempt < 2 ? RELIEF_PROGRESS : RELIEF_NONE;
}

static struct relief direct_compaction = {
    .name = "direct compaction", .rank = RELIEF_RANK_COMPACT, .relieve = relieve};

void compaction_init(void)
{
    relief_register(&direct_compaction);
    kcompactd_init();
}
