/* SPDX-License-Identifier: MIT */
/*
 * pgtable.c - page tables as objects: their pages, the root, the end.
 *
 *      root [ 0 .. 255 ] empty: the guest's      [ 256 .. 511 ] a copy of the monitor's root
 *
 * What is in them: pgtable_walk.c finds, pgtable_range.c maps and unmaps, pgtable_free.c takes
 * empty tables out, pgtable_check.c looks whether all of it is right.
 *
 * Locks: none; a table is nobody else's before it is made and after it was let go.
 * Linux's counterpart: pgd_alloc(), <asm/pgalloc.h>.
 */
#include "virt/pgtable.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "virt/kernel_map.h"

const struct pt_format pt_sv39 = {"Sv39", PT_LEVELS, PT_ENTRIES, LINEAR_ROOT_FIRST};

static struct page *alloc_table(struct pgtable *pt, int nid)
{
    struct page *page =
        alloc_pages_node(nid < 0 ? numa_node_id() : nid, GFP_KERNEL | __GFP_ZERO, 0);
    (void)pt;
    if (!page)
        return NULL;
    page_set_type(page, PAGE_TABLE);
    mod_node_state(page_pgdat(page), NR_PAGETABLE, 1);
    return page;
}

static void free_table(struct pgtable *pt, struct page *table)
{
    (void)pt;
    mod_node_state(page_pgdat(table), NR_PAGETABLE, -1);
    __free_page(table);
}

const struct pt_ops pt_page_ops = {alloc_table, free_table};

int pt_create(struct pgtable *pt, int nid)
{
    *pt = (struct pgtable){.format = &pt_sv39, .ops = &pt_page_ops, .nid = nid, .nr_tables = 1};
    struct page *root = pt->ops->alloc_table(pt, nid);
    if (!root)
        return -ENOMEM;
    pt->root = page_address(root);
    memcpy(pt->root + LINEAR_ROOT_FIRST, kernel_pgtable.root + LINEAR_ROOT_FIRST,
           (PT_ENTRIES - LINEAR_ROOT_FIRST) * sizeof(pte_t));
    return 0;
}

void pt_destroy(struct pgtable *pt)
{
    BUG_ON(pt->nr_tables != 1);
    pt->ops->free_table(pt, virt_to_page(pt->root));
    pt->root = NULL;
    pt->nr_tables = 0;
}
