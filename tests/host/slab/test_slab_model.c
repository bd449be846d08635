/* SPDX-License-Identifier: MIT */
/*
 * test_slab_model.c - a million random operations against a plain list of who owns what.
 *
 *      model[i]: object, its size, its byte       every object keeps the bytes its owner wrote
 */
#include "slab/slab_machine.h"

#include "base/random.h"

#define SLOTS 3000
#define STEPS 1000000
#define AUDIT_EVERY 10000
#define CACHES 4

static struct {
    uint8_t *object;
    size_t size;
    struct kmem_cache *cache; /* NULL: kmalloc */
    uint8_t byte;
} model[SLOTS];

static struct kmem_cache *caches[CACHES];
static const size_t sizes[CACHES] = {24, 120, 760, 5000};
static struct rng rng;

static void check_bytes(unsigned i)
{
    for (size_t b = 0; b < model[i].size; b += 1 + model[i].size / 16)
        if (model[i].object[b] != model[i].byte)
            fail_msg("slot %u: byte %zu of %zu was overwritten", i, b, model[i].size);
}

static void take(unsigned i)
{
    unsigned kind = (unsigned)rng_below(&rng, CACHES + 2);
    int nid = (int)rng_below(&rng, 4) - 1;
    model[i].cache = kind < CACHES ? caches[kind] : NULL;
    model[i].size = kind < CACHES ? sizes[kind] : 1 + rng_below(&rng, kind == CACHES ? 300 : 20000);
    model[i].object = model[i].cache ? kmem_cache_alloc_node(model[i].cache, GFP_NOWAIT, nid)
                                     : kmalloc_node(model[i].size, GFP_NOWAIT, nid);
    model[i].byte = (uint8_t)rng_next(&rng);
    if (model[i].object)
        memset(model[i].object, model[i].byte, model[i].size);
}

static void give(unsigned i)
{
    if (!model[i].object)
        return;
    check_bytes(i);
    if (model[i].cache)
        kmem_cache_free(model[i].cache, model[i].object);
    else
        kfree(model[i].object);
    model[i].object = NULL;
}

static void resize(unsigned i)
{
    size_t size = 1 + rng_below(&rng, 9000);
    if (!model[i].object || model[i].cache)
        return;
    check_bytes(i);
    uint8_t *p = krealloc(model[i].object, size, GFP_NOWAIT);
    if (!p)
        return;
    for (size_t b = 0; b < MIN(size, model[i].size); b++)
        assert_int_equal(p[b], model[i].byte);
    memset(p, model[i].byte, size);
    model[i].object = p;
    model[i].size = size;
}

static void step(void)
{
    unsigned i = (unsigned)rng_below(&rng, SLOTS), what = (unsigned)rng_below(&rng, 20);
    host_become((uint32_t)rng_below(&rng, 4));
    if (what < 2)
        resize(i);
    else if (model[i].object)
        give(i);
    else
        take(i);
    if (rng_below(&rng, 20000) == 0)
        (void)slab_shrink_all();
    host_become(0);
}

static void a_million_steps(void **state)
{
    (void)state;
    rng_seed(&rng, 20);
    for (unsigned i = 0; i < CACHES; i++)
        caches[i] = kmem_cache_create("model", sizes[i], 0, 0, NULL);
    for (unsigned n = 0; n < STEPS; n++) {
        step();
        if (n % AUDIT_EVERY == 0)
            slab_audit();
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give(i);
    for (unsigned i = 0; i < CACHES; i++) {
        assert_int_equal(objects_out(caches[i]), 0);
        assert_int_equal(kmem_cache_destroy(caches[i]), 0);
    }
    slab_audit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_million_steps)};
    return cmocka_run_group_tests(tests, slab_machine, NULL);
}
