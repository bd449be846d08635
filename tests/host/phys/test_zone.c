/* SPDX-License-Identifier: MIT */
/*
 * test_zone.c - how the memory of a node is cut into zones, and what each keeps in reserve.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/memblock.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"
#include "support/host.h"

static struct zone *zone_of(int nid, enum zone_type type)
{
    return &NODE_DATA(nid)->node_zones[type];
}

static uint64_t sum_present(void)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += zone->present_pages;
    return sum;
}

static void a_small_machine_is_all_dma32(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    struct zone *zone = zone_of(0, ZONE_DMA32);
    assert_int_equal(nr_zones, 1);
    assert_ptr_equal(zones[0], zone);
    assert_int_equal(zone->present_pages, MIB(32) / PAGE_SIZE);
    assert_int_equal(zone->spanned_pages, zone->present_pages);
    assert_true(zone->contiguous);
    assert_true(zone->managed_pages < zone->present_pages);
    assert_false(zone_is_populated(zone_of(0, ZONE_NORMAL)));
    assert_string_equal(zone->name, "DMA32");
    fake_check();
}

static void four_gib_is_the_boundary(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, GIB(2) - MIB(64), MIB(128)); /* MEMORY_BASE is at 2 GiB */
    fake_hart(0);
    fake_boot("");
    assert_int_equal(zone_of(0, ZONE_DMA32)->present_pages, MIB(64) / PAGE_SIZE);
    assert_int_equal(zone_of(0, ZONE_NORMAL)->zone_start_pfn, GIB(4) >> PAGE_SHIFT);
    assert_int_equal(zone_of(0, ZONE_NORMAL)->present_pages, MIB(64) / PAGE_SIZE);
    fake_check();
}

static void boundary_can_be_lowered(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(64));
    fake_memory(1, MIB(64), MIB(64));
    fake_hart(0);
    fake_hart(1);
    fake_boot("dma32=32M");
    assert_int_equal(nr_zones, 3);
    assert_int_equal(zone_of(0, ZONE_DMA32)->present_pages, MIB(32) / PAGE_SIZE);
    assert_int_equal(zone_of(0, ZONE_NORMAL)->present_pages, MIB(32) / PAGE_SIZE);
    assert_false(zone_is_populated(zone_of(1, ZONE_DMA32)));
    assert_int_equal(zone_of(1, ZONE_NORMAL)->present_pages, MIB(64) / PAGE_SIZE);
    fake_check();
}

static void movablecore_is_shared_by_size(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(96));
    fake_memory(1, MIB(96), MIB(32));
    fake_hart(0);
    fake_boot("movablecore=64M");
    assert_int_equal(zone_of(0, ZONE_MOVABLE)->present_pages, MIB(48) / PAGE_SIZE);
    assert_int_equal(zone_of(1, ZONE_MOVABLE)->present_pages, MIB(16) / PAGE_SIZE);
    assert_int_equal(sum_present(), MIB(128) / PAGE_SIZE);
    assert_int_equal(gfp_zone(GFP_HIGHUSER_MOVABLE), ZONE_MOVABLE);
    fake_check();
}

static void kernelcore_is_the_complement(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(128));
    fake_hart(0);
    fake_boot("kernelcore=96M");
    assert_int_equal(zone_of(0, ZONE_MOVABLE)->present_pages, MIB(32) / PAGE_SIZE);
    fake_boot("");
}

static void movable_never_takes_all(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(64));
    fake_hart(0);
    fake_boot("movablecore=1G");
    assert_int_equal(zone_of(0, ZONE_MOVABLE)->present_pages, MIB(48) / PAGE_SIZE);
    fake_check();
}

static void odd_ends_and_holes_are_counted(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(20) + KIB(4));
    fake_memory(0, MIB(24) + KIB(12), MIB(9) + KIB(20));
    fake_memory(1, MIB(40) + KIB(4), MIB(3));
    fake_memory(0, MIB(43) + KIB(4), KIB(28)); /* shares a pageblock with node 1 */
    fake_hart(0);
    fake_boot("");
    assert_int_equal(sum_present(), (MIB(32) + KIB(4 + 20 + 28)) / PAGE_SIZE);
    assert_false(zone_of(0, ZONE_DMA32)->contiguous);
    assert_true(pfn_valid(page_to_pfn(fake_page(MIB(20)))));
    assert_false(pfn_valid(page_to_pfn(fake_page(MIB(20) + KIB(4)))));
    assert_false(pfn_valid(page_to_pfn(fake_page(MIB(24)))));
    assert_false(pfn_valid(mk_pfn(MEMORY_BASE_PFN - 1)));
    assert_false(pfn_valid(max_pfn));
    assert_int_equal(fake_page(MIB(41))->nid, 1);
    assert_int_equal(fake_page(MIB(43) + KIB(8))->nid, 0);
    fake_check();
}

