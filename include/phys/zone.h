/* SPDX-License-Identifier: MIT */
/*
 * zone.h - a range of a node's frames with one use, and its free pages.
 *
 *      node 0:  [ DMA32 .......... ][ NORMAL ................. ][ MOVABLE .... ]
 *                                    |
 *                                    v
 *      free_area[10]  free_list[MOVABLE] -> 4 MiB block -> 4 MiB block
 *      free_area[9]   free_list[UNMOVABLE] -> 2 MiB block
 *        ...
 *      free_area[0]   free_list[MOVABLE] -> page -> page -> page
 *
 * spanned >= present >= managed: the range with its holes, the RAM in it, and what of it was ever
 * given to the allocator.
 *
 * Locks: (z) zone->lock; (b) boot only; (w) watermarks: written under the zone lock, read without;
 * (h) a hart's own pageset; (c) compaction's hints, written without lock: a wrong one only costs
 * time. Hot fields first; the lock has a cache line of its own.
 * Linux's counterpart: struct zone in include/linux/mmzone.h.
 */
#ifndef PAGODA_PHYS_ZONE_H
#define PAGODA_PHYS_ZONE_H

#include "base/limits.h"
#include "base/list.h"
#include "base/types.h"
#include "kern/lock.h"
#include "kern/percpu.h"
#include "phys/gfp.h"
#include "phys/page.h"
#include "phys/vmstat.h"

enum zone_type { ZONE_DMA32, ZONE_NORMAL, ZONE_MOVABLE, MAX_NR_ZONES };

/** What a pageblock is used for. The first three have lists in the pagesets. */
enum migratetype {
    MIGRATE_UNMOVABLE,
    MIGRATE_MOVABLE,
    MIGRATE_RECLAIMABLE,
    MIGRATE_PCPTYPES,
    MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES, /* a reserve for allocations that cannot wait */
    MIGRATE_ISOLATE,                       /* nothing is allocated from here */
    MIGRATE_TYPES
};

enum zone_watermark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };

/* --- the pageset of one hart (pcp.c) ---------------------------------------------------------- */

#define PCP_MAX_ORDER 3
#define PCP_TYPES 4 /* MIGRATE_PCPTYPES, and one unused, so that GFP bits index the stacks */

struct per_cpu_pages {
    int32_t room;                /* pages that may still come before some go back to the zone */
    int32_t high;                /* pages on all stacks are high - room */
    int32_t batch;               /* how many are moved at once, before the rate is looked at */
    uint8_t alloc_factor;        /* log2 by which refills have grown */
    uint8_t free_factor;         /* log2 by which drains have grown */
    uint64_t allocs;             /* pages handed out, ever */
    uint64_t filled, given_back; /* pages moved from and to the zone, ever */
    uint64_t refills, drains;    /* how often */
    struct page *stacks[PCP_MAX_ORDER + 1][PCP_TYPES]; /* linked by pcp_next, hottest first */
} __attribute__((aligned(256))); /* a power of two: one shift finds that of a zone */

struct free_area {
    struct list_head free_list[MIGRATE_TYPES]; /* (z) heads */
    uint64_t nr_free;                          /* (z) blocks on all of them */
};

/* --- capture: the block that compaction was asked for goes to who asked ----------------------- */

struct capture_control {
    unsigned order;
    enum migratetype migratetype;
    struct page *page; /* (z) NULL until one was caught */
};

#define COMPACT_MAX_DEFER_SHIFT 6

struct pglist_data;

struct zone {
    /* read by every allocation */
    struct pglist_data *zone_pgdat;        /* (b) */
    const char *name;                      /* (b) "DMA32", "Normal", "Movable" */
    uint64_t watermark[NR_WMARK];          /* (w) pages */
    uint64_t watermark_boost;              /* (w) added to low and high after a steal */
    uint64_t lowmem_reserve[MAX_NR_ZONES]; /* (w) kept back from allocations for higher zones */
    uint64_t nr_reserved_highatomic;       /* (z) pages */
    uint8_t nid, index;                    /* (b) node, enum zone_type */
    uint8_t id;                            /* (b) index in zones[] and in a hart's pagesets */

    uint64_t zone_start_pfn;               /* (b) */
    uint64_t spanned_pages, present_pages; /* (b) */
    uint64_t managed_pages;                /* (z) */

    /* the freelists */
    struct spinlock lock cache_aligned;
    uint64_t nr_free_pages;          /* (z) exact; read anywhere */
    struct capture_control *capture; /* (z) who waits for a block, or NULL */
    uint64_t nr_isolate_pageblock;   /* (z) */
    uint64_t nr_isolated_free;       /* (z) pages of PAGE_ISOLATED blocks */
    struct free_area free_area[NR_ORDERS];

    /* compaction's memory */
    uint64_t compact_cached_free_pfn cache_aligned;           /* (c) */
    uint64_t compact_cached_migrate_pfn[2];                   /* (c) async, sync */
    uint64_t compact_init_migrate_pfn, compact_init_free_pfn; /* (c) */
    uint32_t compact_considered;  /* (c) requests since it last failed */
    uint32_t compact_defer_shift; /* (c) skip 1 << shift of them */
    int32_t compact_order_failed; /* (c) smallest order that failed */
    bool contiguous;              /* (b) no holes */

    /* counters */
    int64_t vm_stat[NR_ZONE_STATS] cache_aligned; /* (a) without what the harts still hold */
    struct zone_stat_diff *stat_diff;             /* (b) by hart */
};

/** The populated zones, nodes and in them zones in ascending order; zone->id is the index. (b) */
extern struct zone *zones[MAX_NODES * MAX_NR_ZONES];
extern unsigned nr_zones;

static inline struct zone *page_zone(const struct page *page)
{
    return zones[page->zone_id];
}

static inline bool zone_is_populated(const struct zone *zone)
{
    return zone->present_pages != 0;
}

static inline uint64_t zone_end_pfn(const struct zone *zone)
{
    return zone->zone_start_pfn + zone->spanned_pages;
}

static inline bool zone_spans_pfn(const struct zone *zone, uint64_t pfn)
{
    return pfn - zone->zone_start_pfn < zone->spanned_pages;
}

/** Every populated zone; inside it `zone` must not be changed. */
#define for_each_populated_zone(z) \
    for (unsigned zone_i_ = 0; zone_i_ < nr_zones && ((z) = zones[zone_i_], true); zone_i_++)

/** The highest zone an allocation may use. */
static inline enum zone_type gfp_zone(gfp_t gfp)
{
    /* bits DMA32 and MOVABLE: none NORMAL, DMA32 DMA32, MOVABLE MOVABLE, both DMA32 */
    return (enum zone_type)((0x0201u >> ((gfp & (__GFP_DMA32 | __GFP_MOVABLE)))) & 3);
}

/** What kind of pageblock it wants; MIGRATE_PCPTYPES for the contradiction movable and slab. */
static inline enum migratetype gfp_migratetype(gfp_t gfp)
{
    return (enum migratetype)((gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) >> 3);
}

const char *zone_type_name(enum zone_type type);
const char *migratetype_name(enum migratetype mt);

#endif
