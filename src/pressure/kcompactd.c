/* SPDX-License-Identifier: MIT */
/*
 * kcompactd.c - a thread for each node that compacts in the background.
 *
 *      an allocation of order n fails at the low mark
 *         -> RELIEF_RANK_WAKE rung: kcompactd_max_order = max(.., n), wake
 *         -> kcompactd/0: for each zone of the node: suitable? compact until a block is there
 *
 * So the next one who wants such a block finds it ready, and need not wait.
 *
 * Locks: kcompactd_max_order is atomic. Linux's counterpart: kcompactd(), wakeup_kcompactd().
 */
#include "pressure/kcompactd.h"

#include "base/format.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "phys/buddy.h"
#include "phys/pressure.h"
#include "pressure/compaction.h"

static void compact_zone_for(struct zone *zone, int order)
{
    struct compact_control cc = {.zone = zone,
                                 .order = order,
                                 .migratetype = MIGRATE_MOVABLE,
                                 .mode = MIGRATE_SYNC,
                                 .background = true};
    if (compaction_deferred(zone, order) ||
        compaction_suitable(zone, (unsigned)order, (enum zone_type)zone->index) != COMPACT_CONTINUE)
        return;
    enum compact_result result = compact_zone(&cc);
    if (cc.capture.page) { /* it was for whoever comes: back to the freelists */
        spin_lock(&zone->lock);
        buddy_return_locked(zone, cc.capture.page, cc.capture.order);
        spin_unlock(&zone->lock);
    }
    if (result == COMPACT_SUCCESS)
        compaction_defer_reset(zone, order, false);
    else if (result == COMPACT_COMPLETE)
        defer_compaction(zone, order);
}

static void kcompactd(void *arg)
{
    pg_data_t *pgdat = arg;
    for (;;) {
        wait_event(&pgdat->kcompactd_wait, load_relaxed(&pgdat->kcompactd_max_order) != 0);
        int order = xchg(&pgdat->kcompactd_max_order, 0);
        count_vm_event(KCOMPACTD_WAKE);
        for (unsigned i = 0; i < MAX_NR_ZONES; i++)
            if (zone_is_populated(&pgdat->node_zones[i]))
                compact_zone_for(&pgdat->node_zones[i], order);
    }
}

static void wake(pg_data_t *pgdat, int order)
{
    int32_t old = load_relaxed(&pgdat->kcompactd_max_order);
    while (old < order && !cmpxchg(&pgdat->kcompactd_max_order, &old, order))
        ;
    if (wait_queue_active(&pgdat->kcompactd_wait))
        wake_up_one(&pgdat->kcompactd_wait);
}

/* Never waits, so it is asked on behalf of those too who cannot. */
static enum relief_result relieve(struct relief_request *request)
{
    struct zoneref *ref;
    struct zone *zone;
    int last = -1;
    if (!request->order)
        return RELIEF_NONE;
    for_each_zone_zonelist_nodemask(zone, ref, request->zonelist, request->highest_zone,
                                    request->nodes)
    {
        if (zone->nid != last)
            wake(zone->zone_pgdat, (int)request->order);
        last = zone->nid;
    }
    return RELIEF_NONE;
}

static struct relief wake_kcompactd = {
    .name = "wake kcompactd", .rank = RELIEF_RANK_WAKE, .relieve = relieve};

void kcompactd_init(void)
{
    unsigned nid;
    for_each_in_mask(nid, &node_states[N_MEMORY]) {
        pg_data_t *pgdat = NODE_DATA(nid);
        char name[THREAD_NAME_MAX];
        snprintf(name, sizeof(name), "kcompactd%u", nid);
        pgdat->kcompactd = kthread_run(name, kcompactd, pgdat, (int)nid);
        if (!pgdat->kcompactd)
            pr_warn("node %u: no memory for kcompactd; it compacts on demand only\n", nid);
    }
    relief_register(&wake_kcompactd);
}
