/* SPDX-License-Identifier: MIT */
/*
 * pgtable_check.c - what must hold of every page table.
 *
 *      each table PAGE_TABLE, and as many as are counted
 *      no entry that the architecture reserves, no large leaf that is not aligned
 *      the upper half the monitor's
 *
 * Locks: the owner's. Linux's counterpart: CONFIG_PAGE_TABLE_CHECK, mm/page_table_check.c.
 */
#include "virt/pgtable.h"

#include "base/string.h"
#include "virt/kernel_map.h"

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
            check_table(a, pt_table_of(e), level - 1, PT_ENTRIES, va);
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
