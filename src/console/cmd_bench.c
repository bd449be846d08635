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
#include "console/cmd_pressure.h"
#include "console/console.h"
#include "fault/fault.h"
#include "fault/gup.h"
#include "fault/mmap.h"
#include "phys/alloc.h"
#include "phys/buddy.h"
#include "phys/memblock.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "pressure/compaction.h"
#include "pressure/oom.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"
#include "kern/timer.h"
#include "virt/lru.h"
#include "virt/pgtable.h"

#define ROUNDS 2000
#define ORDER_ROUNDS 64
#define SLAB_OBJECTS 8192
#define SHARERS 256
#define SHARED_AT GIB(1)
#define MAP_TABLES 4
#define MEMBLOCK_ROUNDS 10

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

/* One page from the freelists and back, the zone's lock included, no pageset between. */
static void bench_buddy(struct console *con)
{
    struct zone *zone = NODE_DATA(numa_node_id())->preferred_zone[ZONE_NORMAL];
    uint64_t start = instructions();
    for (unsigned i = 0; i < ROUNDS; i++) {
        spin_lock(&zone->lock);
        struct page *page = buddy_alloc_locked(zone, 0, MIGRATE_MOVABLE);
        spin_unlock(&zone->lock);
        if (!page)
            return;
        spin_lock(&zone->lock);
        buddy_free_locked(zone, page, 0, pageblock_type(page));
        spin_unlock(&zone->lock);
    }
    row(con, "page-alloc-free-buddy", per_round(start, instructions(), ROUNDS));
}

/*
 * From a pageset that is not full, else a trim or two of hundreds of pages falls into the row; and
 * not the first from it, which fills it with a batch.
 */
static void bench_order(struct console *con, const char *name, unsigned order)
{
    uint64_t total = 0;
    drain_all_pages(NULL);
    for (unsigned i = 0; i <= ORDER_ROUNDS; i++) {
        uint64_t start = instructions();
        struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
        if (!page) {
            print(con->out, "bench %-28s no block\n", name);
            return;
        }
        __free_pages(page, order);
        if (i)
            total += instructions() - start;
    }
    row(con, name, total / ORDER_ROUNDS);
}

static void push(void **list, void *object)
{
    *(void **)object = *list;
    *list = object;
}

static void *pop(void **list)
{
    void *object = *list;
    *list = *(void **)object;
    return object;
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

/*
 * Objects of full slabs given back, one a slab after another, and taken again: each slab becomes
 * partial, and each refill brings a few objects.
 */
static void bench_slabs(struct console *con)
{
    struct kmem_cache *cache = kmem_cache_create("bench", 512, 0, 0, NULL);
    void *lists[2] = {NULL, NULL}; /* linked by their first words; every other one */
    if (!cache)
        return;
    for (unsigned i = 0; i < SLAB_OBJECTS; i++)
        push(&lists[i % 2], kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL));
    uint64_t start = instructions();
    for (unsigned i = 0; i < SLAB_OBJECTS / 2; i++)
        kmem_cache_free(cache, pop(&lists[0]));
    for (unsigned i = 0; i < SLAB_OBJECTS / 2; i++)
        push(&lists[0], kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL));
    row(con, "slab-free-alloc-partial", per_round(start, instructions(), SLAB_OBJECTS / 2));
    for (unsigned i = 0; i < SLAB_OBJECTS; i++)
        kmem_cache_free(cache, pop(&lists[i % 2]));
    if (kmem_cache_destroy(cache))
        print(con->out, "bench: objects were lost\n");
}

