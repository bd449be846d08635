/* SPDX-License-Identifier: MIT */
/*
 * test_cache.c - object caches: what they promise to those who use them.
 */
#include "slab/slab_machine.h"

#include "base/errno.h"
#include "phys/alloc.h"
#include "phys/pressure.h"

#define MANY 1000

static void *objects[MANY];

static struct kmem_cache *make(const char *name, size_t size, unsigned flags)
{
    struct kmem_cache *cache = kmem_cache_create(name, size, 0, flags, NULL);
    assert_non_null(cache);
    return cache;
}

static void take(struct kmem_cache *cache, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_non_null(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
}

static void give(struct kmem_cache *cache, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        kmem_cache_free(cache, objects[i]);
}

static void objects_are_apart_aligned_and_in_slabs(void **state)
{
    struct kmem_cache *cache = make("apart", 40, SLAB_HWCACHE_ALIGN);
    (void)state;
    take(cache, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        assert_int_equal(slab_of(objects[i])->type, PAGE_SLAB);
        assert_ptr_equal(slab_of(objects[i])->slab_cache, cache);
        memset(objects[i], (int)i, 40);
    }
    for (unsigned i = 0; i < MANY; i++)
        for (unsigned b = 0; b < 40; b++)
            assert_int_equal(((uint8_t *)objects[i])[b], i & 0xff);
    slab_audit();
    give(cache, MANY);
    assert_int_equal(objects_out(cache), 0);
    assert_int_equal(kmem_cache_destroy(cache), 0);
    slab_audit();
}

static void the_last_one_back_is_the_first_out(void **state)
{
    struct kmem_cache *cache = make("warm", 100, 0);
    (void)state;
    take(cache, 3);
    kmem_cache_free(cache, objects[1]);
    assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objects[1]);
    kmem_cache_free(cache, NULL);
    give(cache, 3);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void slabs_lose_little(void **state)
{
    (void)state;
    for (size_t size = 1; size <= KMALLOC_MAX_CACHE; size += size < 300 ? 1 : 97) {
        struct kmem_cache *cache = make("sizes", size, 0);
        size_t bytes = PAGE_SIZE << cache->order, used = (size_t)cache->objects * cache->size;
        assert_true(cache->size >= size && cache->size % sizeof(void *) == 0);
        assert_true(cache->objects >= 3 && used <= bytes);
        if (cache->order < 3)
            assert_true(bytes - used <= bytes / 8);
        assert_int_equal(kmem_cache_destroy(cache), 0);
    }
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    assert_null(kmem_cache_create("empty", 0, 0, 0, NULL));
    assert_null(kmem_cache_create("large", KMALLOC_MAX_CACHE + 1, 0, 0, NULL));
    assert_null(kmem_cache_create("three", 8, 3, 0, NULL));
    assert_null(kmem_cache_create("aligned", 8, 2 * PAGE_SIZE, 0, NULL));
    assert_true(PANICS((void)kmem_cache_create("boot", 0, 0, SLAB_PANIC, NULL)));
}

static void zeroed_when_asked(void **state)
{
    struct kmem_cache *cache = make("zero", 72, 0);
    static const char zeros[72];
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        char *o = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
        assert_memory_equal(o, zeros, sizeof(zeros));
        memset(o, 0x55, sizeof(zeros));
        kmem_cache_free(cache, o);
        o = kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_ZERO, 1);
        assert_memory_equal(o, zeros, sizeof(zeros));
        memset(o, 0x55, sizeof(zeros));
        kmem_cache_free(cache, o);
    }
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static unsigned constructed;

static void construct(void *object)
{
    memset(object, 0xc0, 24);
    constructed++;
}

