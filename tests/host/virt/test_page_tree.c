/* SPDX-License-Identifier: MIT */
/*
 * test_page_tree.c - pages by number, against a plain list of who is where.
 *
 *      model[i]: number, page or NULL
 */
#include "slab/slab_machine.h"

#include "base/errno.h"
#include "base/random.h"
#include "virt/page_tree.h"

#define SLOTS 300
#define STEPS 200000

static struct page_tree tree;
static struct {
    uint64_t index;
    struct page *page;
} model[SLOTS];
static struct rng rng;

static struct page *fresh(void)
{
    struct page *page = alloc_page(GFP_KERNEL);
    assert_non_null(page);
    return page;
}

/* Numbers that are near each other, and some far away. */
static uint64_t some_index(unsigned i)
{
    static const unsigned far[] = {0, 7, 13, 26, 44};
    return ((uint64_t)i << far[i % 5]) + i;
}

static void step(unsigned i)
{
    uint64_t index = model[i].index;
    struct page *there = page_tree_get(&tree, index);
    assert_ptr_equal(there, model[i].page);
    if (!there) {
        model[i].page = fresh();
        assert_int_equal(page_tree_add(&tree, index, model[i].page), 0);
        assert_int_equal(page_count(model[i].page), 2);
        put_page(model[i].page);
        return;
    }
    assert_int_equal(page_tree_add(&tree, index, there), -EEXIST);
    struct page *other = fresh();
    if (rng_below(&rng, 2)) {
        assert_int_equal(page_tree_replace(&tree, index, other, there), -EBUSY);
        assert_int_equal(page_tree_replace(&tree, index, there, other), 0);
        assert_false(page_tree_remove(&tree, index, there));
        model[i].page = other;
    } else {
        assert_false(page_tree_remove(&tree, index, other));
        assert_true(page_tree_remove(&tree, index, there));
        put_page(there);
        model[i].page = NULL;
    }
    put_page(there);
    if (!model[i].page || model[i].page == other)
        put_page(other);
}

/* Walk from number to number: all that the model has, in order, and nothing else. */
static void walk(uint64_t from, uint64_t end)
{
    unsigned want = 0, got = 0;
    uint64_t at = from, last = 0;
    struct page *page;
    for (unsigned i = 0; i < SLOTS; i++)
        want += model[i].page && model[i].index >= from && model[i].index < end;
    while ((page = page_tree_next(&tree, &at, end)) != NULL) {
        assert_true(!got || at > last);
        last = at;
        got++;
        put_page(page);
        at++;
    }
    assert_int_equal(got, want);
}

static void random_steps(void **state)
{
    (void)state;
    rng_seed(&rng, 5);
    page_tree_init(&tree);
    uint64_t free_before = nr_free_pages_with_pcp();
    for (unsigned i = 0; i < SLOTS; i++)
        model[i].index = some_index(i);
    for (unsigned n = 0; n < STEPS; n++) {
        step((unsigned)rng_below(&rng, SLOTS));
        if (n % 1000 == 0)
            walk(some_index((unsigned)rng_below(&rng, SLOTS)), some_index((unsigned)(n % SLOTS)));
    }
    walk(0, UINT64_MAX);
    for (unsigned i = 0; i < SLOTS; i++)
        if (model[i].page)
            step(i), i -= model[i].page != NULL;
    assert_int_equal(tree.count, 0);
    assert_null(tree.root);
    assert_true(nr_free_pages_with_pcp() + 64 >= free_before); /* but for slabs */
    slab_audit();
}

static void nodes_without_memory(void **state)
{
    struct page *page, *all = NULL, *one = fresh();
    uint64_t at = 0;
    (void)state;
    page_tree_init(&tree);
    while ((page = alloc_pages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN | __GFP_NORETRY, 0))) {
        page->private = (uint64_t)all;
        all = page;
    }
    while (page_tree_add(&tree, at, one) == 0) /* nodes that slabs still have */
        at += 1UL << 40;
    assert_int_equal(page_tree_add(&tree, at, one), -ENOMEM);
    for (; all; all = page) {
        page = (struct page *)all->private;
        __free_page(all);
    }
    while (at) {
        at -= 1UL << 40;
        assert_true(page_tree_remove(&tree, at, one));
        put_page(one);
    }
    page_tree_destroy(&tree);
    put_page(one);
    slab_audit();
}

static int tree_machine(void **state)
{
    slab_machine(state);
    page_tree_boot();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(nodes_without_memory),
    };
    return cmocka_run_group_tests(tests, tree_machine, NULL);
}
