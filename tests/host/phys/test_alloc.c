/* SPDX-License-Identifier: MIT */
/*
 * test_alloc.c - the API: which node, which zone, how many, and what failure looks like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/alloc_slow.h"
#include "phys/fallback.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "support/fake_machine.h"
#include "support/host.h"

#define QUIET __GFP_NOWARN

/* Two nodes of 64 MiB, the first in two zones; a hart each. */
static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(64));
    fake_memory(1, MIB(64), MIB(64));
    fake_hart(0);
    fake_hart(1);
    fake_boot("dma32=32M");
    return 0;
}

static struct page *taken; /* linked by private */

static unsigned take_all(int nid, gfp_t gfp, unsigned order)
{
    unsigned n = 0;
    struct page *page;
    while ((page = alloc_pages_node(nid, gfp | QUIET, order)) != NULL) {
        page->private = (uint64_t)taken;
        taken = page;
        n++;
    }
    return n;
}

static void free_all(void)
{
    while (taken) {
        struct page *page = taken;
        taken = (struct page *)page->private;
        __free_pages(page, page->order);
    }
}

static void a_page_is_ready_to_use(void **state)
{
    (void)state;
    struct page *page = alloc_pages(GFP_KERNEL, 3);
    assert_int_equal(page->type, PAGE_KERNEL);
    assert_int_equal(page_count(page), 1);
    assert_int_equal(page->order, 3);
    assert_int_equal(page->flags, 0);
    assert_null(page->mapping);
    assert_true(IS_ALIGNED(page_to_pfn(page).v, 8));
    for (unsigned i = 1; i < 8; i++)
        assert_int_equal(page[i].type, PAGE_TAIL);
    memset(page_address(page), 0xff, 8 * PAGE_SIZE);
    __free_pages(page, 3);
    fake_check();
}

static void memory_is_local(void **state)
{
    (void)state;
    for (uint32_t hart = 0; hart < 2; hart++) {
        host_become(hart);
        for (unsigned order = 0; order <= MAX_ORDER; order++) {
            struct page *page = alloc_pages(GFP_KERNEL, order);
            assert_int_equal(page->nid, hart);
            __free_pages(page, order);
        }
    }
    host_become(0);
    struct page *page = alloc_pages_node(1, GFP_KERNEL, 0);
    assert_int_equal(page->nid, 1);
    __free_page(page);
}

static void zones_follow_the_flags(void **state)
{
    (void)state;
    struct page *normal = alloc_page(GFP_KERNEL), *low = alloc_page(GFP_DMA32);
    assert_int_equal(page_zone(normal)->index, ZONE_NORMAL);
    assert_int_equal(page_zone(low)->index, ZONE_DMA32);
    assert_int_equal(low->nid, 0);
    struct page *far_low = alloc_pages_node(1, GFP_DMA32, 0); /* node 1 has no low memory */
    assert_int_equal(page_zone(far_low)->index, ZONE_DMA32);
    __free_page(normal);
    __free_page(low);
    __free_page(far_low);
}

static void zeroed_means_all_of_it(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= 4; order += 2) {
        struct page *page = alloc_pages(GFP_KERNEL, order);
        memset(page_address(page), 0x5a, PAGE_SIZE << order);
        __free_pages(page, order);
        page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
        const uint64_t *words = page_address(page);
        for (size_t i = 0; i < (PAGE_SIZE << order) / 8; i++)
            assert_int_equal(words[i], 0);
        __free_pages(page, order);
    }
}

static void a_full_node_overflows_to_the_next(void **state)
{
    (void)state;
    unsigned here = take_all(0, GFP_KERNEL | __GFP_THISNODE, 0);
    assert_true(here > 12000);
    uint64_t misses = vm_event_sum(NUMA_MISS);
    struct page *page = alloc_pages(GFP_KERNEL, 0);
    assert_int_equal(page->nid, 1);
    assert_int_equal(vm_event_sum(NUMA_MISS), misses + 1);
    assert_null(alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE | QUIET, 0));
    __free_page(page);
    free_all();
    fake_check();
}

