/* SPDX-License-Identifier: MIT */
/*
 * test_random.c - ten million random steps of buddy, fallback and pagesets against a plain model.
 *
 *      frame     0   1   2   3   4   5   6 ...
 *      model     7   7   7   7   0   9   0         number of the allocation, 0: free
 *
 * The model is one number a frame. An allocation must lie on frames that are free in the model,
 * aligned, in RAM, in a zone that its flags allow; what the monitor counts as free must be what the
 * model has; after each thousand steps the audit of phys_check() must find nothing. Three harts on
 * two nodes take turns, one of them between more takers than givers and the reverse, so that the
 * machine runs full and empty many times.
 *
 *      RANDOM_STEPS=N RANDOM_SEED=N     other numbers than 10,000,000 and 1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "phys/buddy.h"
#include "phys/check.h"
#include "phys/fallback.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"
#include "support/host.h"

enum {
    FRAMES = MIB(24) / PAGE_SIZE,
    MAX_LIVE = FRAMES,
    CHECK_EVERY = 1000,
    PHASE = 20000, /* steps between changes of mind */
};

struct allocation {
    struct page *page;
    unsigned order;
};

static uint32_t model[FRAMES];
static struct allocation live[MAX_LIVE];
static unsigned nr_live;
static uint64_t used; /* pages */
static struct rng rng;
static unsigned long step;

static uint64_t below(uint64_t n)
{
    return rng_below(&rng, n);
}

static uint64_t frame_of(const struct page *page)
{
    return page_to_pfn(page).v - MEMORY_BASE_PFN;
}

static void expect(bool ok, const char *what, const struct page *page)
{
    if (!ok)
        fail_msg("step %lu: %s (pfn 0x%lx)", step, what,
                 page ? (unsigned long)page_to_pfn(page).v : 0UL);
}

/* --- steps ------------------------------------------------------------------------------------ */

static gfp_t random_gfp(void)
{
    static const gfp_t kinds[] = {
        GFP_KERNEL,
        GFP_HIGHUSER_MOVABLE,
        GFP_HIGHUSER_MOVABLE,
        GFP_KERNEL | __GFP_RECLAIMABLE,
        GFP_ATOMIC,
        GFP_NOWAIT,
        GFP_DMA32,
        GFP_KERNEL | __GFP_THISNODE,
    };
    return kinds[below(ARRAY_SIZE(kinds))] | __GFP_NOWARN;
}

static unsigned random_order(void)
{
    uint64_t r = below(100);
    return r < 70 ? 0 : r < 90 ? (unsigned)below(4) : (unsigned)below(NR_ORDERS);
}

static void enter(struct page *page, unsigned order)
{
    uint64_t first = frame_of(page);
    expect(first + (1UL << order) <= FRAMES, "outside of RAM", page);
    expect(IS_ALIGNED(page_to_pfn(page).v, 1UL << order), "not aligned to its order", page);
    live[nr_live++] = (struct allocation){page, order};
    for (uint64_t i = first; i < first + (1UL << order); i++) {
        expect(!model[i], "handed out twice", page);
        model[i] = nr_live;
    }
    used += 1UL << order;
}

static void step_alloc(void)
{
    gfp_t gfp = random_gfp();
    unsigned order = random_order();
    int nid = (int)below(2);
    if (nr_live == MAX_LIVE)
        return;
    struct page *page = alloc_pages_node(nid, gfp, order);
    if (!page)
        return;
    expect(page_zone(page)->index <= gfp_zone(gfp), "from a zone it must not use", page);
    expect(!(gfp & __GFP_THISNODE) || page->nid == nid, "from another node", page);
    expect(page->type == PAGE_KERNEL && page_count(page) == 1, "not ready to use", page);
    if ((gfp & __GFP_MOVABLE) && !order)
        page_set_type(page, PAGE_ANON);
    enter(page, order);
}

static struct allocation leave(unsigned i)
{
    struct allocation a = live[i];
    for (uint64_t f = frame_of(a.page); f < frame_of(a.page) + (1UL << a.order); f++)
        model[f] = 0;
    live[i] = live[--nr_live];
    used -= 1UL << a.order;
    return a;
}

static void step_free(void)
{
    if (!nr_live)
        return;
    struct allocation a = leave((unsigned)below(nr_live));
    if (below(16) == 0) { /* by way of references */
        get_page(a.page);
        __free_pages(a.page, a.order);
        put_page(a.page);
        return;
    }
    __free_pages(a.page, a.order);
}

/* Single pages of one block. */
static void step_split(void)
{
    if (!nr_live)
        return;
    unsigned i = (unsigned)below(nr_live);
    if (live[i].order == 0 || live[i].order > 4 || nr_live + 16 > MAX_LIVE)
        return;
    struct allocation a = leave(i);
    split_page(a.page, a.order);
    for (unsigned k = 0; k < 1U << a.order; k++)
        enter(a.page + k, 0);
}

