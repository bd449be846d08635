/* SPDX-License-Identifier: MIT */
/*
 * pgtable.c - walking, mapping and unmapping.
 *
 *      root             level 1            level 0
 *      [ 0 ] -table-->  [ 0 ] -table-->    [ 0 ] leaf 4K
 *      [ 1 ] leaf 1G    [ 1 ] leaf 2M      [ 1 ] leaf 4K
 *        ...              ...                ...
 *
 * Locks: the owner's. A new table is put in by compare-and-exchange, so two faults of one space
 * may walk at once under a lock that both only read.
 */
#include "virt/pgtable.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "virt/kernel_map.h"

const struct pt_format pt_sv39 = {"Sv39", PT_LEVELS, PT_ENTRIES, LINEAR_ROOT_FIRST};

/* --- table pages ------------------------------------------------------------------------------ */

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

/* --- walking ---------------------------------------------------------------------------------- */

static pte_t *table_of(pte_t e)
{
    return phys_to_virt(pfn_to_paddr(pte_pfn(e)));
}

pte_t *pt_walk(const struct pgtable *pt, vaddr_t va, unsigned level)
{
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels - 1; l > level; l--) {
        pte_t e = pte_load_followed(&table[pt_slot(pt->format, va, l)]);
        if (!pte_table(e))
            return NULL;
        table = table_of(e);
    }
    return &table[pt_slot(pt->format, va, level)];
}

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

pte_t *pt_walk_alloc(struct pgtable *pt, vaddr_t va, unsigned level)
{
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels - 1; l > level; l--) {
        pte_t *entry = &table[pt_slot(pt->format, va, l)];
        if (pte_none(pte_load(entry)) && !make_table(pt, entry))
            return NULL;
        pte_t e = pte_load_followed(entry);
        if (!pte_table(e))
            return NULL;
        table = table_of(e);
    }
    return &table[pt_slot(pt->format, va, level)];
}

bool pt_lookup(const struct pgtable *pt, vaddr_t va, struct pt_mapping *out)
{
    pte_t *table = pt->root;
    for (unsigned l = pt->format->levels; l-- > 0;) {
        out->entry = &table[pt_slot(pt->format, va, l)];
        out->pte = pte_load_followed(out->entry);
        out->level = l;
        if (pte_leaf(out->pte))
            return true;
        if (!pte_table(out->pte))
            return false;
        table = table_of(out->pte);
    }
    return false;
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
        table = table_of(step.pte);
    }
}

/* --- mapping ---------------------------------------------------------------------------------- */

/* The largest level whose leaves begin here and fit. */
static unsigned leaf_level(uint64_t va, uint64_t pa, uint64_t size, unsigned max_level)
{
    unsigned level = max_level;
    while (level && (!IS_ALIGNED(va | pa, pt_level_size(level)) || size < pt_level_size(level)))
        level--;
    return level;
}

int pt_map_range(struct pgtable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t prot,
                 unsigned max_level)
{
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
}

int pt_split(struct pgtable *pt, pte_t *entry, unsigned level)
{
    pte_t leaf = pte_load(entry);
    struct page *page = pt->ops->alloc_table(pt, pt->nid);
    if (!page)
        return -ENOMEM;
    pte_t *table = page_address(page);
    uint64_t frames = pt_level_size(level - 1) >> PAGE_SHIFT;
    uint64_t bits = leaf.v & ~(PTE_PFN_MASK | PTE_RESERVED);
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        table[i] = pte_make(mk_pfn(pte_pfn(leaf).v + i * frames), bits);
    fetch_add_relaxed(&pt->nr_tables, 1);
    pte_store(entry, pte_make_table(page_to_pfn(page)));
    return 0;
}

/* Call @change for each leaf that lies in the range, after splitting those that stick out. */
static int for_each_leaf(struct pgtable *pt, uint64_t va, uint64_t end, uint64_t prot,
                         pte_t (*change)(pte_t, uint64_t))
{
    while (va < end) {
        struct pt_mapping m;
        if (!pt_lookup(pt, mk_vaddr(va), &m)) {
            va = ALIGN_DOWN(va, pt_level_size(m.level)) + pt_level_size(m.level);
            continue;
        }
        uint64_t size = pt_level_size(m.level);
        if (!IS_ALIGNED(va, size) || end - va < size) {
            int err = pt_split(pt, m.entry, m.level);
            if (err)
                return err;
            continue;
        }
        /* hardware may set A or D meanwhile: then once more, from what is there now */
        while (!pte_compare_exchange(m.entry, &m.pte, change(m.pte, prot)))
            ;
        va += size;
    }
    return 0;
}

