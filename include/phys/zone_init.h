/* SPDX-License-Identifier: MIT */
/*
 * zone_init.h - the steps of phys_init(), in their order. Boot hart alone.
 */
#ifndef PAGODA_PHYS_ZONE_INIT_H
#define PAGODA_PHYS_ZONE_INIT_H

#include "base/types.h"

/** Cut each node into zones; nodes_init() and pageblocks_init() first. */
void zones_init(void);

/** Pages of RAM of a node in [start, end); holes, and RAM of other nodes, do not count. */
uint64_t present_pages_in_range(int nid, uint64_t start, uint64_t end);

/** The first frame of a node's RAM and the one behind its last, holes between; 0 and 0 if none. */
void get_pfn_range_for_nid(int nid, uint64_t *start, uint64_t *end);

/** Back mem_map with memory of each node, and initialise every struct page. */
void mem_map_init(void);

/** Watermarks, reserves and pageset sizes from what is managed now. Boot, and on sysctl writes. */
void setup_per_zone_wmarks(void);

/** The settings, as /proc/sys/vm names them. Writing wants setup_per_zone_wmarks() after. */
extern uint64_t min_free_kbytes;
extern uint64_t watermark_scale_factor; /* 1 to 1000, of 10000 */
extern uint64_t lowmem_reserve_ratio[3];

/** The default for min_free_kbytes: 4 * sqrt(kbytes of lowmem), 128 to 262144. */
void init_min_free_kbytes(void);

#endif
