/* SPDX-License-Identifier: MIT */
/*
 * test_rbtree.c - the balanced tree against a row of flags: key k is in the tree, or not.
 *
 *      present:  0 1 1 0 0 1 ...      the tree's walk must meet 1, 2, 5, ...
 *
 * Augmented, each node keeps the sum and the maximum of what its subtree carries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/rbtree.h"

enum { KEYS = 200, ROUNDS = 20000 };

struct thing {
    int key;
    uint64_t load;
    uint64_t sum, most; /* of the subtree */
    struct rb_node node;
};

static struct thing things[KEYS];
static bool present[KEYS];
static struct rb_root root;
static struct rng rng;

static struct thing *thing_of(struct rb_node *n)
{
    return n ? rb_entry(n, struct thing, node) : NULL;
}

static uint64_t sum_of(struct rb_node *n)
{
    return n ? thing_of(n)->sum : 0;
}

static uint64_t most_of(struct rb_node *n)
{
    return n ? thing_of(n)->most : 0;
}

static void update(struct rb_node *n)
{
    struct thing *t = thing_of(n);
    uint64_t below = MAX(most_of(n->left), most_of(n->right));
    t->sum = t->load + sum_of(n->left) + sum_of(n->right);
    t->most = MAX(t->load, below);
}

static const struct rb_augment augment = {update};

static int begin(void **state)
{
    (void)state;
    root = RB_ROOT;
    rng_seed(&rng, 61);
    for (int i = 0; i < KEYS; i++) {
        things[i].key = i;
        present[i] = false;
    }
    return 0;
}

static void insert(int key, const struct rb_augment *aug)
{
    struct rb_node *parent = NULL, **link = &root.node;
    while (*link) {
        parent = *link;
        link = key < thing_of(parent)->key ? &parent->left : &parent->right;
    }
    rb_link_node(&things[key].node, parent, link);
    if (aug)
        rb_insert_augmented(&things[key].node, &root, aug);
    else
        rb_insert_color(&things[key].node, &root);
    present[key] = true;
}

static void erase(int key, const struct rb_augment *aug)
{
    if (aug)
        rb_erase_augmented(&things[key].node, &root, aug);
    else
        rb_erase(&things[key].node, &root);
    present[key] = false;
}

/* The walks in both directions meet exactly the keys that are present. */
static void compare(void)
{
    struct rb_node *n = rb_first(&root);
    assert_true(rb_check(&root));
    for (int key = 0; key < KEYS; key++) {
        if (!present[key])
            continue;
        assert_ptr_equal(n, &things[key].node);
        n = rb_next(n);
    }
    assert_null(n);
    n = rb_last(&root);
    for (int key = KEYS - 1; key >= 0; key--) {
        if (!present[key])
            continue;
        assert_ptr_equal(n, &things[key].node);
        n = rb_prev(n);
    }
    assert_null(n);
}

static unsigned height(const struct rb_node *n)
{
    unsigned left = n ? height(n->left) : 0, right = n ? height(n->right) : 0;
    return n ? 1 + MAX(left, right) : 0;
}

static void random_keys(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        int key = (int)rng_below(&rng, KEYS);
        if (present[key])
            erase(key, NULL);
        else
            insert(key, NULL);
        compare();
    }
}

static void rows_stay_low(void **state)
{
    (void)state;
    for (int key = 0; key < KEYS; key++) {
        insert(key, NULL);
        compare();
    }
    assert_in_range(height(root.node), 8, 16); /* 200 keys: at most 2 log2(201) */
    for (int key = 0; key < KEYS; key++) {
        erase(key, NULL);
        compare();
    }
    assert_null(root.node);
    for (int key = KEYS - 1; key >= 0; key--)
        insert(key, NULL);
    for (int key = KEYS - 1; key >= 0; key--) {
        erase(key, NULL);
        compare();
    }
}

/* --- augmented -------------------------------------------------------------------------------- */

static void compare_values(void)
{
    uint64_t sum = 0, most = 0;
    for (int key = 0; key < KEYS; key++) {
        if (!present[key])
            continue;
        struct thing *t = &things[key];
        sum += t->load;
        most = MAX(most, t->load);
        assert_true(t->sum == t->load + sum_of(t->node.left) + sum_of(t->node.right));
        assert_true(t->most >= t->load && t->most >= most_of(t->node.left) &&
                    t->most >= most_of(t->node.right));
    }
    assert_true(sum_of(root.node) == sum);
    assert_true(most_of(root.node) == most);
}

static void values_follow(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        int key = (int)rng_below(&rng, KEYS);
        if (present[key] && rng_below(&rng, 3) == 0) {
            things[key].load = rng_below(&rng, 1000);
            rb_propagate(&things[key].node, &augment);
        } else if (present[key]) {
            erase(key, &augment);
        } else {
            things[key].load = rng_below(&rng, 1000);
            insert(key, &augment);
        }
        compare_values();
        if (round % 16 == 0)
            compare();
    }
}

/* --- faults ----------------------------------------------------------------------------------- */

static void faults_are_found(void **state)
{
    (void)state;
    assert_true(rb_check(&root));
    for (int key = 0; key < 64; key++)
        insert(key, NULL);
    assert_true(rb_check(&root));
    for (int key = 0; key < 64; key++) { /* any one colour is either red below red or a black off */
        things[key].node.red ^= true;
        assert_false(rb_check(&root));
        things[key].node.red ^= true;
    }
    root.node->left->parent = root.node->right;
    assert_false(rb_check(&root));
    root.node->left->parent = root.node;
    root.node->parent = root.node->left;
    assert_false(rb_check(&root));
    root.node->parent = NULL;
    assert_true(rb_check(&root));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_keys, begin),
        cmocka_unit_test_setup(rows_stay_low, begin),
        cmocka_unit_test_setup(values_follow, begin),
        cmocka_unit_test_setup(faults_are_found, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
