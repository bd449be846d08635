/* SPDX-License-Identifier: MIT */
/*
 * defer.c - compaction that failed is not tried again at once.
 *
 *      fails: 1st      of requests of this order or above only the  2nd is tried
 *             2nd                                                   4th
 *             ...                                                  64th at most
 *
 * Once that one came, all are tried until one fails again. A success forgets the failures.
 *
 * Locks: none; a lost update costs one attempt. Linux's counterpart: compaction_deferred().
 */
#include "pressure/compaction.h"

void defer_compaction(struct zone *zone, int order)
{
    /* lab compaction: begin 5 */
    zone->compact_considered = 0;
    if (zone->compact_defer_shift < COMPACT_MAX_DEFER_SHIFT)
        zone->compact_defer_shift++;
    if (order < zone->compact_order_failed)
        zone->compact_order_failed = order;
    /* lab compaction: stub lab_missing("compaction", 5, zone, order); */
    /* lab compaction: end */
}

bool compaction_deferred(struct zone *zone, int order)
{
    /* lab compaction: begin 5 */
    uint32_t limit = 1u << zone->compact_defer_shift;
    if (order < zone->compact_order_failed || !zone->compact_defer_shift)
        return false;
    if (++zone->compact_considered >= limit) {
        zone->compact_considered = limit;
        return false;
    }
    return true;
    /* lab compaction: stub lab_missing("compaction", 5, zone, order); */
    /* lab compaction: end */
}

void compaction_defer_reset(struct zone *zone, int order, bool success)
{
    /* lab compaction: begin 5 */
    if (success)
        zone->compact_considered = zone->compact_defer_shift = 0;
    if (order >= zone->compact_order_failed)
        zone->compact_order_failed = order + 1;
    /* lab compaction: stub lab_missing("compaction", 5, zone, order, success); */
    /* lab compaction: end */
}
