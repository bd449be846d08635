/* SPDX-License-Identifier: MIT */
/*
 * test_lab_pagesets.c - filling, giving back and draining the private stocks of harts.
 *
 *      zone of 256 MiB, three harts; hart 0 is this test
 */
#include "labs/wire/expect.h"

#include "base/random.h"
#include "phys/buddy.h"
#include "phys/check.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "support/fake_machine.h"
#include "support/host.h"

static struct zone *zone;
static struct per_cpu_pages *pcp;

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(256));
    for (unsigned i = 0; i < 3; i++)
        fake_hart(0);
    fake_boot("");
    zone = zones[0];
    pcp = zone_pcp(zone);
    return 0;
}

static long stack_length(unsigned order, enum migratetype mt)
{
    long n = 0;
    for (struct page *page = *pcp_stack(pcp, order, mt); page && n < 100000; page = page->pcp_next)
        n++;
    return n;
}

/* Put all blocks of a stack out of sight, as if they had been handed out. */
static void use_up(unsigned order, enum migratetype mt)
{
    struct page **stack = pcp_stack(pcp, order, mt);
    while (*stack) {
        page_set_type(*stack, PAGE_KERNEL);
        (*stack)->refcount = 1;
        *stack = (*stack)->pcp_next;
        pcp->room += 1 << order;
        pcp->allocs += 1UL << order;
    }
}

static unsigned refill(unsigned order, enum migratetype mt)
{
    return pcp_refill(zone, pcp, order, mt);
}

/* --- step 1: how many ------------------------------------------------------------------------- */

static void the_first_refill_is_one_batch(void **state)
{
    (void)state;
    expect_equal(refill(0, MIGRATE_MOVABLE), pcp->batch, "pages of the first refill");
    expect_equal(pcp->alloc_factor, 1, "alloc_factor, for the next one");
}

static void refills_that_follow_each_other_double(void **state)
{
    (void)state;
    long batch = pcp->batch, want = batch;
    for (int i = 0; i < 3; i++, want *= 2) {
        expect_equal(refill(0, MIGRATE_MOVABLE), want, "pages of refill %d in a row", i + 1);
        use_up(0, MIGRATE_MOVABLE);
    }
    for (int i = 0; i < 10; i++) {
        long got = refill(0, MIGRATE_MOVABLE), most = pcp->high > batch ? pcp->high : batch;
        expect_true(got <= most, "%ld pages at once; high is %d", got, pcp->high);
        expect_true(got <= batch * 32, "%ld pages at once; the batch is %ld", got, batch);
        use_up(0, MIGRATE_MOVABLE);
    }
}

static void a_refill_leaves_room(void **state)
{
    (void)state;
    pcp->alloc_factor = 5;
    pcp->room = pcp->high; /* empty */
    (void)refill(0, MIGRATE_MOVABLE);
    expect_true(pcp_count(pcp) <= pcp->high, "%d pages on the pageset, high is %d", pcp_count(pcp),
                pcp->high);
}

static void a_short_zone_gives_little(void **state)
{
    (void)state;
    pcp->alloc_factor = 4;
    zone->watermark[WMARK_HIGH] = zone->nr_free_pages + 1;
    expect_equal(refill(0, MIGRATE_MOVABLE), pcp->batch,
                 "pages of a refill while the zone is below its high mark");
}

static void a_refill_calms_the_frees(void **state)
{
    (void)state;
    pcp->free_factor = 4;
    (void)refill(0, MIGRATE_MOVABLE);
    expect_equal(pcp->free_factor, 2, "free_factor after a refill");
}

/* --- step 2: filling -------------------------------------------------------------------------- */

static void what_was_filled_is_marked_and_counted(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages;
    unsigned got = refill(0, MIGRATE_MOVABLE);
    expect_equal(stack_length(0, MIGRATE_MOVABLE), got, "pages on the stack, NULL at its end");
    expect_equal(pcp_count(pcp), got, "pcp_count(): high - room");
    expect_equal(pcp->filled, got, "the counter `filled`");
    expect_equal(pcp->refills, 1, "the counter `refills`");
    expect_equal(zone->nr_free_pages, free - got, "free pages of the zone");
    for (struct page *p = *pcp_stack(pcp, 0, MIGRATE_MOVABLE); p; p = p->pcp_next) {
        expect_equal(p->type, PAGE_PCP, "type of a page on the stack");
        expect_equal(p->order, 0, "order of a page on the stack");
    }
}

