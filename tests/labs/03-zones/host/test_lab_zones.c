/* SPDX-License-Identifier: MIT */
/*
 * test_lab_zones.c - what RAM a node has, and cutting it into zones: steps 1 and 2.
 *
 *      fake_memory(nid, offset, size)     offsets from MEMORY_BASE, which is at 2 GiB
 */
#include "labs/wire/expect.h"

#include "base/random.h"
#include "phys/memblock.h"
#include "phys/node.h"
#include "phys/pageblock.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"

#define BASE MEMORY_BASE_PFN

static int fresh(void **state)
{
    (void)state;
    fake_begin();
    return 0;
}

static void ram(uint64_t page, uint64_t pages, int nid)
{
    expect_equal(memblock_add(mk_paddr((BASE + page) << PAGE_SHIFT), pages * PAGE_SIZE, nid), 0,
                 "memblock_add()");
}

/* --- step 1: RAM and holes -------------------------------------------------------------------- */

static uint64_t present(int nid, uint64_t from, uint64_t to)
{
    return present_pages_in_range(nid, BASE + from, BASE + to);
}

static void ram_of_one_range(void **state)
{
    (void)state;
    ram(100, 50, 0);
    expect_equal(present(0, 0, 1000), 50, "pages, all of them in the range");
    expect_equal(present(0, 100, 150), 50, "pages, the range is exactly they");
    expect_equal(present(0, 110, 120), 10, "pages, the range lies in them");
    expect_equal(present(0, 90, 110), 10, "pages, the range ends in them");
    expect_equal(present(0, 140, 170), 10, "pages, the range begins in them");
    expect_equal(present(0, 0, 100) + present(0, 150, 200), 0, "pages before and behind");
    expect_equal(present(0, 120, 120), 0, "pages of an empty range");
}

static void ram_with_holes(void **state)
{
    (void)state;
    ram(0, 10, 0);
    ram(20, 10, 0);
    ram(40, 10, 0);
    expect_equal(present(0, 0, 50), 30, "pages: holes do not count");
    expect_equal(present(0, 5, 45), 20, "pages");
    expect_equal(present(0, 10, 20), 0, "pages of a hole");
}

static void ram_of_other_nodes(void **state)
{
    (void)state;
    ram(0, 10, 0);
    ram(10, 7, 1);
    ram(17, 5, 0);
    expect_equal(present(0, 0, 100), 15, "pages of node 0");
    expect_equal(present(1, 0, 100), 7, "pages of node 1");
    expect_equal(present(2, 0, 100), 0, "pages of a node that has none");
}

static void ram_from_first_to_last(void **state)
{
    uint64_t start = 1, end = 1;
    (void)state;
    ram(10, 10, 0);
    ram(30, 5, 1);
    ram(50, 7, 0);
    get_pfn_range_for_nid(0, &start, &end);
    expect_equal(start - BASE, 10, "first frame of node 0");
    expect_equal(end - BASE, 57, "the frame behind its last, another node between");
    get_pfn_range_for_nid(1, &start, &end);
    expect_equal(start - BASE, 30, "first frame of node 1");
    expect_equal(end - BASE, 35, "the frame behind its last");
    get_pfn_range_for_nid(2, &start, &end);
    expect_equal(start, 0, "first frame of a node without RAM");
    expect_equal(end, 0, "the frame behind its last");
}

/* --- step 2: zones ---------------------------------------------------------------------------- */

static void make_zones(const char *bootargs)
{
    fake_hart(0);
    fake_memblock(bootargs);
    nodes_init(&machine);
    pageblocks_init();
    zones_init();
}

static const struct zone *zone_of(int nid, enum zone_type type)
{
    return &NODE_DATA(nid)->node_zones[type];
}

/* A zone in pages from MEMORY_BASE: where it begins, what it spans and holds. */
static void expect_zone(int nid, enum zone_type type, uint64_t start, uint64_t spanned,
                        uint64_t pages)
{
    const struct zone *zone = zone_of(nid, type);
    const char *name = zone_type_name(type);
    expect_equal(zone->present_pages, pages, "present pages of node %d, %s", nid, name);
    if (!pages)
        return;
    expect_equal(zone->zone_start_pfn - BASE, start, "first frame of node %d, %s", nid, name);
    expect_equal(zone->spanned_pages, spanned, "spanned pages of node %d, %s", nid, name);
    expect_equal(zone->contiguous, pages == spanned, "contiguous, of node %d, %s", nid, name);
}

