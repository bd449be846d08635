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

/* --- who shares what: every hart is a core of its own, and all are one package ---------------- */

static uint64_t online_bits(void)
{
    return harts_online.bits;
}

static uint64_t own_bit(const struct view_args *args)
{
    return 1UL << args->number[0];
}

static void print_bits(struct sink *out, uint64_t bits)
{
    if (nr_harts > 32)
        print(out, "%08lx,%08lx\n", bits >> 32, bits & UINT32_MAX);
    else
        print(out, "%lx\n", bits);
}

static int show_own_mask(struct sink *out, const struct view_args *args)
{
    print_bits(out, own_bit(args));
    return 0;
}

static int show_own_list(struct sink *out, const struct view_args *args)
{
    print(out, "%lu\n", args->number[0]);
    return 0;
}

static int show_package_mask(struct sink *out, const struct view_args *args)
{
    (void)args;
    print_bits(out, online_bits());
    return 0;
}

static int show_package_id(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "0\n");
    return 0;
}

static int show_offline(struct sink *out, const struct view_args *args)
{
    uint64_t bits = (nr_harts < 64 ? (1UL << nr_harts) - 1 : ~0UL) & ~online_bits();
    (void)args;
    bitmap_print_list(out, &bits, MAX_HARTS);
    print(out, "\n");
    return 0;
}

static int show_kernel_max(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%u\n", MAX_HARTS - 1);
    return 0;
}

/* --- the node of a hart, and the harts of a node ---------------------------------------------- */

static long next_node_of_hart(unsigned long from, const struct view_args *args)
{
    unsigned long nid = harts[args->number[0]]->arch.nid;
    return from <= nid ? (long)nid : -ENOENT;
}

static long next_hart_of_node(unsigned long from, const struct view_args *args)
{
    for (unsigned long i = from; i < nr_harts; i++) {
        if (harts[i]->arch.nid == args->number[0] && hart_is_online((uint32_t)i))
            return (long)i;
    }
    return -ENOENT;
}

static int link_node(struct sink *out, const struct view_args *args)
{
    print(out, "../../node/node%lu", args->number[1]);
    return 0;
}

static int link_cpu(struct sink *out, const struct view_args *args)
{
    print(out, "../../cpu/cpu%lu", args->number[1]);
    return 0;
}

static int show_node_mask(struct sink *out, const struct view_args *args)
{
    uint64_t bits = 0;
    long hart = next_hart_of_node(0, args);
    for (; hart >= 0; hart = next_hart_of_node((unsigned long)hart + 1, args))
        bits |= 1UL << hart;
    print_bits(out, bits);
    return 0;
}

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node/node%n"
#define TOPOLOGY CPU "/cpu%c/topology"

static const struct view views[] = {
    {.path = CPU "/possible", .show = show_all},
    {.path = CPU "/present", .show = show_all},
    {.path = CPU "/online", .show = show_online},
    {.path = CPU "/offline", .show = show_offline},
    {.path = CPU "/kernel_max", .show = show_kernel_max},
    {.path = CPU "/cpu%c/online", .show = show_hart_online},
    {.path = CPU "/cpu%c/node%m", .link = link_node},
    {.path = TOPOLOGY "/core_id", .show = show_own_list},
    {.path = TOPOLOGY "/physical_package_id", .show = show_package_id},
    {.path = TOPOLOGY "/thread_siblings", .show = show_own_mask},
    {.path = TOPOLOGY "/thread_siblings_list", .show = show_own_list},
    {.path = TOPOLOGY "/core_cpus", .show = show_own_mask},
    {.path = TOPOLOGY "/core_cpus_list", .show = show_own_list},
    {.path = TOPOLOGY "/core_siblings", .show = show_package_mask},
    {.path = TOPOLOGY "/core_siblings_list", .show = show_online},
    {.path = TOPOLOGY "/package_cpus", .show = show_package_mask},
    {.path = TOPOLOGY "/package_cpus_list", .show = show_online},
    {.path = NODE "/cpumap", .show = show_node_mask},
    {.path = NODE "/cpu%h", .link = link_cpu},
};

void view_cpu_init(void)
{
    view_register_numbers('c', next_hart_number);
    view_register_numbers('m', next_node_of_hart);
    view_register_numbers('h', next_hart_of_node);
    view_register(views, ARRAY_SIZE(views));
}
