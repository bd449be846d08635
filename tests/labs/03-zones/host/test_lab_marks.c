/* SPDX-License-Identifier: MIT */
/*
 * test_lab_marks.c - how much is kept back, and whether an allocation may go on: steps 3 and 4.
 *
 * The zones are made by hand: only what a mark depends on is filled in.
 */
#include "labs/wire/expect.h"

#include "base/random.h"
#include "base/string.h"
#include "phys/alloc.h"
#include "phys/node.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"

static int fresh(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    fake_memory(1, MIB(16), MIB(16));
    fake_hart(0);
    fake_memblock("");
    nodes_init(&machine);
    lowmem_reserve_ratio[ZONE_DMA32] = 256;
    lowmem_reserve_ratio[ZONE_NORMAL] = 32;
    lowmem_reserve_ratio[ZONE_MOVABLE] = 0;
    return 0;
}

static struct zone *make_zone(int nid, enum zone_type type, uint64_t pages)
{
    struct zone *zone = &NODE_DATA(nid)->node_zones[type];
    zone->name = zone_type_name(type);
    zone->zone_pgdat = NODE_DATA(nid);
    zone->nid = (uint8_t)nid;
    zone->index = (uint8_t)type;
    zone->id = (uint8_t)nr_zones;
    zone->present_pages = zone->spanned_pages = pages + 10;
    zone->managed_pages = pages;
    spin_init(&zone->lock, "zone", RANK_ZONE);
    zones[nr_zones++] = zone;
    return zone;
}

static void set_marks(uint64_t kbytes)
{
    pagesets_init();
    min_free_kbytes = kbytes;
    setup_per_zone_wmarks();
}

/* --- step 3: the sizes ------------------------------------------------------------------------ */

static void marks_are_shares_of_min_free(void **state)
{
    (void)state;
    struct zone *a = make_zone(0, ZONE_DMA32, 30000), *b = make_zone(1, ZONE_NORMAL, 10000);
    set_marks(4096);
    expect_equal(a->watermark[WMARK_MIN], 768, "min of three quarters of the memory: 1,024 pages");
    expect_equal(b->watermark[WMARK_MIN], 256, "min of the fourth quarter");
}

static void marks_never_sum_to_more(void **state)
{
    struct rng rng;
    rng_seed(&rng, lab_seed());
    for (int round = 0; round < 200; round++) {
        struct zone *all[4];
        uint64_t sum = 0, pages = 32 + rng_below(&rng, 2000);
        fresh(state);
        for (int i = 0; i < 4; i++)
            all[i] =
                make_zone(i / 2, i % 2 ? ZONE_NORMAL : ZONE_DMA32, 10000 + rng_below(&rng, 100000));
        set_marks(pages * 4);
        for (int i = 0; i < 4; i++)
            sum += all[i]->watermark[WMARK_MIN];
        expect_true(sum <= pages, "all min marks have %ld pages, min_free_kbytes is %ld pages",
                    (long)sum, (long)pages);
        expect_true(sum + 4 > pages, "all min marks have %ld pages, min_free_kbytes is %ld pages",
                    (long)sum, (long)pages);
    }
}

static void marks_lie_a_gap_apart(void **state)
{
    (void)state;
    struct zone *zone = make_zone(0, ZONE_NORMAL, 100000);
    set_marks(4000);
    expect_equal(zone->watermark[WMARK_MIN], 1000, "min");
    expect_equal(zone->watermark[WMARK_LOW], 1250, "low: a quarter of min above it");
    expect_equal(zone->watermark[WMARK_HIGH], 1500, "high: as far above low");
    watermark_scale_factor = 300;
    set_marks(4000);
    expect_equal(zone->watermark[WMARK_MIN], 1000, "min: the scale factor leaves it alone");
    expect_equal(zone->watermark[WMARK_LOW], 4000, "low: 300 of 10,000 parts of the zone above");
    expect_equal(zone->watermark[WMARK_HIGH], 7000, "high: as far above low");
}

