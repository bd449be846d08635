/* SPDX-License-Identifier: MIT */
/*
 * family.h - spaces that fork, exit, map and write, with VMAs and anon_vmas but without tables.
 *
 *      space 0  [ a a . b ]  entries: which page each address has
 *      space 1  [ a c . . ]  a child of space 0 that has written to its second page
 *
 * Each step does what the fault floor does, in its order; one for which there is no memory does
 * nothing, or a part that can be undone.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include "virt/fake_mm.h"

#include "base/random.h"
#include "phys/alloc.h"
#include "support/fake_machine.h"

#define SPACES 8u
#define PAGES 24u
#define BASE GIB(1)
#define RW (VM_READ | VM_WRITE)

static struct space {
    struct mm_struct *mm; /* NULL: nobody runs here */
    pte_t entries[PAGES];
} spaces[SPACES];
static struct rng rng;

static inline unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static inline uint64_t addr_of(unsigned i)
{
    return BASE + i * PAGE_SIZE;
}

static inline struct vm_area_struct *vma_at(unsigned s, unsigned i)
{
    return vma_lookup(spaces[s].mm, addr_of(i));
}

static inline unsigned index_of(uint64_t addr)
{
    return (unsigned)((addr - BASE) / PAGE_SIZE);
}

static inline unsigned space_of(const struct mm_struct *mm)
{
    unsigned s = 0;
    while (spaces[s].mm != mm)
        s++;
    return s;
}

static inline pte_t *find_entry(struct mm_struct *mm, uint64_t addr)
{
    return &spaces[space_of(mm)].entries[index_of(addr)];
}

static inline struct page *page_at(unsigned s, unsigned i)
{
    pte_t e = spaces[s].entries[i];
    return pte_none(e) ? NULL : pfn_to_page(pte_pfn(e));
}

/* --- the steps, each as the fault floor takes it ---------------------------------------------- */

static inline void drop(unsigned s, unsigned i)
{
    struct page *page = page_at(s, i);
    if (!page)
        return;
    spaces[s].entries[i] = mk_pte(0);
    page_remove_rmap(page);
    if (page_mapped(page))
        return;
    page->mapping = NULL;
    __free_page(page);
}

/* A write: the first touch, a copy of a page that is shared, or a page that is ours from now on. */
static inline void touch(unsigned s, unsigned i)
{
    struct vm_area_struct *vma = vma_at(s, i);
    struct page *old = page_at(s, i);
    if (!vma || anon_vma_prepare(vma))
        return;
    if (old && old->mapcount == 1) {
        page_move_anon_rmap(old, vma);
        return;
    }
    drop(s, i);
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    page_add_new_anon_rmap(page, vma, addr_of(i));
    spaces[s].entries[i] = pte_make(page_to_pfn(page), PTE_U | PTE_R | PTE_W | PTE_A | PTE_D);
}

static inline void map(unsigned s, unsigned first, unsigned n)
{
    uint64_t start = addr_of(first), end = addr_of(first + n), index = start >> PAGE_SHIFT;
    struct mm_struct *mm = spaces[s].mm;
    if (find_vma_intersection(mm, start, end) || vma_merge_new(mm, start, end, RW, NULL, index))
        return;
    struct vm_area_struct *vma = vma_alloc(mm, start, end, RW);
    if (!vma)
        return;
    vma->vm_pgoff = index;
    vma_insert(mm, vma);
}

static inline void end_vma(struct vm_area_struct *vma)
{
    unlink_anon_vmas(vma);
    vma_remove(vma->vm_mm, vma);
    vma_free(vma);
}

static inline void unmap(unsigned s, unsigned first, unsigned n)
{
    uint64_t start = addr_of(first), end = addr_of(first + n);
    struct vm_area_struct *vma;
    while ((vma = find_vma_intersection(spaces[s].mm, start, end))) {
        if (vma_carve(&vma, start, end))
            return;
        for (uint64_t addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE)
            drop(s, index_of(addr));
        end_vma(vma);
    }
}

static inline void protect(unsigned s, unsigned first, unsigned n, uint64_t flags)
{
    uint64_t at = addr_of(first), end = addr_of(first + n);
    struct vm_area_struct *vma;
    while ((vma = find_vma_intersection(spaces[s].mm, at, end))) {
        if (vma_carve(&vma, at, end))
            return;
        vma->vm_flags = flags;
        at = vma_merge(vma)->vm_end;
    }
}

static inline void leave(unsigned s)
{
    struct vm_area_struct *vma, *next;
    if (!spaces[s].mm)
        return;
    for (unsigned i = 0; i < PAGES; i++)
        drop(s, i);
    list_for_each_entry_safe(vma, next, &spaces[s].mm->mmap, list)
        end_vma(vma);
    fake_mm_free(spaces[s].mm);
    spaces[s].mm = NULL;
}

static inline bool copy_vma(unsigned to, unsigned from, struct vm_area_struct *vma)
{
    struct vm_area_struct *copy =
        vma_alloc(spaces[to].mm, vma->vm_start, vma->vm_end, vma->vm_flags);
    if (!copy)
        return false;
    copy->vm_pgoff = vma->vm_pgoff;
    if (anon_vma_fork(copy, vma)) {
        vma_free(copy);
        return false;
    }
    vma_insert(spaces[to].mm, copy);
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
        unsigned i = index_of(addr);
        struct page *page = page_at(from, i);
        spaces[to].entries[i] = spaces[from].entries[i];
        if (page)
            page_add_anon_rmap(page);
    }
    return true;
}

/* False: there was no memory, and there is no child. */
static inline bool fork_into(unsigned child, unsigned s)
{
    struct vm_area_struct *vma;
    leave(child);
    spaces[child].mm = fake_mm();
    for_each_vma(spaces[s].mm, vma) {
        if (!copy_vma(child, s, vma)) {
            leave(child);
            return false;
        }
    }
    return true;
}

#endif