static void step_bulk(void)
{
    struct page *pages[32];
    if (nr_live + ARRAY_SIZE(pages) > MAX_LIVE)
        return;
    unsigned n = alloc_pages_bulk((int)below(2), GFP_HIGHUSER_MOVABLE | __GFP_NOWARN,
                                  ARRAY_SIZE(pages), pages);
    for (unsigned i = 0; i < n; i++)
        enter(pages[i], 0);
}

/* As compaction does: take a free block off, split it, use one page, give the others back. */
static void step_isolate(void)
{
    struct page *page = page_head(pfn_to_page(mk_pfn(MEMORY_BASE_PFN + below(FRAMES))));
    struct zone *zone = page_zone(page);
    if (nr_live == MAX_LIVE)
        return;
    spin_lock(&zone->lock);
    if (page->type != PAGE_BUDDY || page->order > PAGEBLOCK_ORDER) {
        spin_unlock(&zone->lock);
        return;
    }
    unsigned order = buddy_isolate_locked(zone, page);
    unsigned keep = (unsigned)below(1UL << order);
    buddy_split_isolated(page, order);
    buddy_claim_isolated_locked(zone, page + keep, 0);
    for (unsigned i = 0; i < 1U << order; i++)
        if (i != keep)
            buddy_return_locked(zone, page + i, 0);
    spin_unlock(&zone->lock);
    page_set_type(page + keep, PAGE_ANON);
    enter(page + keep, 0);
}

/* Somebody waits for a block while others free. */
static void step_capture(void)
{
    struct zone *zone = zones[below(nr_zones)];
    struct capture_control capture = {(unsigned)below(NR_ORDERS), MIGRATE_MOVABLE, NULL};
    zone->capture = &capture;
    for (unsigned i = 0; i < 20; i++)
        step_free();
    drain_all_pages(zone);
    zone->capture = NULL;
    if (!capture.page)
        return;
    expect(capture.page->order == capture.order, "captured with another order", capture.page);
    spin_lock(&zone->lock);
    buddy_return_locked(zone, capture.page, capture.order);
    spin_unlock(&zone->lock);
}

static void step_rare(void)
{
    switch (below(6)) {
    case 0:
        drain_all_pages(below(2) ? NULL : zones[below(nr_zones)]);
        break;
    case 1:
        min_free_kbytes = 128 + below(256);
        setup_per_zone_wmarks();
        break;
    case 2:
        (void)highatomic_unreserve(zones[below(nr_zones)]);
        break;
    case 3:
        step_capture();
        break;
    default:
        step_bulk();
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

static uint64_t managed_pages(void)
{
    struct zone *zone;
    uint64_t sum = 0;
    for_each_populated_zone(zone) sum += zone->managed_pages;
    return sum;
}

static void check_all(void)
{
    static char text[4096];
    struct buffer_sink out;
    uint64_t free = nr_free_pages_with_pcp();
    if (free + used != managed_pages())
        fail_msg("step %lu: %lu free and %lu used make not %lu", step, (unsigned long)free,
                 (unsigned long)used, (unsigned long)managed_pages());
    for (unsigned i = 0; i < nr_live; i++)
        if (page_is_free(live[i].page) || live[i].page->order != live[i].order)
            fail_msg("step %lu: what is in use is marked as free", step);
    buffer_sink_init(&out, text, sizeof(text));
    if (phys_check(&out.sink))
        fail_msg("step %lu: %s", step, text);
}

static void run(unsigned long steps)
{
    uint64_t takers = 50;
    for (step = 1; step <= steps; step++) {
        if (step % PHASE == 0)
            takers = 20 + below(51);
        if (step % 64 == 0)
            host_become((uint32_t)below(nr_harts));
        uint64_t r = below(1000);
        if (r < takers * 9)
            step_alloc();
        else if (r < 900)
            step_free();
        else if (r < 940)
            step_split();
        else if (r < 998)
            step_isolate();
        else
            step_rare();
        if (step % CHECK_EVERY == 0)
            check_all();
    }
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 0) : otherwise;
}

static void ten_million_steps(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(14)); /* ends in the middle of a 4 MiB block */
    fake_memory(1, MIB(14), MIB(10));
    fake_hart(0);
    fake_hart(1);
    fake_hart(1);
    fake_boot("dma32=8M movablecore=4M");
    rng_seed(&rng, number_of("RANDOM_SEED", 1));
    uint64_t free = nr_free_pages();
    run(number_of("RANDOM_STEPS", 10000000));
    while (nr_live)
        step_free();
    host_become(0);
    check_all();
    drain_all_pages(NULL);
    assert_int_equal(nr_free_pages(), free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_million_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
