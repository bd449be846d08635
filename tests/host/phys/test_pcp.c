/* SPDX-License-Identifier: MIT */
/*
 * test_pcp.c - what a hart keeps for itself, how much of it, and how others get it back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/pcp.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"
#include "support/host.h"

static struct zone *zone;

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(256));
    for (unsigned i = 0; i < 3; i++)
        fake_hart(0);
    fake_boot("");
    zone = zones[0];
    return 0;
}

static void a_refill_brings_a_batch(void **state)
{
    (void)state;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    uint64_t free = zone->nr_free_pages;
    assert_int_equal(pcp_count(pcp), 0);
    struct page *page = alloc_page(GFP_KERNEL);
    assert_int_equal(pcp->refills, 1);
    assert_int_equal(pcp_count(pcp), pcp->batch - 1);
    assert_int_equal(zone->nr_free_pages, free - (uint64_t)pcp->batch);
    assert_int_equal(nr_free_pages_with_pcp(), free - 1);
    __free_page(page);
    assert_int_equal(nr_free_pages_with_pcp(), free);
    fake_check();
}

static void the_hottest_page_comes_first(void **state)
{
    (void)state;
    struct page *a = alloc_page(GFP_KERNEL), *b = alloc_page(GFP_KERNEL);
    __free_page(a);
    __free_page(b);
    assert_ptr_equal(alloc_page(GFP_KERNEL), b);
    assert_ptr_equal(alloc_page(GFP_KERNEL), a);
}

static void addresses_of_a_batch_ascend(void **state)
{
    (void)state;
    struct page *last = alloc_page(GFP_KERNEL);
    for (int i = 1; i < zone_pcp(zone)->batch; i++) {
        struct page *page = alloc_page(GFP_KERNEL);
        assert_true(page > last);
        last = page;
    }
}

static void kinds_and_orders_have_stacks_of_their_own(void **state)
{
    (void)state;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    struct page *unmovable = alloc_pages(GFP_KERNEL, 0);
    struct page *movable = alloc_pages(GFP_HIGHUSER_MOVABLE, 2);
    struct page *slab = alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, 3);
    __free_pages(unmovable, 0);
    __free_pages(movable, 2);
    __free_pages(slab, 3);
    assert_ptr_equal(*pcp_stack(pcp, 0, MIGRATE_UNMOVABLE), unmovable);
    assert_ptr_equal(*pcp_stack(pcp, 2, MIGRATE_MOVABLE), movable);
    assert_ptr_equal(*pcp_stack(pcp, 3, MIGRATE_RECLAIMABLE), slab);
    uint64_t free = zone->nr_free_pages;
    struct page *big = alloc_pages(GFP_KERNEL, 4); /* no pageset keeps these */
    assert_int_equal(zone->nr_free_pages, free - 16);
    __free_pages(big, 4);
    assert_int_equal(zone->nr_free_pages, free);
    fake_check();
}

static void too_many_go_back(void **state)
{
    static struct page *pages[8192];
    (void)state;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    unsigned n = ARRAY_SIZE(pages);
    for (unsigned i = 0; i < n; i++)
        assert_non_null(pages[i] = alloc_page(GFP_KERNEL));
    for (unsigned i = 0; i < n; i++) {
        __free_page(pages[i]);
        assert_true(pcp_count(pcp) <= pcp->high);
    }
    assert_true(pcp->drains > 0);
    assert_true(pcp->given_back >= n - (unsigned)pcp->high);
    fake_check();
}

static void batches_grow_while_the_demand_lasts(void **state)
{
    static struct page *pages[4096];
    (void)state;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    unsigned n = ARRAY_SIZE(pages);
    for (unsigned i = 0; i < n; i++)
        assert_non_null(pages[i] = alloc_page(GFP_KERNEL));
    assert_true(pcp->alloc_factor > 1);
    assert_true(pcp->refills < n / (unsigned)pcp->batch);
    uint8_t grown = pcp->alloc_factor;
    for (unsigned i = 0; i < n; i++)
        __free_page(pages[i]);
    assert_true(pcp->alloc_factor < grown);
    assert_true(pcp->free_factor > 1);
}

static void every_hart_has_its_own(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    host_become(1);
    assert_int_equal(pcp_count(zone_pcp(zone)), 0);
    __free_page(page); /* freed where it is, not where it was taken */
    assert_int_equal(pcp_count(pageset_of(1, zone)), 1);
    assert_ptr_equal(alloc_page(GFP_KERNEL), page);
    __free_page(page);
    fake_check();
    host_become(0);
}

