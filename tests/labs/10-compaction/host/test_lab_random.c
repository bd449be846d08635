/* SPDX-License-Identifier: MIT */
/*
 * test_lab_random.c - runs of all kinds over machines drawn from the seed, one after another.
 *
 *      1 to 3 nodes, each in two pieces with odd ends and holes between, perhaps in two zones; each
 *      pageblock filled differently, some of another type; a mover that refuses and guests that
 *      free meanwhile
 *
 * What must be true: see mover and account in zone_map.h. Pages go up, inside of their zone, to
 * free ones; each is tried once a run; afterwards every page is there once and whole.
 */
#include "runs.h"

static struct rng rng;

static char mixed(uint64_t pfn)
{
    uint64_t dense = (pfn / PAGEBLOCK_PAGES * 7 + lab_seed()) % 8; /* each pageblock its own */
    return rng_below(&rng, 8) < dense ? "aaaaafffpxk"[rng_below(&rng, 11)] : '.';
}

static void random_machine(void)
{
    uint64_t at = rng_below(&rng, 4) * KIB(4);
    unsigned nodes = 1 + (unsigned)rng_below(&rng, 3);
    fake_begin();
    for (unsigned i = 0; i < 2 * nodes; i++) {
        uint64_t size = MIB(5 + rng_below(&rng, 8)) + KIB(4) * rng_below(&rng, 300);
        fake_memory(i % nodes, at, size);
        at += size + (rng_below(&rng, 2) ? KIB(4) * rng_below(&rng, 700) : 0);
    }
    for (unsigned i = 0; i < nodes; i++)
        fake_hart(i);
    fake_boot(rng_below(&rng, 2) ? "dma32=9M" : "");
}

/* The pageblock is RAM of one zone: only such a one changes its type. */
static bool belongs_to_one(uint64_t block)
{
    for (uint64_t pfn = BLOCK(block); pfn < BLOCK(block + 1); pfn++)
        if (!pfn_valid(mk_pfn(pfn)) || page_zone(page_at(pfn)) != page_zone(page_at(BLOCK(block))))
            return false;
    return true;
}

static int random_refusal(struct page *page)
{
    return rng_below(&rng, 16) ? frees_some(page) : -EBUSY;
}

static void random_run(void)
{
    zone = zones[rng_below(&rng, nr_zones)];
    mover_says = rng_below(&rng, 2) ? random_refusal : NULL;
    memset(tried, 0, sizeof(tried));
    nr_moves = 0;
    (void)run_with((struct compact_control){
        .zone = zone,
        .order = rng_below(&rng, 2) ? COMPACT_ALL : 1 + (int)rng_below(&rng, MAX_ORDER),
        .migratetype = MIGRATE_MOVABLE,
        .mode = (enum migrate_mode)rng_below(&rng, 2),
        .whole_zone = rng_below(&rng, 2)});
    for (uint64_t i = 0; i < MAP_FRAMES; i++)
        expect_true(tried[i] <= 1, "the page that was laid at 0x%lx was tried %u times in one run",
                    (unsigned long)frame_pfn(i), tried[i]);
    give_back();
    account(0);
}

static void any_machine_in_any_state(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned i = 0; i < 6; i++) {
        random_machine();
        lay(mixed);
        for (uint64_t block = 0; block < MAP_FRAMES / PAGEBLOCK_PAGES; block++)
            if (belongs_to_one(block) && !rng_below(&rng, 8))
                retype(BLOCK(block), rng_below(&rng, 2) ? MIGRATE_UNMOVABLE : MIGRATE_RECLAIMABLE);
        mover_forget();
        for (unsigned n = 0; n < 6; n++)
            random_run();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_machine_in_any_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
