/* SPDX-License-Identifier: MIT */
/*
 * vma_check.c - are list and tree of an address space what they claim to be?
 *
 * Locks: mmap_lock, reading. Linux's counterpart: validate_mm().
 */
#include "virt/mm.h"
#include "virt/vma.h"

static unsigned fault(struct sink *out, const struct vm_area_struct *vma, const char *what)
{
    print(out, "vma %#lx-%#lx of pid %u: %s\n", vma->vm_start, vma->vm_end, vma->vm_mm->owner.pid,
          what);
    return 1;
}

static unsigned check_one(const struct vm_area_struct *vma, uint64_t end_before, struct sink *out)
{
    const struct rb_node *l = vma->rb.left, *r = vma->rb.right;
    uint64_t left = l ? rb_entry(l, struct vm_area_struct, rb)->subtree_gap : 0;
    uint64_t right = r ? rb_entry(r, struct vm_area_struct, rb)->subtree_gap : 0;
    uint64_t widest = MAX(left, right);
    unsigned faults = 0;
    widest = MAX(widest, vma->gap);
    if (vma->vm_start >= vma->vm_end || !IS_ALIGNED(vma->vm_start | vma->vm_end, PAGE_SIZE))
        faults += fault(out, vma, "is empty or not aligned");
    if (vma->vm_start < end_before)
        faults += fault(out, vma, "overlaps the one before");
    if (vma->gap != vma->vm_start - end_before)
        faults += fault(out, vma, "has a wrong gap");
    if (vma->subtree_gap != widest)
        faults += fault(out, vma, "has a wrong subtree gap");
    return faults;
}

unsigned vma_check(struct mm_struct *mm, struct sink *out)
{
    struct vm_area_struct *vma;
    struct rb_node *node = rb_first(&mm->mm_rb);
    uint64_t end = 0;
    uint32_t n = 0;
    unsigned faults = 0;
    if (!rb_check(&mm->mm_rb) || !list_check(&mm->mmap, mm->map_count)) {
        print(out, "vmas of pid %u: tree or list is broken\n", mm->owner.pid);
        return 1;
    }
    for_each_vma(mm, vma) {
        if (node != &vma->rb)
            faults += fault(out, vma, "is elsewhere in the tree than in the list");
        node = node ? rb_next(node) : NULL;
        faults += check_one(vma, end, out);
        end = vma->vm_end;
        n++;
    }
    if (n != mm->map_count || node) {
        print(out, "vmas of pid %u: %u in the list, %u counted\n", mm->owner.pid, n, mm->map_count);
        faults++;
    }
    return faults;
}
