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

#define COMPACT_ALL (-1) /* as order: the whole zone, for no block in particular */

/** One run of compaction over a zone. */
struct compact_control {
    struct zone *zone;
    int order;                    /* wanted, or COMPACT_ALL */
    enum migratetype migratetype; /* of the allocation */
    enum migrate_mode mode;
    bool whole_zone;                /* from the very ends, minding no skip bits */
    bool background;                /* for kcompactd's counters */
    uint64_t migrate_pfn, free_pfn; /* where the scanners stand */
    bool from_ends;                 /* they began at the ends of the zone */
    struct list_head migrate_list;  /* isolated pages, to be moved */
    unsigned nr_migrate;
    struct list_head free_list; /* isolated free pages, order 0, by buddy_list */
    unsigned nr_free;
    uint64_t moved, failed; /* pages */
    struct capture_control capture;
};

/** Run it. With order >= 0 the block may be in cc->capture.page, PAGE_ISOLATED, for the caller. */
enum compact_result compact_zone(struct compact_control *cc);

/** Would compaction help an allocation of @order? CONTINUE: yes; SUCCESS: it is not needed. */
enum compact_result compaction_suitable(const struct zone *zone, unsigned order,
                                        enum zone_type highest);

/** All zones of a node, or of all nodes, from end to end: `compact`, compact_memory. */
void compact_node(int nid);
void compact_all_nodes(void);

/** Called after each step of any compaction, for those who like to watch. NULL: nobody. */
typedef void compact_watcher(const struct compact_control *cc, void *arg);
void compaction_watch(compact_watcher *fn, void *arg);

/* --- deferral: what failed is not tried again at once (defer.c) ------------------------------- */

bool compaction_deferred(struct zone *zone, int order);
void defer_compaction(struct zone *zone, int order);
void compaction_defer_reset(struct zone *zone, int order, bool success);

/* --- isolation: the two scanners (isolate.c) -------------------------------------------------- */

/** Fill migrate_list from the next pageblocks. False when the scanners have met. */
bool isolate_migratepages(struct compact_control *cc);

/** Fill free_list from pageblocks further down, until it has as many as migrate_list. */
void isolate_freepages(struct compact_control *cc);

/** Give the rest of free_list back to the freelists. */
void release_freepages(struct compact_control *cc);

/** migrate_pages()'s source of pages: ctx is the compact_control. */
struct page *compaction_new_page(struct page *old, void *ctx);

/** Settings, as /proc/sys/vm names them. */
extern int sysctl_extfrag_threshold;

/** Rungs of the ladder. Boot. */
void compaction_init(void);

#endif