static void a_drain_reaches_all_harts(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages, drains = vm_event_sum(PCP_DRAIN_ALL);
    for (uint32_t i = 0; i < nr_harts; i++) {
        host_become(i);
        __free_page(alloc_page(GFP_KERNEL));
    }
    host_become(0);
    assert_true(zone_pcp_pages(zone) > 0);
    drain_all_pages(zone);
    assert_int_equal(zone_pcp_pages(zone), 0);
    assert_int_equal(zone->nr_free_pages, free);
    __free_page(alloc_page(GFP_KERNEL));
    drain_all_pages(NULL);
    assert_int_equal(zone_pcp_pages(zone), 0);
    assert_int_equal(vm_event_sum(PCP_DRAIN_ALL), drains + 2);
}

static void counts_add_up(void **state)
{
    (void)state;
    uint64_t allocs = zone_pgalloc(zone), frees = zone_pgfree(zone);
    struct page *one = alloc_page(GFP_KERNEL), *eight = alloc_pages(GFP_KERNEL, 3);
    struct page *many = alloc_pages(GFP_KERNEL, 5);
    assert_int_equal(zone_pgalloc(zone), allocs + 1 + 8 + 32);
    assert_int_equal(zone_pgfree(zone), frees);
    __free_page(one);
    __free_pages(eight, 3);
    host_become(2);
    __free_pages(many, 5);
    host_become(0);
    assert_int_equal(zone_pgfree(zone), frees + 1 + 8 + 32);
    drain_all_pages(NULL);
    assert_int_equal(zone_pgfree(zone), frees + 1 + 8 + 32);
}

static void sizes_follow_the_zone(void **state)
{
    (void)state;
    struct per_cpu_pages *pcp = zone_pcp(zone);
    /* Linux: 64 Ki pages >> 10 = 63, / 4 = 15, * 1.5 = 22, power of two - 1 = 15 */
    assert_int_equal(pcp->batch, 15);
    assert_true(pcp->high >= 4 * pcp->batch);
    assert_true((uint64_t)pcp->high * nr_harts <= zone->managed_pages / 8);
    struct page *page = alloc_page(GFP_KERNEL);
    int32_t count = pcp_count(pcp);
    min_free_kbytes *= 8;
    int32_t high = pcp->high;
    setup_per_zone_wmarks();
    assert_true(pcp->high > high);
    assert_int_equal(pcp_count(pcp), count); /* what lies there stays */
    assert_true(pageset_of(2, zone)->high > high);
    harts_online.bits &= ~2UL;
    min_free_kbytes /= 8;
    setup_per_zone_wmarks(); /* an offline hart cannot be asked: its empty pageset is written */
    assert_int_equal(pageset_of(1, zone)->high, high);
    __free_page(page);
    fake_check();
}

static void a_tiny_zone_has_tiny_pagesets(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    for (unsigned i = 0; i < 8; i++)
        fake_hart(0);
    fake_boot("");
    for (uint32_t i = 0; i < nr_harts; i++) {
        host_become(i);
        __free_page(alloc_page(GFP_KERNEL));
    }
    host_become(0);
    assert_true(zone_pcp_pages(zones[0]) <= zones[0]->managed_pages / 32);
    fake_check();
}

static void isolated_pageblocks_bypass_the_pageset(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    int32_t count = pcp_count(zone_pcp(zone));
    spin_lock(&zone->lock);
    pageblock_set_type(page, MIGRATE_ISOLATE);
    spin_unlock(&zone->lock);
    __free_page(page);
    assert_int_equal(pcp_count(zone_pcp(zone)), count);
    assert_int_equal(page->type, PAGE_BUDDY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_refill_brings_a_batch, set_up),
        cmocka_unit_test_setup(the_hottest_page_comes_first, set_up),
        cmocka_unit_test_setup(addresses_of_a_batch_ascend, set_up),
        cmocka_unit_test_setup(kinds_and_orders_have_stacks_of_their_own, set_up),
        cmocka_unit_test_setup(too_many_go_back, set_up),
        cmocka_unit_test_setup(batches_grow_while_the_demand_lasts, set_up),
        cmocka_unit_test_setup(every_hart_has_its_own, set_up),
        cmocka_unit_test_setup(a_drain_reaches_all_harts, set_up),
        cmocka_unit_test_setup(counts_add_up, set_up),
        cmocka_unit_test_setup(sizes_follow_the_zone, set_up),
        cmocka_unit_test_setup(a_tiny_zone_has_tiny_pagesets, set_up),
        cmocka_unit_test_setup(isolated_pageblocks_bypass_the_pageset, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
