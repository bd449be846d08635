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

/*
 * Look at the one place in the VMA where the page can be, if it can be there at all, and call fn
 * if the entry names the page: it maps it, or is a migration entry of it. The table may be missing.
 * fn is called with the page_table_lock held. False ends the walk.
 */
static bool visit_vma(struct page *page, struct vm_area_struct *vma, rmap_fn *fn, void *arg)
{
    /* lab rmap: begin 1 */
    uint64_t first = vma->vm_pgoff, index = page->index;
    if (index < first || index - first >= vma_pages(vma))
        return true;
    struct mm_struct *mm = vma->vm_mm;
    struct rmap_entry entry = {
        .page = page,
        .vma = vma,
        .addr = vma->vm_start + ((index - first) << PAGE_SHIFT),
    };
    bool more = true;
    spin_lock(&mm->page_table_lock);
    entry.pte = mm_find_pte(mm, entry.addr);
    if (entry.pte) {
        pte_t e = pte_load(entry.pte);
        bool ours = pte_maps_page(e) && !pte_special(e) && pte_pfn(e).v == page_to_pfn(page).v;
        bool moving = pte_is_migration(e) && pte_offset(e) == page_to_pfn(page).v;
        if (ours || moving)
            more = fn(&entry, arg);
    }
    spin_unlock(&mm->page_table_lock);
    return more;
    /* lab rmap: stub lab_missing("rmap", 1, page, vma, fn, arg); */
    /* lab rmap: end */
}

/* All VMAs that are chained to av, whose family is locked; the elder first. */
static void walk_chains(struct page *page, struct anon_vma *av, rmap_fn *fn, void *arg)
{
    /* lab rmap: begin 1 */
    struct anon_vma_chain *avc;
    list_for_each_entry(avc, &av->chains, same_anon_vma) {
        if (!visit_vma(page, avc->vma, fn, arg))
            return;
    }
    /* lab rmap: stub lab_missing("rmap", 1, page, av, fn, arg, visit_vma); */
    /* lab rmap: end */
}

/* All VMAs that map the page's number of its object, under i_mmap_lock; the elder first. */
static void walk_file(struct page *page, rmap_fn *fn, void *arg)
{
    /* lab rmap: begin 1 */
    struct address_space *m = page->mapping;
    struct vm_area_struct *vma;
    if (!m)
        return;
    spin_lock(&m->i_mmap_lock);
    for_each_i_mmap(vma, m, page->index, page->index) {
        if (!visit_vma(page, vma, fn, arg))
            break;
    }
    spin_unlock(&m->i_mmap_lock);
    /* lab rmap: stub lab_missing("rmap", 1, page, fn, arg, visit_vma); */
    /* lab rmap: end */
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
