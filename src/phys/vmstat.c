/* SPDX-License-Identifier: MIT */
/*
 * vmstat.c - counting pages by use, and events, without sharing a cache line.
 *
 *      mod_node_state(+1)   hart's diff 31 -> 32: fold:  node->vm_stat += 32, diff = 0
 *
 * Locks: none; see vmstat.h.
 */
#include "phys/vmstat.h"

#include "phys/node.h"
#include "phys/pcp.h"

struct vm_event_counts *vm_event_counts;

const char *const zone_stat_names[NR_ZONE_STATS] = {
    [NR_ZONE_INACTIVE_ANON] = "nr_zone_inactive_anon",
    [NR_ZONE_ACTIVE_ANON] = "nr_zone_active_anon",
    [NR_ZONE_INACTIVE_FILE] = "nr_zone_inactive_file",
    [NR_ZONE_ACTIVE_FILE] = "nr_zone_active_file",
    [NR_ZONE_UNEVICTABLE] = "nr_zone_unevictable",
    [NR_MLOCK] = "nr_mlock",
};

const char *const node_stat_names[NR_NODE_STATS] = {
    [NR_INACTIVE_ANON] = "nr_inactive_anon",
    [NR_ACTIVE_ANON] = "nr_active_anon",
    [NR_INACTIVE_FILE] = "nr_inactive_file",
    [NR_ACTIVE_FILE] = "nr_active_file",
    [NR_UNEVICTABLE] = "nr_unevictable",
    [NR_SLAB_RECLAIMABLE] = "nr_slab_reclaimable",
    [NR_SLAB_UNRECLAIMABLE] = "nr_slab_unreclaimable",
    [NR_ISOLATED_ANON] = "nr_isolated_anon",
    [NR_ISOLATED_FILE] = "nr_isolated_file",
    [NR_ANON_MAPPED] = "nr_anon_pages",
    [NR_FILE_MAPPED] = "nr_mapped",
    [NR_FILE_PAGES] = "nr_file_pages",
    [NR_SHMEM] = "nr_shmem",
    [NR_KERNEL_STACK] = "nr_kernel_stack",
    [NR_PAGETABLE] = "nr_page_table_pages",
    [NR_VMALLOC] = "nr_vmalloc",
};

const char *const vm_event_names[NR_VM_EVENTS] = {
    [PGFAULT] = "pgfault",
    [PGMAJFAULT] = "pgmajfault",
    [ALLOCSTALL] = "allocstall",
    [PGMIGRATE_SUCCESS] = "pgmigrate_success",
    [PGMIGRATE_FAIL] = "pgmigrate_fail",
    [COMPACTMIGRATE_SCANNED] = "compact_migrate_scanned",
    [COMPACTFREE_SCANNED] = "compact_free_scanned",
    [COMPACTISOLATED] = "compact_isolated",
    [COMPACTSTALL] = "compact_stall",
    [COMPACTFAIL] = "compact_fail",
    [COMPACTSUCCESS] = "compact_success",
    [KCOMPACTD_WAKE] = "compact_daemon_wake",
    [KCOMPACTD_MIGRATE_SCANNED] = "compact_daemon_migrate_scanned",
    [KCOMPACTD_FREE_SCANNED] = "compact_daemon_free_scanned",
    [OOM_KILL] = "oom_kill",
    [DROP_SLAB] = "drop_slab",
    [NUMA_MISS] = "numa_miss",
    [NUMA_FOREIGN] = "numa_foreign",
    [NUMA_INTERLEAVE] = "numa_interleave",
    [PAGE_STEAL] = "page_steal",
    [PAGEBLOCK_STEAL] = "pageblock_steal",
    [PCP_DRAIN_ALL] = "pcp_drain_all",
    [TLB_REMOTE_FLUSH] = "nr_tlb_remote_flush",
    [TLB_LOCAL_FLUSH_ONE] = "nr_tlb_local_flush_one",
    [TLB_LOCAL_FLUSH_ALL] = "nr_tlb_local_flush_all",
    [THP_SPLIT_PAGE] = "thp_split_page",
    [VMA_LOCK_SUCCESS] = "vma_lock_success",
    [VMA_LOCK_ABORT] = "vma_lock_abort",
    [VMA_LOCK_RETRY] = "vma_lock_retry",
    [VMA_LOCK_MISS] = "vma_lock_miss",
};

/* Add to a hart's difference; when it has grown, what goes to the shared word. */
static inline void add(int64_t *shared, int8_t *diff, int64_t delta)
{
    int64_t sum = *diff + delta;
    if (unlikely(sum > STAT_THRESHOLD || sum < -STAT_THRESHOLD)) {
        fetch_add_relaxed(shared, sum);
        sum = 0;
    }
    store_relaxed(diff, (int8_t)sum); /* only this hart writes it */
}

void mod_zone_state(struct zone *zone, enum zone_stat item, int64_t delta)
{
    add(&zone->vm_stat[item], &zone->stat_diff[hart_index()].diff[item], delta);
}

void mod_node_state(struct pglist_data *pgdat, enum node_stat item, int64_t delta)
{
    add(&pgdat->vm_stat[item], &pgdat->stat_diff[hart_index()].diff[item], delta);
}

static uint64_t not_negative(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

uint64_t zone_state(const struct zone *zone, enum zone_stat item)
{
    int64_t sum = load_relaxed(&zone->vm_stat[item]);
    for (uint32_t i = 0; i < nr_harts; i++)
        sum += load_relaxed(&zone->stat_diff[i].diff[item]);
    return not_negative(sum);
}

uint64_t node_state(const struct pglist_data *pgdat, enum node_stat item)
{
    int64_t sum = load_relaxed(&pgdat->vm_stat[item]);
    for (uint32_t i = 0; i < nr_harts; i++)
        sum += load_relaxed(&pgdat->stat_diff[i].diff[item]);
    return not_negative(sum);
}

uint64_t global_zone_state(enum zone_stat item)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += zone_state(zone, item);
    return sum;
}

uint64_t global_node_state(enum node_stat item)
{
    uint64_t sum = 0;
    unsigned nid;
    for_each_node(nid)
        sum += node_state(NODE_DATA(nid), item);
    return sum;
}

uint64_t vm_event_sum(enum vm_event e)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < nr_harts; i++)
        sum += load_relaxed(&vm_event_counts[i].count[e]);
    return sum;
}

uint64_t nr_managed_pages(void)
{
    uint64_t pages = 0;
    struct zone *zone;
    for_each_populated_zone(zone) pages += zone->managed_pages;
    return pages;
}

uint64_t nr_free_pages(void)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += load_relaxed(&zone->nr_free_pages);
    return sum;
}

uint64_t nr_free_pages_with_pcp(void)
{
    struct zone *zone;
    uint64_t sum = nr_free_pages();
    for_each_populated_zone(zone) sum += zone_pcp_pages(zone);
    return sum;
}

uint64_t zone_pgalloc(const struct zone *zone)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < nr_harts; i++)
        sum += load_relaxed(&pageset_of(i, zone)->allocs);
    return sum;
}

uint64_t zone_pgfree(const struct zone *zone)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < nr_harts; i++)
        sum += pageset_frees(pageset_of(i, zone));
    return sum;
}
