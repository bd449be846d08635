/* SPDX-License-Identifier: MIT */
/*
 * test_phys_threads.c - buddy, pagesets, vmstat and page locks with harts that really run at once.
 *
 *      hart 0 (thread)   alloc, write own mark, ... ---.
 *      hart 1 (thread)   alloc, write own mark, ...     >-- every page has one owner at a time
 *      hart 2 (thread)   drains all pagesets, sizes ---'
 *
 * Built under TSan: each access that no lock or atomic orders is a failure, whatever its result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/random.h"
#include "phys/buddy.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"
#include "support/host.h"

enum { HARTS = 4, ROUNDS = 30000, HELD = 200 };

static int failures; /* atomic: cmocka's asserts are for the main thread */

static void note(bool ok)
{
    if (!ok)
        fetch_add(&failures, 1);
}

static uint32_t running; /* atomic: harts that still have work, so must be served */

static void run_harts(void *(*fn)(void *))
{
    pthread_t threads[HARTS];
    failures = 0;
    running = HARTS;
    for (uintptr_t i = 0; i < HARTS; i++)
        pthread_create(&threads[i], NULL, fn, (void *)i);
    for (unsigned i = 0; i < HARTS; i++)
        pthread_join(threads[i], NULL);
    host_become(0);
    assert_int_equal(failures, 0);
}

static void begin(void *arg, struct rng *rng)
{
    host_run_as((uint32_t)(uintptr_t)arg);
    rng_seed(rng, (uintptr_t)arg + 7);
}

/* Serve the others until none of them can want anything any more. */
static void *end(void)
{
    fetch_sub(&running, 1);
    while (load_acquire(&running))
        host_poll();
    host_leave();
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    fake_memory(1, MIB(16), MIB(16));
    for (unsigned i = 0; i < HARTS; i++)
        fake_hart(i & 1);
    fake_boot("dma32=8M");
    return 0;
}

/* --- allocation ------------------------------------------------------------------------------- */

static uint64_t *first_word(struct page *page)
{
    return page_address(page);
}

static void *alloc_and_free(void *arg)
{
    static struct page *held[HARTS][HELD];
    static const gfp_t kinds[] = {GFP_ATOMIC, GFP_NOWAIT | __GFP_MOVABLE,
                                  GFP_NOWAIT | __GFP_RECLAIMABLE, GFP_NOWAIT | GFP_DMA32};
    struct page **mine = held[(uintptr_t)arg];
    uint64_t mark = (uintptr_t)arg + 1;
    struct rng rng;
    begin(arg, &rng);
    memset(mine, 0, sizeof(held[0]));
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct page **slot = &mine[rng_below(&rng, HELD)];
        if (*slot) {
            note(*first_word(*slot) == mark);
            __free_pages(*slot, (*slot)->order);
            *slot = NULL;
        } else {
            unsigned order = (unsigned)(rng_below(&rng, 4) ? 0 : rng_below(&rng, 6));
            *slot = alloc_pages_node((int)rng_below(&rng, 2),
                                     kinds[rng_below(&rng, 4)] | __GFP_NOWARN, order);
            if (*slot)
                *first_word(*slot) = mark;
        }
        if (i % 32 == 0)
            host_poll();
        if (i % 4096 == 0)
            drain_all_pages(NULL);
    }
    for (unsigned i = 0; i < HELD; i++)
        if (mine[i])
            __free_pages(mine[i], mine[i]->order);
    return end();
}

static void harts_share_the_zones(void **state)
{
    (void)state;
    uint64_t free = nr_free_pages();
    run_harts(alloc_and_free);
    fake_check();
    drain_all_pages(NULL);
    assert_int_equal(nr_free_pages(), free);
}

/* --- settings while others allocate ----------------------------------------------------------- */

static void *change_and_look(void *arg)
{
    struct rng rng;
    if ((uintptr_t)arg)
        return alloc_and_free(arg);
    begin(arg, &rng);
    for (unsigned i = 0; i < 300; i++) {
        uint64_t counts[MIGRATE_TYPES];
        setup_per_zone_wmarks();
        drain_all_pages(zones[rng_below(&rng, nr_zones)]);
        (void)nr_free_pages_with_pcp();
        (void)zone_pgfree(zones[0]);
        pageblock_count(zones[0], counts);
        host_poll();
    }
    return end();
}

static void settings_change_under_load(void **state)
{
    (void)state;
    run_harts(change_and_look);
    fake_check();
}

/* --- counters and references ------------------------------------------------------------------ */

static struct page *shared;

static void *count_and_refer(void *arg)
{
    struct rng rng;
    begin(arg, &rng);
    for (unsigned i = 0; i < ROUNDS; i++) {
        mod_node_state(NODE_DATA(i & 1), NR_ANON_MAPPED, 3);
        mod_zone_state(zones[0], NR_MLOCK, i & 1 ? -1 : 2);
        count_vm_event(PGFAULT);
        if (get_page_unless_zero(shared))
            put_page(shared);
        if (i % 512 == 0)
            (void)node_state(NODE_DATA(0), NR_ANON_MAPPED);
    }
    return end();
}

static void counters_lose_nothing(void **state)
{
    (void)state;
    uint64_t faults = vm_event_sum(PGFAULT);
    shared = alloc_page(GFP_KERNEL);
    run_harts(count_and_refer);
    assert_int_equal(global_node_state(NR_ANON_MAPPED), 3UL * HARTS * ROUNDS);
    assert_int_equal(zone_state(zones[0], NR_MLOCK), HARTS * ROUNDS / 2);
    assert_int_equal(vm_event_sum(PGFAULT), faults + (uint64_t)HARTS * ROUNDS);
    assert_int_equal(page_count(shared), 1);
    __free_page(shared);
}

/* --- the page lock ---------------------------------------------------------------------------- */

static uint64_t guarded; /* by shared's page lock */

static void *lock_in_turn(void *arg)
{
    struct rng rng;
    begin(arg, &rng);
    for (unsigned i = 0; i < 3000; i++) {
        if (i % 3 == 0 && !trylock_page(shared))
            continue;
        if (i % 3)
            lock_page(shared);
        guarded++;
        unlock_page(shared);
        wait_on_page_locked(shared);
    }
    return end();
}

static void a_page_lock_has_one_holder(void **state)
{
    (void)state;
    shared = alloc_page(GFP_KERNEL);
    guarded = 0;
    run_harts(lock_in_turn);
    assert_in_range(guarded, HARTS * 2000, HARTS * 3000);
    assert_false(page_flag(shared, PG_locked));
    __free_page(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(harts_share_the_zones, set_up),
        cmocka_unit_test_setup(settings_change_under_load, set_up),
        cmocka_unit_test_setup(counters_lose_nothing, set_up),
        cmocka_unit_test_setup(a_page_lock_has_one_holder, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
