/* SPDX-License-Identifier: MIT */
/*
 * cmd_memory.c - physical memory by hand: nodes, zones, freelists, single pages.
 *
 *      buddyinfo ; alloc 9 movable ; buddyinfo ; free 0x86200
 *
 * Blocks that `alloc` takes are remembered, so that `free` gives back only what is the console's.
 *
 * Locks: none; the console's blocks are touched by its commands only, one at a time (held_lock).
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/console.h"
#include "file/registry.h"
#include "phys/alloc.h"
#include "phys/page_debug.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "virt/mm.h"
#include "virt/rmap.h"

#define PAGES_TO_MIB(n) ((n) >> (20 - PAGE_SHIFT))

/* --- nodes and zones -------------------------------------------------------------------------- */

static void print_node_harts(struct sink *out, unsigned nid)
{
    hartmask_t mask = {0};
    for (uint32_t i = 0; i < nr_harts; i++)
        if (harts[i]->arch.nid == nid && hart_is_online(i))
            mask_set(&mask, i);
    if (mask_empty(&mask))
        print(out, "none");
    bitmap_print_list(out, &mask.bits, MAX_HARTS);
}

static void print_node(struct sink *out, unsigned nid)
{
    const pg_data_t *pgdat = NODE_DATA(nid);
    uint64_t free = 0, managed = 0;
    for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
        const struct zone *zone = &pgdat->node_zones[i];
        if (!zone_is_populated(zone))
            continue;
        free += load_relaxed(&zone->nr_free_pages) + zone_pcp_pages(zone);
        managed += zone->managed_pages;
    }
    print(out, "node %u: %lu MiB present, %lu MiB managed, %lu MiB free, harts ", nid,
          PAGES_TO_MIB(pgdat->node_present_pages), PAGES_TO_MIB(managed), PAGES_TO_MIB(free));
    print_node_harts(out, nid);
    if (pgdat->node_present_pages)
        print(out, ", pfn 0x%lx-0x%lx", pgdat->node_start_pfn,
              pgdat->node_start_pfn + pgdat->node_spanned_pages - 1);
    print(out, "\n  zonelist:");
    for (const struct zoneref *z = pgdat->node_zonelists[ZONELIST_FALLBACK]->zonerefs; z->zone; z++)
        print(out, " %u/%s", z->zone->nid, z->zone->name);
    print(out, "\n");
}

static int cmd_nodes(struct console *con, int argc, char **argv)
{
    unsigned a, b;
    if (argc != 1)
        return command_usage(con, argv[0]);
    for_each_node(a)
        print_node(con->out, a);
    print(con->out, "distances:");
    for_each_node(a)
        print(con->out, "%5u", a);
    print(con->out, "\n");
    for_each_node(a) {
        print(con->out, "%10u", a);
        for_each_node(b)
            print(con->out, "%5d", node_distance((int)a, (int)b));
        print(con->out, "\n");
    }
    return 0;
}

static int cmd_zones(struct console *con, int argc, char **argv)
{
    struct zone *zone;
    if (argc != 1)
        return command_usage(con, argv[0]);
    print(con->out,
          "node zone       start_pfn  spanned  present  managed     free      min      low"
          "     high\n");
    for_each_populated_zone(zone)
    {
        print(con->out, "%4u %-8s %#11lx %8lu %8lu %8lu %8lu %8lu %8lu %8lu\n", zone->nid,
              zone->name, zone->zone_start_pfn, zone->spanned_pages, zone->present_pages,
              zone->managed_pages, load_relaxed(&zone->nr_free_pages), zone->watermark[WMARK_MIN],
              zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH]);
    }
    return 0;
}

static int cmd_buddyinfo(struct console *con, int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return command_usage(con, argv[0]);
    return view_read("/proc/buddyinfo", con->out) ? 1 : 0;
}