static void addresses_ascend(void **state)
{
    (void)state;
    (void)refill(0, MIGRATE_UNMOVABLE);
    struct page *p = *pcp_stack(pcp, 0, MIGRATE_UNMOVABLE);
    for (; p && p->pcp_next; p = p->pcp_next)
        expect_true(p->pcp_next > p, "the page with the lower address is handed out first");
}

static void the_stack_has_an_end(void **state)
{
    (void)state;
    pcp->alloc_factor = 3;
    (void)refill(0, MIGRATE_MOVABLE);
    pcp_drain_local(zone); /* the pages remember who was next */
    pcp->alloc_factor = 0;
    unsigned got = refill(0, MIGRATE_MOVABLE);
    expect_equal(stack_length(0, MIGRATE_MOVABLE), got, "pages on the stack, NULL at its end");
}

static void larger_blocks_count_their_pages(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages;
    unsigned blocks = refill(2, MIGRATE_MOVABLE);
    expect_equal(blocks, pcp->batch / 4, "blocks of order 2 in a batch of %d pages", pcp->batch);
    expect_equal(stack_length(2, MIGRATE_MOVABLE), blocks, "blocks on the stack");
    expect_equal(pcp_count(pcp), blocks * 4, "pages that pcp_count() tells");
    expect_equal(zone->nr_free_pages, free - blocks * 4, "free pages of the zone");
    pcp->batch = 1;
    pcp->alloc_factor = 0;
    expect_equal(refill(3, MIGRATE_UNMOVABLE), 1, "blocks of order 3 for a batch of one page");
}

static void an_empty_zone_fills_nothing(void **state)
{
    (void)state;
    spin_lock(&zone->lock);
    for (unsigned order = NR_ORDERS; order-- > 0;)
        while (buddy_alloc_locked(zone, order, MIGRATE_MOVABLE))
            ;
    spin_unlock(&zone->lock);
    expect_equal(refill(0, MIGRATE_MOVABLE), 0, "pages out of an empty zone");
    expect_true(*pcp_stack(pcp, 0, MIGRATE_MOVABLE) == NULL, "the stack is empty");
    expect_equal(pcp_count(pcp), 0, "pcp_count()");
}

/* --- steps 3 and 4: giving back --------------------------------------------------------------- */

static void all_goes_back(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages, big = zone->free_area[MAX_ORDER].nr_free;
    (void)refill(0, MIGRATE_MOVABLE);
    (void)refill(1, MIGRATE_MOVABLE);
    (void)refill(3, MIGRATE_MOVABLE);
    long filled = pcp_count(pcp);
    pcp_drain_local(zone);
    expect_equal(pcp_count(pcp), 0, "pages that are left on the pageset");
    expect_equal(pcp->given_back, filled, "the counter `given_back`");
    expect_equal(pcp->room, pcp->high, "room, when nothing is there");
    expect_equal(zone->nr_free_pages, free, "free pages of the zone");
    expect_equal(zone->free_area[MAX_ORDER].nr_free, big, "largest blocks: all merged again");
    for (unsigned i = 0; i < (PCP_MAX_ORDER + 1) * PCP_TYPES; i++)
        expect_true(pcp->stacks[i / PCP_TYPES][i % PCP_TYPES] == NULL, "stack %u is empty", i);
    fake_check();
}

static void a_page_goes_to_its_pageblocks_list(void **state)
{
    (void)state;
    (void)refill(0, MIGRATE_MOVABLE);
    struct page *page = *pcp_stack(pcp, 0, MIGRATE_MOVABLE);
    spin_lock(&zone->lock);
    buddy_move_pageblock_locked(zone, page, MIGRATE_UNMOVABLE);
    pageblock_set_type(page, MIGRATE_UNMOVABLE); /* somebody stole it meanwhile */
    spin_unlock(&zone->lock);
    pcp_drain_local(zone);
    fake_check();
}

