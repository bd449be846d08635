/* SPDX-License-Identifier: MIT */
/*
 * pgtable_range.c - ranges are mapped, unmapped and protected, by leaves as large as fit.
 *
 *      0x1ff000    0x200000             0x400000             0x600000   0x602000
 *         | 4K leaf   |       2M leaf      |       2M leaf      | 4K | 4K |
 *
 *      protect 0x300000 - 0x301000:  the first 2M leaf becomes a table of 512 leaves that say what
 *                                    it said, and then one of these changes
 *
 * A leaf of 2 MiB translates what its 512 would, without their table and with one place in the
 * TLB. Both its addresses must be aligned to 2 MiB.
 *
 * Locks: the owner's. Hardware sets A and D meanwhile. The owner fences afterwards.
 * Linux's counterpart: vmap_range_noflush(), split_huge_pmd(), change_protection().
 */
#include "virt/pgtable.h"

#include "base/atomic.h"
#include "base/errno.h"

/* lab sv39: begin 3 */
/* The largest level whose leaves begin here and fit. */
static unsigned leaf_level(uint64_t va, uint64_t pa, uint64_t size, unsigned max_level)
{
    unsigned level = max_level;
    while (level && (!IS_ALIGNED(va | pa, pt_level_size(level)) || size < pt_level_size(level)))
        level--;
    return level;
}
/* lab sv39: end */

int pt_map_range(struct pgtable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t prot,
                 unsigned max_level)
{
    /* lab sv39: begin 3 */
    while (size) {
        unsigned level = leaf_level(va.v, pa.v, size, max_level);
        uint64_t step = pt_level_size(level);
        pte_t *entry = pt_walk_alloc(pt, va, level);
        if (!entry)
            return -ENOMEM;
        /* the rest of this table without walking again */
        do {
            if (!pte_none(*entry))
                return -EEXIST;
            pte_store(entry++, pte_make(paddr_to_pfn(pa), prot));
            va.v += step;
            pa.v += step;
            size -= step;
        } while (size >= step && pt_index(va, level) &&
                 leaf_level(va.v, pa.v, size, max_level) == level);
    }
    return 0;
    /* lab sv39: stub lab_missing("sv39", 3, pt, va, pa, size, prot, max_level); */
    /* lab sv39: end */
}

int pt_split(struct pgtable *pt, pte_t *entry, unsigned level)
{
    /* lab sv39: begin 4 */
    pte_t leaf = pte_load(entry);
    struct page *page = pt->ops->alloc_table(pt, pt->nid);
    if (!page)
        return -ENOMEM;
    pte_t *table = page_address(page);
    uint64_t frames = pt_level_size(level - 1) >> PAGE_SHIFT;
    do {
        for (unsigned i = 0; i < PT_ENTRIES; i++)
            table[i] = pte_make(mk_pfn(pte_pfn(leaf).v + i * frames), leaf.v & ~PTE_PFN_MASK);
    } while (!pte_compare_exchange(entry, &leaf, pte_make_table(page_to_pfn(page))));
    fetch_add_relaxed(&pt->nr_tables, 1);
    return 0;
    /* lab sv39: stub lab_missing("sv39", 4, pt, entry, level); */
    /* lab sv39: end */
}

/*
 * Of the leaves below a table of @level, put @change(leaf, prot) in the place of those that lie in
 * va..end; leaves that stick out are split first. 0 or -ENOMEM.
 */
static int change_below(struct pgtable *pt, pte_t *table, unsigned level, uint64_t va, uint64_t end,
                        uint64_t prot, pte_t (*change)(pte_t leaf, uint64_t prot))
{
    /* lab sv39: begin 4 */
    uint64_t size = pt_level_size(level), step;
    int err = 0;
    for (; va != end && !err; va += step) {
        pte_t *entry = &table[pt_slot(pt->format, mk_vaddr(va), level)];
        step = MIN(size - (va & (size - 1)), end - va);
        if (step < size && pte_leaf(pte_load(entry)))
            err = pt_split(pt, entry, level);
        pte_t e = pte_load_followed(entry);
        if (pte_table(e))
            err = change_below(pt, pt_table_of(e), level - 1, va, va + step, prot, change);
        /* hardware may set A or D meanwhile: then once more, from what is there now */
        while (pte_leaf(e) && !err && !pte_compare_exchange(entry, &e, change(e, prot)))
            ;
    }
    return err;
    /* lab sv39: stub lab_missing("sv39", 4, pt, table, level, va, end, prot, change); */
    /* lab sv39: end */
}

static int change_range(struct pgtable *pt, vaddr_t va, uint64_t size, uint64_t prot,
                        pte_t (*change)(pte_t leaf, uint64_t prot))
{
    return change_below(pt, pt->root, pt->format->levels - 1, va.v, va.v + size, prot, change);
}

static pte_t clear(pte_t leaf, uint64_t prot)
{
    (void)leaf;
    return mk_pte(prot);
}

int pt_unmap_range(struct pgtable *pt, vaddr_t va, uint64_t size)
{
    return change_range(pt, va, size, 0, clear);
}

int pt_protect_range(struct pgtable *pt, vaddr_t va, uint64_t size, uint64_t prot)
{
    return change_range(pt, va, size, prot, pte_modify);
}
