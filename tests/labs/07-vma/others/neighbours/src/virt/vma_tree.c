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
    const struct rb_node *children[2] = {node->left, node->right};
    uint64_t widest = rb_vma(node)->gap;
    for (unsigned i = 0; i < 2; i++)
        widest = MAX(widest, subtree_gap(children[i]));
    rb_vma(node)->subtree_gap = widest;
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
    vma->gap = gap_before(vma);
    for (struct rb_node *node = &vma->rb; node; node = node->parent) {
        uint64_t before = rb_vma(node)->subtree_gap;
        update_subtree_gap(node);
        if (node != &vma->rb && rb_vma(node)->subtree_gap == before)
            break; /* what is above has not changed either */
    }
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

static void refresh_beside(struct vm_area_struct *vma, struct vm_area_struct *next)
{
    if (next)
        refresh_gap(next);
    if (vma)
        refresh_gap(vma);
}

/* --- finding ---------------------------------------------------------------------------------- */

/* In the subtree: the first VMA that ends above addr. */
static struct vm_area_struct *ending_above(struct rb_node *node, uint64_t addr)
{
    if (!node)
        return NULL;
    if (rb_vma(node)->vm_end <= addr)
        return ending_above(node->right, addr);
    struct vm_area_struct *lower = ending_above(node->left, addr);
    return lower ? lower : rb_vma(node);
}

struct vm_area_struct *find_vma_in_tree(struct mm_struct *mm, uint64_t addr)
{
    struct vm_area_struct *found = NULL;
    found = ending_above(mm->mm_rb.node, addr);
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
    const struct vm_area_struct *above = ending_above(mm->mm_rb.node, addr);
    if (above)
        return vma_prev(above);
    return list_empty(&mm->mmap) ? NULL : list_last_entry(&mm->mmap, struct vm_area_struct, list);
}

/* --- in and out ------------------------------------------------------------------------------- */

/* Into the list behind the range before it, and into the tree, whose rotations keep the gaps. */
static void link_by_address(struct mm_struct *mm, struct vm_area_struct *vma)
{
    struct vm_area_struct *next = ending_above(mm->mm_rb.node, vma->vm_start);
    struct rb_node *parent = next ? &next->rb : rb_last(&mm->mm_rb);
    struct rb_node **link = !parent ? &mm->mm_rb.node : next ? &parent->left : &parent->right;
    list_add_tail(&vma->list, next ? &next->list : &mm->mmap);
    if (*link) { /* next has VMAs on its left: behind the last of them */
        parent = &vma_prev(vma)->rb;
        link = &parent->right;
    }
    rb_link_node(&vma->rb, parent, link);
    vma->gap = gap_before(vma);
    rb_insert_augmented(&vma->rb, &mm->mm_rb, &vma_augment);
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
    refresh_beside(NULL, next);
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
    refresh_beside(NULL, next);
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
    refresh_beside(vma, next);
}