static void each_kind_gives_its_share(void **state)
{
    (void)state;
    pcp->high = pcp->room = 100 * pcp->batch;
    pcp->alloc_factor = 2;
    (void)refill(0, MIGRATE_MOVABLE);
    pcp->alloc_factor = 2;
    (void)refill(0, MIGRATE_UNMOVABLE);
    long movable = stack_length(0, MIGRATE_MOVABLE), other = stack_length(0, MIGRATE_UNMOVABLE);
    pcp->free_factor = 1;
    pcp_trim(zone, pcp); /* two batches */
    expect_true(stack_length(0, MIGRATE_MOVABLE) < movable, "movable pages were given back too");
    expect_true(stack_length(0, MIGRATE_UNMOVABLE) < other, "unmovable pages were given back too");
    fake_check();
}

/* --- step 5: trimming ------------------------------------------------------------------------- */

static void trims_that_follow_each_other_double(void **state)
{
    (void)state;
    pcp->high = pcp->room = 1000 * pcp->batch;
    pcp->alloc_factor = 5;
    (void)refill(0, MIGRATE_MOVABLE);
    pcp->free_factor = 0;
    long want = pcp->batch;
    for (int i = 0; i < 3; i++, want *= 2) {
        long before = pcp_count(pcp);
        pcp_trim(zone, pcp);
        expect_equal(before - pcp_count(pcp), want, "pages that trim %d in a row gives back",
                     i + 1);
    }
    expect_equal(pcp->drains, 3, "the counter `drains`");
    for (int i = 0; i < 20; i++)
        pcp_trim(zone, pcp);
    expect_true(pcp->free_factor <= 5, "free_factor has an end: %u", pcp->free_factor);
    fake_check();
}

static void a_trim_calms_the_refills(void **state)
{
    (void)state;
    (void)refill(0, MIGRATE_MOVABLE);
    pcp->alloc_factor = 4;
    pcp_trim(zone, pcp);
    expect_equal(pcp->alloc_factor, 2, "alloc_factor after a trim");
    expect_true(pcp_count(pcp) >= 0, "no more was given back than there was");
}

/* --- step 6: draining ------------------------------------------------------------------------- */

static void every_hart_is_asked(void **state)
{
    (void)state;
    uint64_t free = zone->nr_free_pages, before = vm_event_sum(PCP_DRAIN_ALL);
    for (uint32_t i = 0; i < nr_harts; i++) {
        host_become(i);
        __free_page(alloc_page(GFP_KERNEL));
    }
    host_become(0);
    drain_all_pages(zone);
    for (uint32_t i = 0; i < nr_harts; i++)
        expect_equal(pcp_count(pageset_of(i, zone)), 0, "pages left with hart %u", i);
    expect_equal(zone->nr_free_pages, free, "free pages of the zone");
    expect_equal(vm_event_sum(PCP_DRAIN_ALL), before + 1, "the event PCP_DRAIN_ALL");
}

static void all_zones_are_drained(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(64));
    fake_memory(1, MIB(64), MIB(64));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    for (uint32_t i = 0; i < nr_harts; i++) {
        host_become(i);
        __free_page(alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 0));
        __free_page(alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 0));
    }
    host_become(0);
    drain_all_pages(zones[1]);
    expect_equal(zone_pcp_pages(zones[1]), 0, "pages left in pagesets of zone 1");
    expect_true(zone_pcp_pages(zones[0]) > 0, "zone 0 was not to be drained");
    drain_all_pages(NULL);
    expect_equal(zone_pcp_pages(zones[0]), 0, "pages left in pagesets of zone 0");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_refill_is_one_batch),
        TEST(refills_that_follow_each_other_double),
        TEST(a_refill_leaves_room),
        TEST(a_short_zone_gives_little),
        TEST(a_refill_calms_the_frees),
        TEST(what_was_filled_is_marked_and_counted),
        TEST(addresses_ascend),
        TEST(the_stack_has_an_end),
        TEST(larger_blocks_count_their_pages),
        TEST(an_empty_zone_fills_nothing),
        TEST(all_goes_back),
        TEST(a_page_goes_to_its_pageblocks_list),
        TEST(each_kind_gives_its_share),
        TEST(trims_that_follow_each_other_double),
        TEST(a_trim_calms_the_refills),
        TEST(every_hart_is_asked),
        TEST(all_zones_are_drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
