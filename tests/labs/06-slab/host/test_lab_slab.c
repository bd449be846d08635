/* SPDX-License-Identifier: MIT */
/*
 * test_lab_slab.c - taking objects: each step by itself, on slabs laid by hand.
 *
 *      lay(cache, 0, 3):   [ out | out | out | free -> free -> ... ]
 *
 * As no slab is made by what is tested, giving back can be right while taking is not yet written,
 * and the reverse. audit() looks at all slabs: each object once, listed or not, counters.
 */
#include "slabs.h"

/* --- step 1: cutting -------------------------------------------------------------------------- */

static void a_cut_slab_has_all_its_objects(void **state)
{
    static const size_t sizes[] = {8, 24, 200, 1000, 3000};
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct kmem_cache *cache = make("cut", sizes[i], NULL);
        struct page *slab = slab_page_alloc(cache, GFP_KERNEL, 0);
        expect_true(slab != NULL, "there is memory for a slab");
        expect_equal(on_slab(slab), cache->objects, "objects on the freelist of a new slab");
        expect_equal(slab->private, 0, "objects out of a new slab: page->private");
    }
}

static void cut_objects_are_linked_in_ascending_order(void **state)
{
    struct kmem_cache *cache = make("ascending", 120, NULL);
    (void)state;
    struct page *slab = slab_page_alloc(cache, GFP_KERNEL, 0);
    char *want = page_address(slab);
    for (char *o = slab->slab_free; o; o = *free_link(cache, o), want += cache->size)
        expect_equal(o - want, 0, "bytes between an object and where it should lie");
}

static void cut_objects_keep_their_alignment(void **state)
{
    (void)state;
    for (size_t align = 8; align <= 512; align *= 4) {
        struct kmem_cache *cache = kmem_cache_create("aligned", 40, align, SLAB_PANIC, NULL);
        struct page *slab = slab_page_alloc(cache, GFP_KERNEL, 0);
        unsigned n = 0;
        for (char *o = slab->slab_free; o; o = *free_link(cache, o), n++)
            expect_equal((uintptr_t)o % align, 0, "address of an object, modulo %zu", align);
        expect_true(n > 1, "there are several objects in the slab");
    }
}

static unsigned constructed;

static void construct(void *object)
{
    memset(object, 0xc5, 40);
    constructed++;
}

static void each_object_cut_is_constructed(void **state)
{
    struct kmem_cache *cache = make("constructed", 40, construct);
    uint8_t want[40];
    (void)state;
    memset(want, 0xc5, sizeof(want));
    constructed = 0;
    struct page *slab = slab_page_alloc(cache, GFP_KERNEL, 0);
    expect_equal(constructed, cache->objects, "calls of the constructor, one an object");
    expect_equal(on_slab(slab), cache->objects, "objects on the freelist of a new slab");
    for (unsigned i = 0; i < cache->objects; i++)
        expect_true(!memcmp(object_of(slab, i), want, sizeof(want)),
                    "object %u is as its constructor made it", i);
}

static void debugging_marks_what_is_cut(void **state)
{
    struct kmem_cache *cache = make("marked", 60, NULL);
    (void)state;
    struct page *slab = slab_page_alloc(cache, GFP_KERNEL, 0);
    for (unsigned i = 0; i < cache->objects; i++) {
        expect_true(slab_debug_is_sane(cache, object_of(slab, i)),
                    "slab_debug_init() was called for object %u", i);
        expect_true(!slab_debug_is_out(cache, object_of(slab, i)), "object %u is free", i);
    }
}

/* --- step 2: the stock ------------------------------------------------------------------------ */

static void an_object_comes_from_the_stock(void **state)
{
    struct kmem_cache *cache = make("stock", 100, NULL);
    struct page *slab = lay(cache, 0, 2);
    (void)state;
    activate(slab, 0);
    unsigned stock = stock_of(cache, 0);
    expect_true(get(cache) == object_of(slab, 2), "the first object of the stock is handed out");
    expect_true(get(cache) == object_of(slab, 3), "then the second");
    expect_equal(stock_of(cache, 0), stock - 2, "objects left in the stock");
    expect_equal(cache->harts[0].allocs, 2, "allocs of hart 0");
    audit(cache);
}

