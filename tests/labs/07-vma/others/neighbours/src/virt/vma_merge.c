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
 * Two anon_vmas are compatible when one is missing or both are the same. Linux is as strict, but
 * for the exception that one is a lone clone: what is shared with a forked child must not grow.
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
    if (vma->vm_name || (mapping && mapping->ops->counts_vmas))
        return false;
    return vma->vm_mapping == mapping && vma->vm_flags == flags &&
           mpol_equal(vma->vm_policy, policy);
}

/* Does b go on where a ends, in every respect? */
static bool mergeable(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
    if (a->vm_end != b->vm_start || vma_index(a, a->vm_end) != b->vm_pgoff)
        return false;
    if (a->vm_userfault != b->vm_userfault || a->vm_name || b->vm_name)
        return false;
    return same_kind(b, a->vm_flags, a->vm_mapping, a->vm_policy) &&
           anon_compatible(a, b->anon_vma) && anon_compatible(b, a->anon_vma);
}

/* a takes over the range of b, its right neighbour. False when there was no memory to do so. */
static bool absorb_next(struct vm_area_struct *a, struct vm_area_struct *b)
{
    struct mm_struct *mm = a->vm_mm;
    vma_start_write(a);
    vma_start_write(b);
    uint64_t end = b->vm_end;
    if (b->anon_vma && !a->anon_vma) {
        int err = anon_vma_clone(a, b); /* b's pages are found from there */
        if (err)
            return false;
    }
    vma_unlink(mm, b);
    vma_set_range(a, a->vm_start, end);
    unlink_anon_vmas(b);
    i_mmap_remove(b);
    vma_free(b);
    return true;
}

struct vm_area_struct *vma_merge(struct vm_area_struct *vma)
{
    struct vm_area_struct *prev = vma_prev(vma);
    if (prev && mergeable(prev, vma) && absorb_next(prev, vma))
        vma = prev;
    struct vm_area_struct *next = vma_next(vma);
    if (next && mergeable(vma, next))
        (void)absorb_next(vma, next);
    return vma;
}

struct vm_area_struct *vma_merge_new(struct mm_struct *mm, uint64_t start, uint64_t end,
                                     uint64_t flags, struct address_space *mapping, uint64_t pgoff)
{
    struct vm_area_struct *prev = find_vma_before(mm, start), *next = find_vma(mm, end);
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    bool left = prev && prev->vm_end == start && vma_index(prev, start) == pgoff &&
                same_kind(prev, flags, mapping, NULL) && anon_compatible(prev, NULL);
    bool right = next && next->vm_start == end && next->vm_pgoff == pgoff + pages &&
                 same_kind(next, flags, mapping, NULL) && anon_compatible(next, NULL);
    if (!left && !right)
        return NULL;
    if (!left) {
        vma_set_range(next, start, next->vm_end);
        return next;
    }
    vma_set_range(prev, prev->vm_start, end);
    if (right && mergeable(prev, next))
        (void)absorb_next(prev, next);
    return prev;
}
