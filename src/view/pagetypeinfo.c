/* SPDX-License-Identifier: MIT */
/*
 * pagetypeinfo.c - /proc/pagetypeinfo: free blocks by migratetype and order, pageblocks by type.
 *
 * Locks: each zone's, while its lists are counted.
 */
#include "file/registry.h"
#include "phys/node.h"
#include "phys/pageblock.h"
#include "view/view.h"

/* Blocks on one freelist; Linux stops at 100000 too, so as not to hold the lock for long. */
static unsigned long count_list(const struct list_head *list)
{
    const struct list_head *pos;
    unsigned long n = 0;
    list_for_each(pos, list)
    {
        if (++n >= 100000)
            break;
    }
    return n;
}

static void show_free(struct sink *out, struct zone *zone)
{
    for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++) {
        unsigned long counts[NR_ORDERS];
        spin_lock(&zone->lock);
        for (unsigned order = 0; order < NR_ORDERS; order++)
            counts[order] = count_list(&zone->free_area[order].free_list[mt]);
        spin_unlock(&zone->lock);
        print(out, "Node %4u, zone %8s, type %12s ", zone->nid, zone->name,
              migratetype_name((enum migratetype)mt));
        for (unsigned order = 0; order < NR_ORDERS; order++)
            print(out, "%6lu ", counts[order]);
        print(out, "\n");
    }
}

static void show_blocks(struct sink *out, struct zone *zone)
{
    uint64_t counts[MIGRATE_TYPES];
    pageblock_count(zone, counts);
    print(out, "Node %u, zone %8s ", zone->nid, zone->name);
    for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++)
        print(out, "%12lu ", counts[mt]);
    print(out, "\n");
}

static int show(struct sink *out, const struct view_args *args)
{
    struct zone *zone;
    (void)args;
    print(out, "Page block order: %d\nPages per block:  %lu\n\n", PAGEBLOCK_ORDER, PAGEBLOCK_PAGES);
    print(out, "%-43s ", "Free pages count per migrate type at order");
    for (unsigned order = 0; order < NR_ORDERS; order++)
        print(out, "%6u ", order);
    print(out, "\n");
    for_each_populated_zone(zone) show_free(out, zone);
    print(out, "\n%-23s", "Number of blocks type ");
    for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++)
        print(out, "%12s ", migratetype_name((enum migratetype)mt));
    print(out, "\n");
    for_each_populated_zone(zone) show_blocks(out, zone);
    return 0;
}

static const struct view views[] = {{.path = "/proc/pagetypeinfo", .show = show}};

void view_pagetypeinfo_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
