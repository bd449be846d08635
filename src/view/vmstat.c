/* SPDX-License-Identifier: MIT */
/*
 * vmstat.c - /proc/vmstat: every counter, a name and a number a line.
 *
 * Names that Linux splits by zone (pgalloc_dma32, ...) are split here too.
 * Locks: none.
 */
#include "file/registry.h"
#include "phys/node.h"
#include "view/view.h"

static void row(struct sink *out, const char *name, uint64_t value)
{
    print(out, "%s %lu\n", name, value);
}

/* Sum over nodes of what went through zones of one kind. */
static uint64_t pgalloc(enum zone_type type)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += zone->index == type ? zone_pgalloc(zone) : 0;
    return sum;
}

static uint64_t pgfree(void)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += zone_pgfree(zone);
    return sum;
}

static int show(struct sink *out, const struct view_args *args)
{
    (void)args;
    row(out, "nr_free_pages", nr_free_pages());
    for (unsigned i = 0; i < NR_ZONE_STATS; i++)
        row(out, zone_stat_names[i], global_zone_state((enum zone_stat)i));
    for (unsigned i = 0; i < NR_NODE_STATS; i++)
        row(out, node_stat_names[i], global_node_state((enum node_stat)i));
    row(out, "pgalloc_dma32", pgalloc(ZONE_DMA32));
    row(out, "pgalloc_normal", pgalloc(ZONE_NORMAL));
    row(out, "pgalloc_movable", pgalloc(ZONE_MOVABLE));
    row(out, "pgfree", pgfree());
    for (unsigned i = 0; i < NR_VM_EVENTS; i++)
        row(out, vm_event_names[i], vm_event_sum((enum vm_event)i));
    return 0;
}

static const struct view views[] = {{.path = "/proc/vmstat", .show = show}};

void view_vmstat_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
