/* SPDX-License-Identifier: MIT */
/*
 * move.c - one page to one node: what move_pages and migrate_pages are made of.
 *
 * Locks: none held. Linux's counterpart: do_move_pages_to_node().
 */
#include "pressure/move.h"

#include "base/errno.h"
#include "phys/alloc.h"
#include "pressure/migrate.h"
#include "virt/lru.h"

struct target {
    int nid;
    bool full; /* there was no page to be had there */
};

static struct page *on_node(struct page *old, void *ctx)
{
    struct target *to = ctx;
    gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN;
    struct page *page = alloc_pages_node(to->nid, gfp, 0);
    (void)old;
    to->full = !page;
    return page;
}

int move_page_to_node(struct page *page, int nid)
{
    LIST_HEAD(list);
    struct target to = {.nid = nid};
    unsigned moved = 0;
    bool there = page->nid == nid;
    int err = there ? 0 : lru_isolate(page);
    if (!there && !err)
        list_add(&page->lru, &list); /* with a reference of its own */
    put_page(page);                  /* or the mover would find it in use */
    if (there || err)
        return err;
    if (!migrate_pages(&list, on_node, &to, MIGRATE_SYNC, &moved))
        return 0;
    return to.full ? -ENOMEM : -EBUSY;
}
