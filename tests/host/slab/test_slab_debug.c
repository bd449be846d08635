/* SPDX-License-Identifier: MIT */
/*
 * test_slab_debug.c - each kind of misuse is caught, and the audit finds what nobody touched again.
 */
#include "slab/slab_machine.h"

static struct kmem_cache *cache;
static uint8_t *object;

static int with_an_object(void **state)
{
    (void)state;
    cache = kmem_cache_create("misused", 52, 0, 0, NULL); /* 4 bytes of red zone */
    object = kmem_cache_alloc(cache, GFP_KERNEL);
    return cache && object ? 0 : -1;
}

static void a_double_free(void **state)
{
    (void)state;
    kmem_cache_free(cache, object);
    assert_true(PANICS(kmem_cache_free(cache, object)));
    assert_non_null(strstr(host_panic_text, "freed twice"));
}

static void one_byte_beyond_the_end(void **state)
{
    (void)state;
    object[52] = 0;
    assert_int_equal(slab_faults(), 1);
    assert_true(PANICS(kmem_cache_free(cache, object)));
    assert_non_null(strstr(host_panic_text, "beyond its end"));
    object[52] = 0xbb;
    kmem_cache_free(cache, object);
    slab_audit();
}

static void a_word_beyond_the_end(void **state)
{
    uint64_t *trailer = (uint64_t *)(void *)(object + cache->size - 8), was = *trailer;
    (void)state;
    *trailer = 7;
    assert_int_equal(slab_faults(), 1);
    assert_true(PANICS(kmem_cache_free(cache, object)));
    *trailer = was;
    kmem_cache_free(cache, object);
}

static void a_store_after_free(void **state)
{
    (void)state;
    kmem_cache_free(cache, object);
    object[20] = 1;
    assert_true(PANICS(object = kmem_cache_alloc(cache, GFP_KERNEL)));
    assert_non_null(strstr(host_panic_text, "after it was freed"));
    object[20] = 0x6b;
}

static void an_overrun_into_a_free_neighbour(void **state)
{
    (void)state;
    kmem_cache_free(cache, object);
    uint64_t *trailer = (uint64_t *)(void *)(object + cache->size - 8), was = *trailer;
    *trailer = 0;
    assert_true(PANICS(object = kmem_cache_alloc(cache, GFP_KERNEL)));
    *trailer = was;
}

static void the_wrong_cache(void **state)
{
    struct kmem_cache *other = kmem_cache_create("other", 52, 0, 0, NULL);
    (void)state;
    assert_true(PANICS(kmem_cache_free(other, object)));
    assert_non_null(strstr(host_panic_text, "not from"));
    kmem_cache_free(cache, object);
}

static void an_address_inside(void **state)
{
    (void)state;
    assert_true(PANICS(kmem_cache_free(cache, object + 8)));
    assert_non_null(strstr(host_panic_text, "inside"));
    kmem_cache_free(cache, object);
}

static void a_page_that_is_no_slab(void **state)
{
    char *page = get_free_pages(GFP_KERNEL, 0);
    (void)state;
    assert_true(PANICS(kmem_cache_free(cache, page)));
    free_pages(page, 0);
    kmem_cache_free(cache, object);
}

static void an_address_of_nowhere(void **state)
{
    char on_the_stack[8];
    (void)state;
    assert_true(PANICS(kmem_cache_free(cache, on_the_stack)));
    assert_non_null(strstr(host_panic_text, "no memory"));
    assert_true(PANICS(kmem_cache_free(cache, (void *)(LINEAR_BASE + GIB(8)))));
    kmem_cache_free(cache, object);
}

/* --- the audit -------------------------------------------------------------------------------- */

static struct page *partial_slab(void)
{
    slab_flush_hart(cache);
    struct page *slab = slab_of(object);
    assert_int_equal(slab_faults(), 0);
    return slab;
}

static void the_audit_counts_objects(void **state)
{
    struct page *slab = partial_slab();
    (void)state;
    slab->private ++;
    assert_int_equal(slab_faults(), 1);
    slab->private --;
    slab->slab_cache->nodes[slab->nid]->nr_partial++;
    assert_int_equal(slab_faults(), 1);
    slab->slab_cache->nodes[slab->nid]->nr_partial--;
    slab->slab_cache->nodes[slab->nid]->nr_slabs++;
    assert_int_equal(slab_faults(), 1);
    slab->slab_cache->nodes[slab->nid]->nr_slabs--;
    kmem_cache_free(cache, object);
}

static void the_audit_follows_freelists(void **state)
{
    struct page *slab = partial_slab();
    void **first = free_link(cache, slab->slab_free), *second = *first;
    (void)state;
    *first = slab->slab_free; /* a circle */
    assert_int_equal(slab_faults(), 1);
    *first = (char *)second + 1;
    assert_int_equal(slab_faults(), 1);
    *first = second;
    kmem_cache_free(cache, object);
    slab_audit();
}

static void the_audit_counts_what_is_out(void **state)
{
    (void)state;
    cache->harts[1].allocs += 1000000;
    assert_int_equal(slab_faults(), 1);
    cache->harts[1].allocs -= 1000000;
    kmem_cache_free(cache, object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_double_free, with_an_object),
        cmocka_unit_test_setup(one_byte_beyond_the_end, with_an_object),
        cmocka_unit_test_setup(a_word_beyond_the_end, with_an_object),
        cmocka_unit_test_setup(a_store_after_free, with_an_object),
        cmocka_unit_test_setup(an_overrun_into_a_free_neighbour, with_an_object),
        cmocka_unit_test_setup(the_wrong_cache, with_an_object),
        cmocka_unit_test_setup(an_address_inside, with_an_object),
        cmocka_unit_test_setup(a_page_that_is_no_slab, with_an_object),
        cmocka_unit_test_setup(an_address_of_nowhere, with_an_object),
        cmocka_unit_test_setup(the_audit_counts_objects, with_an_object),
        cmocka_unit_test_setup(the_audit_follows_freelists, with_an_object),
        cmocka_unit_test_setup(the_audit_counts_what_is_out, with_an_object),
    };
    return cmocka_run_group_tests(tests, slab_machine, NULL);
}
