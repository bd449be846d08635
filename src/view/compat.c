/* SPDX-License-Identifier: MIT */
/*
 * compat.c - files that programs look for before they begin: partitions, coredump_filter.
 *
 * What they say is true: there are no disks, and no core is ever dumped.
 *
 * Locks: none. Linux's counterpart: block/genhd.c, fs/proc/base.c.
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "file/registry.h"
#include "task/guest.h"
#include "view/sysctl.h"
#include "view/view.h"

static int show_partitions(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "major minor  #blocks  name\n\n");
    return 0;
}

static int show_filter(struct sink *out, const struct view_args *args)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    print(out, "%08x\n", g->coredump_filter);
    guest_put(g);
    return 0;
}

/* Kept and told back, as a debugger's user expects it. */
static int store_filter(const char *text, size_t n, const struct view_args *args)
{
    char buf[16];
    uint64_t value;
    if (!n || n >= sizeof(buf))
        return -EINVAL;
    memcpy(buf, text, n);
    buf[n] = '\0';
    if (parse_u64(buf, 0, &value) || value > UINT32_MAX)
        return -EINVAL;
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    store_relaxed(&g->coredump_filter, (uint32_t)value);
    guest_put(g);
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/partitions", .show = show_partitions},
    {.path = "/proc/%p/coredump_filter", .show = show_filter, .store = store_filter},
};

void view_compat_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
