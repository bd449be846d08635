/* SPDX-License-Identifier: MIT */
/*
 * compaction.h - big free blocks out of small ones, by moving what lies between.
 */
#ifndef PAGODA_PRESSURE_COMPACTION_H
#define PAGODA_PRESSURE_COMPACTION_H

#include "phys/node.h"
#include "pressure/migrate.h"

enum compact_result {
    COMPACT_NOT_SUITABLE,    /* fragmentation is not the problem */
    COMPACT_SKIPPED,         /* too little free memory to move anything */
    COMPACT_DEFERRED,        /* it failed lately: not now */
    COMPACT_CONTINUE,        /* not finished */
    COMPACT_COMPLETE,        /* the scanners met: all was looked at, no block came of it */
    COMPACT_PARTIAL_SKIPPED, /* they met, but did not begin at the ends */
    COMPACT_CONTENDED,       /* the one who asked is dying */
    COMPACT_SUCCESS,         /* there is a block */
};

#define COMPACT_ALL (-1)       /* as order: the whole zone, for no block in particular */
#define COMPACT_CLUSTER_MAX 32 /* pages isolated at once: few, not to upset the LRU's counts */

/** One run of compaction over a zone. */
struct compact_control {
    struct zone *zone;
    int order;                    /* wanted, or COMPACT_ALL */
    enum migratetype migratetype; /* of the allocation */
    enum migrate_mode mode;
    bool whole_zone;               /* from the very ends, minding no skip bits */
    bool background;               /* for kcompactd's counters */
    uint64_t migrate_pfn;          /* the migrate scanner looks at this frame next */
    uint64_t free_pfn;             /* the free scanner is in the pageblock of this frame */
    bool from_ends;                /* they began at the ends of the zone */
    struct list_head migrate_list; /* isolated pages, to be moved, by lru */
    unsigned nr_migrate;           /* their number; while they are being moved, what it was */
    struct list_head free_list;    /* isolated free pages, order 0, by buddy_list */
    unsigned nr_free;              /* their number */
    uint64_t moved, failed;        /* pages */
    struct capture_control capture;
};

/** Run it. With order > 0 the block may be in cc->capture.page, PAGE_ISOLATED, for the caller. */
enum compact_result compact_zone(struct compact_control *cc);

/**
 * Would compaction help an allocation of @order? Judged by the min watermark:
 *
 *      SUCCESS       the mark allows the allocation as it is: there is no need
 *      SKIPPED       even single pages would not be allowed with the mark 2 << order pages higher:
 *                    the pages that move must fit somewhere while they do
 *      NOT_SUITABLE  the order is above COMPACT_COSTLY_ORDER and the fragmentation index from 0 to
 *                    sysctl_extfrag_threshold: memory is lacking, not order
 *      CONTINUE      yes
 */
enum compact_result compaction_suitable(const struct zone *zone, unsigned order,
                                        enum zone_type highest);
#define COMPACT_COSTLY_ORDER 3

/** All zones of a node, or of all nodes, from end to end: `compact`, compact_memory. */
void compact_node(int nid);
void compact_all_nodes(void);

/** Called after each step of any compaction, for those who like to watch. NULL: nobody. */
typedef void compact_watcher(const struct compact_control *cc, void *arg);
void compaction_watch(compact_watcher *fn, void *arg);

/* --- deferral: what failed is not tried again at once (defer.c) ------------------------------- */

/** A request: is it not to be tried now? Counts it. */
bool compaction_deferred(struct zone *zone, int order);

/** It was tried and failed. */
void defer_compaction(struct zone *zone, int order);

/**
 * There is a block of this order: from now on only larger ones have failed. With @success it was
 * compaction that made it, and the zone is tried at each request again.
 */
void compaction_defer_reset(struct zone *zone, int order, bool success);

/* --- the migrate scanner (migrate_scanner.c) -------------------------------------------------- */

/**
 * Isolate pages of the LRU lists among the frames [pfn, end) of one pageblock, lowest first, until
 * migrate_list has COMPACT_CLUSTER_MAX. Returns where it stopped: behind the last frame that it
 * looked at, @end at most.
 */
uint64_t isolate_migratepages_block(struct compact_control *cc, uint64_t pfn, uint64_t end);

/**
 * Fill the empty migrate_list from migrate_pfn upwards: one to COMPACT_CLUSTER_MAX pages. False,
 * and none, when there are no more below the free scanner's pageblock.
 */
bool isolate_migratepages(struct compact_control *cc);

/* --- the free scanner (free_scanner.c) -------------------------------------------------------- */

/**
 * Fill free_list from free_pfn's pageblock downwards until it has nr_migrate pages or a few more,
 * or fewer: then the scanners have met.
 */
void isolate_freepages(struct compact_control *cc);

/** Give what is on free_list back to the freelists. */
void release_freepages(struct compact_control *cc);

/** migrate_pages()'s source of pages: ctx is the compact_control. NULL: there are no more. */
struct page *compaction_new_page(struct page *old, void *ctx);

/** Settings, as /proc/sys/vm names them. */
extern int sysctl_extfrag_threshold;

/** Rungs of the ladder. Boot. */
void compaction_init(void);

#endif
