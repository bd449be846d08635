/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - /sys/devices/system/cpu: which harts there are.
 *
 * Locks: none.
 */
#include "base/errno.h"
#include "file/registry.h"
#include "kern/percpu.h"
#include "view/view.h"

static long next_hart_number(unsigned long from, const struct view_args *args)
{
    (void)args;
    return from < nr_harts ? (long)from : -ENOENT;
}

static int show_all(struct sink *out, const struct view_args *args)
{
    uint64_t bits = nr_harts < 64 ? (1UL << nr_harts) - 1 : ~0UL;
    (void)args;
    bitmap_print_list(out, &bits, MAX_HARTS);
    print(out, "\n");
    return 0;
}

static int show_online(struct sink *out, const struct view_args *args)
{
    uint64_t bits = harts_online.bits;
    (void)args;
    bitmap_print_list(out, &bits, MAX_HARTS);
    print(out, "\n");
    return 0;
}

static int show_hart_online(struct sink *out, const struct view_args *args)
{
    print(out, "%d\n", hart_is_online((uint32_t)args->number[0]));
    return 0;
}

#define CPU "/sys/devices/system/cpu"

static const struct view views[] = {
    {.path = CPU "/possible", .show = show_all},
    {.path = CPU "/present", .show = show_all},
    {.path = CPU "/online", .show = show_online},
    {.path = CPU "/cpu%c/online", .show = show_hart_online},
};

void view_cpu_init(void)
{
    view_register_numbers('c', next_hart_number);
    view_register(views, ARRAY_SIZE(views));
}
