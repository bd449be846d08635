/* SPDX-License-Identifier: MIT */
/*
 * test_lab_slab_model.c - objects out and back in any order, on any hart, against a plain model.
 *
 *      live[i]: object, its hart's byte in all of it        nobody writes to what another one has
 */
#include "slabs.h"

enum { LIVE = 1500, STEPS = 60000, CACHES = 3 };

static struct {
    uint8_t *object;
    struct kmem_cache *cache;
    uint8_t byte;
} live[LIVE];

static struct kmem_cache *caches[CACHES];
static unsigned n_live;

static void model_take(struct rng *rng)
{
    int nid = (int)rng_below(rng, 4) - 1; /* -1: near */
    struct kmem_cache *cache = caches[rng_below(rng, CACHES)];
    if (n_live == LIVE)
        return;
    uint8_t *object = nid < 0 ? kmem_cache_alloc(cache, GFP_KERNEL)
                              : kmem_cache_alloc_node(cache, GFP_KERNEL, nid);
    expect_true(object != NULL, "there is memory for an object");
    struct page *slab = slab_of(object);
    expect_true(slab->type == PAGE_SLAB && slab->slab_cache == cache,
                "an object of %s is in a slab of it", cache->name);
    if (nid >= 0)
        expect_equal(slab->nid, nid == MEMORYLESS ? 1 : nid, "node of an object for node %d", nid);
    live[n_live].object = object;
    live[n_live].cache = cache;
    live[n_live].byte = (uint8_t)rng_next(rng);
    memset(object, live[n_live].byte, cache->object_size);
    n_live++;
}

static void model_give(unsigned i)
{
    for (uint32_t b = 0; b < live[i].cache->object_size; b++)
        expect_equal(live[i].object[b], live[i].byte,
                     "byte %u of an object of %s: it was handed "
                     "out twice, or overwritten",
                     b, live[i].cache->name);
    kmem_cache_free(live[i].cache, live[i].object);
    live[i] = live[--n_live];
}

static void look(void)
{
    for (unsigned i = 0; i < CACHES; i++)
        audit(caches[i]);
}

static void anything_in_any_order(void **state)
{
    static const size_t sizes[CACHES] = {40, 600, 3000};
    struct rng rng;
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned i = 0; i < CACHES; i++)
        caches[i] = make("model", sizes[i] + rng_below(&rng, 20), NULL);
    for (unsigned step = 1; step <= STEPS; step++) {
        host_become((uint32_t)rng_below(&rng, 4));
        if (rng_below(&rng, 100) < (step / 6000 % 2 ? 35u : 65u))
            model_take(&rng);
        else if (n_live)
            model_give((unsigned)rng_below(&rng, n_live));
        if (rng_below(&rng, 5000) == 0)
            (void)kmem_cache_shrink(caches[rng_below(&rng, CACHES)]);
        if (step % 1000 == 0)
            look();
    }
    while (n_live)
        model_give(n_live - 1);
    look();
    for (unsigned i = 0; i < CACHES; i++) {
        (void)kmem_cache_shrink(caches[i]);
        for (int nid = 0; nid < 2; nid++)
            expect_equal(caches[i]->nodes[nid]->nr_slabs, 0,
                         "slabs of node %d when all objects came back and it was shrunk", nid);
    }
    fake_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(anything_in_any_order)};
    return cmocka_run_group_tests(tests, machine_without_caches, NULL);
}