static void a_mask_keeps_to_its_nodes(void **state)
{
    nodemask_t only = {2};
    (void)state;
    struct page *page = alloc_pages_mask(0, GFP_USER, 0, &only);
    assert_int_equal(page->nid, 1);
    __free_page(page);
    unsigned n = 0;
    struct page *list = NULL;
    while ((page = alloc_pages_mask(0, GFP_USER | QUIET, 0, &only)) != NULL) {
        assert_int_equal(page->nid, 1);
        page->private = (uint64_t)list;
        list = page;
        n++;
    }
    assert_true(n > 12000);
    assert_non_null(page = alloc_page(GFP_USER)); /* node 0 is as it was */
    __free_page(page);
    taken = list;
    free_all();
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_null(alloc_pages(GFP_KERNEL, MAX_ORDER + 1));
    assert_null(alloc_pages(GFP_KERNEL, 1000));
    assert_null(alloc_pages(GFP_KERNEL | __GFP_MOVABLE | __GFP_RECLAIMABLE, 0));
    fake_check();
}

static void privilege_decides_how_deep_one_may_dip(void **state)
{
    (void)state;
    struct zone *zone = NODE_DATA(1)->preferred_zone[ZONE_NORMAL];
    host_become(1);
    (void)take_all(1, GFP_NOWAIT | __GFP_THISNODE, 0);
    drain_all_pages(zone);
    uint64_t at_nowait = zone->nr_free_pages, min = zone->watermark[WMARK_MIN];
    uint64_t batch = (uint64_t)zone_pcp(zone)->batch;
    assert_in_range(at_nowait, min - batch, min + 1);
    (void)take_all(1, GFP_ATOMIC | __GFP_THISNODE, 0);
    drain_all_pages(zone);
    uint64_t at_atomic = zone->nr_free_pages;
    assert_in_range(at_atomic, min * 3 / 8 - batch, min * 3 / 8 + 2);
    bool old = thread_set_memalloc(true);
    assert_false(old);
    (void)take_all(1, GFP_KERNEL | __GFP_THISNODE, 0);
    assert_true(thread_set_memalloc(false));
    fake_thread()->on_ladder = true;
    (void)take_all(1, GFP_KERNEL | __GFP_THISNODE | __GFP_NOMEMALLOC, 0);
    assert_true(zone->nr_free_pages > 0);
    (void)take_all(1, GFP_KERNEL | __GFP_THISNODE, 0);
    fake_thread()->on_ladder = false;
    assert_int_equal(zone->nr_free_pages, 0);
    host_become(0);
    free_all();
    fake_check();
}

static void bulk_takes_what_there_is(void **state)
{
    static struct page *pages[20000];
    (void)state;
    assert_int_equal(alloc_pages_bulk(1, GFP_KERNEL, 100, pages), 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(pages[i]->nid, 1);
        __free_page(pages[i]);
    }
    unsigned n = alloc_pages_bulk(0, GFP_KERNEL | __GFP_THISNODE | QUIET, ARRAY_SIZE(pages), pages);
    assert_in_range(n, 12000, ARRAY_SIZE(pages) - 1);
    for (unsigned i = 0; i < n; i++)
        __free_page(pages[i]);
    fake_check();
}

static void exact_sizes_waste_nothing(void **state)
{
    (void)state;
    uint64_t free = nr_free_pages_with_pcp();
    char *bytes = alloc_pages_exact(5 * PAGE_SIZE - 100, GFP_KERNEL);
    assert_non_null(bytes);
    assert_int_equal(nr_free_pages_with_pcp(), free - 5);
    memset(bytes, 1, 5 * PAGE_SIZE - 100);
    free_pages_exact(bytes, 5 * PAGE_SIZE - 100);
    assert_int_equal(nr_free_pages_with_pcp(), free);
    assert_null(alloc_pages_exact(0, GFP_KERNEL));
    assert_null(alloc_pages_exact(MIB(5), GFP_KERNEL));
    free_pages_exact(NULL, PAGE_SIZE);
    (void)take_all(0, GFP_KERNEL, 3);
    assert_null(alloc_pages_exact(8 * PAGE_SIZE, GFP_KERNEL | QUIET));
    free_all();
    fake_check();
}

