/* SPDX-License-Identifier: MIT */
/*
 * buddyinfo.c - /proc/buddyinfo: free blocks of each order, a zone a line.
 *
 *      Node 0, zone    DMA32      3      5      2 ...      41
 *                          order 0      1      2           10
 *
 * Locks: none; each count is read as it stands.
 */
#include "file/registry.h"
#include "phys/node.h"
#include "view/view.h"

static int show(struct sink *out, const struct view_args *args)
{
    struct zone *zone;
    (void)args;
    for_each_populated_zone(zone)
    {
        print(out, "Node %u, zone %8s ", zone->nid, zone->name);
        for (unsigned order = 0; order < NR_ORDERS; order++)
            print(out, "%6lu ", load_relaxed(&zone->free_area[order].nr_free));
        print(out, "\n");
    }
    return 0;
}

static const struct view views[] = {{.path = "/proc/buddyinfo", .show = show}};

void view_buddyinfo_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