static pte_t clear_leaf(pte_t e, uint64_t prot)
{
    (void)e;
    return mk_pte(prot);
}

int pt_unmap_range(struct pgtable *pt, vaddr_t va, uint64_t size)
{
    return for_each_leaf(pt, va.v, va.v + size, 0, clear_leaf);
}

int pt_protect_range(struct pgtable *pt, vaddr_t va, uint64_t size, uint64_t prot)
{
    return for_each_leaf(pt, va.v, va.v + size, prot, pte_modify);
}

/* --- freeing ---------------------------------------------------------------------------------- */

static bool table_is_empty(const pte_t *table)
{
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        if (!pte_none(table[i]))
            return false;
    return true;
}

/* Of the tables below entries of @level, look at those that cover start..end. */
static void unlink_below(struct pgtable *pt, pte_t *table, unsigned level, uint64_t start,
                         uint64_t end, const struct pt_gap *gap, struct list_head *out)
{
    uint64_t size = pt_level_size(level);
    for (uint64_t at = ALIGN_DOWN(start, size); at < end; at += size) {
        pte_t *entry = &table[pt_slot(pt->format, mk_vaddr(at), level)];
        if (!pte_table(*entry))
            continue;
        pte_t *child = table_of(*entry);
        if (level > 1)
            unlink_below(pt, child, level - 1, MAX(at, start), MIN(at + size, end), gap, out);
        if (at < gap->floor || at + size > gap->ceiling)
            continue;
        ASSERT(table_is_empty(child));
        pte_store(entry, mk_pte(0));
        fetch_sub_relaxed(&pt->nr_tables, 1);
        list_add_tail(&virt_to_page(child)->lru, out);
    }
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

/* --- checking --------------------------------------------------------------------------------- */

struct audit {
    struct sink *out;
    uint64_t tables;
    unsigned faults;
};

static void check_entry(struct audit *a, pte_t e, unsigned level, uint64_t va)
{
    bool reserved =
        (e.v & PTE_RESERVED) || (pte_writable(e) && !pte_readable(e)) || (pte_table(e) && !level);
    bool misaligned = pte_leaf(e) && pte_pfn(e).v % (pt_level_size(level) >> PAGE_SHIFT);
    if (!pte_present(e) || (!reserved && !misaligned))
        return;
    print(a->out, "pgtable: the entry 0x%lx for va 0x%lx at level %u is %s\n", e.v, va, level,
          reserved ? "reserved" : "misaligned");
    a->faults++;
}

static void check_table(struct audit *a, const pte_t *table, unsigned level, unsigned entries,
                        uint64_t base)
{
    struct page *page = virt_to_page(table);
    a->tables++;
    if (page->type != PAGE_TABLE) {
        print(a->out, "pgtable: pfn 0x%lx is used as a table and is %s\n", page_to_pfn(page).v,
              page_type_name((enum page_type)page->type));
        a->faults++;
    }
    for (unsigned i = 0; i < entries; i++) {
        pte_t e = pte_load(&table[i]);
        uint64_t va = base + i * pt_level_size(level);
        check_entry(a, e, level, va);
        if (level && pte_table(e))
            check_table(a, table_of(e), level - 1, PT_ENTRIES, va);
    }
}

unsigned pt_check(const struct pgtable *pt, struct sink *out)
{
    struct audit a = {.out = out};
    const struct pt_format *f = pt->format;
    check_table(&a, pt->root, f->levels - 1, f->low_entries, 0);
    if (a.tables != pt->nr_tables) {
        print(out, "pgtable: %lu tables are counted, %lu are there\n", pt->nr_tables, a.tables);
        a.faults++;
    }
    if (memcmp(pt->root + f->low_entries, kernel_pgtable.root + f->low_entries,
               (f->root_entries - f->low_entries) * sizeof(pte_t))) {
        print(out, "pgtable: its upper half is not the monitor's\n");
        a.faults++;
    }
    return a.faults;
}
