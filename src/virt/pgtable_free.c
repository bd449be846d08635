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

/* lab sv39: begin 5 */
static bool table_is_empty(const pte_t *table)
{
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        if (!pte_none(table[i]))
            return false;
    return true;
}
/* lab sv39: end */

/* Of the tables below entries of @level, look at those that cover start..end. */
static void unlink_below(struct pgtable *pt, pte_t *table, unsigned level, uint64_t start,
                         uint64_t end, const struct pt_gap *gap, struct list_head *out)
{
    /* lab sv39: begin 5 */
    uint64_t size = pt_level_size(level);
    for (uint64_t at = ALIGN_DOWN(start, size); at < end; at += size) {
        pte_t *entry = &table[pt_slot(pt->format, mk_vaddr(at), level)];
        if (!pte_table(*entry))
            continue;
        pte_t *child = pt_table_of(*entry);
        if (level > 1)
            unlink_below(pt, child, level - 1, MAX(at, start), MIN(at + size, end), gap, out);
        if (at < gap->floor || at + size > gap->ceiling)
            continue;
        ASSERT(table_is_empty(child));
        pte_store(entry, mk_pte(0));
        fetch_sub_relaxed(&pt->nr_tables, 1);
        list_add_tail(&virt_to_page(child)->lru, out);
    }
    /* lab sv39: stub lab_missing("sv39", 5, pt, table, level, start, end, gap, out); */
    /* lab sv39: end */
}

void pt_unlink_tables(struct pgtable *pt, const struct pt_gap *gap, struct list_head *out)
{
    unlink_below(pt, pt->root, pt->format->levels - 1, gap->start, gap->end, gap, out);
}

void pt_release_tables(struct pgtable *pt, struct list_head *tables)
{
    while (!list_empty(tables)) {
        struct page *table = list_first_entry(tables, struct page, lru);
        list_del(&table->lru);
        pt->ops->free_table(pt, table);
    }
}