static int cmd_pcp(struct console *con, int argc, char **argv)
{
    struct zone *zone;
    if (argc != 1)
        return command_usage(con, argv[0]);
    print(con->out, "node zone     hart  count   high  batch     allocs      frees    refills"
                    "     drains\n");
    for_each_populated_zone(zone)
    {
        for (uint32_t i = 0; i < nr_harts; i++) {
            const struct per_cpu_pages *pcp = pageset_of(i, zone);
            print(con->out, "%4u %-8s %4u %6d %6d %6d %10lu %10lu %10lu %10lu\n", zone->nid,
                  zone->name, i, pcp_count(pcp), pcp->high, pcp->batch, pcp->allocs,
                  pageset_frees(pcp), pcp->refills, pcp->drains);
        }
    }
    return 0;
}

/* --- one page --------------------------------------------------------------------------------- */

static bool print_mapper(const struct rmap_entry *e, void *arg)
{
    print(arg, "  mapped by pid %u at 0x%lx: ", e->vma->vm_mm->owner.pid, e->addr);
    pte_describe(arg, pte_load(e->pte), 0);
    print(arg, "\n");
    return true;
}

static void print_flags(struct sink *out, const struct page *page)
{
    static const char *const names[NR_PAGE_FLAGS] = {
        "locked",    "waiters",  "lru",         "active",  "referenced", "dirty",
        "writeback", "uptodate", "unevictable", "mlocked", "swapbacked", "poisoned"};
    print(out, "  flags:");
    for (unsigned i = 0; i < NR_PAGE_FLAGS; i++)
        if (page_flag(page, (enum page_flag)i))
            print(out, " %s", names[i]);
    print(out, "\n");
}

static void print_mappers(struct sink *out, struct page *page)
{
    if (page->type != PAGE_ANON && page->type != PAGE_FILE)
        return;
    print(out, "  %s index %lu\n", page->type == PAGE_ANON ? "anonymous," : "of a file,",
          page->index);
    if (!get_page_unless_zero(page))
        return;
    lock_page(page); /* so that what it belongs to does not go meanwhile */
    rmap_walk(page, print_mapper, out);
    unlock_page(page);
    put_page(page);
}

static int cmd_page(struct console *con, int argc, char **argv)
{
    uint64_t pfn;
    if (argc != 2 || parse_u64(argv[1], 0, &pfn))
        return command_usage(con, argv[0]);
    if (!pfn_valid(mk_pfn(pfn)))
        return command_fail(con, argv[0],
                            "frame 0x%lx is not RAM; 'nodes' tells the frames there are", pfn);
    struct page *page = pfn_to_page(mk_pfn(pfn)), *head = page_head(page);
    print(con->out, "pfn 0x%lx paddr 0x%lx: %s, node %u, zone %s, pageblock %s\n", pfn,
          page_to_paddr(page).v, page_type_name((enum page_type)page->type), page->nid,
          page_zone(page)->name, migratetype_name(pageblock_type(page)));
    if (head != page)
        print(con->out, "  tail of the %s block of order %u at pfn 0x%lx\n",
              page_type_name((enum page_type)head->type), head->order, page_to_pfn(head).v);
    print(con->out, "  order %u, references %d, mappings %d\n", page->order, page_count(page),
          load_relaxed(&page->mapcount));
    print_flags(con->out, page);
    print_mappers(con->out, page);
    page_debug_print(con->out, page);
    return 0;
}

/* --- alloc and free --------------------------------------------------------------------------- */

#define MAX_HELD 4096

static struct spinlock held_lock = SPINLOCK_INIT("console blocks", RANK_CONSOLE);
static struct held {
    uint32_t pfn; /* above MEMORY_BASE_PFN; 0 with order 255: empty */
    uint8_t order;
} * held; /* under held_lock: blocks of the console; a page or two, made at first use */
static unsigned nr_held; /* under held_lock */

static bool hold(const struct page *page, unsigned order)
{
    static bool failed;
    if (!held && !failed) {
        held = get_free_pages(GFP_KERNEL, 3); /* 4096 entries of 8 bytes */
        failed = !held;
    }
    spin_lock(&held_lock);
    bool room = held && nr_held < MAX_HELD;
    if (room)
        held[nr_held++] =
            (struct held){(uint32_t)(page_to_pfn(page).v - MEMORY_BASE_PFN), (uint8_t)order};
    spin_unlock(&held_lock);
    return room;
}

