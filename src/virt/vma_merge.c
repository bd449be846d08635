/* SPDX-License-Identifier: MIT */
/*
 * vma_merge.c - neighbours that are alike become one.
 *
 *      [ a: rw- ][ b: rw- ]         same flags, same object, page numbers that go on, anon_vmas
 *      [      a: rw-      ]         that can be shared: one VMA says the same as two
 *
 * Programs grow their memory in small steps, so without merging the list of VMAs would grow with
 * the number of calls rather than with the number of different things that are mapped.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: vma_merge(), can_vma_merge_before/after().
 */
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/vma.h"

/*
 * Two anon_vmas are compatible when both are the same. Where one is missing, a may have no more
 * than one chain: with more it was shared by a fork, and what is shared must not grow.
 */
static bool anon_compatible(const struct vm_area_struct *a, const struct anon_vma *other)
{
    if (!a->anon_vma || !other)
        return list_empty(&a->anon_vma_chain) || list_is_singular(&a->anon_vma_chain);
    return a->anon_vma == other;
}

/* May vma be joined with something that maps this, so? What has a name is never joined. */
static bool same_kind(const struct vm_area_struct *vma, uint64_t flags,
                      const struct address_space *mapping, const struct mempolicy *policy)
{
    /* lab vma: begin 5 */
    return vma->vm_flags == flags && vma->vm_mapping == mapping &&
           mpol_equal(vma->vm_policy, policy) && !vma->vm_name &&
           !(mapping && mapping->ops->counts_vmas);
    /* lab vma: stub lab_missing("vma", 5, vma, flags, mapping, policy, anon_compatible); */
    /* lab vma: end */
}

/* Does b go on where a ends, in every respect? */
static bool mergeable(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
    /* lab vma: begin 5 */
    return a->vm_end == b->vm_start && same_kind(a, b->vm_flags, b->vm_mapping, b->vm_policy) &&
           !b->vm_name && a->vm_userfault == b->vm_userfault &&
           a->vm_pgoff + vma_pages(a) == b->vm_pgoff && anon_compatible(a, b->anon_vma) &&
           anon_compatible(b, a->anon_vma);
    /* lab vma: stub lab_missing("vma", 5, a, b, same_kind); */
    /* lab vma: end */
}

/* a takes over the range of b, its right neighbour. False when there was no memory to do so. */
static bool absorb_next(struct vm_area_struct *a, struct vm_area_struct *b)
{
    struct mm_struct *mm = a->vm_mm;
    vma_start_write(a);
    vma_start_write(b);
    /* lab vma: begin 5 */
    /* b's pages hang on b's anon_vma: a must be found from there before b goes */
    if (!a->anon_vma && b->anon_vma && anon_vma_clone(a, b))
        return false;
    /* and so for file pages: an entry may be seen twice for a moment, but is never missed */
    uint64_t end = b->vm_end;
    vma_unlink(mm, b);
    vma_set_range(a, a->vm_start, end);
    i_mmap_remove(b);
    unlink_anon_vmas(b);
    vma_free(b);
    return true;
    /* lab vma: stub lab_missing("vma", 5, a, b, mm); */
    /* lab vma: end */
}

struct vm_area_struct *vma_merge(struct vm_area_struct *vma)
{
    /* lab vma: begin 5 */
    struct vm_area_struct *next, *prev = vma_prev(vma);
    while ((next = vma_next(vma)) && mergeable(vma, next) && absorb_next(vma, next))
        ;
    if (prev && mergeable(prev, vma) && absorb_next(prev, vma))
        vma = prev;
    return vma;
    /* lab vma: stub lab_missing("vma", 5, vma, mergeable, absorb_next); */
    /* lab vma: end */
}

struct vm_area_struct *vma_merge_new(struct mm_struct *mm, uint64_t start, uint64_t end,
                                     uint64_t flags, struct address_space *mapping, uint64_t pgoff)
{
    struct vm_area_struct *prev = find_vma_before(mm, start), *next = find_vma(mm, end);
    /* lab vma: begin 5 */
    if (prev && prev->vm_end == start && same_kind(prev, flags, mapping, NULL) &&
        prev->vm_pgoff + vma_pages(prev) == pgoff && anon_compatible(prev, NULL)) {
        vma_set_range(prev, prev->vm_start, end);
        if (next && mergeable(prev, next))
            absorb_next(prev, next);
        return prev;
    }
    if (next && next->vm_start == end && same_kind(next, flags, mapping, NULL) &&
        pgoff + ((end - start) >> PAGE_SHIFT) == next->vm_pgoff && anon_compatible(next, NULL)) {
        vma_set_range(next, start, next->vm_end);
        return next;
    }
    return NULL;
    /* lab vma: stub lab_missing("vma", 5, prev, next, flags, mapping, pgoff, same_kind); */
    /* lab vma: end */
}
