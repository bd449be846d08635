/* SPDX-License-Identifier: MIT */
/*
 * rmap.h - from a page back to the page-table entries that map it.
 *
 *      page --mapping--> anon_vma --chain--> vma of the parent     --> its PTE, by page->index
 *           --index               --chain--> vma of a forked child --> its PTE
 *
 *      page --mapping--> address_space --i_mmap--> vma, vma, ...
 *
 * Who touches a private page first hangs it on the anon_vma of its VMA. A fork gives each child's
 * VMA an anon_vma of its own for pages made later, and chains it to those of its ancestors for the
 * pages that came along:
 *
 *      vma(parent) --- A           pages made before the fork: A -> both VMAs
 *      vma(child)  --- A, B        pages made by the child:    B -> the child's VMA only
 *
 * Locks: one spinlock (RANK_RMAP) for a family of anon_vmas, found by hashing their root: so it
 * can be taken without knowing yet that the anon_vma still lives. Whoever holds it and finds the
 * page mapped through the anon_vma knows that it does. Below it the page_table_lock is taken.
 * Invariant: page->mapcount is the number of present entries that map it.
 * Linux's counterpart: mm/rmap.c.
 */
#ifndef PAGODA_VIRT_RMAP_H
#define PAGODA_VIRT_RMAP_H

#include "base/list.h"
#include "base/types.h"
#include "arch/pte.h"
#include "phys/page.h"
#include "virt/vma.h"

struct anon_vma {
    struct anon_vma *root; /* of the family; itself for the first */
    struct anon_vma *parent;
    uint32_t refcount;        /* (a) children, VMAs' chains, migration */
    uint32_t num_children;    /* (root's lock) those in use whose parent this is */
    uint32_t num_active_vmas; /* (root's lock) VMAs whose anon_vma this is */
    struct list_head chains;  /* (root's lock) anon_vma_chain.same_anon_vma */
};

struct anon_vma_chain {
    struct vm_area_struct *vma;
    struct anon_vma *anon_vma;
    struct list_head same_vma;      /* (mmap_lock) in vma->anon_vma_chain */
    struct list_head same_anon_vma; /* (root's lock) in anon_vma->chains */
};

/** Boot only, after slab. */
void rmap_init(void);
void rmap_migrate_init(void);

/** Give the VMA an anon_vma before its first private page. mmap_lock held. 0 or -ENOMEM. */
int anon_vma_prepare_slow(struct vm_area_struct *vma) must_check;
static inline must_check int anon_vma_prepare(struct vm_area_struct *vma)
{
    return likely(load_relaxed(&vma->anon_vma) != NULL) ? 0 : anon_vma_prepare_slow(vma);
}

/** dst (a part or a copy of src in the same mm) hangs on what src hangs on. 0 or -ENOMEM. */
int anon_vma_clone(struct vm_area_struct *dst, struct vm_area_struct *src) must_check;

/** Fork: the child's dst hangs on what src hangs on, and on an anon_vma of its own. */
int anon_vma_fork(struct vm_area_struct *dst, struct vm_area_struct *src) must_check;

/** The VMA goes; all its pages are unmapped. */
void unlink_anon_vmas(struct vm_area_struct *vma);

/** Lock and unlock the family of a VMA's anon_vma; nothing if it has none. */
void anon_vma_lock_vma(struct vm_area_struct *vma);
void anon_vma_unlock_vma(struct vm_area_struct *vma);

/** Keep the anon_vma of an anonymous page, which the caller has locked. NULL: not mapped. */
struct anon_vma *page_get_anon_vma(struct page *page);
void put_anon_vma(struct anon_vma *av);

/* --- a page gets or loses an entry: page_table_lock of the entry's mm held -------------------- */

/** A fresh private page, not seen by anyone yet. */
void page_add_new_anon_rmap(struct page *page, struct vm_area_struct *vma, uint64_t addr);
/** One more entry for a private page that hangs on an anon_vma. */
void page_add_anon_rmap(struct page *page);
/** One more entry for a page of a file. */
void page_add_file_rmap(struct page *page);
/** One entry less; the caller drops its reference after. */
void page_remove_rmap(struct page *page);
/** COW found that only this VMA is left: the page belongs to it alone from now on. */
void page_move_anon_rmap(struct page *page, struct vm_area_struct *vma);

/* --- who maps an object: rmap_file.c ---------------------------------------------------------- */

/** A VMA comes into the i_mmap of what it maps, or leaves it. Nothing for anonymous memory. */
void i_mmap_insert(struct vm_area_struct *vma);
void i_mmap_remove(struct vm_area_struct *vma);

/** The same with i_mmap_lock held; for what changes vm_pgoff or the size in between. */
void i_mmap_insert_locked(struct vm_area_struct *vma);
void i_mmap_remove_locked(struct vm_area_struct *vma);

/**
 * The VMAs that map any of pages first..last of the object, by their first page; of equal ones the
 * elder first. i_mmap_lock held.
 */
struct vm_area_struct *i_mmap_first(struct address_space *m, uint64_t first, uint64_t last);
struct vm_area_struct *i_mmap_next(struct vm_area_struct *vma, uint64_t first, uint64_t last);

#define for_each_i_mmap(vma, m, first, last)                \
    for ((vma) = i_mmap_first((m), (first), (last)); (vma); \
         (vma) = i_mmap_next((vma), (first), (last)))

/** Is the VMA in its place; and, once for each tree, is the tree whole? The number of faults. */
unsigned i_mmap_check(struct vm_area_struct *vma, struct sink *out);

static inline bool page_mapped(const struct page *page)
{
    return load_relaxed(&page->mapcount) > 0;
}

/* --- from a page to its mappers --------------------------------------------------------------- */

/** One entry that maps the page, or that names it as being migrated. */
struct rmap_entry {
    struct page *page;
    struct vm_area_struct *vma;
    uint64_t addr;
    pte_t *pte; /* page_table_lock of vma->vm_mm is held */
};

/** Called for each entry; false ends the walk. Must not block. */
typedef bool rmap_fn(const struct rmap_entry *entry, void *arg);

/**
 * Call fn for each entry that maps the page. The caller has a reference; without the page lock it
 * may miss entries that come or go meanwhile. No spinlock above RANK_RMAP is held.
 */
void rmap_walk(struct page *page, rmap_fn *fn, void *arg);

/** How many entries used the page since last asked; their A bits are cleared. */
unsigned page_referenced(struct page *page);

/**
 * Remove each entry that maps a file's page, whose lock the caller holds. No entry may be a
 * migration entry, as the mover holds that lock too.
 */
void try_to_unmap(struct page *page);

/* --- migration: the page lock is held --------------------------------------------------------- */

/**
 * Replace each entry by a migration entry: from now on faults wait. True when nothing maps the
 * page any more. Entries of VMAs that are locked in memory are replaced too.
 */
bool try_to_migrate(struct page *page);

/**
 * Replace each migration entry of `old` by an entry for `new`, and wake who waits. Both have the
 * same type, mapping and index (old keeps them until then); new may be old itself: then nothing has
 * happened. The caller keeps the anon_vma by page_get_anon_vma() from before try_to_migrate().
 */
void remove_migration_ptes(struct page *old, struct page *new);

/** Wait until the migration entry at pte is gone. mmap_lock held for reading, no spinlock. */
void migration_entry_wait(pte_t *pte);

#endif
