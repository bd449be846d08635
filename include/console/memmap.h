/* SPDX-License-Identifier: MIT */
/*
 * console/memmap.h - a zone as a picture.
 */
#ifndef PAGODA_CONSOLE_MEMMAP_H
#define PAGODA_CONSOLE_MEMMAP_H

#include "base/format.h"
#include "phys/zone.h"

#define MEMMAP_COLUMNS 64

/** Where two scanners stand; 0: nobody scans. */
struct memmap_marks {
    uint64_t migrate_pfn, free_pfn;
};

/**
 * Draw a zone, a cell a pageblock (@by_page: a cell a page) from frame @first on, at most @rows
 * rows; with colours if @colour. Cells of the marks are drawn as > and <.
 */
void memmap_draw(struct sink *out, const struct zone *zone, uint64_t first, unsigned rows,
                 bool by_page, bool colour, const struct memmap_marks *marks);

/** What the letters mean. */
void memmap_legend(struct sink *out, bool colour);

#endif
