/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the machine as a whole: /proc/cpuinfo, cmdline, uptime, stat, iomem and the like.
 *
 * Locks: none.
 */
#include "file/registry.h"
#include "kern/percpu.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/machine.h"
#include "phys/memblock.h"
#include "phys/node.h"
#include "task/guest.h"
#include "view/view.h"

#define NS_PER_TICK (10 * NSEC_PER_MSEC) /* USER_HZ is 100 */

static int show_version(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "Pagoda (Linux 6.12 riscv64 system calls) %s, %u harts, %u nodes\n", machine.model,
          nr_harts, mask_weight(&node_states[N_ONLINE]));
    return 0;
}

static int show_cmdline(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%s\n", machine.bootargs);
    return 0;
}

static int show_cpuinfo(struct sink *out, const struct view_args *args)
{
    (void)args;
    for (uint32_t i = 0; i < nr_harts; i++) {
        if (!hart_is_online(i))
            continue;
        const struct machine_hart *h = &machine.harts[i];
        print(out, "processor\t: %u\nhart\t\t: %lu\nisa\t\t: %s\nmmu\t\t: sv%u\n\n", i, h->hartid,
              h->isa_string, h->sv);
    }
    return 0;
}

static uint64_t idle_ns(uint32_t hart)
{
    return harts[hart]->idle ? thread_run_ns(harts[hart]->idle) : 0;
}

static int show_uptime(struct sink *out, const struct view_args *args)
{
    uint64_t up = now_ns() / NS_PER_TICK, idle = 0;
    (void)args;
    for (uint32_t i = 0; i < nr_harts; i++)
        idle += idle_ns(i) / NS_PER_TICK;
    print(out, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

/* Only the present is known: no averages are kept. */
static int show_loadavg(struct sink *out, const struct view_args *args)
{
    uint32_t n = threads_runnable();
    (void)args;
    print(out, "%u.00 %u.00 %u.00 %u/%u 0\n", n, n, n, n, guest_count());
    return 0;
}

static void stat_line(struct sink *out, const char *name, uint64_t busy, uint64_t idle)
{
    print(out, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", name, busy / NS_PER_TICK, idle / NS_PER_TICK);
}

static int show_stat(struct sink *out, const struct view_args *args)
{
    uint64_t idle = 0, up = now_ns(), switches = 0, interrupts = 0;
    (void)args;
    for (uint32_t i = 0; i < nr_harts; i++) {
        idle += MIN(idle_ns(i), up);
        switches += harts[i]->switches;
        interrupts += harts[i]->irq_count + harts[i]->timer_count + harts[i]->ipi_count;
    }
    stat_line(out, "cpu ", up * nr_harts - idle, idle);
    for (uint32_t i = 0; i < nr_harts; i++) {
        char name[16];
        uint64_t mine = MIN(idle_ns(i), up);
        snprintf(name, sizeof(name), "cpu%u", i);
        stat_line(out, name, up - mine, mine);
    }
    print(out, "intr %lu\nctxt %lu\nprocs_running %u\n", interrupts, switches, threads_runnable());
    return 0;
}

static void show_reserved_in(struct sink *out, const struct memblock_region *ram)
{
    struct memblock_region r;
    for_each_reserved_range(&r) {
        if (r.base.v >= ram->base.v && r.base.v < ram->base.v + ram->size)
            print(out, "  %08lx-%08lx : Reserved\n", r.base.v, r.base.v + r.size - 1);
    }
}

static int show_iomem(struct sink *out, const struct view_args *args)
{
    struct memblock_region r;
    (void)args;
    if (machine.uart.present)
        print(out, "%08lx-%08lx : serial\n", machine.uart.base.v,
              machine.uart.base.v + machine.uart.size - 1);
    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        print(out, "%08lx-%08lx : System RAM (node %d)\n", r.base.v, r.base.v + r.size - 1, r.nid);
        show_reserved_in(out, &r);
    }
    return 0;
}

static int show_swaps(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/version", .show = show_version},
    {.path = "/proc/cmdline", .show = show_cmdline},
    {.path = "/proc/cpuinfo", .show = show_cpuinfo},
    {.path = "/proc/uptime", .show = show_uptime},
    {.path = "/proc/loadavg", .show = show_loadavg},
    {.path = "/proc/stat", .show = show_stat},
    {.path = "/proc/iomem", .show = show_iomem},
    {.path = "/proc/swaps", .show = show_swaps},
};

void view_machine_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