static void nodes_may_interleave(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < 8; i++)
        fake_memory(i & 1, MIB(8) * i, MIB(8));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    assert_int_equal(zone_of(0, ZONE_DMA32)->present_pages, MIB(32) / PAGE_SIZE);
    assert_int_equal(zone_of(0, ZONE_DMA32)->spanned_pages, MIB(56) / PAGE_SIZE);
    fake_check();
}

static void sixteen_nodes_of_sixteen_mib(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < MAX_NODES; i++) {
        fake_memory(i, MIB(16) * i, MIB(16));
        fake_hart(i);
    }
    fake_boot("");
    assert_int_equal(nr_zones, MAX_NODES);
    for (unsigned i = 0; i < MAX_NODES; i++)
        assert_true(zone_of((int)i, ZONE_DMA32)->managed_pages > MIB(14) / PAGE_SIZE);
    fake_check();
}

static void ram_far_up_is_reached(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    fake_memory(1, GIB(15), MIB(16));
    fake_hart(0);
    fake_boot("");
    assert_int_equal(zone_of(1, ZONE_NORMAL)->present_pages, MIB(16) / PAGE_SIZE);
    fake_check();
}

/* --- watermarks and reserves ------------------------------------------------------------------ */

static void min_free_is_linuxs_square_root(void **state)
{
    (void)state;
    fake_simple(MIB(512));
    uint64_t kbytes = 0, managed = zone_of(0, ZONE_DMA32)->managed_pages * 4;
    while ((kbytes + 1) * (kbytes + 1) <= managed * 16)
        kbytes++;
    assert_int_equal(min_free_kbytes, kbytes);
    struct zone *zone = zone_of(0, ZONE_DMA32);
    assert_int_equal(zone->watermark[WMARK_MIN], kbytes / 4);
    uint64_t gap = zone->managed_pages * 10 / 10000;
    if (gap < zone->watermark[WMARK_MIN] / 4)
        gap = zone->watermark[WMARK_MIN] / 4;
    assert_int_equal(zone->watermark[WMARK_LOW], zone->watermark[WMARK_MIN] + gap);
    assert_int_equal(zone->watermark[WMARK_HIGH], zone->watermark[WMARK_MIN] + 2 * gap);
}

static void settings_move_the_watermarks(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(64));
    fake_hart(0);
    fake_boot("min_free_kbytes=4096");
    struct zone *zone = zone_of(0, ZONE_DMA32);
    assert_int_equal(zone->watermark[WMARK_MIN], 1024);
    watermark_scale_factor = 1000;
    setup_per_zone_wmarks();
    assert_int_equal(zone->watermark[WMARK_LOW] - zone->watermark[WMARK_MIN],
                     zone->managed_pages / 10);
    min_free_kbytes = MIB(1); /* absurd: kept below a quarter of the zone */
    setup_per_zone_wmarks();
    assert_int_equal(zone->watermark[WMARK_MIN], zone->managed_pages / 4);
    fake_boot("");
}

static void lower_zones_keep_a_reserve(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(128));
    fake_hart(0);
    fake_boot("dma32=32M movablecore=32M");
    struct zone *dma32 = zone_of(0, ZONE_DMA32), *normal = zone_of(0, ZONE_NORMAL);
    struct zone *movable = zone_of(0, ZONE_MOVABLE);
    assert_int_equal(dma32->lowmem_reserve[ZONE_DMA32], 0);
    assert_int_equal(dma32->lowmem_reserve[ZONE_NORMAL], normal->managed_pages / 256);
    assert_int_equal(dma32->lowmem_reserve[ZONE_MOVABLE],
                     (normal->managed_pages + movable->managed_pages) / 256);
    assert_int_equal(normal->lowmem_reserve[ZONE_MOVABLE], movable->managed_pages / 32);
    assert_int_equal(movable->lowmem_reserve[ZONE_MOVABLE], 0);
    lowmem_reserve_ratio[ZONE_DMA32] = 0;
    setup_per_zone_wmarks();
    assert_int_equal(dma32->lowmem_reserve[ZONE_MOVABLE], 0);
    lowmem_reserve_ratio[ZONE_DMA32] = 256;
}

