/* SPDX-License-Identifier: MIT */
/*
 * vma_hole.c - finding a hole in an address space, in O(log n).
 *
 *      top-down: the highest hole of at least len bytes
 *
 *             (40: gap 8, subtree 30)            wanted: 20
 *              /                  \
 *        (20: gap 30)          (60: gap 10)      right: 10 < 20, no; own gap 8, no; left: yes
 *
 * A subtree whose largest gap is too small is never entered, and one that is entered for its gap
 * holds it, save where the bounds low and high cut a gap short: then the search steps on to the
 * next candidate. The gap above the last VMA is in no node and is looked at first (or last).
 *
 * A VMA that grows down (a stack) keeps its guard gap in front of it free: the gap counts less.
 *
 * Locks: mmap_lock, reading. Linux's counterpart: vm_unmapped_area(), unmapped_area_topdown().
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "virt/mm.h"
#include "virt/vma.h"

static struct vm_area_struct *rb_vma(const struct rb_node *node)
{
    return rb_entry(node, struct vm_area_struct, rb);
}

static bool wide(const struct rb_node *node, uint64_t len)
{
    return node && rb_vma(node)->subtree_gap >= len;
}

/*
 * The gap in front of vma (NULL: behind the last one), without the guard gap of a stack, and cut to
 * the bounds *low..*high, which become what is left of it. False when that is less than len.
 */
static bool gap_fits(struct mm_struct *mm, const struct vm_area_struct *vma, uint64_t len,
                     uint64_t *low, uint64_t *high)
{
    /* lab vma: begin 3 */
    uint64_t start, end = UINT64_MAX;
    if (vma) {
        uint64_t guard = vma_guard_gap(vma);
        start = vma->vm_start - vma->gap;
        end = vma->vm_start > guard ? vma->vm_start - guard : 0;
    } else {
        start = list_empty(&mm->mmap)
                    ? 0
                    : list_last_entry(&mm->mmap, struct vm_area_struct, list)->vm_end;
    }
    *low = MAX(*low, start);
    *high = MIN(*high, end);
    return *high >= *low && *high - *low >= len;
    /* lab vma: stub lab_missing("vma", 3, mm, vma, len, low, high); */
    /* lab vma: end */
}

/* The node with the next lower address whose gap is wide enough, skipping narrow subtrees. */
static struct rb_node *next_lower(struct rb_node *node, uint64_t len)
{
    /* lab vma: begin 3 */
    if (wide(node->left, len)) {
        node = node->left;
        while (wide(node->right, len))
            node = node->right;
        return node;
    }
    for (;;) {
        struct rb_node *parent = node->parent;
        if (!parent || parent->right == node)
            return parent;
        node = parent;
    }
    /* lab vma: stub lab_missing("vma", 3, node, len); */
    /* lab vma: end */
}

static struct rb_node *next_higher(struct rb_node *node, uint64_t len)
{
    if (wide(node->right, len)) {
        node = node->right;
        while (wide(node->left, len))
            node = node->left;
        return node;
    }
    for (;;) {
        struct rb_node *parent = node->parent;
        if (!parent || parent->left == node)
            return parent;
        node = parent;
    }
}

int64_t vma_find_hole_topdown(struct mm_struct *mm, uint64_t len, uint64_t low, uint64_t high)
{
    /* lab vma: begin 3 */
    uint64_t from = low, to = high;
    if (gap_fits(mm, NULL, len, &from, &to))
        return (int64_t)(to - len);
    struct rb_node *node = mm->mm_rb.node;
    if (!wide(node, len))
        return -ENOMEM;
    /* begin at the first VMA at or above `high`, in whose gap the bound lies */
    struct vm_area_struct *first = find_vma(mm, high - 1);
    if (first) {
        node = &first->rb;
    } else {
        while (wide(node->right, len))
            node = node->right;
    }
    for (; node; node = next_lower(node, len)) {
        struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_start <= low)
            break;
        from = low;
        to = high;
        if (vma->gap >= len && gap_fits(mm, vma, len, &from, &to))
            return (int64_t)(to - len);
    }
    return -ENOMEM;
    /* lab vma: stub lab_missing("vma", 3, mm, len, low, high, gap_fits, next_lower); */
    /* lab vma: end */
}

int64_t vma_find_hole_bottomup(struct mm_struct *mm, uint64_t len, uint64_t low, uint64_t high)
{
    uint64_t from, to;
    struct rb_node *node = NULL;
    struct vm_area_struct *first = find_vma(mm, low);
    if (first)
        node = &first->rb;
    for (; node; node = next_higher(node, len)) {
        struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_start - vma->gap >= high)
            return -ENOMEM;
        from = low;
        to = high;
        if (vma->gap >= len && gap_fits(mm, vma, len, &from, &to))
            return (int64_t)from;
    }
    from = low;
    to = high;
    return gap_fits(mm, NULL, len, &from, &to) ? (int64_t)from : -ENOMEM;
}

int64_t vma_find_hole(struct mm_struct *mm, uint64_t len)
{
    if (mm->mmap_bottom_up)
        return vma_find_hole_bottomup(mm, len, mm->mmap_base, USER_TOP);
    int64_t found = vma_find_hole_topdown(mm, len, MMAP_MIN_ADDR, mm->mmap_base);
    return found >= 0 ? found : vma_find_hole_bottomup(mm, len, mm->mmap_base, USER_TOP);
}
