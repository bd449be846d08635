/* SPDX-License-Identifier: MIT */
/*
 * lru.h - pages of guests in the order of their last use, node by node.
 *
 *      node 0:   active   anon  [ ]-[ ]-[ ]        head: used most recently
 *                inactive anon  [ ]-[ ]-[ ]-[ ]    tail: taken first
 *                active   file  [ ]
 *                inactive file  [ ]-[ ]
 *                unevictable    [ ]
 *
 * A new page first waits in its hart's batch, so that the list's lock is taken once for many
 * pages. A page on a list has PG_lru; who clears that bit owns the page's list links: that is how
 * migration and reclaim take a page, and nobody else can at the same time.
 *
 * Locks: RANK_LRU for each node's lists; batches belong to their hart. A page in a batch has a
 * reference for it; one on a list does not, and leaves it when its last reference goes.
 * Linux's counterpart: struct lruvec, mm/swap.c.
 */
#ifndef PAGODA_VIRT_LRU_H
#define PAGODA_VIRT_LRU_H

#include "base/format.h"
#include "base/limits.h"
#include "base/list.h"
#include "kern/lock.h"
#include "phys/page.h"

enum lru_list { /* Linux's order: it is also that of the vmstat items */
                LRU_INACTIVE_ANON,
                LRU_ACTIVE_ANON,
                LRU_INACTIVE_FILE,
                LRU_ACTIVE_FILE,
                LRU_UNEVICTABLE,
                NR_LRU_LISTS
};

struct lruvec {
    struct spinlock lock;
    struct list_head lists[NR_LRU_LISTS]; /* (lock) page.lru */
    uint64_t size[NR_LRU_LISTS];          /* (lock) pages */
} cache_aligned;

/** The lists of each node. */
extern struct lruvec lruvecs[MAX_NODES];

/** Boot only, after slab. Registers the way in which pages leave the lists when they are freed. */
void lru_init(void);

/** A new page (PAGE_ANON or PAGE_FILE): takes a reference and puts it in this hart's batch. */
void lru_cache_add(struct page *page);

/** Put this hart's batch on the lists; or those of all harts (by IPI; no spinlock held). */
void lru_add_drain(void);
void lru_add_drain_all(void);

/** Which list the page belongs to, by type and flags. */
enum lru_list page_lru(const struct page *page);

/**
 * Take the page off its list, with a new reference: 0, or -EBUSY when it is on no list (someone
 * else has isolated it, it is in a batch, it is being freed). page.lru is the caller's.
 */
int lru_isolate(struct page *page) must_check;

/** Put an isolated page back on its list and drop the reference of lru_isolate(). */
void lru_putback(struct page *page);

/** The page was used: to the active list. */
void mark_page_accessed(struct page *page);

/** Every list is well linked, its size is right, each page on it has PG_lru and the right type. */
unsigned lru_check(struct sink *out);

#endif
