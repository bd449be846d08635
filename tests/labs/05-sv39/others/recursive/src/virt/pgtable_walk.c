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

/* A table for an entry that has none; somebody else's is as good. */
static bool fill_entry(struct pgtable *pt, pte_t *entry)
{
    pte_t expected = {0};
    struct page *fresh = pt->ops->alloc_table(pt, pt->nid);
    if (!fresh)
        return false;
    if (!pte_compare_exchange(entry, &expected, pte_make_table(page_to_pfn(fresh)))) {
        pt->ops->free_table(pt, fresh);
        return true;
    }
    fetch_add_relaxed(&pt->nr_tables, 1);
    return true;
}

/* From a table of level @from down to @level. @maker: tables may be made, for this one. */
static pte_t *descend(const struct pgtable *pt, struct pgtable *maker, pte_t *table, unsigned from,
                      vaddr_t va, unsigned level)
{
    pte_t *entry = table + pt_slot(pt->format, va, from);
    if (from == level)
        return entry;
    if (maker && pte_none(pte_load(entry)) && !fill_entry(maker, entry))
        return NULL;
    pte_t e = pte_load_followed(entry);
    return pte_table(e) ? descend(pt, maker, pt_table_of(e), from - 1, va, level) : NULL;
}

pte_t *pt_walk(const struct pgtable *pt, vaddr_t va, unsigned level)
{
    return descend(pt, NULL, pt->root, pt->format->levels - 1, va, level);
}

pte_t *pt_walk_alloc(struct pgtable *pt, vaddr_t va, unsigned level)
{
    return descend(pt, pt, pt->root, pt->format->levels - 1, va, level);
}

bool pt_lookup(const struct pgtable *pt, vaddr_t va, struct pt_mapping *out)
{
    unsigned level = pt->format->levels;
    do {
        level--;
        out->level = level;
        out->entry = pt_walk(pt, va, level);
        out->pte = pte_load_followed(out->entry);
    } while (level && pte_table(out->pte));
    return pte_leaf(out->pte);
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
