/* SPDX-License-Identifier: MIT */
/*
 * rmap_file.c - which VMAs map page n of an object: an interval tree.
 *
 *      VMAs by the pages of the object that they map          pages   0    5    10   15   20
 *                                                             A       |---------|
 *                  (B 5..14, below: 19)                       B            |---------|
 *                   /               \                         C                      |----|
 *       (A 0..9, below: 9)   (C 15..19, below: 19)
 *
 *      who has page 12?   B: yes.  Left: nothing below A reaches 12, so it is not entered.
 *
 * A red-black tree by first page; each node also knows the last page of all below it. What ends
 * before the page is passed over by the subtree, what begins behind it is never reached: k VMAs
 * are found in O(log n + k), so a page of a library that a thousand guests map at other pages costs
 * no more than one.
 *
 * VMAs that begin at the same page follow each other in the order in which they came. A fork relies
 * on that: its VMA is behind the parent's, see rmap_migrate.c.
 *
 * Locks: m->i_mmap_lock. Invariants: rb_check(); subtree_last is the largest last page below.
 * Linux's counterpart: mm/interval_tree.c.
 */
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"

void address_space_init(struct address_space *m, const struct address_space_ops *ops, void *host,
                        uint64_t size)
{
    m->ops = ops;
    m->host = host;
    m->size = size;
    m->dev = 0;
    m->ino = 0;
    page_tree_init(&m->pages);
    m->quota = NULL;
    spin_init(&m->i_mmap_lock, "i_mmap", RANK_RMAP);
    m->i_mmap = RB_ROOT;
}

static struct vm_area_struct *rb_vma(const struct rb_node *node)
{
    return rb_entry(node, struct vm_area_struct, i_mmap_rb);
}

static uint64_t last_page(const struct vm_area_struct *vma)
{
    return vma->vm_pgoff + vma_pages(vma) - 1;
}

static uint64_t last_below(const struct rb_node *node)
{
    const struct vm_area_struct *vma = rb_vma(node);
    uint64_t last = last_page(vma);
    if (node->left)
        last = MAX(last, rb_vma(node->left)->i_mmap_last);
    if (node->right)
        last = MAX(last, rb_vma(node->right)->i_mmap_last);
    return last;
}

static void update_last(struct rb_node *node)
{
    rb_vma(node)->i_mmap_last = last_below(node);
}

static const struct rb_augment i_mmap_augment = {update_last};

/* --- in and out ------------------------------------------------------------------------------- */

void i_mmap_insert_locked(struct vm_area_struct *vma)
{
    struct rb_root *root = &vma->vm_mapping->i_mmap;
    struct rb_node **link = &root->node, *parent = NULL;
    assert_locked(&vma->vm_mapping->i_mmap_lock);
    while (*link) {
        parent = *link;
        link = vma->vm_pgoff < rb_vma(parent)->vm_pgoff ? &parent->left : &parent->right;
    }
    rb_link_node(&vma->i_mmap_rb, parent, link);
    rb_insert_augmented(&vma->i_mmap_rb, root, &i_mmap_augment);
}

void i_mmap_remove_locked(struct vm_area_struct *vma)
{
    assert_locked(&vma->vm_mapping->i_mmap_lock);
    rb_erase_augmented(&vma->i_mmap_rb, &vma->vm_mapping->i_mmap, &i_mmap_augment);
}

void i_mmap_insert(struct vm_area_struct *vma)
{
    if (!vma->vm_mapping)
        return;
    spin_lock(&vma->vm_mapping->i_mmap_lock);
    i_mmap_insert_locked(vma);
    spin_unlock(&vma->vm_mapping->i_mmap_lock);
}

void i_mmap_remove(struct vm_area_struct *vma)
{
    if (!vma->vm_mapping)
        return;
    spin_lock(&vma->vm_mapping->i_mmap_lock);
    i_mmap_remove_locked(vma);
    spin_unlock(&vma->vm_mapping->i_mmap_lock);
}

