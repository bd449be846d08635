/* SPDX-License-Identifier: MIT */
/*
 * vma_tree.c - the place of VMAs in their address space: list and tree.
 *
 * vma.h has the picture. Each node of the tree is augmented with the gap in front of its own range
 * and the largest such gap in its subtree; inserting, removing or moving an end changes at most
 * two gaps, each of which is carried up to the root.
 *
 * Locks: mmap_lock for writing, for all but the find functions, which need it for reading; and
 * vma_lock around what a fault sees that has only that (vma_lock.h).
 * Invariants: vma_check.c looks at them.
 * Linux's counterpart: mm/mmap.c before the maple tree.
 */
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/vma.h"

/* --- the augmented tree ----------------------------------------------------------------------- */

static struct vm_area_struct *rb_vma(const struct rb_node *node)
{
    return rb_entry(node, struct vm_area_struct, rb);
}

static uint64_t subtree_gap(const struct rb_node *node)
{
    return node ? rb_vma(node)->subtree_gap : 0;
}

/* From the node's own gap and what its children know. Rotations and removals call it. */
static void update_subtree_gap(struct rb_node *node)
{
    /* lab vma: begin 2 */
    struct vm_area_struct *vma = rb_vma(node);
    uint64_t left = subtree_gap(node->left), right = subtree_gap(node->right);
    uint64_t below = MAX(left, right);
    vma->subtree_gap = MAX(vma->gap, below);
    /* lab vma: stub lab_missing("vma", 2, node, rb_vma, subtree_gap); */
    /* lab vma: end */
}

static const struct rb_augment vma_augment = {update_subtree_gap};

/* The bytes between the range before (or address 0) and this one. */
static uint64_t gap_before(const struct vm_area_struct *vma)
{
    const struct vm_area_struct *prev = vma_prev(vma);
    return vma->vm_start - (prev ? prev->vm_end : 0);
}

/* What lies in front of it has changed: its gap, and what all above it know of that. */
static void refresh_gap(struct vm_area_struct *vma)
{
    /* lab vma: begin 2 */
    uint64_t gap = gap_before(vma);
    if (gap == vma->gap)
        return;
    vma->gap = gap;
    rb_propagate(&vma->rb, &vma_augment);
    /* lab vma: stub lab_missing("vma", 2, vma, gap_before, &vma_augment); */
    /* lab vma: end */
}

struct vm_area_struct *vma_next(const struct vm_area_struct *vma)
{
    struct list_head *next = vma->list.next;
    return next == &vma->vm_mm->mmap ? NULL : list_entry(next, struct vm_area_struct, list);
}

struct vm_area_struct *vma_prev(const struct vm_area_struct *vma)
{
    struct list_head *prev = vma->list.prev;
    return prev == &vma->vm_mm->mmap ? NULL : list_entry(prev, struct vm_area_struct, list);
}

/* --- finding ---------------------------------------------------------------------------------- */