static void what_was_constructed_stays_so(void **state)
{
    struct kmem_cache *cache = kmem_cache_create("ctor", 24, 0, 0, construct);
    uint8_t made[24];
    (void)state;
    memset(made, 0xc0, sizeof(made));
    for (unsigned round = 0; round < 2; round++) {
        take(cache, 50);
        for (unsigned i = 0; i < 50; i++)
            assert_memory_equal(objects[i], made, sizeof(made));
        slab_audit();
        give(cache, 50);
    }
    assert_int_equal(constructed, slabs_of(cache) * cache->objects);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

/* --- harts and nodes -------------------------------------------------------------------------- */

static void others_give_back_to_the_slab(void **state)
{
    struct kmem_cache *cache = make("others", 512, 0);
    unsigned n = cache->objects;
    (void)state;
    take(cache, n); /* all of hart 0's slab */
    assert_int_equal(slabs_of(cache), 1);
    host_become(1);
    give(cache, n);
    host_become(0);
    slab_audit();
    take(cache, n); /* no second slab is needed: what came back is found */
    assert_int_equal(slabs_of(cache), 1);
    give(cache, n);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void full_slabs_are_found_again(void **state)
{
    struct kmem_cache *cache = make("full", 512, 0);
    unsigned n = 4u * cache->objects;
    (void)state;
    take(cache, n);
    assert_int_equal(slabs_of(cache), 4);
    kmem_cache_free(cache, objects[0]); /* the first slab is full and on no list till now */
    slab_audit();
    kmem_cache_free(cache, objects[n - 1]);
    objects[0] = kmem_cache_alloc(cache, GFP_KERNEL);
    objects[n - 1] = kmem_cache_alloc(cache, GFP_KERNEL);
    assert_int_equal(slabs_of(cache), 4);
    give(cache, n);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void each_node_has_its_own(void **state)
{
    struct kmem_cache *cache = make("nodes", 256, 0);
    (void)state;
    for (int nid = 0; nid < 2; nid++)
        for (unsigned i = 0; i < 100; i++) {
            objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL, nid);
            assert_int_equal(slab_of(objects[i])->nid, nid);
            if (i % 2)
                kmem_cache_free(cache, objects[i]);
        }
    void *any = kmem_cache_alloc_node(cache, GFP_KERNEL, -1);
    assert_int_equal(slab_of(any)->nid, 0);
    host_become(2);
    void *here = kmem_cache_alloc(cache, GFP_KERNEL);
    assert_int_equal(slab_of(here)->nid, 1);
    host_become(0);
    slab_audit();
}

static void a_memoryless_node_uses_its_neighbour(void **state)
{
    struct kmem_cache *cache = make("neighbour", 256, 0);
    (void)state;
    host_become(3);
    void *a = kmem_cache_alloc(cache, GFP_KERNEL);
    host_become(0);
    void *b = kmem_cache_alloc_node(cache, GFP_KERNEL, MEMORYLESS);
    assert_int_equal(slab_of(a)->nid, 1); /* nearer than node 0 */
    assert_int_equal(slab_of(b)->nid, 1);
    assert_null(kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE, MEMORYLESS));
    kmem_cache_free(cache, a);
    kmem_cache_free(cache, b);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static struct kmem_cache *moving;
static void *taken_there;

/* Somebody whose allocation waits wakes up on hart 1, where another thread has just been served. */
static enum relief_result move_to_hart_1(struct relief_request *request)
{
    (void)request;
    if (moving) {
        host_become(1);
        taken_there = kmem_cache_alloc(moving, GFP_NOWAIT);
    }
    return RELIEF_NONE;
}

static void a_stock_found_after_waiting_is_kept(void **state)
{
    static struct relief mover = {
        .name = "mover", .rank = RELIEF_RANK_KILL, .relieve = move_to_hart_1};
    struct kmem_cache *cache = make("moved", 512, 0);
    struct page *all = NULL, *page;
    (void)state;
    relief_register(&mover);
    host_become(1);
    take(cache, 1);
    host_become(0);
    while ((page = alloc_pages(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN, 0)) != NULL) {
        page->private = (uint64_t)all;
        all = page;
    }
    moving = cache;
    void *object = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOWARN);
    moving = NULL;
    host_become(0);
    assert_non_null(taken_there);
    assert_non_null(object); /* out of the stock of hart 1 */
    assert_int_equal(objects_out(cache), 3);
    for (; all; all = page) {
        page = (struct page *)all->private;
        __free_page(all);
    }
    slab_audit();
    kmem_cache_free(cache, object);
    kmem_cache_free(cache, taken_there);
    give(cache, 1);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

/* --- giving back ------------------------------------------------------------------------------ */

static void shrinking_gives_every_page_back(void **state)
{
    struct kmem_cache *cache = make("shrink", 600, SLAB_RECLAIM_ACCOUNT);
    int64_t before = global_node_state(NR_SLAB_RECLAIMABLE);
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        host_become(i % 4);
        objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
    }
    uint64_t slabs = slabs_of(cache);
    assert_int_equal(global_node_state(NR_SLAB_RECLAIMABLE) - before, slabs << cache->order);
    for (unsigned i = 0; i < 200; i++) {
        host_become((i + 1) % 4);
        kmem_cache_free(cache, objects[i]);
    }
    host_become(0);
    assert_true(slabs_of(cache) < slabs); /* empty ones beyond a few went at once */
    slabs = slabs_of(cache);
    assert_int_equal(kmem_cache_shrink(cache), slabs << cache->order);
    assert_int_equal(slabs_of(cache), 0);
    assert_int_equal(global_node_state(NR_SLAB_RECLAIMABLE), before);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void all_caches_shrink_at_once(void **state)
{
    struct kmem_cache *a = make("all a", 64, 0), *b = make("all b", 640, 0);
    (void)state;
    void *x = kmem_cache_alloc(a, GFP_KERNEL), *y = kmem_cache_alloc(b, GFP_KERNEL);
    kmem_cache_free(a, x);
    assert_true(slab_shrink_all() >= 1);
    assert_int_equal(slabs_of(a), 0);
    assert_int_equal(slabs_of(b), 1); /* y is out */
    kmem_cache_free(b, y);
    assert_int_equal(kmem_cache_destroy(a), 0);
    assert_int_equal(kmem_cache_destroy(b), 0);
}

static void a_leak_is_reported_and_stays(void **state)
{
    struct kmem_cache *cache = make("leak", 64, 0);
    (void)state;
    take(cache, 20);
    kmem_cache_free(cache, objects[0]);
    assert_int_equal(kmem_cache_destroy(cache), -EBUSY);
    slab_audit();
    for (unsigned i = 1; i < 20; i++)
        kmem_cache_free(cache, objects[i]);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

static void count_one(const struct slabinfo *info, void *arg)
{
    if (!strcmp(info->name, "info")) {
        assert_int_equal(info->objsize, 200);
        assert_int_equal(info->active_objs, 7);
        assert_int_equal(info->num_objs, info->num_slabs * info->objperslab);
        assert_int_equal(info->active_slabs, 1);
        assert_int_equal(info->pagesperslab, 1);
        ++*(unsigned *)arg;
    }
}

static void slabinfo_tells_the_numbers(void **state)
{
    struct kmem_cache *cache = make("info", 200, 0);
    unsigned seen = 0;
    (void)state;
    take(cache, 7);
    slabinfo_each(count_one, &seen);
    assert_int_equal(seen, 1);
    give(cache, 7);
    assert_int_equal(kmem_cache_destroy(cache), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_apart_aligned_and_in_slabs),
        cmocka_unit_test(the_last_one_back_is_the_first_out),
        cmocka_unit_test(slabs_lose_little),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(zeroed_when_asked),
        cmocka_unit_test(what_was_constructed_stays_so),
        cmocka_unit_test(others_give_back_to_the_slab),
        cmocka_unit_test(full_slabs_are_found_again),
        cmocka_unit_test(each_node_has_its_own),
        cmocka_unit_test(a_memoryless_node_uses_its_neighbour),
        cmocka_unit_test(a_stock_found_after_waiting_is_kept),
        cmocka_unit_test(shrinking_gives_every_page_back),
        cmocka_unit_test(all_caches_shrink_at_once),
        cmocka_unit_test(a_leak_is_reported_and_stays),
        cmocka_unit_test(slabinfo_tells_the_numbers),
    };
    return cmocka_run_group_tests(tests, slab_machine, NULL);
}