static void marks_of_small_zones(void **state)
{
    (void)state;
    struct zone *zone = make_zone(0, ZONE_NORMAL, 1000);
    set_marks(8192);
    expect_equal(zone->watermark[WMARK_MIN], 250, "min: at most a quarter of the zone");
    expect_equal(zone->watermark[WMARK_LOW], 312, "low");
}

static void marks_of_movable_zones(void **state)
{
    (void)state;
    struct zone *normal = make_zone(0, ZONE_NORMAL, 50000);
    struct zone *movable = make_zone(0, ZONE_MOVABLE, 50000);
    set_marks(4000);
    expect_equal(normal->watermark[WMARK_MIN], 1000, "min of NORMAL: MOVABLE has no share");
    expect_equal(movable->watermark[WMARK_MIN], 48, "min of MOVABLE: a 1024th");
    movable->managed_pages = 1000;
    set_marks(4000);
    expect_equal(movable->watermark[WMARK_MIN], 32, "min of a small MOVABLE: 32");
    movable->managed_pages = 1 << 20;
    set_marks(4000);
    expect_equal(movable->watermark[WMARK_MIN], 128, "min of a large MOVABLE: 128");
    movable->managed_pages = 60;
    set_marks(4000);
    expect_equal(movable->watermark[WMARK_MIN], 15, "and at most a quarter of the zone");
}

static void marks_without_lowmem(void **state)
{
    (void)state;
    struct zone *movable = make_zone(0, ZONE_MOVABLE, 50000), *empty = make_zone(1, ZONE_NORMAL, 0);
    set_marks(4000);
    expect_equal(movable->watermark[WMARK_MIN], 48, "min of MOVABLE");
    expect_equal(empty->watermark[WMARK_HIGH], 0, "high of a zone that manages nothing");
}

static void marks_end_a_boost(void **state)
{
    (void)state;
    struct zone *zone = make_zone(0, ZONE_NORMAL, 50000);
    zone->watermark_boost = 512;
    set_marks(4000);
    expect_equal(zone->watermark_boost, 0, "watermark_boost");
}

static void expect_reserve(const struct zone *zone, uint64_t dma32, uint64_t normal,
                           uint64_t movable)
{
    expect_equal(zone->lowmem_reserve[ZONE_DMA32], dma32, "%s's reserve from DMA32", zone->name);
    expect_equal(zone->lowmem_reserve[ZONE_NORMAL], normal, "%s's reserve from NORMAL", zone->name);
    expect_equal(zone->lowmem_reserve[ZONE_MOVABLE], movable, "%s's reserve from MOVABLE",
                 zone->name);
}

static void marks_reserve_lower_zones(void **state)
{
    (void)state;
    struct zone *dma32 = make_zone(0, ZONE_DMA32, 10000);
    struct zone *normal = make_zone(0, ZONE_NORMAL, 25600);
    struct zone *movable = make_zone(0, ZONE_MOVABLE, 51200);
    make_zone(1, ZONE_NORMAL, 99999);
    set_marks(4000);
    expect_reserve(dma32, 0, 100, 300);
    expect_reserve(normal, 0, 0, 1600);
    expect_reserve(movable, 0, 0, 0);
}

static void marks_reserve_by_ratio(void **state)
{
    (void)state;
    struct zone *dma32 = make_zone(0, ZONE_DMA32, 10000);
    struct zone *movable = make_zone(0, ZONE_MOVABLE, 6400);
    set_marks(4000);
    expect_reserve(dma32, 0, 0, 25);
    lowmem_reserve_ratio[ZONE_DMA32] = 64;
    set_marks(4000);
    expect_reserve(dma32, 0, 0, 100);
    movable->managed_pages = 640;
    set_marks(4000);
    expect_reserve(dma32, 0, 0, 10);
    lowmem_reserve_ratio[ZONE_DMA32] = 0;
    set_marks(4000);
    expect_reserve(dma32, 0, 0, 0);
}

/* --- step 4: may it go on? -------------------------------------------------------------------- */

static struct zone z;
static struct page block;

