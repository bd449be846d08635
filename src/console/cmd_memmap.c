/* SPDX-License-Identifier: MIT */
/*
 * cmd_memmap.c - memmap: memory drawn in the terminal.
 *
 *      memmap                  all zones, a cell a pageblock
 *      memmap 1                node 1 only
 *      memmap --pages 0x86200  from that frame on, a cell a page
 *
 * Locks: none.
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/cmd_pressure.h"
#include "console/console.h"
#include "console/memmap.h"
#include "phys/node.h"

#define PAGE_ROWS 16 /* 1024 frames, two pageblocks */
#define MAX_ROWS 64

static int draw_pages(struct console *con, const char *name, const char *text, bool colour)
{
    uint64_t pfn;
    if (parse_u64(text, 0, &pfn) || !pfn_valid(mk_pfn(pfn)))
        return command_fail(con, name, "'%s' is no frame of RAM; 'zones' tells where they begin",
                            text);
    memmap_draw(con->out, page_zone(pfn_to_page(mk_pfn(pfn))), pfn, PAGE_ROWS, true, colour, NULL);
    return 0;
}

static int draw_zones(struct console *con, int nid, bool colour)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        if (nid >= 0 && zone->nid != nid)
            continue;
        print(con->out, "node %u, zone %s, a cell is %lu pages:\n", zone->nid, zone->name,
              PAGEBLOCK_PAGES);
        memmap_draw(con->out, zone, 0, MAX_ROWS, false, colour, NULL);
    }
    memmap_legend(con->out, colour);
    return 0;
}

static int cmd_memmap(struct console *con, int argc, char **argv)
{
    bool colour = true, by_page = false;
    const char *operand = NULL;
    uint64_t nid;
    if (argc == 3 && strcmp(argv[1], "--watch") == 0 && strcmp(argv[2], "compact") == 0)
        return memmap_watch_compact(con);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--plain") == 0)
            colour = false;
        else if (strcmp(argv[i], "--pages") == 0)
            by_page = true;
        else if (!operand)
            operand = argv[i];
        else
            return command_usage(con, argv[0]);
    }
    if (by_page)
        return operand ? draw_pages(con, argv[0], operand, colour) : command_usage(con, argv[0]);
    if (!operand)
        return draw_zones(con, -1, colour);
    if (parse_u64(operand, 10, &nid) || nid >= MAX_NODES || !node_state_test((int)nid, N_ONLINE))
        return command_fail(con, argv[0], "there is no node '%s'; 'nodes' lists them", operand);
    return draw_zones(con, (int)nid, colour);
}

static const struct command commands[] = {
    {"memmap", "[--plain] [NODE] | --pages PFN | --watch compact",
     "draw memory: a cell a pageblock, or a page",
     "A letter is the state that most used pages of the block are in, a capital when half of it\n"
     "is used, a dot when all is free. --plain leaves the colours out. --watch compact compacts\n"
     "all memory and shows the two scanners meeting.\n",
     cmd_memmap},
};

void cmd_memmap_init(void)
{
    console_register("memory map", commands, ARRAY_SIZE(commands));
}
