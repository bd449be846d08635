/* SPDX-License-Identifier: MIT */
/*
 * page_tree.h - pages by number: the page cache of one file, or of one piece of shared memory.
 *
 *      levels = 2       [root: 64 slots]                 slot = number / 64
 *                         |         |
 *                   [64 slots]   [64 slots]              slot = number % 64
 *                    |  |   |        |
 *                  page page page   page                 each with a reference of the tree
 *
 * A tree has as many levels as its largest number needs, so a small file is one node. Nodes that
 * become empty go.
 *
 * Locks: tree->lock (RANK_INODE). Memory for nodes is taken outside of it.
 * Linux's counterpart: address_space.i_pages, an XArray; before it the radix tree.
 */
#ifndef PAGODA_VIRT_PAGE_TREE_H
#define PAGODA_VIRT_PAGE_TREE_H

#include "base/types.h"
#include "kern/lock.h"

struct page;
struct page_tree_node;

struct page_tree {
    struct spinlock lock;
    struct page_tree_node *root; /* (lock) */
    uint32_t levels;             /* (lock) */
    uint64_t count;              /* (lock) pages */
};

/** The cache of nodes. Boot only, after slab. */
void page_tree_boot(void);

void page_tree_init(struct page_tree *t);

/** The page of that number with a reference for the caller, or NULL. */
struct page *page_tree_get(struct page_tree *t, uint64_t index);

/** The first page with *index <= number < end, referenced, its number in *index; or NULL. */
struct page *page_tree_next(struct page_tree *t, uint64_t *index, uint64_t end);

/**
 * Enter a page; the tree takes a reference of its own. 0, -EEXIST when there is one already,
 * -ENOMEM. May block.
 */
int page_tree_add(struct page_tree *t, uint64_t index, struct page *page) must_check;

/**
 * Put `new` in the place of `old`, which nobody but the tree and the caller refers to (-EBUSY if
 * somebody does). The reference of the tree moves along.
 */
int page_tree_replace(struct page_tree *t, uint64_t index, struct page *old,
                      struct page *new) must_check;

/** Take a page out: its reference of the tree is the caller's then. False: it was not there. */
bool page_tree_remove(struct page_tree *t, uint64_t index, struct page *page);

/** All pages are out: give back what nodes are left. */
void page_tree_destroy(struct page_tree *t);

#endif
