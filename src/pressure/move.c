/* SPDX-License-Identifier: MIT */
/*
 * move.c - one page to one node: what move_pages, migrate_pages and mbind are made of.
 *
 * Locks: none held. Linux's counterpart: do_move_pages_to_node().
 */
#include "pressure/move.h"

#include "base/errno.h"
#include "phys/alloc.h"
#include "pressure/migrate.h"
#include "virt/lru.h"

static struct page *on_node(struct page *old, void *ctx)
{
    (void)old;
    return alloc_pages_node(*(int *)ctx, GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN, 0);
}

int move_page_to_node(struct page *page, int nid)
{
    LIST_HEAD(list);
    unsigned moved = 0;
    bool there = page->nid == nid;
    int err = there ? 0 : lru_isolate(page);
    if (!there && !err)
        list_add(&page->lru, &list); /* its reference is the list's now */
    put_page(page);
    if (there || err)
        return err;
    unsigned failed = migrate_pages(&list, on_node, &nid, MIGRATE_SYNC, &moved);
    if (!failed)
        return 0;
    struct page *probe = on_node(NULL, &nid);
    if (probe)
        put_page(probe);
    return probe ? -EBUSY : -ENOMEM;
}