static void the_stock_hands_out_first_what_came_last(void **state)
{
    struct kmem_cache *cache = make("warm", 100, NULL);
    struct page *slab = lay(cache, 0, 4);
    (void)state;
    activate(slab, 0);
    unsigned stock = stock_of(cache, 0);
    kmem_cache_free(cache, object_of(slab, 1));
    kmem_cache_free(cache, object_of(slab, 3));
    expect_equal(stock_of(cache, 0), stock + 2, "objects in the stock after two came back");
    expect_equal(on_slab(slab), 0,
                 "objects in slab_free: to one's own slab one gives without lock");
    expect_equal(cache->harts[0].frees, 2, "frees of hart 0");
    expect_true(get(cache) == object_of(slab, 3),
                "what came last is in the cache still: first out");
    audit(cache);
}

static void each_hart_has_its_own_stock(void **state)
{
    struct kmem_cache *cache = make("own", 100, NULL);
    struct page *a = lay(cache, 0, 0), *b = lay(cache, 0, 0);
    (void)state;
    activate(a, 0);
    activate(b, 1);
    expect_true(get(cache) == object_of(a, 0), "hart 0 takes from its own slab");
    host_become(1);
    expect_true(get(cache) == object_of(b, 0), "hart 1 takes from its own slab");
    kmem_cache_free(cache, object_of(b, 0));
    expect_equal(cache->harts[1].allocs + 10 * cache->harts[1].frees, 11,
                 "allocs and frees of hart 1");
    expect_equal(cache->harts[0].allocs + 10 * cache->harts[0].frees, 1,
                 "allocs and frees of hart 0");
    audit(cache);
}

/* --- step 3: refilling ------------------------------------------------------------------------ */

static void a_refill_takes_what_others_returned(void **state)
{
    struct kmem_cache *cache = make("next", 300, NULL);
    struct page *slab = dry(cache, 3), *other = lay(cache, 0, 1);
    (void)state;
    enlist(other);
    char *object = get(cache);
    expect_true(object && slab_of(object) == slab, "the object is one of the hart's own slab");
    expect_true(cache->harts[0].page == slab, "the slab is still the hart's");
    expect_equal(stock_of(cache, 0), 2,
                 "objects left in the stock: all three became stock at once");
    expect_equal(on_slab(slab), 0, "objects left in slab_free");
    expect_equal(slab->private, cache->objects, "page->private: out, or in a stock");
    audit(cache);
}

static void a_refill_lets_go_of_a_full_slab(void **state)
{
    struct kmem_cache *cache = make("left", 300, NULL);
    struct page *full = dry(cache, 0), *next = lay(cache, 0, 2);
    (void)state;
    enlist(next);
    char *object = get(cache);
    expect_true(object && slab_of(object) == next, "the object is one of the listed slab");
    expect_true(!page_flag(full, PG_active), "PG_active of the full slab is cleared");
    expect_true(!is_listed(full), "a full slab is on no list");
    expect_true(cache->harts[0].page == next && page_flag(next, PG_active),
                "the listed slab is the hart's now, and marked PG_active");
    expect_equal(listed(cache, 0), 0, "slabs on the list");
    audit(cache);
}

static void a_refill_takes_the_first_of_the_list(void **state)
{
    struct kmem_cache *cache = make("first", 300, NULL);
    struct page *slabs[3];
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(slabs); i++)
        enlist(slabs[i] = lay(cache, 0, i));
    for (unsigned left = ARRAY_SIZE(slabs); left; left--) {
        char *object = get(cache);
        struct page *slab = slabs[left - 1];
        expect_true(object && slab_of(object) == slab,
                    "the object is one of the list's first slab");
        expect_equal(cache->nodes[0]->nr_partial, left - 1, "nr_partial after it was taken");
        audit(cache);
        while (cache->harts[0].freelist)
            (void)!get(cache);
    }
}

