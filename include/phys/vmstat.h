/* SPDX-License-Identifier: MIT */
/*
 * vmstat.h - what is counted: pages by use, and events.
 *
 *      hart 0 diff [ +3 ]--.
 *      hart 1 diff [ -1 ]--+--(when it grows past STAT_THRESHOLD)--> zone->vm_stat, node->vm_stat
 *      hart 2 diff [  0 ]--'
 *
 * A counter is the shared word plus all the harts' differences. Updates touch only the own hart's
 * line; reading the shared word alone is off by at most harts * STAT_THRESHOLD. Free pages are
 * counted exactly, under the zone's lock, in zone->nr_free_pages.
 *
 * Locks: none; diffs belong to their hart, the shared words are atomic.
 * Linux's counterpart: mm/vmstat.c, include/linux/vm_event_item.h; the names in the tables are its.
 */
#ifndef PAGODA_PHYS_VMSTAT_H
#define PAGODA_PHYS_VMSTAT_H

#include "base/atomic.h"
#include "base/format.h"
#include "base/limits.h"
#include "base/types.h"
#include "kern/percpu.h"

struct zone;
struct pglist_data;

#define STAT_THRESHOLD 32

enum zone_stat {
    NR_ZONE_INACTIVE_ANON,
    NR_ZONE_ACTIVE_ANON,
    NR_ZONE_INACTIVE_FILE,
    NR_ZONE_ACTIVE_FILE,
    NR_ZONE_UNEVICTABLE,
    NR_MLOCK,
    NR_ZONE_STATS
};

enum node_stat {
    NR_INACTIVE_ANON,
    NR_ACTIVE_ANON,
    NR_INACTIVE_FILE,
    NR_ACTIVE_FILE,
    NR_UNEVICTABLE,
    NR_SLAB_RECLAIMABLE,
    NR_SLAB_UNRECLAIMABLE,
    NR_ISOLATED_ANON,
    NR_ISOLATED_FILE,
    NR_ANON_MAPPED, /* nr_anon_pages */
    NR_FILE_MAPPED, /* nr_mapped */
    NR_FILE_PAGES,
    NR_SHMEM,
    NR_KERNEL_STACK, /* pages */
    NR_PAGETABLE,
    NR_VMALLOC,
    NR_NODE_STATS
};

enum vm_event {
    PGFAULT,
    PGMAJFAULT,
    ALLOCSTALL, /* allocations that had to wait for relief */
    PGMIGRATE_SUCCESS,
    PGMIGRATE_FAIL,
    COMPACTMIGRATE_SCANNED,
    COMPACTFREE_SCANNED,
    COMPACTISOLATED,
    COMPACTSTALL,
    COMPACTFAIL,
    COMPACTSUCCESS,
    KCOMPACTD_WAKE,
    KCOMPACTD_MIGRATE_SCANNED,
    KCOMPACTD_FREE_SCANNED,
    OOM_KILL,
    DROP_SLAB,
    NUMA_MISS, /* served by another node than wanted */
    NUMA_FOREIGN,
    NUMA_INTERLEAVE,
    PAGE_STEAL,      /* mm_page_alloc_extfrag: fallbacks to another migratetype */
    PAGEBLOCK_STEAL, /* of those, the whole pageblock changed its type */
    PCP_DRAIN_ALL,
    TLB_REMOTE_FLUSH, /* nr_tlb_remote_flush */
    TLB_LOCAL_FLUSH_ONE,
    TLB_LOCAL_FLUSH_ALL,
    THP_SPLIT_PAGE,
    VMA_LOCK_SUCCESS, /* faults that did with the lock of their VMA */
    VMA_LOCK_ABORT,   /* found none that holds the address, or one that is being changed */
    VMA_LOCK_RETRY,   /* had it, but needed mmap_lock for what there was to do */
    VMA_LOCK_MISS,    /* the VMA changed between finding and locking: never, see vma_lock.h */
    NR_VM_EVENTS
};

struct zone_stat_diff {
    int8_t diff[NR_ZONE_STATS];
};
struct node_stat_diff {
    int8_t diff[NR_NODE_STATS];
} cache_aligned;

struct vm_event_counts {
    uint64_t count[NR_VM_EVENTS];
} cache_aligned;

/** By hart index; allocated at boot for the harts that exist. */
extern struct vm_event_counts *vm_event_counts;

/** Names as /proc/vmstat prints them. */
extern const char *const zone_stat_names[NR_ZONE_STATS];
extern const char *const node_stat_names[NR_NODE_STATS];
extern const char *const vm_event_names[NR_VM_EVENTS];

/** This hart's counters, by enum vm_event: for who changes several. Not across what may block. */
static inline uint64_t *hart_vm_events(void)
{
    return vm_event_counts[hart_index()].count;
}

/** Any context; this hart's counters only. */
static inline void count_vm_events(enum vm_event e, uint64_t n)
{
    uint64_t *count = &hart_vm_events()[e];
    add_relaxed(count, n);
}
static inline void count_vm_event(enum vm_event e)
{
    count_vm_events(e, 1);
}

/** Change a counter by @delta (at most 127 - STAT_THRESHOLD in one call goes by the diff). */
void mod_zone_state(struct zone *zone, enum zone_stat item, int64_t delta);
void mod_node_state(struct pglist_data *pgdat, enum node_stat item, int64_t delta);

/** Sums over harts: exact when nothing changes meanwhile; never negative. */
uint64_t zone_state(const struct zone *zone, enum zone_stat item);
uint64_t node_state(const struct pglist_data *pgdat, enum node_stat item);
uint64_t global_zone_state(enum zone_stat item);
uint64_t global_node_state(enum node_stat item);
uint64_t vm_event_sum(enum vm_event e);

/** Pages on freelists of all zones; and with the harts' pagesets. */
uint64_t nr_free_pages(void);
uint64_t nr_free_pages_with_pcp(void);

/** All pages that the allocator has, free or not. */
uint64_t nr_managed_pages(void);

/** Pages that went through alloc and free in a zone (pgalloc_*, pgfree). */
uint64_t zone_pgalloc(const struct zone *zone);
uint64_t zone_pgfree(const struct zone *zone);

#endif
