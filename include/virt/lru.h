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
 * Locks: pgdat->lru_lock (RANK_LRU) for a node's lists, pgdat->lru[]; batches belong to their
 * hart. A page in a batch has a reference for it; one on a list does not, and leaves it when its
 * last reference goes.
 * Linux's counterpart: struct lruvec, mm/swap.c.
 */
#ifndef PAGODA_VIRT_LRU_H
#define PAGODA_VIRT_LRU_H

#include "base/format.h"
#include "base/types.h"
#include "phys/node.h"

/** Boot only. Registers the way in which pages leave the lists when they are freed. */
void lru_init(void);

/** Pages of a hart that are on their way to the lists. */
#define LRU_BATCH 30
struct lru_batch {
    uint32_t n;
    struct page *pages[LRU_BATCH];
} cache_aligned;
extern struct lru_batch lru_batches[MAX_HARTS];

void lru_batch_drain(struct lru_batch *batch);

/** A new page (PAGE_ANON or PAGE_FILE): takes a reference and puts it in this hart's batch. */
static inline void lru_cache_add(struct page *page)
{
    struct lru_batch *batch = &lru_batches[hart_index()];
    get_page(page);
    batch->pages[batch->n] = page;
    if (unlikely(++batch->n == LRU_BATCH))
        lru_batch_drain(batch);
}

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

/**
 * Put an isolated page back on its list and drop the reference of lru_isolate(); if that is the
 * last one (its guest has unmapped it, or it was migrated away), the page is freed. The page that
 * took its place goes by lru_cache_add().
 */
void lru_putback(struct page *page);

/** Drop a reference of each page; those that had no other are freed together. */
void release_pages(struct page **pages, unsigned n);

/** The page was used: to the active list. */
void mark_page_accessed(struct page *page);

/** Every list is well linked, its size is right, each page on it has PG_lru and the right type. */
unsigned lru_check(struct sink *out);

#endif
