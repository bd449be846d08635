/* SPDX-License-Identifier: MIT */
/*
 * check.h - the audit of physical memory.
 */
#ifndef PAGODA_PHYS_CHECK_H
#define PAGODA_PHYS_CHECK_H

#include "base/format.h"
#include "phys/page.h"

/** How many pages are in each state, heads and tails of a block alike. */
struct page_census {
    uint64_t pages[NR_PAGE_TYPES];
};

/** Count the pages of a node (-1: of all) by state. No lock is held: it is a snapshot. */
void page_census(int nid, struct page_census *out);

/**
 * Verify every invariant of the floor: lists, states, counters. Each breach is a line in @out (the
 * first few of a kind). Returns how many there are. The machine should be quiet: what other harts
 * do meanwhile looks like a breach. Thread context.
 */
unsigned long phys_check(struct sink *out);

#endif
