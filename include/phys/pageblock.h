/* SPDX-License-Identifier: MIT */
/*
 * pageblock.h - 2 MiB of frames that are used for one kind of thing.
 *
 *      one byte each:   7 no memory | 6 partly memory | 4 skip free | 3 skip migrate | 2..0 type
 *
 * Keeping unmovable pages in blocks of their own is what makes big free blocks possible later: one
 * page-table page in the middle of a block is enough to spoil it.
 *
 * Locks: the type changes under the zone's lock; the bytes are atomic because the skip bits beside
 * it do not.
 * Linux's counterpart: pageblock_flags.
 */
#ifndef PAGODA_PHYS_PAGEBLOCK_H
#define PAGODA_PHYS_PAGEBLOCK_H

#include "base/atomic.h"
#include "phys/page.h"
#include "phys/zone.h"

#define PAGEBLOCK_TYPE 0x07u
#define PAGEBLOCK_SKIP_MIGRATE 0x08u /* the migrate scanner found nothing to move here */
#define PAGEBLOCK_SKIP_FREE 0x10u    /* the free scanner found nothing free here */
#define PAGEBLOCK_PARTIAL 0x40u      /* not every frame is RAM */
#define PAGEBLOCK_HOLE 0x80u         /* no frame is */

/** One byte for each pageblock from MEMORY_BASE on; nr_pageblocks of them. (b) */
extern uint8_t *pageblock_flags;
extern uint64_t nr_pageblocks;

/* So placed that the address of a struct page, shifted, is the index of its pageblock. (b) */
extern uint64_t pageblock_bias;
#define PAGEBLOCK_SHIFT (PAGEBLOCK_ORDER + 6) /* a struct page is 64 bytes */

static inline uint64_t pageblock_index(const struct page *page)
{
    return (uint64_t)(page - mem_map) >> PAGEBLOCK_ORDER;
}

static inline enum migratetype pageblock_type(const struct page *page)
{
    const uint8_t *flags = (const uint8_t *)(pageblock_bias + ((uint64_t)page >> PAGEBLOCK_SHIFT));
    return (enum migratetype)(load_relaxed(flags) & PAGEBLOCK_TYPE);
}

/** Give the pageblock of @page another use. Zone lock held; counts isolated blocks. */
void pageblock_set_type(struct page *page, enum migratetype mt);

/** The skip bits of the pageblock of @page: PAGEBLOCK_SKIP_MIGRATE or PAGEBLOCK_SKIP_FREE. */
static inline bool pageblock_skip(const struct page *page, uint8_t bit)
{
    return load_relaxed(&pageblock_flags[pageblock_index(page)]) & bit;
}
void pageblock_set_skip(struct page *page, uint8_t bit);

/** Clear the skip bits of all of a zone: compaction starts afresh. */
void pageblock_clear_skips(const struct zone *zone);

/** Pageblocks of each type in a zone, for /proc/pagetypeinfo. */
void pageblock_count(const struct zone *zone, uint64_t counts[MIGRATE_TYPES]);

/** Make the array (boot, from memblock); all MOVABLE, holes marked. */
void pageblocks_init(void);

#endif