/* --- finding ---------------------------------------------------------------------------------- */

/* The leftmost VMA of the subtree that holds a page of first..last. */
static struct vm_area_struct *search(struct rb_node *node, uint64_t first, uint64_t last)
{
    while (node && rb_vma(node)->i_mmap_last >= first) {
        /* something below reaches `first`: is it on the left, then the leftmost of those decides */
        if (node->left && rb_vma(node->left)->i_mmap_last >= first) {
            node = node->left;
            continue;
        }
        struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_pgoff > last)
            return NULL; /* all to the right begin even later */
        if (last_page(vma) >= first)
            return vma;
        node = node->right;
    }
    return NULL;
}

struct vm_area_struct *i_mmap_first(struct address_space *m, uint64_t first, uint64_t last)
{
    assert_locked(&m->i_mmap_lock);
    return search(m->i_mmap.node, first, last);
}

struct vm_area_struct *i_mmap_next(struct vm_area_struct *vma, uint64_t first, uint64_t last)
{
    struct rb_node *node = &vma->i_mmap_rb;
    assert_locked(&vma->vm_mapping->i_mmap_lock);
    for (;;) {
        /* what is on the right, then the first ancestor that this is to the left of */
        struct vm_area_struct *found = search(node->right, first, last);
        if (found)
            return found;
        while (node->parent && node == node->parent->right)
            node = node->parent;
        node = node->parent;
        if (!node || rb_vma(node)->vm_pgoff > last)
            return NULL;
        if (last_page(rb_vma(node)) >= first)
            return rb_vma(node);
    }
}

bool mapping_is_writable(struct address_space *m)
{
    struct vm_area_struct *vma;
    bool found = false;
    spin_lock(&m->i_mmap_lock);
    for_each_i_mmap(vma, m, 0, UINT64_MAX)
        found |= (vma->vm_flags & VM_SHARED) && (vma->vm_flags & VM_MAYWRITE);
    spin_unlock(&m->i_mmap_lock);
    return found;
}

/* --- checking --------------------------------------------------------------------------------- */

static unsigned complain(struct sink *out, const struct vm_area_struct *vma, const char *what)
{
    print(out, "i_mmap: vma %#lx-%#lx of pid %u %s\n", vma->vm_start, vma->vm_end,
          vma->vm_mm->owner.pid, what);
    return 1;
}

static unsigned check_tree(const struct address_space *m, struct sink *out)
{
    uint64_t before = 0;
    unsigned faults = 0;
    if (!rb_check(&m->i_mmap)) {
        print(out, "i_mmap: the tree is broken\n");
        return 1;
    }
    for (struct rb_node *node = rb_first(&m->i_mmap); node; node = rb_next(node)) {
        const struct vm_area_struct *vma = rb_vma(node);
        if (vma->vm_mapping != m)
            faults += complain(out, vma, "maps something else");
        if (vma->vm_pgoff < before)
            faults += complain(out, vma, "is out of order");
        if (vma->i_mmap_last != last_below(node))
            faults += complain(out, vma, "has a wrong last page below it");
        before = vma->vm_pgoff;
    }
    return faults;
}

unsigned i_mmap_check(struct vm_area_struct *vma, struct sink *out)
{
    struct address_space *m = vma->vm_mapping;
    const struct rb_node *up = &vma->i_mmap_rb;
    unsigned faults = 0;
    if (!m)
        return 0;
    spin_lock(&m->i_mmap_lock);
    while (up->parent)
        up = up->parent;
    if (up != m->i_mmap.node)
        faults += complain(out, vma, "is not in the tree of what it maps");
    else if (rb_first(&m->i_mmap) == &vma->i_mmap_rb) /* once for the whole tree */
        faults += check_tree(m, out);
    spin_unlock(&m->i_mmap_lock);
    return faults;
}