static void addresses_instead_of_pages(void **state)
{
    (void)state;
    void *address = get_free_pages(GFP_KERNEL, 1);
    assert_int_equal(page_count(virt_to_page(address)), 1);
    free_pages(address, 1);
    free_pages(NULL, 0);
    assert_null(get_free_pages(GFP_KERNEL, MAX_ORDER + 1));
}

static struct page *released;
static void note_release(struct page *page)
{
    released = page;
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    uint64_t free = nr_free_pages_with_pcp();
    struct page *page = alloc_pages(GFP_KERNEL, 2);
    get_page(page);
    __free_pages(page, 2);
    assert_int_equal(page_count(page), 1);
    assert_true(get_page_unless_zero(page));
    put_page(page);
    put_page(page);
    assert_int_equal(nr_free_pages_with_pcp(), free);
    assert_false(get_page_unless_zero(page));
    page = alloc_page(GFP_HIGHUSER_MOVABLE);
    page_set_type(page, PAGE_ANON);
    page_set_release_hook(note_release);
    put_page(page);
    page_set_release_hook(NULL);
    assert_ptr_equal(released, page);
    fake_check();
}

static void a_list_is_freed_at_once(void **state)
{
    LIST_HEAD(list);
    (void)state;
    uint64_t free = nr_free_pages_with_pcp();
    for (unsigned i = 0; i < 50; i++) {
        struct page *page = alloc_pages_node(i & 1, GFP_KERNEL, 0);
        page->refcount = 0;
        list_add(&page->lru, &list);
    }
    free_page_list(&list);
    assert_true(list_empty(&list));
    assert_int_equal(nr_free_pages_with_pcp(), free);
    fake_check();
}

static void atomic_blocks_come_from_the_reserve(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(512));
    fake_hart(0);
    fake_boot("");
    struct zone *zone = zones[0];
    (void)take_all(0, GFP_NOWAIT | __GFP_MOVABLE, 0);
    (void)take_all(0, GFP_NOWAIT, 0);
    struct page *page = alloc_pages(GFP_ATOMIC | QUIET, 2);
    assert_non_null(page);
    __free_pages(page, 2);
    free_all();
    drain_all_pages(NULL);
    while (highatomic_unreserve(zone))
        continue;
    assert_int_equal(zone->nr_reserved_highatomic, 0);
    fake_check();
}

static void each_order_comes_back_whole(void **state)
{
    (void)state;
    uint64_t free = nr_free_pages();
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        for (unsigned k = 0; k < 3; k++) {
            (void)take_all(0,
                           k == 0   ? GFP_KERNEL
                           : k == 1 ? GFP_HIGHUSER_MOVABLE
                                    : GFP_KERNEL | __GFP_RECLAIMABLE,
                           order);
            free_all();
            drain_all_pages(NULL);
            assert_int_equal(nr_free_pages(), free);
        }
    }
    fake_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_page_is_ready_to_use, set_up),
        cmocka_unit_test_setup(memory_is_local, set_up),
        cmocka_unit_test_setup(zones_follow_the_flags, set_up),
        cmocka_unit_test_setup(zeroed_means_all_of_it, set_up),
        cmocka_unit_test_setup(a_full_node_overflows_to_the_next, set_up),
        cmocka_unit_test_setup(a_mask_keeps_to_its_nodes, set_up),
        cmocka_unit_test_setup(nonsense_is_refused, set_up),
        cmocka_unit_test_setup(privilege_decides_how_deep_one_may_dip, set_up),
        cmocka_unit_test_setup(bulk_takes_what_there_is, set_up),
        cmocka_unit_test_setup(exact_sizes_waste_nothing, set_up),
        cmocka_unit_test_setup(addresses_instead_of_pages, set_up),
        cmocka_unit_test_setup(the_last_reference_frees, set_up),
        cmocka_unit_test_setup(a_list_is_freed_at_once, set_up),
        cmocka_unit_test_setup(atomic_blocks_come_from_the_reserve, set_up),
        cmocka_unit_test_setup(each_order_comes_back_whole, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
