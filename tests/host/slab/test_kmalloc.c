/* SPDX-License-Identifier: MIT */
/*
 * test_kmalloc.c - memory of any size, and what happens when there is none.
 */
#include "slab/slab_machine.h"

static void every_size_has_room(void **state)
{
    (void)state;
    for (size_t size = 1; size < 40000; size += size < 600 ? 1 : 311) {
        uint8_t *p = kmalloc(size, GFP_KERNEL);
        assert_non_null(p);
        assert_true(ksize(p) >= size);
        if (size > 16 && size <= KMALLOC_MAX_CACHE)
            assert_true(ksize(p) < 2 * size); /* never more than twice */
        assert_int_equal((uintptr_t)p % 8, 0);
        memset(p, 0xff, ksize(p));
        kfree(p);
    }
    slab_audit();
}

static void powers_of_two_are_aligned(void **state)
{
    (void)state;
    for (size_t size = 8; size <= MIB(1); size *= 2) {
        void *p = kmalloc(size, GFP_KERNEL);
        assert_int_equal((uintptr_t)p % MIN(size, (size_t)64), 0);
        if (size > KMALLOC_MAX_CACHE)
            assert_int_equal((uintptr_t)p % PAGE_SIZE, 0);
        kfree(p);
    }
}

static void classes_are_linux_s(void **state)
{
    static const struct {
        size_t size, class;
    } cases[] = {{1, 8},     {8, 8},       {9, 16},      {33, 64},     {65, 96},
                 {96, 96},   {97, 128},    {129, 192},   {192, 192},   {193, 256},
                 {256, 256}, {1025, 2048}, {4097, 8192}, {8192, 8192}, {8193, 16384}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        void *p = kmalloc(cases[i].size, GFP_KERNEL);
        assert_int_equal(ksize(p), cases[i].class);
        kfree(p);
    }
}

static void nothing_for_nothing(void **state)
{
    (void)state;
    assert_null(kmalloc(0, GFP_KERNEL));
    assert_null(kmalloc_node(0, GFP_KERNEL, 1));
    assert_null(kmalloc(SIZE_MAX, GFP_KERNEL));
    assert_null(kmalloc((PAGE_SIZE << MAX_ORDER) + 1, GFP_KERNEL));
    assert_null(kcalloc(SIZE_MAX / 8, 16, GFP_KERNEL));
    assert_null(kcalloc(0, 16, GFP_KERNEL));
    kfree(NULL);
}

static void zeroed(void **state)
{
    static const char zeros[50000];
    (void)state;
    for (size_t size = 1; size < sizeof(zeros); size = size * 3 + 1) {
        char *p = kmalloc(size, GFP_KERNEL);
        memset(p, 1, size);
        kfree(p);
        p = kzalloc(size, GFP_KERNEL);
        assert_memory_equal(p, zeros, size);
        memset(p, 1, size);
        kfree(p);
        p = kcalloc(1, size, GFP_KERNEL);
        assert_memory_equal(p, zeros, size);
        kfree(p);
    }
}

static void on_a_node(void **state)
{
    (void)state;
    for (int nid = 0; nid < 2; nid++) {
        void *small = kmalloc_node(100, GFP_KERNEL, nid);
        void *large = kmalloc_node(100000, GFP_KERNEL, nid);
        assert_int_equal(slab_of(small)->nid, nid);
        assert_int_equal(slab_of(large)->nid, nid);
        kfree(small);
        kfree(large);
    }
    void *far = kmalloc_node(100000, GFP_KERNEL, MEMORYLESS);
    assert_int_equal(slab_of(far)->nid, 1);
    kfree(far);
}

static void realloc_keeps_what_was_there(void **state)
{
    char *p = NULL;
    (void)state;
    for (size_t size = 1; size < 30000; size = size * 2 + 1) {
        p = krealloc(p, size, GFP_KERNEL);
        assert_non_null(p);
        if (size > 1)
            for (size_t i = 0; i < size / 2; i++)
                assert_int_equal(p[i], 'a');
        memset(p, 'a', size);
    }
    char *same = krealloc(p, ksize(p), GFP_KERNEL);
    assert_ptr_equal(same, p);
    char *shorter = krealloc(p, 10, GFP_KERNEL);
    assert_true(ksize(shorter) < 100);
    assert_int_equal(shorter[9], 'a');
    assert_null(krealloc(shorter, SIZE_MAX, GFP_KERNEL));
    assert_int_equal(shorter[9], 'a');
    kfree(shorter);
}

