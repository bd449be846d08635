/* SPDX-License-Identifier: MIT */
/*
 * zoneinfo.c - /proc/zoneinfo: all that is known of each zone.
 *
 * Locks: none; each number is read as it stands.
 */
#include "file/registry.h"
#include "phys/pcp.h"
#include "phys/node.h"
#include "view/view.h"

static bool is_first_of_node(const struct zone *zone)
{
    for (unsigned i = 0; i < zone->index; i++)
        if (zone_is_populated(&zone->zone_pgdat->node_zones[i]))
            return false;
    return true;
}

static void show_node_stats(struct sink *out, const pg_data_t *pgdat)
{
    print(out, "\n  per-node stats");
    for (unsigned i = 0; i < NR_NODE_STATS; i++)
        print(out, "\n      %-12s %lu", node_stat_names[i], node_state(pgdat, (enum node_stat)i));
}

static void show_marks(struct sink *out, const struct zone *zone)
{
    print(out,
          "\n  pages free     %lu"
          "\n        boost    %lu"
          "\n        min      %lu"
          "\n        low      %lu"
          "\n        high     %lu"
          "\n        spanned  %lu"
          "\n        present  %lu"
          "\n        managed  %lu"
          "\n        protection: (",
          load_relaxed(&zone->nr_free_pages), zone->watermark_boost, zone->watermark[WMARK_MIN],
          zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH], zone->spanned_pages,
          zone->present_pages, zone->managed_pages);
    for (unsigned i = 0; i < MAX_NR_ZONES; i++)
        print(out, "%s%lu", i ? ", " : "", zone->lowmem_reserve[i]);
    print(out, ")");
}

static void show_pagesets(struct sink *out, const struct zone *zone)
{
    print(out, "\n  pagesets");
    for (uint32_t i = 0; i < nr_harts; i++) {
        const struct per_cpu_pages *pcp = pageset_of(i, zone);
        print(out,
              "\n    cpu: %u"
              "\n              count: %d"
              "\n              high:  %d"
              "\n              batch: %d",
              i, pcp_count(pcp), pcp->high, pcp->batch);
    }
}

static int show(struct sink *out, const struct view_args *args)
{
    struct zone *zone;
    (void)args;
    for_each_populated_zone(zone)
    {
        print(out, "Node %u, zone %8s", zone->nid, zone->name);
        if (is_first_of_node(zone))
            show_node_stats(out, zone->zone_pgdat);
        show_marks(out, zone);
        print(out, "\n      nr_free_pages %lu", load_relaxed(&zone->nr_free_pages));
        for (unsigned i = 0; i < NR_ZONE_STATS; i++)
            print(out, "\n      %-12s %lu", zone_stat_names[i],
                  zone_state(zone, (enum zone_stat)i));
        show_pagesets(out, zone);
        print(out, "\n  start_pfn:           %lu\n", zone->zone_start_pfn);
    }
    return 0;
}

static const struct view views[] = {{.path = "/proc/zoneinfo", .show = show}};

void view_zoneinfo_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
