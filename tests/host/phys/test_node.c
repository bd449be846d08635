/* SPDX-License-Identifier: MIT */
/*
 * test_node.c - nodes with and without memory and harts, and the order in which they are asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/memblock.h"
#include "support/fake_machine.h"

/* The nodes of a zonelist, each once, as digits of a string. */
static const char *order_of(int nid, gfp_t gfp)
{
    static char text[MAX_ZONES_PER_ZONELIST + 1];
    unsigned n = 0;
    for (const struct zoneref *ref = node_zonelist(nid, gfp)->zonerefs; ref->zone; ref++) {
        char digit = "0123456789abcdef"[ref->zone->nid];
        if (!n || text[n - 1] != digit)
            text[n++] = digit;
    }
    text[n] = '\0';
    return text;
}

static void two_nodes_overflow_to_each_other(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    assert_string_equal(order_of(0, GFP_KERNEL), "01");
    assert_string_equal(order_of(1, GFP_KERNEL), "10");
    assert_string_equal(order_of(1, GFP_KERNEL | __GFP_THISNODE), "1");
    assert_int_equal(node_distance(0, 1), 20);
}

static void zones_come_highest_first(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(96));
    fake_hart(0);
    fake_boot("dma32=32M movablecore=32M");
    const struct zoneref *ref = node_zonelist(0, GFP_KERNEL)->zonerefs;
    assert_int_equal(ref[0].zone_idx, ZONE_MOVABLE);
    assert_int_equal(ref[1].zone_idx, ZONE_NORMAL);
    assert_int_equal(ref[2].zone_idx, ZONE_DMA32);
    assert_null(ref[3].zone);
    assert_int_equal(NODE_DATA(0)->nr_zones, 3);
    assert_int_equal(NODE_DATA(0)->preferred_zone[ZONE_NORMAL]->index, ZONE_NORMAL);
    assert_int_equal(NODE_DATA(0)->preferred_zone[ZONE_DMA32]->index, ZONE_DMA32);
}

static void distance_decides(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < 4; i++) {
        fake_memory(i, MIB(16) * i, MIB(16));
        fake_hart(i);
    }
    fake_distance(0, 1, 40);
    fake_distance(0, 2, 30);
    fake_distance(0, 3, 20);
    fake_distance(1, 2, 15);
    fake_boot("");
    assert_string_equal(order_of(0, GFP_KERNEL), "0321");
    assert_string_equal(order_of(1, GFP_KERNEL), "1230");
}

static void equal_distances_share_the_load(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < 4; i++) {
        fake_memory(i, MIB(16) * i, MIB(16));
        fake_hart(i);
    }
    fake_boot("");
    assert_string_equal(order_of(0, GFP_KERNEL), "0123");
    assert_string_equal(order_of(1, GFP_KERNEL), "1230");
    assert_string_equal(order_of(2, GFP_KERNEL), "2301");
    /* node 3 has only nodes before it; node 0 is nobody's first neighbour yet */
    assert_string_equal(order_of(3, GFP_KERNEL), "3012");
}

static void memory_without_harts_is_taken_first(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < 3; i++)
        fake_memory(i, MIB(16) * i, MIB(16));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    assert_string_equal(order_of(0, GFP_KERNEL), "021");
    assert_false(node_state_test(2, N_CPU));
    assert_true(node_state_test(2, N_MEMORY));
}

static void a_memoryless_node_looks_elsewhere(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_memory(2, 0, 0);
    fake_hart(0);
    fake_hart(2);
    fake_distance(2, 1, 12);
    fake_boot("");
    assert_string_equal(order_of(2, GFP_KERNEL), "10");
    assert_string_equal(order_of(2, GFP_KERNEL | __GFP_THISNODE), "");
    assert_true(node_state_test(2, N_ONLINE));
    assert_false(node_state_test(2, N_MEMORY));
    assert_false(node_state_test(2, N_NORMAL_MEMORY));
    struct page *page = alloc_pages_node(2, GFP_KERNEL, 0);
    assert_int_equal(page->nid, 1);
    __free_page(page);
    assert_null(alloc_pages_node(2, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0));
    fake_check();
}

static void node_ids_may_be_sparse(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(3, 0, MIB(32));
    fake_memory(15, MIB(32), MIB(32));
    fake_hart(15);
    fake_boot("");
    assert_null(NODE_DATA(0));
    assert_string_equal(order_of(15, GFP_KERNEL), "f3");
    struct page *page = alloc_page(GFP_KERNEL);
    assert_int_equal(page->nid, 15);
    assert_ptr_equal(page_pgdat(page), NODE_DATA(15));
    __free_page(page);
    fake_check();
}

static void structs_lie_on_their_node(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    assert_int_equal(virt_to_page(NODE_DATA(1))->nid, 1);
    assert_int_equal(virt_to_page(NODE_DATA(1)->node_zonelists[0])->nid, 1);
    assert_int_equal(virt_to_page(harts[1]->pagesets)->nid, 1);
    assert_int_equal(virt_to_page(harts[0]->pagesets)->nid, 0);
    assert_ptr_equal(NODE_DATA(1)->node_mem_map, fake_page(MIB(32)));
    assert_int_equal(NODE_DATA(1)->node_present_pages, MIB(32) / PAGE_SIZE);
}

static void what_the_monitor_keeps_is_bounded(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(256));
    fake_memory(1, MIB(256), MIB(256));
    for (unsigned i = 0; i < 4; i++)
        fake_hart(i / 2);
    fake_boot("");
    uint64_t managed = 0;
    struct zone *zone;
    for_each_populated_zone(zone) managed += zone->managed_pages;
    /* mem_map is 8 MiB; all the rest of the floor fits into an eighth of a MiB */
    assert_true(MIB(512) - managed * PAGE_SIZE <= MIB(8) + KIB(128));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_overflow_to_each_other),
        cmocka_unit_test(zones_come_highest_first),
        cmocka_unit_test(distance_decides),
        cmocka_unit_test(equal_distances_share_the_load),
        cmocka_unit_test(memory_without_harts_is_taken_first),
        cmocka_unit_test(a_memoryless_node_looks_elsewhere),
        cmocka_unit_test(node_ids_may_be_sparse),
        cmocka_unit_test(structs_lie_on_their_node),
        cmocka_unit_test(what_the_monitor_keeps_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
