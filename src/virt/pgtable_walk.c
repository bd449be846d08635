/* SPDX-License-Identifier: MIT */
/*
 * pgtable_walk.c - from an address to its entry.
 *
 *      va = [ 0 ][ 1 ][ 3 ] + offset
 *
 *      root             level 1            level 0
 *      [ 0 ] -table-->  [ 0 ]              [ 0 ]
 *      [ 1 ]            [ 1 ] -table-->    [ 1 ]
 *        ...              ...              [ 3 ] leaf 4K: pt_walk(va, 0)
 *
 * A walk ends where it was told to, at a leaf, or where nothing is.
 *
 * Locks: the owner's. A new table is put in by compare-and-exchange, so two faults of one space
 * may walk at once under a lock that both only read.
 * Linux's counterpart: pgd_offset() to pte_offset_map(), __pte_alloc(), follow_pte().
 */
#include "virt/pgtable.h"

#include "base/atomic.h"

pte_t *pt_walk(const struct pgtable *pt, vaddr_t va, unsigned level)
{
    /* lab sv39: begin 1 */
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels - 1; l > level; l--) {
        pte_t e = pte_load_followed(&table[pt_slot(pt->format, va, l)]);
        if (!pte_table(e))
            return NULL;
        table = pt_table_of(e);
    }
    return &table[pt_slot(pt->format, va, level)];
    /* lab sv39: stub lab_missing("sv39", 1, pt, va, level); */
    /* lab sv39: end */
}

/* lab sv39: begin 2 */
/* Make a table below an empty entry. False when there is no memory. */
static bool make_table(struct pgtable *pt, pte_t *entry)
{
    struct page *page = pt->ops->alloc_table(pt, pt->nid);
    pte_t none = mk_pte(0);
    if (!page)
        return false;
    if (pte_compare_exchange(entry, &none, pte_make_table(page_to_pfn(page))))
        fetch_add_relaxed(&pt->nr_tables, 1);
    else
        pt->ops->free_table(pt, page); /* another hart was first */
    return true;
}
/* lab sv39: end */

pte_t *pt_walk_alloc(struct pgtable *pt, vaddr_t va, unsigned level)
{
    /* lab sv39: begin 2 */
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels - 1; l > level; l--) {
        pte_t *entry = &table[pt_slot(pt->format, va, l)];
        if (pte_none(pte_load(entry)) && !make_table(pt, entry))
            return NULL;
        pte_t e = pte_load_followed(entry);
        if (!pte_table(e))
            return NULL;
        table = pt_table_of(e);
    }
    return &table[pt_slot(pt->format, va, level)];
    /* lab sv39: stub lab_missing("sv39", 2, pt, va, level); */
    /* lab sv39: end */
}

bool pt_lookup(const struct pgtable *pt, vaddr_t va, struct pt_mapping *out)
{
    /* lab sv39: begin 1 */
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels; l-- > 0;) {
        out->entry = &table[pt_slot(pt->format, va, l)];
        out->pte = pte_load_followed(out->entry);
        out->level = l;
        if (pte_leaf(out->pte))
            return true;
        if (!pte_table(out->pte))
            return false;
        table = pt_table_of(out->pte);
    }
    return false;
    /* lab sv39: stub lab_missing("sv39", 1, pt, va, out); */
    /* lab sv39: end */
}

bool pt_translate(const struct pgtable *pt, vaddr_t va, paddr_t *out)
{
    struct pt_mapping m;
    if (!pt_lookup(pt, va, &m))
        return false;
    *out = mk_paddr(pfn_to_paddr(pte_pfn(m.pte)).v + (va.v & (pt_level_size(m.level) - 1)));
    return true;
}

void pt_trace(const struct pgtable *pt, vaddr_t va, void (*fn)(const struct pt_step *, void *),
              void *arg)
{
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels; l-- > 0;) {
        struct pt_step step = {l, pt_slot(pt->format, va, l), virt_to_phys(table),
                               pte_load(&table[pt_slot(pt->format, va, l)])};
        fn(&step, arg);
        if (!pte_table(step.pte))
            return;
        table = pt_table_of(step.pte);
    }
}
