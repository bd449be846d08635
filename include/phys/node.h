/* SPDX-License-Identifier: MIT */
/*
 * node.h - pg_data_t: memory that is equally far from every hart, and where to look next.
 *
 *      node 0                    node 1                     node_zonelists[FALLBACK] of node 0:
 *      +----------------+        +----------------+         0/Movable 0/Normal 0/DMA32
 *      | DMA32  NORMAL  |--20----| NORMAL MOVABLE |         1/Movable 1/Normal
 *      +----------------+        +----------------+         (nodes by distance, zones downwards)
 *
 * A node may have harts without memory or memory without harts. The zonelist of a memoryless node
 * simply begins with the nearest node that has some.
 *
 * Locks: (b) boot only, (l) lru_lock. Linux's counterpart: struct pglist_data, mm/page_alloc.c.
 */
#ifndef PAGODA_PHYS_NODE_H
#define PAGODA_PHYS_NODE_H

#include "base/bitmap.h"
#include "base/limits.h"
#include "kern/lock.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "phys/machine.h"
#include "phys/vmstat.h"
#include "phys/zone.h"

#define MAX_ZONES_PER_ZONELIST (MAX_NODES * MAX_NR_ZONES)

struct zoneref {
    struct zone *zone; /* NULL ends the list */
    uint8_t zone_idx;  /* its zone_type */
};

struct zonelist {
    struct zoneref zonerefs[MAX_ZONES_PER_ZONELIST + 1];
};

enum { ZONELIST_FALLBACK, ZONELIST_NOFALLBACK, MAX_ZONELISTS };

enum lru_list {
    LRU_INACTIVE_ANON,
    LRU_ACTIVE_ANON,
    LRU_INACTIVE_FILE,
    LRU_ACTIVE_FILE,
    LRU_UNEVICTABLE,
    NR_LRU_LISTS
};

typedef struct pglist_data {
    struct zone node_zones[MAX_NR_ZONES];
    struct zone
        *preferred_zone[MAX_NR_ZONES]; /* (b) first of the fallback list for each gfp_zone */
    struct zonelist *node_zonelists[MAX_ZONELISTS];  /* (b) */
    uint32_t nr_zones;                               /* (b) populated ones */
    int32_t node_id;                                 /* (b) */
    struct page *node_mem_map;                       /* (b) page of node_start_pfn */
    uint64_t node_start_pfn;                         /* (b) */
    uint64_t node_present_pages, node_spanned_pages; /* (b) spanned: with holes */
    struct thread *kswapd, *kcompactd;               /* (b) */
    struct wait_queue kswapd_wait, kcompactd_wait;
    int32_t kcompactd_max_order; /* (a) 0: nothing to do */
    struct spinlock lru_lock cache_aligned;
    struct list_head lru[NR_LRU_LISTS];           /* (l) */
    int64_t vm_stat[NR_NODE_STATS] cache_aligned; /* (a) */
    struct node_stat_diff *stat_diff;             /* (b) by hart */
} pg_data_t;

extern pg_data_t *node_data[MAX_NODES];
#define NODE_DATA(nid) (node_data[nid])

/** Sets of nodes; written at boot only. */
enum node_states { N_POSSIBLE, N_ONLINE, N_NORMAL_MEMORY, N_MEMORY, N_CPU, NR_NODE_STATES };
extern nodemask_t node_states[NR_NODE_STATES];

static inline bool node_state_test(int nid, enum node_states state)
{
    return mask_test(&node_states[state], nid);
}

/** int nid runs over the online nodes. */
#define for_each_node(nid) for_each_in_mask(nid, &node_states[N_ONLINE])

/** 10 for the node itself, more for others. */
static inline int node_distance(int a, int b)
{
    return machine.distance[a][b];
}

/** The node of the hart that asks; its zonelist may begin elsewhere when it has no memory. */
static inline int numa_node_id(void)
{
    return (int)hart_nid();
}

static inline pg_data_t *page_pgdat(const struct page *page)
{
    return NODE_DATA(page->nid);
}

/** The zonelist an allocation with these flags on this node walks. */
static inline struct zonelist *node_zonelist(int nid, gfp_t gfp)
{
    return NODE_DATA(nid)
        ->node_zonelists[gfp & __GFP_THISNODE ? ZONELIST_NOFALLBACK : ZONELIST_FALLBACK];
}

/** struct zoneref *ref, struct zone *zone: those of index <= high and, if mask, on its nodes. */
#define for_each_zone_zonelist_nodemask(zone, ref, list, high, mask)        \
    for ((ref) = (list)->zonerefs; ((zone) = (ref)->zone) != NULL; (ref)++) \
        if ((ref)->zone_idx <= (unsigned)(high) && (!(mask) || mask_test((mask), (zone)->nid)))

/** Make the pg_data_t of every node of the machine (boot, from memblock). */
void nodes_init(const struct machine *m);

/** Order the zonelists, once the zones are known. */
void zonelists_init(void);

#endif
