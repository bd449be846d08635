/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - insertion and removal in a red-black tree.
 *
 *         p                 p            A rotation keeps the order of the keys and changes the
 *         |   rotate left   |            heights by one. Insertion needs at most two, removal at
 *         x   ----------->  y            most three; recolouring may climb to the root.
 *        / \               / \
 *       a   y             x   c
 *          / \           / \
 *         b   c         a   b
 *
 * After Cormen et al., "Introduction to Algorithms", chapter 13, with NULL for the black leaves.
 *
 * Locks: the caller's. Invariants: see rbtree.h; rb_check() proves them.
 */
#include "base/rbtree.h"

static bool is_red(const struct rb_node *n)
{
    return n && n->red;
}

static void update(struct rb_node *n, const struct rb_augment *aug)
{
    if (aug && n)
        aug->update(n);
}

/* Put @to in the place of @from below @from's parent. */
static void replace_child(struct rb_root *root, struct rb_node *from, struct rb_node *to)
{
    if (!from->parent)
        root->node = to;
    else if (from->parent->left == from)
        from->parent->left = to;
    else
        from->parent->right = to;
    if (to)
        to->parent = from->parent;
}

static void rotate_left(struct rb_root *root, struct rb_node *x, const struct rb_augment *aug)
{
    struct rb_node *y = x->right;
    replace_child(root, x, y);
    x->right = y->left;
    if (x->right)
        x->right->parent = x;
    y->left = x;
    x->parent = y;
    update(x, aug);
    update(y, aug);
}

static void rotate_right(struct rb_root *root, struct rb_node *x, const struct rb_augment *aug)
{
    struct rb_node *y = x->left;
    replace_child(root, x, y);
    x->left = y->right;
    if (x->left)
        x->left->parent = x;
    y->right = x;
    x->parent = y;
    update(x, aug);
    update(y, aug);
}

void rb_propagate(struct rb_node *node, const struct rb_augment *aug)
{
    for (; node; node = node->parent)
        aug->update(node);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug)
{
    if (aug)
        rb_propagate(node, aug);
    while (is_red(node->parent)) {
        struct rb_node *parent = node->parent, *grand = parent->parent;
        bool left = parent == grand->left;
        struct rb_node *uncle = left ? grand->right : grand->left;
        if (is_red(uncle)) { /* push the red up */
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == (left ? parent->right : parent->left)) { /* an inner grandchild: outwards */
            left ? rotate_left(root, parent, aug) : rotate_right(root, parent, aug);
            parent = node;
        }
        parent->red = false;
        grand->red = true;
        left ? rotate_right(root, grand, aug) : rotate_left(root, grand, aug);
        break;
    }
    root->node->red = false;
}

/* The way to @node (maybe NULL) below @parent is one black short: mend that. */
static void mend_black(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
                       const struct rb_augment *aug)
{
    while (node != root->node && !is_red(node)) {
        bool left = node == parent->left;
        struct rb_node *sibling = left ? parent->right : parent->left;
        if (is_red(sibling)) {
            sibling->red = false;
            parent->red = true;
            left ? rotate_left(root, parent, aug) : rotate_right(root, parent, aug);
            sibling = left ? parent->right : parent->left;
        }
        if (!is_red(sibling->left) && !is_red(sibling->right)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(left ? sibling->right : sibling->left)) { /* the near nephew is the red one */
            (left ? sibling->left : sibling->right)->red = false;
            sibling->red = true;
            left ? rotate_right(root, sibling, aug) : rotate_left(root, sibling, aug);
            sibling = left ? parent->right : parent->left;
        }
        sibling->red = parent->red;
        parent->red = false;
        (left ? sibling->right : sibling->left)->red = false;
        left ? rotate_left(root, parent, aug) : rotate_right(root, parent, aug);
        node = root->node;
    }
    if (node)
        node->red = false;
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug)
{
    struct rb_node *child, *parent;
    bool black;
    if (node->left && node->right) { /* its successor takes its place */
        struct rb_node *next = rb_next(node);
        child = next->right;
        parent = next->parent == node ? next : next->parent;
        black = !next->red;
        replace_child(root, next, child);
        replace_child(root, node, next);
        next->left = node->left;
        next->left->parent = next;
        next->right = node->right;
        if (next->right)
            next->right->parent = next;
        next->red = node->red;
    } else {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        black = !node->red;
        replace_child(root, node, child);
    }
    if (aug && parent)
        rb_propagate(parent, aug);
    if (black)
        mend_black(root, child, parent, aug);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
    rb_insert_augmented(node, root, NULL);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
    rb_erase_augmented(node, root, NULL);
}

struct rb_node *rb_first(const struct rb_root *root)
{
    struct rb_node *n = root->node;
    while (n && n->left)
        n = n->left;
    return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
    struct rb_node *n = root->node;
    while (n && n->right)
        n = n->right;
    return n;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    struct rb_node *n = node->right;
    if (n) {
        while (n->left)
            n = n->left;
        return n;
    }
    for (n = node->parent; n && node == n->right; n = n->parent)
        node = n;
    return n;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    struct rb_node *n = node->left;
    if (n) {
        while (n->right)
            n = n->right;
        return n;
    }
    for (n = node->parent; n && node == n->left; n = n->parent)
        node = n;
    return n;
}

/* The black links from @n up to the root. */
static unsigned black_depth(const struct rb_node *n)
{
    unsigned depth = 0;
    for (; n; n = n->parent)
        depth += !n->red;
    return depth;
}

/* The links, the colours, and the way out if it ends here. */
static bool node_ok(const struct rb_node *n, unsigned *leaf_depth)
{
    if ((n->left && n->left->parent != n) || (n->right && n->right->parent != n))
        return false;
    if (n->left && n->left == n->right)
        return false;
    if (n->red && (is_red(n->left) || is_red(n->right)))
        return false;
    if (n->left && n->right)
        return true;
    if (!*leaf_depth)
        *leaf_depth = black_depth(n);
    return black_depth(n) == *leaf_depth;
}

/* Each node before its children: who goes down has checked the link by which he comes back. */
static const struct rb_node *next_downwards(const struct rb_node *n)
{
    if (n->left || n->right)
        return n->left ? n->left : n->right;
    for (; n->parent; n = n->parent)
        if (n == n->parent->left && n->parent->right)
            return n->parent->right;
    return NULL;
}

bool rb_check(const struct rb_root *root)
{
    unsigned leaf_depth = 0;
    if (is_red(root->node) || (root->node && root->node->parent))
        return false;
    for (const struct rb_node *n = root->node; n; n = next_downwards(n))
        if (!node_ok(n, &leaf_depth))
            return false;
    return true;
}
