/* SPDX-License-Identifier: MIT */
/*
 * pressure.h - the ladder that an allocation climbs when memory is short.
 *
 *      alloc_pages() finds nothing above the watermark
 *         |
 *         v       rank 0        rank 10          rank 20        rank 30        rank 40
 *      registry: [ wake ]  --> [ compact ]  --> [ reclaim ] -> [ shrink ] --> [ kill ]
 *                background     kcompactd,        (later)       slabs          OOM
 *                               direct
 *
 * phys knows only this registry. The floors above hang their means of relief into it at boot; with
 * nothing registered the allocator runs alone, on the host too, and simply fails.
 *
 * Contract of relieve(): it may block; it makes no allocation that could climb the ladder again
 * (the allocator sees to it: while a thread is on the ladder its own allocations fail rather than
 * climb); it is bounded; it tells honestly whether it made progress.
 *
 * Locks: the list is written at boot only.
 */
#ifndef PAGODA_PHYS_PRESSURE_H
#define PAGODA_PHYS_PRESSURE_H

#include "base/list.h"
#include "phys/gfp.h"
#include "phys/node.h"

enum relief_rank {
    RELIEF_RANK_WAKE = 0, /* background helpers; never blocks, also asked for GFP_NOWAIT */
    RELIEF_RANK_COMPACT = 10,
    RELIEF_RANK_RECLAIM = 20,
    RELIEF_RANK_SHRINK = 30,
    RELIEF_RANK_KILL = 40, /* last; not asked for NORETRY and RETRY_MAYFAIL */
};

enum relief_result {
    RELIEF_NONE,     /* nothing gained: ask the next rung */
    RELIEF_PROGRESS, /* try the freelists again */
    RELIEF_CAPTURED, /* request->captured is the wanted block, taken off the freelists */
};

struct relief_request {
    gfp_t gfp;
    unsigned order;
    int nid; /* preferred node */
    enum zone_type highest_zone;
    struct zonelist *zonelist;
    const nodemask_t *nodes; /* allowed nodes, NULL: all */
    unsigned attempt;        /* 0 in the first round up the ladder */
    struct page *captured;
};

struct relief {
    const char *name;
    int rank; /* ladder order */
    enum relief_result (*relieve)(struct relief_request *request);
    struct list_head node;
};

/** Hang a rung into the ladder, by rank. Boot only; the struct stays where it is. */
void relief_register(struct relief *relief);

/**
 * Ask the rungs of these ranks, in order, until one gains something; returns what it gained.
 * Thread context unless only RELIEF_RANK_WAKE is asked for.
 */
enum relief_result relief_climb(struct relief_request *request, int min_rank, int max_rank);

/** Call @fn for each rung, for views. */
void relief_each(void (*fn)(const struct relief *relief, void *arg), void *arg);

#endif
