/* SPDX-License-Identifier: MIT */
/*
 * page_tree.c - a tree of 64-way nodes. page_tree.h has the picture.
 *
 *      add(index)   1. too few levels? a new root above the old one
 *                   2. go down, hanging in missing nodes
 *                   either may find no spare node: give up the lock, get one, begin anew
 *
 * Locks: tree->lock. Invariants: node->used is the number of its slots that are not NULL; only the
 * root may be empty, for as long as the lock is held; or nodes that an add left behind which found
 * no memory for the next.
 * Linux's counterpart: lib/xarray.c.
 */
#include "virt/page_tree.h"

#include "base/errno.h"
#include "phys/page.h"
#include "slab/cache.h"

#define SHIFT 6
#define SLOTS (1u << SHIFT)
#define MAX_LEVELS 9 /* 54 bits of page number: more than a file's 63 bits of size */

struct page_tree_node {
    uint32_t used;
    void *slots[SLOTS]; /* nodes, in the lowest level pages */
};

static struct kmem_cache *node_cache;

void page_tree_boot(void)
{
    node_cache = kmem_cache_create("page_tree_node", sizeof(struct page_tree_node), 0, 0, NULL);
    BUG_ON(!node_cache);
}

void page_tree_init(struct page_tree *t)
{
    spin_init(&t->lock, "i_pages", RANK_INODE);
    t->root = NULL;
    t->levels = 0;
    t->count = 0;
}

static uint32_t slot_of(uint64_t index, uint32_t level)
{
    return (uint32_t)(index >> (SHIFT * level)) & (SLOTS - 1);
}

/* Is the number one that a tree of that many levels can hold? */
static bool fits(uint64_t index, uint32_t levels)
{
    return levels && index >> (SHIFT * levels) == 0;
}

/* Where the page of that number is or would be; NULL when there is no node for it. */
static void **find_locked(struct page_tree *t, uint64_t index)
{
    assert_locked(&t->lock);
    struct page_tree_node *node = t->root;
    if (!fits(index, t->levels))
        return NULL;
    for (uint32_t level = t->levels - 1; node && level; level--)
        node = node->slots[slot_of(index, level)];
    return node ? &node->slots[slot_of(index, 0)] : NULL;
}

struct page *page_tree_get(struct page_tree *t, uint64_t index)
{
    spin_lock(&t->lock);
    void **slot = find_locked(t, index);
    struct page *page = slot ? *slot : NULL;
    if (page)
        get_page(page);
    spin_unlock(&t->lock);
    return page;
}

/* The first page at or behind *index below `node`, which begins at a multiple of its span. */
static struct page *next_below(const struct page_tree_node *node, uint32_t level, uint64_t *index)
{
    uint64_t at = *index;
    for (uint32_t slot = slot_of(at, level); slot < SLOTS; slot++) {
        void *child = node->slots[slot];
        struct page *page = level && child ? next_below(child, level - 1, &at) : child;
        if (page) {
            *index = at;
            return page;
        }
        at = ((at >> (SHIFT * level)) + 1) << (SHIFT * level);
    }
    return NULL;
}

struct page *page_tree_next(struct page_tree *t, uint64_t *index, uint64_t end)
{
    spin_lock(&t->lock);
    struct page *page = fits(*index, t->levels) ? next_below(t->root, t->levels - 1, index) : NULL;
    if (page && *index >= end)
        page = NULL;
    if (page)
        get_page(page);
    spin_unlock(&t->lock);
    return page;
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Use up the spare node. NULL when there is none: the caller gets one and comes again. */
static struct page_tree_node *take_spare(struct page_tree_node **spare)
{
    struct page_tree_node *node = *spare;
    *spare = NULL;
    return node;
}

/* Make the path to the number. Its slot, or NULL for want of a spare node. */
static void **make_path_locked(struct page_tree *t, uint64_t index, struct page_tree_node **spare)
{
    assert_locked(&t->lock);
    while (!fits(index, t->levels)) {
        struct page_tree_node *root = take_spare(spare);
        if (!root)
            return NULL;
        root->slots[0] = t->root;
        root->used = t->root != NULL;
        t->root = root;
        t->levels++;
    }
    struct page_tree_node *node = t->root;
    for (uint32_t level = t->levels - 1; level; level--) {
        void **slot = &node->slots[slot_of(index, level)];
        if (!*slot) {
            *slot = take_spare(spare);
            if (!*slot)
                return NULL;
            node->used++;
        }
        node = *slot;
    }
    return &node->slots[slot_of(index, 0)];
}

/* The node above the slot of a page. */
static struct page_tree_node *leaf_of(void **slot, uint64_t index)
{
    return container_of((void *(*)[SLOTS])(slot - slot_of(index, 0)), struct page_tree_node, slots);
}

int page_tree_add(struct page_tree *t, uint64_t index, struct page *page)
{
    struct page_tree_node *spare = NULL;
    ASSERT(fits(index, MAX_LEVELS));
    for (;;) {
        spin_lock(&t->lock);
        void **slot = make_path_locked(t, index, &spare);
        int err = slot && *slot ? -EEXIST : 0;
        if (slot && !*slot) {
            get_page(page);
            *slot = page;
            leaf_of(slot, index)->used++;
            t->count++;
        }
        spin_unlock(&t->lock);
        if (slot) {
            if (spare)
                kmem_cache_free(node_cache, spare);
            return err;
        }
        spare = kmem_cache_alloc(node_cache, GFP_KERNEL | __GFP_ZERO);
        if (!spare)
            return -ENOMEM;
    }
}

int page_tree_replace(struct page_tree *t, uint64_t index, struct page *old, struct page *new)
{
    int err = -EBUSY;
    spin_lock(&t->lock);
    void **slot = find_locked(t, index);
    if (slot && *slot == old && page_count(old) == 2) { /* the tree's and the caller's */
        get_page(new);
        *slot = new;
        err = 0;
    }
    spin_unlock(&t->lock);
    if (!err)
        put_page(old);
    return err;
}

/* --- removing --------------------------------------------------------------------------------- */

/* Free the nodes on the way to a number that have become empty. True: so has this one. */
static bool prune(struct page_tree_node *node, uint32_t level, uint64_t index)
{
    void **slot = &node->slots[slot_of(index, level)];
    if (level && *slot && prune(*slot, level - 1, index)) {
        kmem_cache_free(node_cache, *slot);
        *slot = NULL;
        node->used--;
    }
    return !node->used;
}

bool page_tree_remove(struct page_tree *t, uint64_t index, struct page *page)
{
    spin_lock(&t->lock);
    void **slot = find_locked(t, index);
    bool found = slot && *slot == page;
    if (found) {
        *slot = NULL;
        leaf_of(slot, index)->used--;
        t->count--;
        if (prune(t->root, t->levels - 1, index)) {
            kmem_cache_free(node_cache, t->root);
            t->root = NULL;
            t->levels = 0;
        }
    }
    spin_unlock(&t->lock);
    return found;
}

static void free_nodes(struct page_tree_node *node, uint32_t level)
{
    for (uint32_t slot = 0; level && slot < SLOTS; slot++) {
        if (node->slots[slot])
            free_nodes(node->slots[slot], level - 1);
    }
    kmem_cache_free(node_cache, node);
}

void page_tree_destroy(struct page_tree *t)
{
    ASSERT(!t->count);
    if (t->root)
        free_nodes(t->root, t->levels - 1);
    t->root = NULL;
    t->levels = 0;
}