static void watermark_knows_privileges(void **state)
{
    (void)state;
    fake_simple(MIB(64));
    struct zone *zone = zone_of(0, ZONE_DMA32);
    uint64_t free = zone->nr_free_pages;
    assert_true(zone_watermark_ok(zone, 0, free - 2, ZONE_DMA32, 0));
    assert_false(zone_watermark_ok(zone, 0, free, ZONE_DMA32, 0));
    assert_true(zone_watermark_ok(zone, 0, free, ZONE_DMA32, ALLOC_MIN_RESERVE));
    assert_false(zone_watermark_ok(zone, 0, free * 2, ZONE_DMA32, ALLOC_MIN_RESERVE));
    assert_true(
        zone_watermark_ok(zone, 0, free * 2, ZONE_DMA32, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK));
    assert_false(zone_watermark_ok(zone, 0, free, ZONE_DMA32, ALLOC_NON_BLOCK));
    assert_true(zone_watermark_ok(zone, 0, free, ZONE_DMA32, ALLOC_OOM));
    assert_true(zone_watermark_ok(zone, 0, free * 9, ZONE_DMA32, ALLOC_NO_WATERMARKS));
    zone->lowmem_reserve[ZONE_NORMAL] = free;
    assert_false(zone_watermark_ok(zone, 0, 0, ZONE_NORMAL, 0));
    assert_true(zone_watermark_ok(zone, 0, 0, ZONE_DMA32, 0));
    zone->nr_reserved_highatomic = free;
    assert_false(zone_watermark_ok(zone, 0, 0, ZONE_DMA32, 0));
    assert_true(zone_watermark_ok(zone, 0, 0, ZONE_DMA32, ALLOC_HIGHATOMIC));
    assert_true(zone_watermark_ok(zone, MAX_ORDER, 0, ZONE_DMA32, ALLOC_OOM));
}

/* --- words, late freeing, machines that are too small ----------------------------------------- */

static void words_have_names(void **state)
{
    (void)state;
    assert_string_equal(zone_type_name(ZONE_NORMAL), "Normal");
    assert_string_equal(zone_type_name(MAX_NR_ZONES), "?");
    assert_string_equal(migratetype_name(MIGRATE_HIGHATOMIC), "HighAtomic");
    assert_string_equal(migratetype_name(MIGRATE_TYPES), "?");
    assert_string_equal(page_type_name(PAGE_BUDDY), "buddy");
    assert_string_equal(page_type_name(NR_PAGE_TYPES), "?");
    assert_int_equal(gfp_zone(GFP_KERNEL), ZONE_NORMAL);
    assert_int_equal(gfp_zone(GFP_DMA32), ZONE_DMA32);
    assert_int_equal(gfp_zone(GFP_DMA32 | __GFP_MOVABLE), ZONE_DMA32);
    assert_int_equal(gfp_migratetype(GFP_KERNEL | __GFP_RECLAIMABLE), MIGRATE_RECLAIMABLE);
}

static void reserved_pages_are_given_late(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_reserved(MIB(8), MIB(2) + KIB(8));
    fake_hart(0);
    fake_boot("");
    struct zone *zone = zone_of(0, ZONE_DMA32);
    uint64_t managed = zone->managed_pages;
    assert_int_equal(fake_page(MIB(8))->type, PAGE_RESERVED);
    paddr_t start = mk_paddr(MEMORY_BASE + MIB(8));
    uint64_t pages = (MIB(2) + KIB(8)) / PAGE_SIZE;
    assert_int_equal(free_reserved_range(start, mk_paddr(start.v + MIB(2) + KIB(8))), pages);
    assert_int_equal(zone->managed_pages, managed + pages);
    assert_int_equal(free_reserved_range(start, mk_paddr(start.v + MIB(2) + KIB(8))), 0);
    fake_check();
}

static void too_small_machines_are_told_so(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, KIB(16));
    fake_hart(0);
    assert_true(PANICS(fake_boot("")));
    assert_non_null(strstr(host_panic_text, "too small"));
    fake_begin();
    fake_hart(0);
    assert_true(PANICS(fake_boot("")));
}

static int map_calls;
static int refuse_map(vaddr_t va, paddr_t pa, uint64_t size)
{
    (void)va, (void)pa, (void)size;
    map_calls++;
    return -1;
}

static void mem_map_is_mapped_by_who_owns_tables(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_hart(0);
    phys_set_vmemmap_map(refuse_map);
    bool panicked = PANICS(fake_boot(""));
    phys_set_vmemmap_map(NULL);
    assert_true(panicked);
    assert_int_equal(map_calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_machine_is_all_dma32),
        cmocka_unit_test(four_gib_is_the_boundary),
        cmocka_unit_test(boundary_can_be_lowered),
        cmocka_unit_test(movablecore_is_shared_by_size),
        cmocka_unit_test(kernelcore_is_the_complement),
        cmocka_unit_test(movable_never_takes_all),
        cmocka_unit_test(odd_ends_and_holes_are_counted),
        cmocka_unit_test(nodes_may_interleave),
        cmocka_unit_test(sixteen_nodes_of_sixteen_mib),
        cmocka_unit_test(ram_far_up_is_reached),
        cmocka_unit_test(min_free_is_linuxs_square_root),
        cmocka_unit_test(settings_move_the_watermarks),
        cmocka_unit_test(lower_zones_keep_a_reserve),
        cmocka_unit_test(watermark_knows_privileges),
        cmocka_unit_test(words_have_names),
        cmocka_unit_test(reserved_pages_are_given_late),
        cmocka_unit_test(too_small_machines_are_told_so),
        cmocka_unit_test(mem_map_is_mapped_by_who_owns_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
