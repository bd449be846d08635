/* SPDX-License-Identifier: MIT */
/*
 * cmd_bench.c - what the monitor's own mechanisms cost, in instructions.
 *
 *      (N pairs) - (an empty loop of N turns)
 *      --------------------------------------   = instructions a pair
 *                        N
 *
 * instret counts instructions; under `-icount shift=0` QEMU makes it exact and repeatable. Build
 * with MODE=release: a debug build counts its checks too. Guests measure their side by `bench` in
 * /bin.
 *
 * Locks: none.
 */
#include "arch/csr.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/console.h"
#include "phys/alloc.h"
#include "phys/memblock.h"
#include "phys/pcp.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"
#include "kern/timer.h"

#define ROUNDS 2000
#define BUDDY_ROUNDS 64

/* Between two readings nothing may be moved by the compiler. */
static inline uint64_t instructions(void)
{
    return csr_read(instret);
}

static uint64_t per_round(uint64_t start, uint64_t end, unsigned rounds)
{
    uint64_t loop = instructions();
    for (unsigned i = 0; i < rounds; i++)
        __asm__ volatile("" ::: "memory");
    loop = instructions() - loop;
    uint64_t spent = end - start;
    return (spent - MIN(spent, loop) + rounds / 2) / rounds;
}

static void row(struct console *con, const char *name, uint64_t n)
{
    print(con->out, "bench %-28s %8lu\n", name, n);
}

static void bench_pageset(struct console *con)
{
    __free_page(alloc_page(GFP_KERNEL | __GFP_NOFAIL));
    uint64_t start = instructions();
    for (unsigned i = 0; i < ROUNDS; i++)
        __free_page(alloc_page(GFP_KERNEL));
    row(con, "page-alloc-free-pageset", per_round(start, instructions(), ROUNDS));
}

static void bench_order(struct console *con, const char *name, unsigned order, bool drain)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < BUDDY_ROUNDS; i++) {
        if (drain)
            drain_all_pages(NULL);
        uint64_t start = instructions();
        struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
        if (!page) {
            print(con->out, "bench %-28s no block\n", name);
            return;
        }
        __free_pages(page, order);
        if (drain)
            pcp_drain_local(page_zone(page));
        total += instructions() - start;
    }
    row(con, name, total / BUDDY_ROUNDS);
}

static void bench_kmalloc(struct console *con)
{
    void *warm = kmalloc(64, GFP_KERNEL);
    kfree(warm);
    uint64_t start = instructions();
    for (unsigned i = 0; i < ROUNDS; i++)
        kfree(kmalloc(64, GFP_KERNEL));
    row(con, "kmalloc-kfree-64", per_round(start, instructions(), ROUNDS));
}

static void bench_clear(struct console *con)
{
    struct page *page = alloc_page(GFP_KERNEL);
    if (!page)
        return;
    uint64_t start = instructions();
    for (unsigned i = 0; i < 100; i++)
        clear_page(page_address(page));
    row(con, "clear-page", per_round(start, instructions(), 100));
    __free_page(page);
}

/* What the monitor keeps: RAM that guests and their files can never have, and what it uses now. */
static void bench_footprint(struct console *con)
{
    uint64_t managed = 0;
    struct zone *zone;
    for_each_populated_zone(zone) managed += zone->managed_pages;
    uint64_t reserved = (memblock.memory.total >> PAGE_SHIFT) - managed;
    uint64_t used = global_node_state(NR_SLAB_RECLAIMABLE) +
                    global_node_state(NR_SLAB_UNRECLAIMABLE) + global_node_state(NR_PAGETABLE) +
                    global_node_state(NR_VMALLOC);
    row(con, "reserved-kib", reserved << (PAGE_SHIFT - 10));
    row(con, "monitor-kib", (reserved + used) << (PAGE_SHIFT - 10));
}

static int cmd_bench(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    bench_pageset(con);
    bench_order(con, "page-alloc-free-buddy", 0, true);
    bench_order(con, "page-alloc-free-order-3", 3, false);
    bench_order(con, "page-alloc-free-order-9", 9, false);
    bench_kmalloc(con);
    bench_clear(con);
    bench_footprint(con);
    row(con, "boot-to-prompt", boot_instructions());
    return 0;
}

static const struct command commands[] = {
    {"bench", "", "what the monitor's mechanisms cost, in instructions",
     "Exact under --icount with --release and --harts 1; see docs/performance.md.\n", cmd_bench},
};

void cmd_bench_init(void)
{
    console_register("bench", commands, ARRAY_SIZE(commands));
}