static void strings(void **state)
{
    (void)state;
    char *copy = kstrdup("pagoda", GFP_KERNEL);
    assert_string_equal(copy, "pagoda");
    kfree(copy);
}

/* --- scarcity --------------------------------------------------------------------------------- */

static LIST_HEAD(hoard);

/* Leave no page on any node for who does not wait. */
static void take_all_pages(void)
{
    for (int order = MAX_ORDER; order >= 0; order--) {
        struct page *page;
        while ((page = alloc_pages(GFP_NOWAIT | __GFP_MEMALLOC, (unsigned)order))) {
            page->private = (uint64_t)order;
            list_add(&page->lru, &hoard);
        }
    }
}

static void give_all_pages(void)
{
    while (!list_empty(&hoard)) {
        struct page *page = list_first_entry(&hoard, struct page, lru);
        list_del(&page->lru);
        __free_pages(page, (unsigned)page->private);
    }
}

static void without_pages_partial_slabs_serve(void **state)
{
    struct kmem_cache *cache = kmem_cache_create("scarce", 512, 0, 0, NULL);
    void *here = kmem_cache_alloc(cache, GFP_KERNEL);
    void *there = kmem_cache_alloc_node(cache, GFP_KERNEL, 1);
    unsigned taken = 0;
    void *objects[64];
    (void)state;
    take_all_pages();
    assert_null(kmem_cache_alloc_node(cache, GFP_NOWAIT | __GFP_THISNODE, MEMORYLESS));
    while (taken < 64 && (objects[taken] = kmem_cache_alloc(cache, GFP_NOWAIT)))
        taken++;
    /* both slabs to the last object, though this hart is on node 0 */
    assert_int_equal(taken + 2, 2 * cache->objects);
    assert_null(kmem_cache_alloc_node(cache, GFP_NOWAIT, 1));
    assert_null(kmem_cache_alloc_node(cache, GFP_NOWAIT | __GFP_THISNODE, 1));
    assert_null(kmalloc(20000, GFP_NOWAIT));
    give_all_pages();
    while (taken)
        kmem_cache_free(cache, objects[--taken]);
    kmem_cache_free(cache, here);
    kmem_cache_free(cache, there);
    assert_int_equal(kmem_cache_destroy(cache), 0);
    slab_audit();
}

static void who_waits_gets_the_pages_of_empty_slabs(void **state)
{
    struct kmem_cache *cache = kmem_cache_create("relief", 2000, 0, 0, NULL);
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    (void)state;
    take_all_pages();
    struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 0);
    assert_null(page); /* an object is out */
    kmem_cache_free(cache, object);
    take_all_pages();
    page = alloc_pages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN, 0);
    assert_non_null(page);
    assert_int_equal(slabs_of(cache), 0);
    __free_page(page);
    give_all_pages();
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void no_memory_for_a_cache(void **state)
{
    void *p;
    struct list_head *kept[2048], **next = kept;
    (void)state;
    take_all_pages();
    (void)slab_shrink_all();
    take_all_pages();
    /* use up what is left in the slabs of the size that a cache itself needs */
    while (next < kept + ARRAY_SIZE(kept) && (p = kmalloc(sizeof(struct kmem_cache), GFP_NOWAIT)))
        *next++ = p;
    assert_null(kmem_cache_create("none", 64, 0, 0, NULL));
    while (next > kept) /* now the cache itself fits, and its parts do not all */
        kfree(*--next);
    give_all_pages();
    slab_audit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_room),
        cmocka_unit_test(powers_of_two_are_aligned),
        cmocka_unit_test(classes_are_linux_s),
        cmocka_unit_test(nothing_for_nothing),
        cmocka_unit_test(zeroed),
        cmocka_unit_test(on_a_node),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(strings),
        cmocka_unit_test(without_pages_partial_slabs_serve),
        cmocka_unit_test(who_waits_gets_the_pages_of_empty_slabs),
        cmocka_unit_test(no_memory_for_a_cache),
    };
    return cmocka_run_group_tests(tests, slab_machine, NULL);
}