static int one_zone(void **state)
{
    (void)state;
    memset(&z, 0, sizeof(z));
    for (unsigned order = 0; order < NR_ORDERS; order++)
        for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++)
            INIT_LIST_HEAD(&z.free_area[order].free_list[mt]);
    return 0;
}

static void list_block(unsigned order, enum migratetype mt)
{
    list_add(&block.buddy_list, &z.free_area[order].free_list[mt]);
    z.free_area[order].nr_free = 1;
}

static void unlist_block(unsigned order)
{
    list_del(&block.buddy_list);
    z.free_area[order].nr_free = 0;
}

static bool ok(unsigned order, uint64_t mark, unsigned flags)
{
    return zone_watermark_ok(&z, order, mark, ZONE_NORMAL, flags);
}

static void watermark_is_passed_above_it(void **state)
{
    (void)state;
    z.nr_free_pages = 101;
    expect_true(ok(0, 100, 0), "101 pages are free and the mark is 100");
    z.nr_free_pages = 100;
    expect_true(!ok(0, 100, 0), "100 are free and the mark is 100: not above");
    z.nr_free_pages = 0;
    expect_true(!ok(0, 0, 0), "nothing is free");
    z.nr_free_pages = 1;
    expect_true(ok(0, 0, 0), "one page, no mark");
}

static void watermark_counts_the_pages_of_the_block(void **state)
{
    (void)state;
    list_block(3, MIGRATE_MOVABLE);
    z.nr_free_pages = 108;
    expect_true(ok(3, 100, 0), "108 pages are free, 7 of them are the block's others: 101");
    z.nr_free_pages = 107;
    expect_true(!ok(3, 100, 0), "107 are free, 7 of them are the block's others: 100");
    z.nr_free_pages = 7;
    expect_true(!ok(3, 0, 0), "7 are free: fewer than a block");
    z.nr_free_pages = 3;
    expect_true(!ok(3, 0, 0), "3 are free: fewer than a block");
}

static void watermark_wants_a_block(void **state)
{
    (void)state;
    z.nr_free_pages = 100000;
    expect_true(ok(0, 100, 0), "a page may come from a pageset: no list is looked at");
    expect_true(!ok(1, 100, 0), "many pages, none of them in a block of order 1");
    list_block(2, MIGRATE_RECLAIMABLE);
    expect_true(ok(1, 100, 0) && ok(2, 100, 0), "a block of order 2 is listed");
    expect_true(!ok(3, 100, 0), "and none of order 3");
    unlist_block(2);
    list_block(MAX_ORDER, MIGRATE_UNMOVABLE);
    expect_true(ok(3, 100, 0), "a block of the largest order will do");
    unlist_block(MAX_ORDER);
    list_block(5, MIGRATE_ISOLATE);
    expect_true(!ok(3, 100, 0), "an isolated block is for nobody");
}

static void watermark_of_the_highatomic_reserve(void **state)
{
    (void)state;
    z.nr_free_pages = 150;
    z.nr_reserved_highatomic = 50;
    expect_true(!ok(0, 100, 0), "150 free, of them 50 in the highatomic reserve");
    expect_true(ok(0, 100, ALLOC_HIGHATOMIC), "who may use the reserve counts it");
    expect_true(ok(0, 100, ALLOC_OOM), "so does who is being killed");
    z.nr_free_pages = 40;
    expect_true(!ok(0, 0, 0), "40 free, and 50 reserved");
    z.nr_free_pages = 1000;
    list_block(4, MIGRATE_HIGHATOMIC);
    expect_true(!ok(4, 100, 0), "the only block lies in the reserve");
    expect_true(ok(4, 100, ALLOC_HIGHATOMIC), "who may use the reserve gets it");
    expect_true(ok(4, 100, ALLOC_OOM), "so does who is being killed");
}

