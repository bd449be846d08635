/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_area.c - who has which addresses of the VMALLOC region.
 *
 *      region  |guard|  A  |guard|        free         |  B  |guard| C |guard|   free   |
 *                                 `------ gap of B -----'      gap of C: 0
 *
 *                  (B: gap 21, subtree 21)        wanted: 8 pages and a guard
 *                   /                   \
 *      (A: gap 0, subtree 0)     (C: gap 0, subtree 0)       left: too small; B's own: taken
 *
 * Areas are a tree by address. Each knows the gap before it, and the largest gap of its subtree, so
 * the lowest hole that is large enough is found on one way down. What lies behind the last area is
 * in no gap, and is used when no gap will do.
 *
 * Invariant: gap(area) = its start - the end of the one before, guard page included.
 * Locks: `lock` (RANK_VMALLOC). Linux's counterpart: find_vmap_lowest_match(), mm/vmalloc.c.
 */
#include "slab/vmalloc_area.h"

#include "arch/layout.h"
#include "kern/lock.h"
#include "phys/page.h"
#include "slab/kmalloc.h"

#define REGION_START (VMALLOC_BASE + PAGE_SIZE) /* a guard before the first one, too */
#define REGION_END (VMALLOC_BASE + (VMALLOC_SIZE - PAGE_SIZE))

static struct rb_root areas;
static struct spinlock lock = SPINLOCK_INIT("vmalloc", RANK_VMALLOC);

static struct vmalloc_area *area_of(const struct rb_node *node)
{
    return node ? rb_entry(node, struct vmalloc_area, node) : NULL;
}

static uint64_t area_end(const struct vmalloc_area *area)
{
    return area ? area->start + area->size + PAGE_SIZE : REGION_START; /* with its guard */
}

/* --- the tree --------------------------------------------------------------------------------- */

static uint64_t subtree_gap(const struct rb_node *node)
{
    return node ? area_of(node)->subtree_gap : 0;
}

static void update(struct rb_node *node)
{
    struct vmalloc_area *area = area_of(node);
    area->subtree_gap = MAX(area->gap, MAX(subtree_gap(node->left), subtree_gap(node->right)));
}

static const struct rb_augment augment = {update};

static void set_gap(struct vmalloc_area *area, uint64_t gap)
{
    area->gap = gap;
    rb_propagate(&area->node, &augment);
}

static void insert_locked(struct vmalloc_area *area)
{
    struct rb_node **link = &areas.node, *parent = NULL;
    while (*link) {
        parent = *link;
        link = area->start < area_of(parent)->start ? &parent->left : &parent->right;
    }
    rb_link_node(&area->node, parent, link);
    rb_insert_augmented(&area->node, &areas, &augment);
}

/* The area with the lowest gap of @need bytes, which some gap has. */
static struct vmalloc_area *lowest_gap_locked(uint64_t need)
{
    struct rb_node *node = areas.node;
    for (;;) {
        if (subtree_gap(node->left) >= need)
            node = node->left;
        else if (area_of(node)->gap >= need)
            return area_of(node);
        else
            node = node->right;
    }
}

/* Give the area the lowest addresses that are free. */
static bool place_locked(struct vmalloc_area *area)
{
    uint64_t need = area->size + PAGE_SIZE;
    assert_locked(&lock);
    area->gap = 0; /* it begins where the one before it ends */
    if (subtree_gap(areas.node) >= need) {
        struct vmalloc_area *next = lowest_gap_locked(need);
        area->start = next->start - next->gap;
        insert_locked(area);
        set_gap(next, next->gap - need);
        return true;
    }
    area->start = area_end(area_of(rb_last(&areas)));
    if (need > REGION_END - area->start)
        return false;
    insert_locked(area);
    return true;
}

static void remove_locked(struct vmalloc_area *area)
{
    struct vmalloc_area *next = area_of(rb_next(&area->node));
    assert_locked(&lock);
    rb_erase_augmented(&area->node, &areas, &augment);
    if (next)
        set_gap(next, next->gap + area->gap + area->size + PAGE_SIZE);
}

/* The area that @va lies in, guard not counted. */
static struct vmalloc_area *find_locked(uint64_t va)
{
    struct rb_node *node = areas.node;
    while (node) {
        struct vmalloc_area *area = area_of(node);
        if (va - area->start < area->size)
            return area;
        node = va < area->start ? node->left : node->right;
    }
    return NULL;
}

/* --- for the files of this floor -------------------------------------------------------------- */

struct vmalloc_area *vmalloc_area_create(uint64_t size, enum vmalloc_kind kind, gfp_t gfp)
{
    if (!size || size > VMALLOC_SIZE)
        return NULL;
    struct vmalloc_area *area = kzalloc(sizeof(*area), gfp);
    if (!area)
        return NULL;
    area->size = ALIGN_UP(size, PAGE_SIZE);
    area->kind = kind;
    spin_lock(&lock);
    bool placed = place_locked(area);
    spin_unlock(&lock);
    if (placed)
        return area;
    kfree(area);
    return NULL;
}

void vmalloc_area_remove(struct vmalloc_area *area)
{
    spin_lock(&lock);
    remove_locked(area);
    spin_unlock(&lock);
    kfree(area);
}

struct vmalloc_area *vmalloc_area_find(const void *va)
{
    spin_lock(&lock);
    struct vmalloc_area *area = find_locked((uint64_t)va);
    spin_unlock(&lock);
    return area && area->start == (uint64_t)va ? area : NULL;
}

/* --- seeing ----------------------------------------------------------------------------------- */

void vmalloc_each(void (*fn)(const struct vmalloc_area *area, void *arg), void *arg)
{
    spin_lock(&lock);
    for (struct rb_node *node = rb_first(&areas); node; node = rb_next(node))
        fn(area_of(node), arg);
    spin_unlock(&lock);
}

bool vmalloc_contains(uint64_t va)
{
    spin_lock(&lock);
    bool found = find_locked(va) != NULL;
    spin_unlock(&lock);
    return found;
}

static bool area_ok(const struct vmalloc_area *area, const struct vmalloc_area *before)
{
    uint64_t deepest = MAX(subtree_gap(area->node.left), subtree_gap(area->node.right));
    bool ok = area->start == area_end(before) + area->gap && area_end(area) <= REGION_END &&
              area->subtree_gap == MAX(area->gap, deepest);
    for (uint32_t i = 0; i < area->nr_pages; i++)
        ok = ok && area->pages[i]->type == PAGE_VMALLOC;
    return ok;
}

unsigned vmalloc_check(struct sink *out)
{
    struct vmalloc_area *before = NULL;
    spin_lock(&lock);
    bool walkable = rb_check(&areas);
    unsigned faults = !walkable;
    if (!walkable)
        print(out, "vmalloc: the tree of areas is broken, none of them looked at\n");
    for (struct rb_node *node = walkable ? rb_first(&areas) : NULL; node; node = rb_next(node)) {
        struct vmalloc_area *area = area_of(node);
        if (!area_ok(area, before)) {
            print(out,
                  "vmalloc: area 0x%lx of %lu bytes overlaps, has a wrong gap or lost a page\n",
                  area->start, area->size);
            faults++;
        }
        before = area;
    }
    spin_unlock(&lock);
    return faults;
}