struct vm_area_struct *find_vma_in_tree(struct mm_struct *mm, uint64_t addr)
{
    struct vm_area_struct *found = NULL;
    /* lab vma: begin 1 */
    for (struct rb_node *node = mm->mm_rb.node; node;) {
        struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_end > addr) {
            found = vma;
            if (vma->vm_start <= addr)
                break;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    /* lab vma: stub lab_missing("vma", 1, mm, addr); */
    /* lab vma: end */
    if (found)
        store_relaxed(&mm->vmacache, found);
    return found;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, uint64_t addr)
{
    struct vm_area_struct *vma = find_vma(mm, addr);
    return vma && vma->vm_start <= addr ? vma : NULL;
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    struct vm_area_struct *vma = find_vma(mm, start);
    return vma && vma->vm_start < end ? vma : NULL;
}

bool vma_range_is_mapped(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    while (start < end) {
        const struct vm_area_struct *vma = vma_lookup(mm, start);
        if (!vma)
            return false;
        start = vma->vm_end;
    }
    return true;
}

struct vm_area_struct *find_vma_before(struct mm_struct *mm, uint64_t addr)
{
    /* lab vma: begin 1 */
    struct vm_area_struct *found = NULL;
    for (struct rb_node *node = mm->mm_rb.node; node;) {
        struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_end <= addr) {
            found = vma;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return found;
    /* lab vma: stub lab_missing("vma", 1, mm, addr); */
    /* lab vma: end */
}

/* --- in and out ------------------------------------------------------------------------------- */

/* Into the list behind the range before it, and into the tree, whose rotations keep the gaps. */
static void link_by_address(struct mm_struct *mm, struct vm_area_struct *vma)
{
    /* lab vma: begin 2 */
    struct rb_node **link = &mm->mm_rb.node, *parent = NULL;
    struct vm_area_struct *before = NULL;
    while (*link) {
        parent = *link;
        if (rb_vma(parent)->vm_start < vma->vm_start) {
            before = rb_vma(parent);
            link = &parent->right;
        } else {
            link = &parent->left;
        }
    }
    list_add(&vma->list, before ? &before->list : &mm->mmap);
    rb_link_node(&vma->rb, parent, link);
    vma->gap = vma->subtree_gap = gap_before(vma);
    rb_insert_augmented(&vma->rb, &mm->mm_rb, &vma_augment);
    /* lab vma: stub lab_missing("vma", 2, mm, vma, gap_before, &vma_augment); */
    /* lab vma: end */
}

/* It is born write-locked: nobody faults in it before mmap_lock is given up. */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma)
{
    spin_lock(&mm->vma_lock);
    vma->vm_lock_seq = mm->mm_lock_seq;
    link_by_address(mm, vma);
    spin_unlock(&mm->vma_lock);
    struct vm_area_struct *next = vma_next(vma);
    ASSERT(!next || next->vm_start >= vma->vm_end);
    mm->map_count++;
    /* lab vma: begin 2 */
    if (next)
        refresh_gap(next);
    /* lab vma: stub lab_missing("vma", 2, next, refresh_gap); */
    /* lab vma: end */
}

void vma_insert(struct mm_struct *mm, struct vm_area_struct *vma)
{
    ASSERT(vma->vm_start < vma->vm_end);
    ASSERT(IS_ALIGNED(vma->vm_start | vma->vm_end, PAGE_SIZE));
    vma_link(mm, vma);
    i_mmap_insert(vma);
}

void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma)
{
    struct vm_area_struct *next = vma_next(vma);
    vma_start_write(vma);
    spin_lock(&mm->vma_lock);
    store_relaxed(&mm->vmacache, NULL);
    list_del(&vma->list);
    rb_erase_augmented(&vma->rb, &mm->mm_rb, &vma_augment);
    spin_unlock(&mm->vma_lock);
    mm->map_count--;
    /* lab vma: begin 2 */
    if (next)
        refresh_gap(next);
    /* lab vma: stub lab_missing("vma", 2, next, refresh_gap); */
    /* lab vma: end */
}

void vma_remove(struct mm_struct *mm, struct vm_area_struct *vma)
{
    i_mmap_remove(vma);
    vma_unlink(mm, vma);
}

void vma_set_range(struct vm_area_struct *vma, uint64_t start, uint64_t end)
{
    struct mm_struct *mm = vma->vm_mm;
    vma_start_write(vma);
    /* rmap walks compute addresses from these: they must not see one changed without the other */
    if (vma->vm_mapping) {
        spin_lock(&vma->vm_mapping->i_mmap_lock);
        i_mmap_remove_locked(vma);
    }
    anon_vma_lock_vma(vma);
    vma->vm_pgoff += (uint64_t)((int64_t)(start - vma->vm_start) >> PAGE_SHIFT);
    spin_lock(&mm->vma_lock);
    vma->vm_start = start;
    vma->vm_end = end;
    spin_unlock(&mm->vma_lock);
    anon_vma_unlock_vma(vma);
    if (vma->vm_mapping) {
        i_mmap_insert_locked(vma);
        spin_unlock(&vma->vm_mapping->i_mmap_lock);
    }
    struct vm_area_struct *next = vma_next(vma);
    /* lab vma: begin 2 */
    refresh_gap(vma);
    if (next)
        refresh_gap(next);
    /* lab vma: stub lab_missing("vma", 2, vma, next, refresh_gap); */
    /* lab vma: end */
}