static void watermark_of_the_lowmem_reserve(void **state)
{
    (void)state;
    z.nr_free_pages = 131;
    z.lowmem_reserve[ZONE_NORMAL] = 30;
    z.lowmem_reserve[ZONE_MOVABLE] = 31;
    expect_true(zone_watermark_ok(&z, 0, 100, ZONE_DMA32, 0), "no reserve from its own kind");
    expect_true(zone_watermark_ok(&z, 0, 100, ZONE_NORMAL, 0), "131 are more than 100 + 30");
    expect_true(!zone_watermark_ok(&z, 0, 100, ZONE_MOVABLE, 0), "and not more than 100 + 31");
    expect_true(zone_watermark_ok(&z, 0, 199, ZONE_MOVABLE, ALLOC_MIN_RESERVE) == false,
                "199 - 99 + 31: flags lower the mark, not the reserve");
    expect_true(zone_watermark_ok(&z, 0, 198, ZONE_MOVABLE, ALLOC_MIN_RESERVE), "198 - 99 + 31");
}

/* What is left of a mark: the least number of free pages that is too few. */
static void expect_left(uint64_t mark, unsigned flags, uint64_t left, const char *what)
{
    z.nr_free_pages = left;
    expect_true(!ok(0, mark, flags), "%s: %ld free pages are too few at a mark of %ld", what,
                (long)left, (long)mark);
    z.nr_free_pages = left + 1;
    expect_true(ok(0, mark, flags), "%s: %ld free pages will do at a mark of %ld", what,
                (long)left + 1, (long)mark);
}

static void watermark_is_lower_for_some(void **state)
{
    (void)state;
    expect_left(1000, 0, 1000, "nobody special");
    expect_left(1000, ALLOC_MIN_RESERVE, 500, "MIN_RESERVE");
    expect_left(1000, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 375, "MIN_RESERVE and NON_BLOCK");
    expect_left(1000, ALLOC_NON_BLOCK, 1000, "NON_BLOCK alone");
    expect_left(1000, ALLOC_OOM, 500, "OOM");
    expect_left(1000, ALLOC_OOM | ALLOC_MIN_RESERVE, 250, "OOM and MIN_RESERVE");
    expect_left(1000, ALLOC_OOM | ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 188, "all three");
    expect_left(7, ALLOC_MIN_RESERVE, 4, "MIN_RESERVE, rounded");
}

static void watermark_of_the_last_pages(void **state)
{
    (void)state;
    z.nr_free_pages = 4;
    expect_true(!ok(0, 100, ALLOC_NO_WATERMARKS), "no block at all");
    list_block(2, MIGRATE_MOVABLE);
    z.lowmem_reserve[ZONE_NORMAL] = z.nr_reserved_highatomic = 50;
    expect_true(ok(0, 100, ALLOC_NO_WATERMARKS), "a block is a block, whatever the mark");
    expect_true(ok(2, 100, ALLOC_NO_WATERMARKS), "of order 2 too");
    expect_true(!ok(3, 100, ALLOC_NO_WATERMARKS), "there is none of order 3");
    list_block(3, MIGRATE_HIGHATOMIC);
    expect_true(ok(3, 100, ALLOC_NO_WATERMARKS), "there is one in the highatomic reserve");
}

#define SIZES(name) cmocka_unit_test_setup(name, fresh)
#define CHECK(name) cmocka_unit_test_setup(name, one_zone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIZES(marks_are_shares_of_min_free),
        SIZES(marks_never_sum_to_more),
        SIZES(marks_lie_a_gap_apart),
        SIZES(marks_of_small_zones),
        SIZES(marks_of_movable_zones),
        SIZES(marks_without_lowmem),
        SIZES(marks_end_a_boost),
        SIZES(marks_reserve_lower_zones),
        SIZES(marks_reserve_by_ratio),
        CHECK(watermark_is_passed_above_it),
        CHECK(watermark_counts_the_pages_of_the_block),
        CHECK(watermark_wants_a_block),
        CHECK(watermark_of_the_highatomic_reserve),
        CHECK(watermark_of_the_lowmem_reserve),
        CHECK(watermark_is_lower_for_some),
        CHECK(watermark_of_the_last_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
