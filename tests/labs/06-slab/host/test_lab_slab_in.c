/* SPDX-License-Identifier: MIT */
/*
 * test_lab_slab_in.c - giving objects back, and size classes: each step by itself.
 *
 *      lay(cache, 0, 3):   [ out | out | out | free -> free -> ... ]
 *
 * As no slab is made by what is tested, giving back can be right while taking is not yet written,
 * and the reverse. audit() looks at all slabs: each object once, listed or not, counters.
 */
#include "slabs.h"

/* --- step 4: giving back to a slab that is not one's own -------------------------------------- */

static void the_first_one_back_lists_a_full_slab(void **state)
{
    struct kmem_cache *cache = make("full", 300, NULL);
    struct page *slab = lay(cache, 0, cache->objects);
    (void)state;
    kmem_cache_free(cache, object_of(slab, 5));
    expect_true(is_listed(slab), "a slab that was full is listed");
    expect_equal(cache->nodes[0]->nr_partial, 1, "nr_partial");
    expect_true(slab->slab_free == object_of(slab, 5), "slab_free is the object");
    expect_equal(slab->private, cache->objects - 1U, "page->private");
    audit(cache);
}

static void one_more_back_leaves_the_list_alone(void **state)
{
    struct kmem_cache *cache = make("listed", 300, NULL);
    struct page *slab = lay(cache, 0, cache->objects);
    (void)state;
    for (unsigned i = 0; i < cache->objects - 1U; i++) {
        kmem_cache_free(cache, object_of(slab, i));
        expect_equal(listed(cache, 0), 1, "slabs on the list after %u objects came back", i + 1);
        expect_equal(on_slab(slab), i + 1, "objects in slab_free");
        audit(cache);
    }
}

static void one_back_to_another_harts_slab(void **state)
{
    struct kmem_cache *cache = make("stays", 300, NULL);
    struct page *slab = lay(cache, 0, 6), *own = lay(cache, 0, 2);
    (void)state;
    activate(slab, 0);
    activate(own, 1);
    unsigned stock = stock_of(cache, 0), others = stock_of(cache, 1);
    host_become(1);
    kmem_cache_free(cache, object_of(slab, 1));
    kmem_cache_free(cache, object_of(slab, 2));
    host_become(0);
    expect_equal(stock_of(cache, 0), stock, "objects in hart 0's stock: nobody else touches it");
    expect_equal(stock_of(cache, 1), others, "objects in hart 1's stock: they are not of its slab");
    expect_equal(on_slab(slab), 2, "objects in slab_free");
    expect_true(!is_listed(slab), "a hart's slab is on no list");
    audit(cache);
}

static void some_slabs_back_to_empty_are_kept(void **state)
{
    struct kmem_cache *cache = make("kept", 300, NULL);
    struct page *slabs[SLAB_MIN_PARTIAL + 2];
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(slabs); i++)
        slabs[i] = lay(cache, 0, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(slabs); i++)
        enlist(slabs[i]);
    int64_t pages = global_node_state(NR_SLAB_UNRECLAIMABLE);
    for (unsigned i = 0; i < ARRAY_SIZE(slabs); i++) {
        kmem_cache_free(cache, object_of(slabs[i], 0));
        audit(cache);
    }
    expect_equal(listed(cache, 0), SLAB_MIN_PARTIAL,
                 "empty slabs that are kept, of %u that "
                 "became empty",
                 (unsigned)ARRAY_SIZE(slabs));
    expect_equal(cache->nodes[0]->nr_slabs, SLAB_MIN_PARTIAL, "nr_slabs");
    expect_equal(pages - global_node_state(NR_SLAB_UNRECLAIMABLE), 2L << cache->order,
                 "pages that went back to the page allocator");
    fake_check();
}

static void a_slab_back_to_empty_among_many_goes(void **state)
{
    struct kmem_cache *cache = make("at once", 8000, NULL);
    struct page *slab = lay(cache, 0, cache->objects);
    (void)state;
    for (unsigned i = 0; i < SLAB_MIN_PARTIAL; i++)
        enlist(lay(cache, 0, 1));
    for (unsigned i = 0; i < cache->objects; i++) {
        kmem_cache_free(cache, object_of(slab, i));
        if (i + 1 < cache->objects)
            audit(cache);
    }
    expect_equal(cache->nodes[0]->nr_slabs, SLAB_MIN_PARTIAL,
                 "nr_slabs: with %u others listed, an empty one goes", SLAB_MIN_PARTIAL);
    audit(cache);
}

static void a_harts_slab_never_goes_back(void **state)
{
    struct kmem_cache *cache = make("never", 300, NULL);
    struct page *slab = dry(cache, 0);
    (void)state;
    for (unsigned i = 0; i < SLAB_MIN_PARTIAL + 2; i++)
        enlist(lay(cache, 0, 1));
    host_become(1);
    for (unsigned i = 0; i < cache->objects; i++)
        kmem_cache_free(cache, object_of(slab, i));
    host_become(0);
    expect_equal(slab->type, PAGE_SLAB, "type of a hart's slab, all of whose objects came back");
    expect_true(cache->harts[0].page == slab, "it is still the hart's");
    audit(cache);
    char *object = get(cache);
    expect_true(object && slab_of(object) == slab, "the next object is one of it");
    audit(cache);
}

