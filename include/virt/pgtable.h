/* SPDX-License-Identifier: MIT */
/*
 * pgtable.h - page tables: trees of 512 entries a table.
 *
 *      va:   |   level 2   |   level 1   |   level 0   |  offset  |
 *            38         30 29         21 20         12 11         0
 *                 |             |             |
 *      root [512]-'-> table[512]'-> table[512]'-> frame           4 KiB leaf
 *                 `-> 1 GiB leaf`-> 2 MiB leaf
 *
 * The code takes its format and its allocator as arguments: Sv39 for guests and for the monitor,
 * later Sv39x4 (a root of four pages) for the second stage of hosted machines.
 *
 * A table page is PAGE_TABLE while it is one. The monitor's half of every root (entries 256..511)
 * is copied from the monitor's own root when a table is made, and never changes after boot.
 *
 * Locks: the owner's; nothing here takes one. Sv39: privileged specification, 4.4.
 * Linux's counterpart: pgd/pmd/pte, mm/pgalloc, mm/memory.c.
 */
#ifndef PAGODA_VIRT_PGTABLE_H
#define PAGODA_VIRT_PGTABLE_H

#include "arch/layout.h"
#include "arch/pte.h"
#include "base/format.h"
#include "base/types.h"
#include "phys/page.h"

struct pgtable;

/** What differs between kinds of tables. */
struct pt_format {
    const char *name;
    unsigned levels;       /* the root is level levels - 1 */
    unsigned root_entries; /* 512; Sv39x4: 2048 */
    unsigned low_entries; /* of the root, that are this table's own: the others are the monitor's */
};
extern const struct pt_format pt_sv39;

/** Which entry of a table of this level belongs to the address: more bits count in a wide root. */
static inline unsigned pt_slot(const struct pt_format *format, vaddr_t va, unsigned level)
{
    unsigned entries = level == format->levels - 1 ? format->root_entries : PT_ENTRIES;
    return (unsigned)(va.v >> (PAGE_SHIFT + PT_INDEX_BITS * level)) & (entries - 1);
}

/** Where table pages come from. */
struct pt_ops {
    /** A zeroed table page, or NULL. @nid: the node that it is wanted on. */
    struct page *(*alloc_table)(struct pgtable *pt, int nid);
    void (*free_table)(struct pgtable *pt, struct page *table);
};

struct pgtable {
    pte_t *root; /* in the linear map */
    const struct pt_format *format;
    const struct pt_ops *ops;
    int nid;            /* node for new tables, -1: the hart's */
    uint64_t nr_tables; /* (a) pages, the root included */
};

/** Tables from alloc_pages(GFP_KERNEL), counted in NR_PAGETABLE. */
extern const struct pt_ops pt_page_ops;

/** A new guest table: an empty user half, the monitor's half copied. 0 or -ENOMEM. */
int pt_create(struct pgtable *pt, int nid) must_check;

/** Free the root; the user half must be empty by now. */
void pt_destroy(struct pgtable *pt);

/** The table that an entry points to. */
static inline pte_t *pt_table_of(pte_t e)
{
    return phys_to_virt(pfn_to_paddr(pte_pfn(e)));
}

/** Physical address of the root, for satp_make(). */
static inline paddr_t pt_root_paddr(const struct pgtable *pt)
{
    return virt_to_phys(pt->root);
}

/**
 * The entry of @va at @level, or NULL when a table above it is missing (or a leaf lies above).
 * Reads only; the tables on the way must not be freed meanwhile.
 */
pte_t *pt_walk(const struct pgtable *pt, vaddr_t va, unsigned level);

/**
 * The same, making the tables that are missing. NULL when there is no memory for them, or the way
 * ends at something that is neither empty nor a table. Two harts may do so at once: the one who
 * comes second uses the first one's table.
 */
pte_t *pt_walk_alloc(struct pgtable *pt, vaddr_t va, unsigned level);

/** What translates @va: its entry, value and level. False when nothing does: where a walk ends. */
struct pt_mapping {
    pte_t *entry;
    pte_t pte;
    unsigned level;
};
bool pt_lookup(const struct pgtable *pt, vaddr_t va, struct pt_mapping *out);

/** The physical address that @va stands for; false when it is not mapped. */
bool pt_translate(const struct pgtable *pt, vaddr_t va, paddr_t *out);

/**
 * Map [va, va + size) to [pa, pa + size) with @prot (PTE_R|W|X|U|G|A|D), by leaves as large as
 * alignment and @max_level (0, 1, 2) allow. All are multiples of a page. -EEXIST: something is
 * there already where a leaf would go; -ENOMEM: no table. What was mapped until then stays.
 */
int pt_map_range(struct pgtable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t prot,
                 unsigned max_level) must_check;

/** Take leaves out; large ones that are only partly meant are split first. 0 or -ENOMEM. */
int pt_unmap_range(struct pgtable *pt, vaddr_t va, uint64_t size) must_check;

/** Change what is mapped in the range to @prot: R, W or X at least. Splits as above. 0, -ENOMEM. */
int pt_protect_range(struct pgtable *pt, vaddr_t va, uint64_t size, uint64_t prot) must_check;

/**
 * Replace a leaf of level 1 or 2 by a table of 512 leaves one level below, which translate as it
 * did. No hart needs to forget it: what it says is still true. 0 or -ENOMEM.
 */
int pt_split(struct pgtable *pt, pte_t *entry, unsigned level) must_check;

/**
 * What is mapped no more, start..end, and up to where nothing else is mapped, floor..ceiling.
 *
 *      [ a ]          start ... end          [ b ]      where 2 MiB lie between floor and ceiling
 *          floor                      ceiling           nobody needs their table
 */
struct pt_gap {
    uint64_t start, end, floor, ceiling;
};

/**
 * Take out the tables that cover something of the gap's start..end and nothing outside of its
 * floor..ceiling, all of them empty, and put their pages on @out (by page->lru). Hardware may still
 * walk through them: flush the space, then pt_release_tables().
 */
void pt_unlink_tables(struct pgtable *pt, const struct pt_gap *gap, struct list_head *out);
void pt_release_tables(struct pgtable *pt, struct list_head *tables);

/** One step of a walk, for people who want to see it. */
struct pt_step {
    unsigned level, index;
    paddr_t table; /* of the table that the entry is in */
    pte_t pte;
};

/** Call @fn for each level from the root to where the walk ends. */
void pt_trace(const struct pgtable *pt, vaddr_t va, void (*fn)(const struct pt_step *, void *),
              void *arg);

/**
 * Tables reachable in the user half: counted, each a PAGE_TABLE, no entry that the architecture
 * reserves, and the upper half the monitor's. Prints faults, returns their number. Owner's lock.
 */
unsigned pt_check(const struct pgtable *pt, struct sink *out);

#endif
