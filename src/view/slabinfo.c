/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - /proc/slabinfo in Linux's version 2.1, and /proc/vmallocinfo.
 *
 * Locks: those of the walks.
 */
#include "file/registry.h"
#include "slab/cache.h"
#include "slab/vmalloc.h"
#include "view/view.h"

static void show_cache(const struct slabinfo *info, void *arg)
{
    print(arg, "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n",
          info->name, info->active_objs, info->num_objs, info->objsize, info->objperslab,
          info->pagesperslab, 0u, 0u, 0u, info->active_slabs, info->num_slabs, 0u);
}

static int show_slabinfo(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "slabinfo - version: 2.1\n"
               "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
               " : tunables <limit> <batchcount> <sharedfactor>"
               " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    slabinfo_each(show_cache, out);
    return 0;
}

static void show_area(const struct vmalloc_area *area, void *arg)
{
    static const char *const kinds[] = {"vmalloc", "ioremap", "stack"};
    print(arg, "0x%016lx-0x%016lx %7lu pages=%u %s\n", area->start, area->start + area->size,
          area->size, area->nr_pages, kinds[area->kind]);
}

static int show_vmallocinfo(struct sink *out, const struct view_args *args)
{
    (void)args;
    vmalloc_each(show_area, out);
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/slabinfo", .show = show_slabinfo},
    {.path = "/proc/vmallocinfo", .show = show_vmallocinfo},
};

void view_slabinfo_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