static void one_back_to_another_nodes_slab(void **state)
{
    struct kmem_cache *cache = make("node", 300, NULL);
    struct page *far = lay(cache, 1, cache->objects), *near = lay(cache, 0, cache->objects);
    (void)state;
    kmem_cache_free(cache, object_of(far, 0));
    expect_equal(listed(cache, 1), 1, "slabs on node 1's list; hart 0 gave back to one");
    expect_equal(listed(cache, 0), 0, "slabs on node 0's list");
    host_become(3); /* of a node without memory */
    kmem_cache_free(cache, object_of(near, 0));
    kmem_cache_free(cache, object_of(far, 1));
    host_become(0);
    expect_equal(listed(cache, 0), 1, "slabs on node 0's list");
    audit(cache);
}

/* --- step 6: giving slabs back ---------------------------------------------------------------- */

static void a_shrink_empties_a_freelist_into_its_slab(void **state)
{
    struct kmem_cache *cache = make("flush", 300, NULL);
    struct page *slab = lay(cache, 0, 5);
    (void)state;
    unsigned free = cache->objects - 5U;
    activate(slab, 0);
    host_become(1);
    kmem_cache_free(cache, object_of(slab, 0));
    host_become(0);
    slab_flush_hart(cache);
    expect_true(!cache->harts[0].page && !cache->harts[0].freelist,
                "the hart has no slab any more");
    expect_true(!page_flag(slab, PG_active), "PG_active of the slab is cleared");
    expect_equal(on_slab(slab), free + 1, "objects in slab_free: the stock, and what was there");
    expect_equal(slab->private, 4, "page->private: objects that are out");
    expect_true(is_listed(slab), "a slab with free objects is listed");
    slab_flush_hart(cache); /* there is nothing to do */
    audit(cache);
}

static void a_shrink_lists_no_full_slab(void **state)
{
    struct kmem_cache *cache = make("flush full", 300, NULL);
    struct page *slab = dry(cache, 0);
    (void)state;
    slab_flush_hart(cache);
    expect_true(!is_listed(slab), "a full slab is on no list");
    expect_true(cache->harts[0].page == NULL, "the hart has no slab any more");
    audit(cache);
}

static void a_shrink_frees_what_is_empty(void **state)
{
    struct kmem_cache *cache = make("shrink", 3000, NULL);
    (void)state;
    for (int nid = 0; nid < 2; nid++)
        for (unsigned i = 0; i < 6; i++)
            enlist(lay(cache, nid, i % 3));
    int64_t pages = global_node_state(NR_SLAB_UNRECLAIMABLE);
    expect_equal(kmem_cache_shrink(cache), 4UL << cache->order,
                 "pages of 4 empty slabs of %u, among 12", 1U << cache->order);
    expect_equal(pages - global_node_state(NR_SLAB_UNRECLAIMABLE), 4L << cache->order,
                 "pages that went back to the page allocator");
    for (int nid = 0; nid < 2; nid++)
        expect_equal(listed(cache, nid), 4, "slabs of node %d, with objects out", nid);
    audit(cache);
    fake_check();
}

static void a_shrink_asks_every_hart(void **state)
{
    struct kmem_cache *cache = make("shrink harts", 300, NULL);
    (void)state;
    for (uint32_t i = 0; i < nr_harts; i++)
        activate(lay(cache, i == 2, i == 1), i); /* one object of hart 1's is out */
    expect_equal(kmem_cache_shrink(cache), 3UL << cache->order,
                 "pages of the three that are empty");
    expect_equal(cache->nodes[0]->nr_slabs, 1, "slabs left on node 0");
    expect_equal(cache->nodes[1]->nr_slabs, 0, "slabs left on node 1");
    audit(cache);
    expect_equal(kmem_cache_shrink(cache), 0, "pages when there is nothing to give");
}

/* --- step 7: size classes --------------------------------------------------------------------- */

static void every_size_has_the_smallest_class_that_fits(void **state)
{
    static const size_t classes[] = {8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192};
    unsigned class = 0;
    (void)state;
    kmalloc_init();
    for (size_t size = 1; size <= KMALLOC_MAX_CACHE; size++) {
        void *p = kmalloc(size, GFP_KERNEL);
        class += size > classes[class];
        expect_true(p != NULL, "there is memory for %zu bytes", size);
        expect_equal(ksize(p), classes[class], "bytes of the object for %zu bytes", size);
        kfree(p);
    }
}

static void a_power_of_two_has_a_class_of_its_own(void **state)
{
    (void)state;
    kmalloc_init();
    for (size_t size = 8; size <= KMALLOC_MAX_CACHE; size *= 2) {
        void *p = kmalloc(size, GFP_KERNEL), *q = kmalloc(size + 1, GFP_KERNEL);
        expect_equal(ksize(p), size, "bytes of the object for %zu bytes", size);
        expect_true(ksize(q) > size, "an object for %zu bytes has room for them", size + 1);
        memset(p, 1, size);
        memset(q, 2, size + 1);
        kfree(p);
        kfree(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_back_lists_a_full_slab),
        cmocka_unit_test(one_more_back_leaves_the_list_alone),
        cmocka_unit_test(one_back_to_another_harts_slab),
        cmocka_unit_test(some_slabs_back_to_empty_are_kept),
        cmocka_unit_test(a_slab_back_to_empty_among_many_goes),
        cmocka_unit_test(a_harts_slab_never_goes_back),
        cmocka_unit_test(one_back_to_another_nodes_slab),
        cmocka_unit_test(a_shrink_empties_a_freelist_into_its_slab),
        cmocka_unit_test(a_shrink_lists_no_full_slab),
        cmocka_unit_test(a_shrink_frees_what_is_empty),
        cmocka_unit_test(a_shrink_asks_every_hart),
        cmocka_unit_test(every_size_has_the_smallest_class_that_fits),
        cmocka_unit_test(a_power_of_two_has_a_class_of_its_own),
    };
    return cmocka_run_group_tests(tests, machine_without_caches, NULL);
}
