/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - the freelists of a zone: split on the way out, merge on the way in.
 */
#ifndef PAGODA_PHYS_BUDDY_H
#define PAGODA_PHYS_BUDDY_H

#include "phys/zone.h"

/** Take a block of exactly 2^order pages with this type from its lists, splitting a bigger one. */
struct page *buddy_alloc_locked(struct zone *zone, unsigned order, enum migratetype mt);

/**
 * Take up to @n such blocks, lying one behind the other, out of the smallest block that is there:
 * the same as taking them one by one, without the splitting in between. Returns how many, *first
 * is the first; 0: there is none.
 */
unsigned buddy_alloc_run_locked(struct zone *zone, unsigned order, enum migratetype mt, unsigned n,
                                struct page **first);

/** Put a block back and merge it with its buddies as far as they are free. */
void buddy_free_locked(struct zone *zone, struct page *page, unsigned order, enum migratetype mt);

/** Take this free block off its list, whole; it becomes PAGE_ISOLATED. Returns its order. */
unsigned buddy_isolate_locked(struct zone *zone, struct page *page);

/** Give a PAGE_ISOLATED block back. */
void buddy_return_locked(struct zone *zone, struct page *page, unsigned order);

/** Turn a PAGE_ISOLATED block of @order into single pages, each PAGE_ISOLATED of order 0. */
void buddy_split_isolated(struct page *page, unsigned order);

/** Make a PAGE_ISOLATED block allocated: PAGE_KERNEL, refcount 1. Zone lock held. */
void buddy_claim_isolated_locked(struct zone *zone, struct page *page, unsigned order);

/** Move all free blocks of the pageblock of @page to the lists of @mt. Returns the pages moved. */
uint64_t buddy_move_pageblock_locked(struct zone *zone, struct page *page, enum migratetype mt);

/** Of a block of order @high that is off its list, keep the first 2^order pages, free the rest. */
void buddy_expand_locked(struct zone *zone, struct page *page, unsigned order, unsigned high,
                         enum migratetype mt);

/** Unlink a free block that is on a list. The counters follow. */
void buddy_unlink_locked(struct zone *zone, struct page *page, unsigned order);

#endif
