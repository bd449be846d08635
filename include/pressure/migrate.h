/* SPDX-License-Identifier: MIT */
/*
 * migrate.h - moving pages under the feet of those who use them.
 */
#ifndef PAGODA_PRESSURE_MIGRATE_H
#define PAGODA_PRESSURE_MIGRATE_H

#include "base/list.h"
#include "phys/page.h"

enum migrate_mode {
    MIGRATE_ASYNC, /* never wait: skip pages that are locked */
    MIGRATE_SYNC,  /* wait for page locks */
};

/** Where a page goes to: PAGE_KERNEL, one reference, near enough; NULL: nowhere. */
typedef struct page *new_page_fn(struct page *old, void *ctx);

/**
 * Move the pages of @from (isolated by lru_isolate(), linked by lru) to pages that @get_new gives.
 * Content, permissions and mappings stay as they are for everyone. Pages that cannot be moved go
 * back to their LRU list unharmed. Returns how many were not moved; *moved counts the others (those
 * that turned out to be free are neither). Thread context, no spinlock held.
 */
unsigned migrate_pages(struct list_head *from, new_page_fn *get_new, void *ctx,
                       enum migrate_mode mode, unsigned *moved);

/** Pages on @from go back to their LRU lists; how many. */
unsigned putback_pages(struct list_head *from);

#endif
