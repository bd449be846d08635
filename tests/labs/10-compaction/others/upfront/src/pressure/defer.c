/* SPDX-License-Identifier: MIT */
/*
 * defer.c - another solution: compact_considered counts down.
 */
#include "pressure/compaction.h"

void defer_compaction(struct zone *zone, int order)
{
    zone->compact_defer_shift = MIN(zone->compact_defer_shift + 1, COMPACT_MAX_DEFER_SHIFT);
    zone->compact_considered = (1u << zone->compact_defer_shift) - 1;
    zone->compact_order_failed = MIN(zone->compact_order_failed, order);
}

bool compaction_deferred(struct zone *zone, int order)
{
    if (order < zone->compact_order_failed || !zone->compact_considered)
        return false;
    zone->compact_considered--;
    return true;
}

void compaction_defer_reset(struct zone *zone, int order, bool success)
{
    zone->compact_order_failed = MAX(zone->compact_order_failed, order + 1);
    if (success)
        zone->compact_defer_shift = zone->compact_considered = 0;
}