static void cut_nothing(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(16));
    make_zones("");
    expect_zone(0, ZONE_DMA32, 0, 4096, 4096);
    expect_zone(0, ZONE_NORMAL, 0, 0, 0);
    expect_zone(0, ZONE_MOVABLE, 0, 0, 0);
    expect_equal(nr_zones, 1, "zones of the machine");
    expect_true(zones[0] == zone_of(0, ZONE_DMA32), "zones[0] is DMA32 of node 0");
}

static void cut_at_four_gib(void **state)
{
    const uint64_t pages = MIB(8) / PAGE_SIZE, four = (GIB(4) >> PAGE_SHIFT) - BASE;
    (void)state;
    fake_memory(0, GIB(2) - MIB(8), MIB(16));
    fake_memory(1, GIB(2) + MIB(8), MIB(8));
    make_zones("");
    expect_zone(0, ZONE_DMA32, four - pages, pages, pages);
    expect_zone(0, ZONE_NORMAL, four, pages, pages);
    expect_zone(1, ZONE_DMA32, 0, 0, 0);
    expect_zone(1, ZONE_NORMAL, four + pages, pages, pages);
    expect_equal(nr_zones, 3, "zones of the machine");
}

static void cut_where_dma32_says(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_memory(2, MIB(64), MIB(32));
    make_zones("dma32=48M");
    expect_zone(0, ZONE_DMA32, 0, 8192, 8192);
    expect_zone(0, ZONE_NORMAL, 0, 0, 0);
    expect_zone(1, ZONE_DMA32, 8192, 4096, 4096);
    expect_zone(1, ZONE_NORMAL, 12288, 4096, 4096);
    expect_zone(2, ZONE_DMA32, 0, 0, 0);
    expect_zone(2, ZONE_NORMAL, 16384, 8192, 8192);
}

static void cut_off_a_movable_end(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(96));
    fake_memory(1, MIB(96), MIB(32));
    make_zones("movablecore=64M dma32=32M");
    expect_zone(0, ZONE_DMA32, 0, 8192, 8192);
    expect_zone(0, ZONE_NORMAL, 8192, 4096, 4096);
    expect_zone(0, ZONE_MOVABLE, 12288, 12288, 12288);
    expect_zone(1, ZONE_NORMAL, 24576, 4096, 4096);
    expect_zone(1, ZONE_MOVABLE, 28672, 4096, 4096);
}

/* MOVABLE may begin below the DMA32 boundary: then there is no NORMAL, and DMA32 ends there. */
static void cut_below_dma32(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(64));
    make_zones("movablecore=32M");
    expect_zone(0, ZONE_DMA32, 0, 8192, 8192);
    expect_zone(0, ZONE_NORMAL, 0, 0, 0);
    expect_zone(0, ZONE_MOVABLE, 8192, 8192, 8192);
}

/* A share that is no whole pageblock, and an end that is none: MOVABLE holds at least the share. */
static void cut_at_whole_pageblocks(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(64) + KIB(400));
    make_zones("movablecore=5M");
    expect_zone(0, ZONE_DMA32, 0, 16384 - 3 * 512, 16384 - 3 * 512);
    expect_zone(0, ZONE_MOVABLE, 16384 - 3 * 512, 3 * 512 + 100, 3 * 512 + 100);
}

/* The share is of RAM: a hole in the upper end moves the begin of MOVABLE down. */
static void cut_around_a_hole(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(32));
    fake_memory(0, MIB(48), MIB(4));
    make_zones("movablecore=8M");
    expect_zone(0, ZONE_DMA32, 0, 8192 - 1024, 8192 - 1024);
    expect_zone(0, ZONE_MOVABLE, 8192 - 1024, MIB(24) / PAGE_SIZE, 2048);
}

static void cut_holes_out_of_what_is_present(void **state)
{
    (void)state;
    fake_memory(0, MIB(4), MIB(20));
    fake_memory(1, MIB(24), MIB(8));
    fake_memory(0, MIB(40), MIB(8) + KIB(12));
    make_zones("");
    expect_zone(0, ZONE_DMA32, 1024, MIB(44) / PAGE_SIZE + 3, MIB(28) / PAGE_SIZE + 3);
    expect_zone(1, ZONE_DMA32, 6144, 2048, 2048);
}

