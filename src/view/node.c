/* SPDX-License-Identifier: MIT */
/*
 * node.c - /sys/devices/system/node: the nodes, a directory each.
 *
 *      possible online has_cpu has_memory has_normal_memory      sets: "0-1,3"
 *      node0/{cpulist,distance,meminfo,numastat,vmstat}
 *
 * Locks: none. Linux's counterpart: drivers/base/node.c.
 */
#include "base/errno.h"
#include "file/registry.h"
#include "phys/node.h"
#include "phys/pcp.h"
#include "view/view.h"

static long next_node_number(unsigned long from, const struct view_args *args)
{
    (void)args;
    for (unsigned long nid = from; nid < MAX_NODES; nid++)
        if (node_state_test((int)nid, N_ONLINE))
            return (long)nid;
    return -ENOENT;
}

static int show_mask(struct sink *out, enum node_states state)
{
    bitmap_print_list(out, &node_states[state].bits, MAX_NODES);
    print(out, "\n");
    return 0;
}

static int show_possible(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_mask(out, N_POSSIBLE);
}

static int show_online(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_mask(out, N_ONLINE);
}

static int show_has_cpu(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_mask(out, N_CPU);
}

static int show_has_memory(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_mask(out, N_MEMORY);
}

static int show_has_normal_memory(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_mask(out, N_NORMAL_MEMORY);
}

static int show_cpulist(struct sink *out, const struct view_args *args)
{
    hartmask_t mask = {0};
    for (uint32_t i = 0; i < nr_harts; i++)
        if (harts[i]->arch.nid == args->number[0] && hart_is_online(i))
            mask_set(&mask, i);
    bitmap_print_list(out, &mask.bits, MAX_HARTS);
    print(out, "\n");
    return 0;
}

static int show_distance(struct sink *out, const struct view_args *args)
{
    const char *blank = "";
    unsigned nid;
    for_each_node(nid) {
        print(out, "%s%d", blank, node_distance((int)args->number[0], (int)nid));
        blank = " ";
    }
    print(out, "\n");
    return 0;
}

/* --- numbers of one node ---------------------------------------------------------------------- */

struct node_sums {
    uint64_t managed, free, pgalloc;
};

static struct node_sums sum_zones(const pg_data_t *pgdat)
{
    struct node_sums s = {0};
    for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
        const struct zone *zone = &pgdat->node_zones[i];
        if (!zone_is_populated(zone))
            continue;
        s.managed += zone->managed_pages;
        s.free += load_relaxed(&zone->nr_free_pages) + zone_pcp_pages(zone);
        s.pgalloc += zone_pgalloc(zone);
    }
    return s;
}

static int show_meminfo(struct sink *out, const struct view_args *args)
{
    int nid = (int)args->number[0];
    const pg_data_t *p = NODE_DATA(nid);
    struct node_sums s = sum_zones(p);
    const struct {
        const char *name;
        uint64_t pages;
    } rows[] = {
        {"MemTotal:", s.managed},
        {"MemFree:", s.free},
        {"MemUsed:", s.managed - MIN(s.free, s.managed)},
        {"Active:", node_state(p, NR_ACTIVE_ANON) + node_state(p, NR_ACTIVE_FILE)},
        {"Inactive:", node_state(p, NR_INACTIVE_ANON) + node_state(p, NR_INACTIVE_FILE)},
        {"Active(anon):", node_state(p, NR_ACTIVE_ANON)},
        {"Inactive(anon):", node_state(p, NR_INACTIVE_ANON)},
        {"Active(file):", node_state(p, NR_ACTIVE_FILE)},
        {"Inactive(file):", node_state(p, NR_INACTIVE_FILE)},
        {"Unevictable:", node_state(p, NR_UNEVICTABLE)},
        {"FilePages:", node_state(p, NR_FILE_PAGES)},
        {"Mapped:", node_state(p, NR_FILE_MAPPED)},
        {"AnonPages:", node_state(p, NR_ANON_MAPPED)},
        {"Shmem:", node_state(p, NR_SHMEM)},
        {"KernelStack:", node_state(p, NR_KERNEL_STACK)},
        {"PageTables:", node_state(p, NR_PAGETABLE)},
        {"Slab:", node_state(p, NR_SLAB_RECLAIMABLE) + node_state(p, NR_SLAB_UNRECLAIMABLE)},
        {"SReclaimable:", node_state(p, NR_SLAB_RECLAIMABLE)},
        {"SUnreclaim:", node_state(p, NR_SLAB_UNRECLAIMABLE)},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        print(out, "Node %d %-15s %8lu kB\n", nid, rows[i].name,
              rows[i].pages << (PAGE_SHIFT - 10));
    return 0;
}

/* Misses are counted where they happen; what is left of the allocations here were hits. */
static int show_numastat(struct sink *out, const struct view_args *args)
{
    struct node_sums s = sum_zones(NODE_DATA(args->number[0]));
    print(out,
          "numa_hit %lu\nnuma_miss %lu\nnuma_foreign %lu\ninterleave_hit %lu\nlocal_node %lu\n"
          "other_node %lu\n",
          s.pgalloc, vm_event_sum(NUMA_MISS), vm_event_sum(NUMA_FOREIGN),
          vm_event_sum(NUMA_INTERLEAVE), s.pgalloc, vm_event_sum(NUMA_MISS));
    return 0;
}

static int show_vmstat(struct sink *out, const struct view_args *args)
{
    const pg_data_t *p = NODE_DATA(args->number[0]);
    print(out, "nr_free_pages %lu\n", sum_zones(p).free);
    for (unsigned i = 0; i < NR_NODE_STATS; i++)
        print(out, "%s %lu\n", node_stat_names[i], node_state(p, (enum node_stat)i));
    return 0;
}

#define NODE "/sys/devices/system/node"

static const struct view views[] = {
    {.path = NODE "/possible", .show = show_possible},
    {.path = NODE "/online", .show = show_online},
    {.path = NODE "/has_cpu", .show = show_has_cpu},
    {.path = NODE "/has_memory", .show = show_has_memory},
    {.path = NODE "/has_normal_memory", .show = show_has_normal_memory},
    {.path = NODE "/node%n/cpulist", .show = show_cpulist},
    {.path = NODE "/node%n/distance", .show = show_distance},
    {.path = NODE "/node%n/meminfo", .show = show_meminfo},
    {.path = NODE "/node%n/numastat", .show = show_numastat},
    {.path = NODE "/node%n/vmstat", .show = show_vmstat},
};

void view_node_init(void)
{
    view_register_numbers('n', next_node_number);
    view_register(views, ARRAY_SIZE(views));
}