static void a_refill_makes_a_slab_where_none_is(void **state)
{
    struct kmem_cache *cache = make("fresh", 300, NULL);
    struct page *far = lay(cache, 1, 1);
    (void)state;
    enlist(far);
    char *object = get(cache);
    expect_true(object != NULL, "there is memory for a slab");
    expect_equal(slab_of(object)->nid, 0,
                 "node of the object: the hart's, though node 1 has a "
                 "partial slab");
    expect_equal(cache->nodes[0]->nr_slabs, 1, "slabs of node 0");
    expect_equal(stock_of(cache, 0), cache->objects - 1U, "objects left in the stock");
    audit(cache);
}

static void a_refill_without_memory_fails(void **state)
{
    struct kmem_cache *cache = make("none", 300, NULL);
    struct page *all = NULL, *page;
    (void)state;
    (void)dry(cache, 0);
    while ((page = alloc_pages(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN, 0)) != NULL) {
        page->private = (uint64_t)all;
        all = page;
    }
    expect_true(kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN) == NULL,
                "no object when there is no page");
    audit(cache);
    for (; all; all = page) {
        page = (struct page *)all->private;
        __free_page(all);
    }
    expect_true(get(cache) != NULL, "an object when there are pages again");
    audit(cache);
}

/* --- step 5: from another node ---------------------------------------------------------------- */

static void a_far_object_comes_from_a_partial_slab(void **state)
{
    struct kmem_cache *cache = make("far", 300, NULL);
    struct page *near = lay(cache, 0, 0), *far = lay(cache, 1, 2);
    (void)state;
    activate(near, 0);
    enlist(far);
    unsigned stock = stock_of(cache, 0);
    char *object = kmem_cache_alloc_node(cache, GFP_KERNEL, 1);
    expect_true(object == object_of(far, 2), "the first free object of the slab that is listed");
    expect_equal(far->private, 3, "page->private of the far slab");
    expect_true(is_listed(far), "it has free objects still, and stays on its list");
    expect_equal(stock_of(cache, 0), stock, "objects in hart 0's stock, which this is not about");
    audit(cache);
}

static void the_last_far_object_takes_the_slab_off_its_list(void **state)
{
    struct kmem_cache *cache = make("last", 300, NULL);
    struct page *far = lay(cache, 1, cache->objects - 1U);
    (void)state;
    enlist(far);
    char *object = kmem_cache_alloc_node(cache, GFP_KERNEL, 1);
    expect_true(object && slab_of(object) == far, "an object of the listed slab");
    expect_true(!is_listed(far), "a full slab is on no list");
    expect_equal(cache->nodes[1]->nr_partial, 0, "nr_partial of node 1");
    audit(cache);
}

static void a_far_node_without_partial_slabs_gets_one(void **state)
{
    struct kmem_cache *cache = make("far new", 300, NULL);
    (void)state;
    for (unsigned i = 0; i < 2U * cache->objects + 1; i++) {
        char *object = kmem_cache_alloc_node(cache, GFP_KERNEL, 1);
        expect_true(object && slab_of(object)->nid == 1, "an object on node 1");
        expect_equal(cache->nodes[1]->nr_slabs, i / cache->objects + 1,
                     "slabs of node 1 after %u objects", i + 1);
        audit(cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_slab_has_all_its_objects),
        cmocka_unit_test(cut_objects_are_linked_in_ascending_order),
        cmocka_unit_test(cut_objects_keep_their_alignment),
        cmocka_unit_test(each_object_cut_is_constructed),
        cmocka_unit_test(debugging_marks_what_is_cut),
        cmocka_unit_test(an_object_comes_from_the_stock),
        cmocka_unit_test(the_stock_hands_out_first_what_came_last),
        cmocka_unit_test(each_hart_has_its_own_stock),
        cmocka_unit_test(a_refill_takes_what_others_returned),
        cmocka_unit_test(a_refill_lets_go_of_a_full_slab),
        cmocka_unit_test(a_refill_takes_the_first_of_the_list),
        cmocka_unit_test(a_refill_makes_a_slab_where_none_is),
        cmocka_unit_test(a_refill_without_memory_fails),
        cmocka_unit_test(a_far_object_comes_from_a_partial_slab),
        cmocka_unit_test(the_last_far_object_takes_the_slab_off_its_list),
        cmocka_unit_test(a_far_node_without_partial_slabs_gets_one),
    };
    return cmocka_run_group_tests(tests, machine_without_caches, NULL);
}
