/* SPDX-License-Identifier: MIT */
/*
 * fallback.h - taking from another migratetype, and judging how broken up memory is.
 */
#ifndef PAGODA_PHYS_FALLBACK_H
#define PAGODA_PHYS_FALLBACK_H

#include "phys/zone.h"

/**
 * Nothing of type @mt is left: take 2^order pages from another type's biggest block, and take its
 * whole pageblock over when that is mostly free. Zone lock held. NULL when nothing fits.
 */
struct page *fallback_alloc_locked(struct zone *zone, unsigned order, enum migratetype mt);

/**
 * Why would 2^order pages fail here? Towards 0: for lack of memory; towards 1000: because what is
 * free is in small pieces; -1000: it would not fail. (Gorman and Whitcroft, 2006)
 */
int fragmentation_index(const struct zone *zone, unsigned order);

/** How much of the free memory is in blocks too small for @order: 0 to 1000. */
int unusable_free_index(const struct zone *zone, unsigned order);

/** Set pageblocks aside for allocations that cannot wait, when one of order > 0 just succeeded. */
void highatomic_reserve(struct zone *zone, struct page *page);

/** Give one reserved pageblock of any zone of the list back. True when one was found. */
bool highatomic_unreserve(struct zone *zone);

#endif