/* A zone that spans frames of which none is RAM of the node is not there. */
static void cut_a_zone_that_is_a_hole(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(16));
    fake_memory(0, MIB(80), MIB(16));
    make_zones("dma32=32M movablecore=16M");
    expect_zone(0, ZONE_DMA32, 0, 8192, 4096);
    expect_zone(0, ZONE_NORMAL, 0, 0, 0);
    expect_zone(0, ZONE_MOVABLE, 20480, 4096, 4096);
    expect_equal(nr_zones, 2, "zones of the machine");
}

static void cut_a_node_without_memory(void **state)
{
    (void)state;
    fake_memory(0, 0, MIB(32));
    fake_memory(1, 0, 0);
    make_zones("movablecore=8M");
    expect_equal(NODE_DATA(1)->nr_zones, 0, "zones of node 1");
    expect_equal(NODE_DATA(1)->node_present_pages, 0, "pages of node 1");
    expect_true(!node_state_test(1, N_MEMORY), "node 1 has no memory");
    expect_equal(nr_zones, 2, "zones of the machine");
}

/* Any machine: each page of RAM is in one zone, and the shares are as they should be. */
static void cut_any_machine(void **state)
{
    struct rng rng;
    rng_seed(&rng, lab_seed());
    for (int round = 0; round < 20; round++) {
        uint64_t at = 0, total = 0, sum = 0, movable = 0, ends = 0;
        unsigned nodes = 1 + (unsigned)rng_below(&rng, 4);
        char text[64];
        fresh(state);
        for (unsigned i = 0; i < nodes * 2; i++) {
            uint64_t pages = 512 + rng_below(&rng, 4096);
            fake_memory(i % nodes, at * PAGE_SIZE, pages * PAGE_SIZE);
            at += pages + (rng_below(&rng, 2) ? rng_below(&rng, 2048) : 0);
            total += pages;
        }
        uint64_t share = rng_below(&rng, total / 2), dma32 = 1 + rng_below(&rng, at);
        snprintf(text, sizeof(text), "dma32=%luK movablecore=%luK", (long)dma32 * 4,
                 (long)share * 4);
        make_zones(text);
        uint64_t boundary = BASE + ALIGN_UP(dma32, (uint64_t)PAGEBLOCK_PAGES);
        for (unsigned i = 0; i < nr_zones; i++) {
            const struct zone *z = zones[i];
            sum += z->present_pages;
            movable += z->index == ZONE_MOVABLE ? z->present_pages : 0;
            expect_equal(z->present_pages,
                         present_pages_in_range(z->nid, z->zone_start_pfn, zone_end_pfn(z)),
                         "present pages of node %u, %s", z->nid, z->name);
            if (z->index == ZONE_DMA32)
                expect_true(zone_end_pfn(z) <= boundary, "DMA32 ends at the boundary");
            if (z->index == ZONE_NORMAL)
                expect_true(z->zone_start_pfn >= boundary, "NORMAL begins at the boundary");
            ends += z->index == ZONE_MOVABLE;
        }
        expect_equal(sum, total, "pages of all zones (%s)", text);
        expect_true(movable + nodes >= share, "MOVABLE has %ld of %ld pages (%s)", (long)movable,
                    (long)share, text);
        expect_true(movable <= share + ends * (PAGEBLOCK_PAGES + 511),
                    "MOVABLE has %ld of %ld pages (%s)", (long)movable, (long)share, text);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ram_of_one_range),
        TEST(ram_with_holes),
        TEST(ram_of_other_nodes),
        TEST(ram_from_first_to_last),
        TEST(cut_nothing),
        TEST(cut_at_four_gib),
        TEST(cut_where_dma32_says),
        TEST(cut_off_a_movable_end),
        TEST(cut_below_dma32),
        TEST(cut_at_whole_pageblocks),
        TEST(cut_around_a_hole),
        TEST(cut_holes_out_of_what_is_present),
        TEST(cut_a_zone_that_is_a_hole),
        TEST(cut_a_node_without_memory),
        TEST(cut_any_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
