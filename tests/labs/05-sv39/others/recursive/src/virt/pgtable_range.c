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

struct job {
    struct pgtable *pt;
    uint64_t prot, offset; /* offset: frame address - address */
    unsigned max_level;
};

/* Map va..end below a table of @level. */
static int map_below(const struct job *job, pte_t *table, unsigned level, uint64_t va, uint64_t end)
{
    uint64_t size = pt_level_size(level);
    pte_t *entry = table + pt_slot(job->pt->format, mk_vaddr(va), level);
    for (; va != end; entry++) {
        uint64_t here = MIN(end - va, size - va % size);
        bool fits = here == size && level <= job->max_level && job->offset % size == 0;
        if (!fits) {
            if (!pt_walk_alloc(job->pt, mk_vaddr(va), level - 1))
                return pte_leaf(*entry) ? -EEXIST : -ENOMEM;
            int err = map_below(job, pt_table_of(*entry), level - 1, va, va + here);
            if (err)
                return err;
        } else if (!pte_none(*entry)) {
            return -EEXIST;
        } else {
            pte_store(entry, pte_make(paddr_to_pfn(mk_paddr(va + job->offset)), job->prot));
        }
        va += here;
    }
    return 0;
}

int pt_map_range(struct pgtable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t prot,
                 unsigned max_level)
{
    struct job job = {pt, prot, pa.v - va.v, max_level};
    return map_below(&job, pt->root, pt->format->levels - 1, va.v, va.v + size);
}

int pt_split(struct pgtable *pt, pte_t *entry, unsigned level)
{
    struct page *page = pt->ops->alloc_table(pt, pt->nid);
    uint64_t step = 1UL << (PTE_PFN_SHIFT + PT_INDEX_BITS * (level - 1));
    pte_t seen = pte_load(entry);
    if (!page)
        return -ENOMEM;
    pte_t *small = page_address(page);
    for (;;) {
        uint64_t value = seen.v;
        for (pte_t *p = small; p < small + PT_ENTRIES; p++, value += step)
            p->v = value;
        if (pte_compare_exchange(entry, &seen, pte_make_table(page_to_pfn(page))))
            break;
    }
    fetch_add_relaxed(&pt->nr_tables, 1);
    return 0;
}

/* One leaf, or one hole, after the other, each looked up from the root. */
static int change_range(struct pgtable *pt, vaddr_t va, uint64_t size, uint64_t prot,
                        pte_t (*change)(pte_t leaf, uint64_t prot))
{
    for (uint64_t left = size; left;) {
        struct pt_mapping m;
        bool mapped = pt_lookup(pt, va, &m);
        uint64_t span = pt_level_size(m.level), here = MIN(left, span - va.v % span);
        if (mapped && here < span) {
            if (pt_split(pt, m.entry, m.level))
                return -ENOMEM;
            continue;
        }
        while (mapped && !pte_compare_exchange(m.entry, &m.pte, change(m.pte, prot)))
            continue;
        va.v += here;
        left -= here;
    }
    return 0;
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
