/* SPDX-License-Identifier: MIT */
/*
 * scanner.h - what the two scanners of compaction share: a zone seen pageblock by pageblock.
 *
 *      pageblocks       |   .   |   .   |   .   |   .   |
 *      the zone             [=====================]           neither end need be aligned
 *      pageblock_first()    ^   ^       ^       ^             inside of the zone
 *      pageblock_end()          ^       ^       ^  ^
 *
 * Between the ends there may be holes, and frames of another zone: page_in_zone() tells.
 */
#ifndef PAGODA_PRESSURE_SCANNER_H
#define PAGODA_PRESSURE_SCANNER_H

#include "phys/pageblock.h"
#include "pressure/compaction.h"

/** The first frame of the pageblock of @pfn, and the first behind it; both cut off at the zone. */
static inline uint64_t pageblock_first(const struct zone *zone, uint64_t pfn)
{
    return MAX(ALIGN_DOWN(pfn, PAGEBLOCK_PAGES), zone->zone_start_pfn);
}

static inline uint64_t pageblock_end(const struct zone *zone, uint64_t pfn)
{
    return MIN(ALIGN_DOWN(pfn, PAGEBLOCK_PAGES) + PAGEBLOCK_PAGES, zone_end_pfn(zone));
}

/** The page of a frame, if there is RAM and it is this zone's; else NULL. */
static inline struct page *page_in_zone(const struct zone *zone, uint64_t pfn)
{
    struct page *page = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
    return page && page_zone(page) == zone ? page : NULL;
}

/** Is this, the first page of a pageblock, the head of a free block that covers all of it? */
static inline bool pageblock_is_free(const struct page *page)
{
    return load_relaxed(&page->type) == PAGE_BUDDY && load_relaxed(&page->order) >= PAGEBLOCK_ORDER;
}

/** So many frames were looked at: for /proc/vmstat. */
static inline void count_scanned(const struct compact_control *cc, enum vm_event event, uint64_t n)
{
    count_vm_events(event, n);
    if (cc->background)
        count_vm_events(event == COMPACTMIGRATE_SCANNED ? KCOMPACTD_MIGRATE_SCANNED
                                                        : KCOMPACTD_FREE_SCANNED,
                        n);
}

#endif
