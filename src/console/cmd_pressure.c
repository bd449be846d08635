/* SPDX-License-Identifier: MIT */
/*
 * cmd_pressure.c - relief by hand: compact, reclaim, oom; and compaction watched.
 *
 *      memmap --watch compact      the zone drawn again after each few steps, > and < the scanners
 *
 * Locks: none; the watcher runs in the compacting thread.
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/cmd_pressure.h"
#include "console/console.h"
#include "console/memmap.h"
#include "kern/timer.h"
#include "phys/alloc.h"
#include "phys/pcp.h"
#include "pressure/compaction.h"
#include "pressure/oom.h"
#include "slab/cache.h"

#define FRAME_NS (100 * NSEC_PER_MSEC) /* a picture every so often is what an eye can follow */
#define WATCH_ROWS 24

/* Free blocks of the order of a pageblock, larger ones counted as several. */
uint64_t big_blocks(void)
{
    struct zone *zone;
    uint64_t n = 0;
    for_each_populated_zone(zone) for (unsigned order = PAGEBLOCK_ORDER; order < NR_ORDERS; order++)
        n += load_relaxed(&zone->free_area[order].nr_free) << (order - PAGEBLOCK_ORDER);
    return n;
}

static void compact_some(int nid)
{
    if (nid < 0)
        compact_all_nodes();
    else
        compact_node(nid);
}

static int parse_node(struct console *con, const char *name, const char *text, int *nid)
{
    uint64_t n;
    if (parse_u64(text, 10, &n) || n >= MAX_NODES || !node_state_test((int)n, N_ONLINE))
        return command_fail(con, name, "there is no node '%s'; 'nodes' lists them", text);
    *nid = (int)n;
    return 0;
}

static int cmd_compact(struct console *con, int argc, char **argv)
{
    int nid = -1;
    if (argc > 2)
        return command_usage(con, argv[0]);
    if (argc == 2 && parse_node(con, argv[0], argv[1], &nid))
        return 1;
    drain_all_pages(NULL);
    uint64_t before = big_blocks(), moved = vm_event_sum(PGMIGRATE_SUCCESS);
    uint64_t start = now_ns();
    compact_some(nid);
    drain_all_pages(NULL);
    uint64_t pages = nr_free_pages();
    print(con->out,
          "compact: %lu pages moved in %lu us; blocks of order %d: %lu before, %lu after, of %lu "
          "that the free memory could make\n",
          vm_event_sum(PGMIGRATE_SUCCESS) - moved, (now_ns() - start) / NSEC_PER_USEC,
          PAGEBLOCK_ORDER, before, big_blocks(), pages >> PAGEBLOCK_ORDER);
    return 0;
}

static int cmd_reclaim(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    print(con->out, "reclaim: %lu pages of slabs\n", slab_shrink_all());
    return 0;
}

static int cmd_oom(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    if (oom_kill_one())
        return command_fail(con, argv[0], "no guest can be killed; 'ps' lists those that run");
    return 0;
}

/* --- watching --------------------------------------------------------------------------------- */

struct watch {
    struct console *con;
    uint64_t last; /* when the last picture was drawn */
    const struct zone *zone;
};

static void draw(const struct compact_control *cc, void *arg)
{
    struct watch *w = arg;
    struct memmap_marks marks = {cc->migrate_pfn, cc->free_pfn};
    uint64_t now = now_ns();
    if (w->zone == cc->zone && now - w->last < FRAME_NS)
        return;
    w->last = now;
    w->zone = cc->zone;
    print(w->con->out,
          "\x1b[H\x1b[2Jnode %u, zone %s: %lu pages moved   > migrate scanner   "
          "< free scanner\n",
          cc->zone->nid, cc->zone->name, cc->moved);
    memmap_draw(w->con->out, cc->zone, 0, WATCH_ROWS, false, true, &marks);
}

int memmap_watch_compact(struct console *con)
{
    struct watch w = {.con = con};
    compaction_watch(draw, &w);
    compact_all_nodes();
    compaction_watch(NULL, NULL);
    memmap_legend(con->out, true);
    return 0;
}

static const struct command commands[] = {
    {"compact", "[NODE]", "compact memory from end to end", NULL, cmd_compact},
    {"reclaim", "", "give back what can be given back without pain: unused slabs", NULL,
     cmd_reclaim},
    {"oom", "", "have the OOM killer choose and kill one guest", NULL, cmd_oom},
};

void cmd_pressure_init(void)
{
    console_register("pressure", commands, ARRAY_SIZE(commands));
}
