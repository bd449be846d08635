/* SPDX-License-Identifier: MIT */
/*
 * pgtable_free.c - tables that nobody needs any more.
 *
 *      root [ 0 ] -->  level 1 [ 0 ] --> level 0 [ . . . . ]     empty now
 *                              [ 1 ] --> level 0 [ x . . . ]     still somebody's
 *
 *      taken out:  [ 0 ] of level 1, and its table goes on a list
 *      flushed:    no hart is on its way through that table
 *      released:   its page is a page again
 *
 * Which tables are empty is known without looking at 512 entries: the owner says what is mapped no
 * more and where its neighbours are (struct pt_gap).
 *
 * Locks: the owner's. Linux's counterpart: free_pgd_range(), with its floor and ceiling.
 */
#include "virt/pgtable.h"

#include "base/atomic.h"
#include "kern/panic.h"

/* The tables below entries of @level: all of them in the range, one by one from the root. */
static void unlink_level(struct pgtable *pt, unsigned level, const struct pt_gap *gap,
                         struct list_head *out)
{
    uint64_t size = pt_level_size(level),
             at = MAX(ALIGN_DOWN(gap->start, size), ALIGN_UP(gap->floor, size));
    for (; at < gap->end && at + size <= gap->ceiling; at += size) {
        pte_t *entry = pt_walk(pt, mk_vaddr(at), level);
        if (!entry || !pte_table(*entry))
            continue;
        struct page *table = virt_to_page(pt_table_of(*entry));
        pte_store(entry, mk_pte(0));
        fetch_sub_relaxed(&pt->nr_tables, 1);
        list_add(&table->lru, out);
    }
}

void pt_unlink_tables(struct pgtable *pt, const struct pt_gap *gap, struct list_head *out)
{
    for (unsigned level = 1; level < pt->format->levels; level++)
        unlink_level(pt, level, gap, out);
}

void pt_release_tables(struct pgtable *pt, struct list_head *tables)
{
    while (!list_empty(tables)) {
        struct page *table = list_first_entry(tables, struct page, lru);
        list_del(&table->lru);
        pt->ops->free_table(pt, table);
    }
}
