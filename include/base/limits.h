/* SPDX-License-Identifier: MIT */
/*
 * limits.h - how big a machine may be.
 */
#ifndef PAGODA_BASE_LIMITS_H
#define PAGODA_BASE_LIMITS_H

#define MAX_HARTS 64
#define MAX_NODES 16

#define MAX_ORDER 10 /* the largest buddy block is 2^10 pages, 4 MiB */
#define NR_ORDERS (MAX_ORDER + 1)
#define PAGEBLOCK_ORDER 9 /* a pageblock is what a 2 MiB leaf maps */
#define PAGEBLOCK_PAGES (1UL << PAGEBLOCK_ORDER)

#endif
