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

static const struct vm_area_struct *last_of(const struct mm_struct *mm)
{
    return list_last_entry(&mm->mmap, struct vm_area_struct, list);
}

/*
 * The gap in front of vma (NULL: behind the last one), without the guard gap of a stack, and cut to
 * the bounds *low..*high, which become what is left of it. False when that is less than len.
 */
static bool gap_fits(struct mm_struct *mm, const struct vm_area_struct *vma, uint64_t len,
                     uint64_t *low, uint64_t *high)
{
    const struct vm_area_struct *prev = vma                     ? vma_prev(vma)
                                        : list_empty(&mm->mmap) ? NULL
                                                                : last_of(mm);
    uint64_t end = UINT64_MAX;
    if (vma)
        end = vma->vm_start - MIN(vma_guard_gap(vma), vma->vm_start);
    if (prev && prev->vm_end > *low)
        *low = prev->vm_end;
    if (end < *high)
        *high = end;
    return *low <= *high && len <= *high - *low;
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

/*
 * In the subtree: the highest hole in front of one of its VMAs. What is above the bound is not
 * entered, what is below the lower one neither.
 */
static int64_t highest_below(struct rb_node *node, uint64_t len, uint64_t low, uint64_t high)
{
    if (!wide(node, len))
        return -ENOMEM;
    struct vm_area_struct *vma = rb_vma(node);
    bool reaches =
        vma->vm_start - vma->gap < high; /* its gap, or what is behind it, begins below */
    int64_t found = reaches ? highest_below(node->right, len, low, high) : -ENOMEM;
    if (found < 0 && reaches && vma->gap >= len) {
        uint64_t from = low, to = high;
        if (gap_fits(vma->vm_mm, vma, len, &from, &to))
            found = (int64_t)(to - len);
    }
    if (found < 0 && vma->vm_start > low)
        found = highest_below(node->left, len, low, high);
    return found;
}

int64_t vma_find_hole_topdown(struct mm_struct *mm, uint64_t len, uint64_t low, uint64_t high)
{
    uint64_t from = low, to = high;
    if (gap_fits(mm, NULL, len, &from, &to))
        return (int64_t)(to - len);
    return highest_below(mm->mm_rb.node, len, low, high);
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
