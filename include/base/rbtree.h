/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h - a binary search tree that stays balanced (Guibas and Sedgewick, 1978).
 *
 *              b:4             each link is red or black
 *             /   \            no red link has a red child
 *          r:2     b:6         every way down meets as many black links
 *         /   \
 *       b:1   b:3              so no way down is longer than twice another
 *
 * Links lie inside the things that are sorted. The caller walks down and finds the place (he knows
 * the order), rb_link_node() puts the link there, rb_insert_color() mends the balance.
 *
 * Augmented trees keep a value of the whole subtree in each node (a maximum, a sum): the callbacks
 * recompute it where rotations and removals changed what lies below.
 *
 * Locks: the caller's. Linux's counterpart: include/linux/rbtree.h, whose names these are.
 */
#ifndef PAGODA_BASE_RBTREE_H
#define PAGODA_BASE_RBTREE_H

#include "base/types.h"

struct rb_node {
    struct rb_node *parent, *left, *right;
    bool red;
};

struct rb_root {
    struct rb_node *node;
};

#define RB_ROOT      \
    (struct rb_root) \
    {                \
        NULL         \
    }
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

/** Recompute the value of @node from its own data and its children's values. */
struct rb_augment {
    void (*update)(struct rb_node *node);
};

/** Hang @node below @parent at @link (&parent->left, &parent->right or &root->node). */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
    node->parent = parent;
    node->left = node->right = NULL;
    node->red = true;
    *link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);

/** The same for augmented trees. */
void rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug);

/** The data of @node changed: recompute from it up to the root. */
void rb_propagate(struct rb_node *node, const struct rb_augment *aug);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/** Colours, black heights and parent links are right. */
bool rb_check(const struct rb_root *root);

#endif