/* The free ranges as memblock left them at the boot, a range. */
static void bench_memblock(struct console *con)
{
    struct memblock_region r;
    unsigned ranges = 0;
    uint64_t start = instructions();
    for (unsigned i = 0; i < MEMBLOCK_ROUNDS; i++)
        for_each_free_range(MEMBLOCK_ANY_NODE, &r)
            ranges++;
    row(con, "memblock-free-range", (instructions() - start) / MAX(ranges, 1u));
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

/* --- a page that many share ------------------------------------------------------------------- */

/* A space without a task that has written to one page. False: there was no memory for it. */
static bool map_one_page(struct mm_struct *mm)
{
    struct mmap_request req = {
        .addr = SHARED_AT,
        .len = PAGE_SIZE,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    };
    return do_mmap(mm, &req) >= 0 && user_fault(mm, SHARED_AT, PTE_W) <= FAULT_MAJOR;
}

/* The first has a page, the others are its children. How many spaces there came to be. */
static unsigned make_sharers(struct mm_struct **mm)
{
    for (unsigned n = 0; n < SHARERS; n++) {
        mm[n] = mm_alloc();
        if (!mm[n])
            return n;
        bool made = n ? !dup_mmap(mm[n], mm[0]) : map_one_page(mm[0]);
        if (!made)
            return n + 1;
    }
    return SHARERS;
}

static struct page *any_page(struct page *old, void *ctx)
{
    (void)old, (void)ctx;
    return alloc_page(GFP_HIGHUSER_MOVABLE);
}

/* Move the page that all of them map; instructions, 0 when it was not possible. */
static uint64_t move_shared(struct mm_struct *mm)
{
    LIST_HEAD(list);
    unsigned moved = 0;
    int err;
    lru_add_drain_all();
    struct page *page = follow_page(mm, SHARED_AT, &err);
    if (!page)
        return 0;
    bool isolated = page->mapcount == SHARERS && !lru_isolate(page);
    if (isolated)
        list_add(&page->lru, &list);
    put_page(page);
    uint64_t start = instructions();
    unsigned failed = migrate_pages(&list, any_page, NULL, MIGRATE_SYNC, &moved);
    uint64_t spent = instructions() - start;
    return isolated && !failed ? spent : 0;
}

static void bench_migration(struct console *con)
{
    struct mm_struct *mm[SHARERS];
    unsigned made = make_sharers(mm);
    uint64_t spent = move_shared(mm[0]) ? move_shared(mm[0]) : 0; /* the second time, all is warm */
    while (made)
        mmput(mm[--made]);
    if (spent)
        row(con, "migrate-page-per-entry", spent / SHARERS);
    else
        print(con->out, "bench %-28s no memory\n", "migrate-page-per-entry");
}

/* Ranges of 4 KiB leaves, in a table of its own. Its tables are there before it is measured. */
static void bench_ranges(struct console *con)
{
    struct pgtable pt;
    vaddr_t va = mk_vaddr(pt_level_size(PT_LEVELS - 1));
    paddr_t pa = mk_paddr(MEMORY_BASE);
    uint64_t size = MAP_TABLES * TABLE_SPAN, prot = PTE_R | PTE_W | PTE_U;
    struct pt_gap all = {va.v, va.v + size, 0, USER_TOP};
    LIST_HEAD(tables);
    if (pt_create(&pt, -1))
        return;
    int err = pt_map_range(&pt, va, pa, size, prot, 0) || pt_unmap_range(&pt, va, size);
    uint64_t start = instructions();
    err = err || pt_map_range(&pt, va, pa, size, prot, 0);
    uint64_t mapped = instructions();
    err = err || pt_protect_range(&pt, va, size, PTE_R | PTE_U);
    uint64_t changed = instructions();
    if (!err) {
        row(con, "map-range-page", (mapped - start) / (size >> PAGE_SHIFT));
        row(con, "protect-range-page", (changed - mapped) / (size >> PAGE_SHIFT));
    }
    if (!pt_unmap_range(&pt, va, size))
        pt_unlink_tables(&pt, &all, &tables);
    pt_release_tables(&pt, &tables);
    pt_destroy(&pt);
}

/* Moving pages: what `fragment` left is compacted; a page moved, and a block of order 9 won. */
static void bench_compaction(struct console *con)
{
    drain_all_pages(NULL);
    uint64_t moved = vm_event_sum(PGMIGRATE_SUCCESS), blocks = big_blocks();
    uint64_t start = instructions();
    compact_all_nodes();
    uint64_t spent = instructions() - start;
    drain_all_pages(NULL);
    moved = vm_event_sum(PGMIGRATE_SUCCESS) - moved;
    blocks = big_blocks() - MIN(blocks, big_blocks());
    if (moved < 100) {
        print(con->out, "bench %-28s nothing to move; run 'fragment 200M' first\n",
              "compaction-per-page");
        return;
    }
    row(con, "compaction-per-page", spent / moved);
    row(con, "compaction-per-order-9-block", spent / MAX(blocks, 1UL));
}

/* What the killer spends on a guest when one node is short: 4 GiB, of which 64 pages are there. */
static void bench_oom(struct console *con)
{
    static const struct mm_owner_ops somebody;
    nodemask_t here = {1UL << numa_node_id()};
    struct relief_request request = {.nodes = &here};
    struct oom_control oc = {.request = &request, .constraint = CONSTRAINT_MEMORY_POLICY};
    struct mmap_request range = {.addr = GIB(4),
                                 .len = GIB(4),
                                 .prot = PROT_READ | PROT_WRITE,
                                 .flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
    struct mm_struct *mm = mm_alloc();
    if (!mm)
        return;
    mm->owner.ops = &somebody;
    bool mapped = do_mmap(mm, &range) == (int64_t)range.addr;
    for (uint64_t at = range.addr; mapped && at < range.addr + range.len; at += MIB(64))
        mapped = user_fault(mm, at, PTE_W) <= FAULT_MAJOR;
    uint64_t start = instructions();
    int64_t points = oom_badness(mm, &oc);
    uint64_t spent = instructions() - start;
    if (mapped && points > 0)
        row(con, "oom-guest-on-node", spent);
    mmput(mm);
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
    bench_buddy(con);
    bench_order(con, "page-alloc-free-order-3", 3);
    bench_order(con, "page-alloc-free-order-9", 9);
    bench_kmalloc(con);
    bench_slabs(con);
    bench_memblock(con);
    bench_clear(con);
    bench_ranges(con);
    bench_compaction(con);
    bench_oom(con);
    bench_footprint(con);
    bench_migration(con);
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
