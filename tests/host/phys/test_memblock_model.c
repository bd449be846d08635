/* SPDX-License-Identifier: MIT */
/*
 * test_memblock_model.c - memblock against a model that cannot be wrong: one byte a page.
 *
 *      page      0   1   2   3   4 ...          node + 1, or 0: no RAM
 *      taken     0   0   1   1   0 ...          reserved?
 *
 * Random operations go to both; after each, every page must be the same in both, the free ranges
 * must be exactly the free pages, and an allocation must be where the model says that it is lowest
 * or highest. The seed is printed when a step fails. RANDOM_SEED=N begins with another one than 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/layout.h"
#include "base/string.h"
#include "phys/memblock.h"

enum { PAGES = 256, NODES = 3, STEPS = 20000 };

static struct {
    uint8_t node[PAGES];
    uint8_t taken[PAGES];
} model;

static uint64_t rng_state;

static uint32_t below(uint32_t n)
{
    rng_state = rng_state * 6364136223846793005UL + 1442695040888963407UL;
    return (uint32_t)(rng_state >> 33) % n;
}

static uint64_t addr(uint32_t page)
{
    return MEMORY_BASE + (uint64_t)page * PAGE_SIZE;
}

/* --- operations on both ----------------------------------------------------------------------- */

enum { ADD, REMOVE, RESERVE, FREE, ALLOC, NR_OPERATIONS };

/* Bytes that do not begin or end at pages, often: memblock must round, the model is told how. */
static void change(uint32_t operation)
{
    bool outwards = operation == REMOVE || operation == RESERVE;
    uint64_t base = below(PAGES * PAGE_SIZE);
    uint64_t size = below(2) ? below(8 * PAGE_SIZE) : below(64 * PAGE_SIZE);
    int nid = (int)below(NODES);
    int error = 0;

    size = MIN(size, PAGES * PAGE_SIZE - base);
    paddr_t start = mk_paddr(MEMORY_BASE + base);
    if (operation == ADD)
        error = memblock_add(start, size, nid);
    else if (operation == REMOVE)
        error = memblock_remove(start, size);
    else if (operation == RESERVE)
        error = memblock_reserve(start, size);
    else
        error = memblock_free(start, size);
    assert_int_equal(error, 0);

    uint64_t first = outwards ? base / PAGE_SIZE : (base + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t last =
        outwards ? (base + size + PAGE_SIZE - 1) / PAGE_SIZE : (base + size) / PAGE_SIZE;
    for (uint64_t i = first; size && i < last; i++) {
        if (operation == ADD && !model.node[i])
            model.node[i] = (uint8_t)(nid + 1);
        else if (operation == REMOVE)
            model.node[i] = 0;
        else if (operation == RESERVE || operation == FREE)
            model.taken[i] = operation == RESERVE;
    }
}

static bool fits(uint32_t at, uint32_t pages, uint32_t align, int nid)
{
    if (at % align || at + pages > PAGES)
        return false;
    for (uint32_t i = at; i < at + pages; i++)
        if (!model.node[i] || model.taken[i] || model.node[i] != model.node[at] ||
            (nid >= 0 && model.node[i] != nid + 1))
            return false;
    return true;
}

/* The page that an allocation must get, or PAGES. */
static uint32_t expected(uint32_t pages, uint32_t align, int nid)
{
    uint32_t found = PAGES;

    for (uint32_t at = 0; at < PAGES; at++) {
        if (!fits(at, pages, align, nid))
            continue;
        found = at;
        if (memblock.bottom_up)
            break;
    }
    return found;
}

static void allocate(void)
{
    uint32_t pages = 1 + below(12);
    uint32_t align = 1u << below(5);
    int nid = (int)below(NODES + 1) - 1;
    uint32_t want;

    memblock.bottom_up = below(2);
    want = expected(pages, align, nid);
    if (want == PAGES)
        want = expected(pages, align, -1);
    paddr_t got = memblock_alloc_phys(pages * PAGE_SIZE - below(PAGE_SIZE), align * PAGE_SIZE,
                                      MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);
    assert_int_equal(got.v, want == PAGES ? 0 : addr(want));
    if (want < PAGES)
        memset(model.taken + want, 1, pages);
}

/* --- comparison ------------------------------------------------------------------------------- */

static void compare_pages(void)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        assert_int_equal(memblock_nid(mk_paddr(addr(i))) + 1, model.node[i]);
        assert_int_equal(memblock_is_reserved(mk_paddr(addr(i))), model.taken[i]);
    }
}

static void compare_free_ranges(int nid)
{
    uint8_t seen[PAGES] = {0};
    struct memblock_region r;

    for_each_free_range(nid, &r)
        for (uint64_t at = r.base.v; at < r.base.v + r.size; at += PAGE_SIZE)
            seen[(at - MEMORY_BASE) / PAGE_SIZE] = (uint8_t)(r.nid + 1);
    for (uint32_t i = 0; i < PAGES; i++) {
        bool free = !model.taken[i] && (nid < 0 || model.node[i] == nid + 1);
        assert_int_equal(seen[i], free ? model.node[i] : 0);
    }
}

static void expect_sound(void)
{
    static char text[4096];
    struct buffer_sink out;

    buffer_sink_init(&out, text, sizeof(text));
    if (memblock_check(&out.sink))
        fail_msg("%s", text);
}

static void agrees_with_the_model(void **state)
{
    (void)state;
    const char *text = getenv("RANDOM_SEED");
    uint64_t first = text ? strtoull(text, NULL, 0) : 1;
    for (uint64_t seed = first; seed < first + 8; seed++) {
        rng_state = seed;
        memset(&model, 0, sizeof(model));
        memblock_init();
        print_message("seed %lu\n", (unsigned long)seed);
        for (uint32_t step = 0; step < STEPS / 8; step++) {
            uint32_t operation = below(NR_OPERATIONS);
            if (operation == ALLOC)
                allocate();
            else
                change(operation);
            expect_sound();
            compare_pages();
            compare_free_ranges((int)below(NODES + 1) - 1);
        }
    }
}

/* mem= against the model: the lowest pages of RAM stay, and no others. */
static void caps_like_the_model(void **state)
{
    (void)state;
    rng_state = 42;
    for (uint32_t round = 0; round < 200; round++) {
        memset(&model, 0, sizeof(model));
        memblock_init();
        for (uint32_t i = 0; i < 10; i++)
            change(i == 5 ? REMOVE : ADD);
        uint32_t keep = below(PAGES);
        uint64_t before = memblock.memory.total;
        uint64_t removed = memblock_cap(keep * PAGE_SIZE + below(PAGE_SIZE));
        for (uint32_t i = 0, kept = 0; i < PAGES; i++)
            if (model.node[i] && kept++ >= keep)
                model.node[i] = 0;
        assert_int_equal(before - removed, memblock.memory.total);
        expect_sound();
        compare_pages();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_model),
        cmocka_unit_test(caps_like_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