/* The order of the console's block at @pfn, which is not the console's any more; or -1. */
static int unhold(uint64_t pfn)
{
    int order = -1;
    spin_lock(&held_lock);
    for (unsigned i = 0; i < nr_held && order < 0; i++) {
        if (held[i].pfn + MEMORY_BASE_PFN != pfn)
            continue;
        order = held[i].order;
        held[i] = held[--nr_held];
    }
    spin_unlock(&held_lock);
    return order;
}

static int cmd_alloc(struct console *con, int argc, char **argv)
{
    uint64_t order, nid = (uint64_t)numa_node_id();
    gfp_t gfp = GFP_KERNEL;
    if (argc < 2 || argc > 4 || parse_u64(argv[1], 10, &order))
        return command_usage(con, argv[0]);
    if (order > MAX_ORDER)
        return command_fail(con, argv[0], "order %lu is too big; use 0 to %d", order, MAX_ORDER);
    if (argc > 2 && gfp_parse(argv[2], &gfp))
        return command_fail(con, argv[0],
                            "'%s' are no GFP flags; use kernel, movable, atomic, dma32, zero, ... "
                            "joined by |, in quotes",
                            argv[2]);
    if (argc > 3 &&
        (parse_u64(argv[3], 10, &nid) || nid >= MAX_NODES || !node_state_test((int)nid, N_ONLINE)))
        return command_fail(con, argv[0], "there is no node '%s'; 'nodes' lists them", argv[3]);
    /* a person can try again: no guest is killed for this */
    struct page *page =
        alloc_pages_node((int)nid, gfp | __GFP_RETRY_MAYFAIL | __GFP_NOWARN, (unsigned)order);
    if (!page)
        return command_fail(con, argv[0],
                            "no block of order %lu; 'compact' may make one, 'buddyinfo' shows",
                            order);
    if (!hold(page, (unsigned)order)) {
        __free_pages(page, (unsigned)order);
        return command_fail(con, argv[0], "%u blocks are held; 'free all' gives them back",
                            nr_held);
    }
    print(con->out, "pfn 0x%lx order %lu node %u zone %s\n", page_to_pfn(page).v, order, page->nid,
          page_zone(page)->name);
    return 0;
}

static int cmd_free(struct console *con, int argc, char **argv)
{
    uint64_t pfn;
    bool all = argc == 2 && strcmp(argv[1], "all") == 0;
    if (argc != 2 || (!all && parse_u64(argv[1], 0, &pfn)))
        return command_usage(con, argv[0]);
    while (all && nr_held) {
        pfn = held[0].pfn + MEMORY_BASE_PFN;
        __free_pages(pfn_to_page(mk_pfn(pfn)), (unsigned)unhold(pfn));
    }
    if (all)
        return 0;
    int order = unhold(pfn);
    if (order < 0)
        return command_fail(con, argv[0],
                            "frame 0x%lx is not a block of the console; only 'alloc' makes them",
                            pfn);
    __free_pages(pfn_to_page(mk_pfn(pfn)), (unsigned)order);
    return 0;
}

static int cmd_drain(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    drain_all_pages(NULL);
    return 0;
}

static const struct command commands[] = {
    {"nodes", "", "nodes, their memory and harts, distances, zonelists", NULL, cmd_nodes},
    {"zones", "", "zones: sizes, free pages, watermarks", NULL, cmd_zones},
    {"buddyinfo", "", "free blocks of each order, zone by zone", NULL, cmd_buddyinfo},
    {"pcp", "", "the pagesets: a hart's stock of each zone", NULL, cmd_pcp},
    {"page", "PFN", "all that is known of one frame, and who maps it", NULL, cmd_page},
    {"alloc", "ORDER [GFP] [NODE]", "take a block of 2^ORDER pages by hand",
     "GFP: kernel (default), movable, atomic, nowait, dma32, reclaimable, zero, ... joined by |,\n"
     "in quotes: 'movable|nowait'.\n"
     "Compaction may run for it; no guest is killed for it. 'free PFN' gives it back.\n",
     cmd_alloc},
    {"free", "PFN | all", "give back a block that 'alloc' took", NULL, cmd_free},
    {"drain", "", "give all pagesets back to the freelists", NULL, cmd_drain},
};

void cmd_memory_init(void)
{
    console_register("memory", commands, ARRAY_SIZE(commands));
}
