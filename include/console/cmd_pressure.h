/* SPDX-License-Identifier: MIT */
/*
 * console/cmd_pressure.h - compaction as a film.
 */
#ifndef PAGODA_CONSOLE_CMD_PRESSURE_H
#define PAGODA_CONSOLE_CMD_PRESSURE_H

#include "console/console.h"

/** Free blocks of the order of a pageblock in all zones, larger ones counted as several. */
uint64_t big_blocks(void);

/** Compact all nodes and draw what happens. Returns a command's status. */
int memmap_watch_compact(struct console *con);

#endif
