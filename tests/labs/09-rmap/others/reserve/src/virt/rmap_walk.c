/* SPDX-License-Identifier: MIT */
/*
 * rmap_walk.c - finding a page's entries.
 *
 *      rmap_walk(page):  lock the family (or i_mmap);  for each VMA: where would the page be?
 *                        address = vm_start + (page->index - vm_pgoff) pages;  inside the VMA?
 *                        lock its page table;  does the entry name our frame?  --> fn(entry)
 *
 * How a page's family is locked without knowing whether it still exists: read page->mapping, take
 * the lock that belongs to its root, and look again. While any entry maps the page its anon_vma
 * lives, and entries go before anon_vmas do; the second look happens under the lock that freeing
 * needs. What was read before the lock was only hashed, never trusted.
 *
 * Locks: family or i_mmap (RANK_RMAP), then page_table_lock of one mm at a time.
 * Linux's counterpart: rmap_walk_anon(), folio_lock_anon_vma_read().
 */
#include "phys/node.h"
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/rmap_lock.h"

/* Does the page lie in the range, and where? */
static bool place_of(const struct page *page, const struct vm_area_struct *vma, uint64_t *addr)
{
    uint64_t end = vma->vm_pgoff + vma_pages(vma);
    if (page->index < vma->vm_pgoff || page->index >= end)
        return false;
    *addr = vma->vm_end - ((end - page->index) << PAGE_SHIFT);
    return true;
}

static bool names_page(pte_t e, const struct page *page)
{
    uint64_t frame = page_to_pfn(page).v;
    if (pte_is_migration(e))
        return pte_offset(e) == frame;
    return pte_maps_page(e) && pte_pfn(e).v == frame && !pte_special(e);
}

/* Walk over the ranges that next() gives; what it needs is in *at. */
struct ranges {
    struct list_head *at, *end;    /* chains */
    struct vm_area_struct *mapper; /* of a file */
};

static struct vm_area_struct *next_of_family(struct ranges *r, const struct page *page)
{
    (void)page;
    r->at = r->at->next;
    return r->at == r->end ? NULL : container_of(r->at, struct anon_vma_chain, same_anon_vma)->vma;
}

static struct vm_area_struct *next_of_file(struct ranges *r, const struct page *page)
{
    struct address_space *m = page->mapping;
    r->mapper = r->mapper ? i_mmap_next(r->mapper, page->index, page->index)
                          : i_mmap_first(m, page->index, page->index);
    return r->mapper;
}

static void walk_ranges(struct page *page, struct ranges *r,
                        struct vm_area_struct *(*next)(struct ranges *, const struct page *),
                        rmap_fn *fn, void *arg)
{
    struct vm_area_struct *vma;
    bool more = true;
    while (more && (vma = next(r, page))) {
        struct rmap_entry entry = {.page = page, .vma = vma};
        if (!place_of(page, vma, &entry.addr))
            continue;
        spin_lock(&vma->vm_mm->page_table_lock);
        entry.pte = mm_find_pte(vma->vm_mm, entry.addr);
        if (entry.pte && names_page(pte_load(entry.pte), page))
            more = fn(&entry, arg);
        spin_unlock(&vma->vm_mm->page_table_lock);
    }
}

static void walk_chains(struct page *page, struct anon_vma *av, rmap_fn *fn, void *arg)
{
    struct ranges r = {.at = &av->chains, .end = &av->chains};
    walk_ranges(page, &r, next_of_family, fn, arg);
}

static void walk_file(struct page *page, rmap_fn *fn, void *arg)
{
    struct address_space *m = page->mapping;
    struct ranges r = {NULL};
    if (m) {
        spin_lock(&m->i_mmap_lock);
        walk_ranges(page, &r, next_of_file, fn, arg);
        spin_unlock(&m->i_mmap_lock);
    }
}

/* The page's anon_vma with its family locked, or NULL when nothing maps the page. */
static struct anon_vma *lock_anon_vma(struct page *page, struct spinlock **lock)
{
    for (;;) {
        struct anon_vma *av = load_acquire((struct anon_vma **)&page->mapping);
        if (!av || !page_mapped(page))
            return NULL;
        struct anon_vma *root = load_relaxed(&av->root);
        *lock = anon_vma_family_lock(root);
        spin_lock(*lock);
        if (!page_mapped(page)) {
            spin_unlock(*lock);
            return NULL;
        }
        if (load_relaxed((struct anon_vma **)&page->mapping) == av &&
            load_relaxed(&av->root) == root)
            return av;
        spin_unlock(*lock);
    }
}

void rmap_walk(struct page *page, rmap_fn *fn, void *arg)
{
    struct spinlock *lock;
    if (page->type == PAGE_FILE) {
        walk_file(page, fn, arg);
    } else if (page->type == PAGE_ANON) {
        struct anon_vma *av = lock_anon_vma(page, &lock);
        if (!av)
            return;
        walk_chains(page, av, fn, arg);
        spin_unlock(lock);
    }
}

void rmap_walk_held(struct page *page, rmap_fn *fn, void *arg)
{
    if (page->type == PAGE_FILE) {
        walk_file(page, fn, arg);
        return;
    }
    struct anon_vma *av = page->mapping;
    struct spinlock *lock = anon_vma_family_lock(av->root);
    spin_lock(lock);
    walk_chains(page, av, fn, arg);
    spin_unlock(lock);
}

struct anon_vma *page_get_anon_vma(struct page *page)
{
    struct spinlock *lock;
    struct anon_vma *av = page->type == PAGE_ANON ? lock_anon_vma(page, &lock) : NULL;
    if (!av)
        return NULL;
    fetch_add_relaxed(&av->refcount, 1);
    spin_unlock(lock);
    return av;
}

static bool count_young(const struct rmap_entry *entry, void *arg)
{
    if (pte_present(pte_load(entry->pte)) && pte_test_and_clear_young(entry->pte))
        ++*(unsigned *)arg;
    return true;
}

unsigned page_referenced(struct page *page)
{
    unsigned used = 0;
    rmap_walk(page, count_young, &used);
    return used;
}
