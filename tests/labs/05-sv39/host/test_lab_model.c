/* SPDX-License-Identifier: MIT */
/*
 * test_lab_model.c - ranges come, change and go at random, against a model of single pages.
 *
 *      1 GiB - 3 MiB ............ 1 GiB ............ 1 GiB + 3 MiB
 *      model: each page's frame and bits, 0 for none
 *
 * Hardware sets A and D at times, and at times there is no memory for a table.
 */
#include "tables.h"

#define PAGES 1536u
#define BASE (GIB(1) - MIB(3))
#define STEPS 4000u

static uint64_t model[PAGES]; /* as an entry of 4 KiB would be */
static struct rng rng;

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static unsigned below_n(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

/* What a page's translation is, as a leaf of 4 KiB would say it. */
static uint64_t now(unsigned page)
{
    struct found f = look(addr_of(page));
    uint64_t inside = addr_of(page) & (pt_level_size(f.level) - 1);
    return f.entry->v & PTE_V ? f.entry->v + (inside >> 12 << 10) : 0;
}

static void expect_model(const char *after)
{
    char text[512] = "";
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    for (unsigned i = 0; i < PAGES; i++)
        expect_equal(now(i), model[i], "translation of va 0x%lx after %s", addr_of(i), after);
    expect_tables(count().tables);
    if (pt_check(&pt, &out.sink))
        fail_msg("%s", text);
}

/* Without memory a step may stop anywhere: each page is as it was, or as it should be. */
static void settle(unsigned first, unsigned n, int err, uint64_t (*wanted)(unsigned), bool is_map)
{
    for (unsigned i = first; i < first + n; i++) {
        if (err && now(i) == model[i])
            continue;
        model[i] = wanted(i);
    }
    expect_true(!err || err == -ENOMEM, "0 or -ENOMEM, not %d", err);
    for (unsigned i = first + 1; is_map && i < first + n; i++)
        expect_true(!model[i] || model[i - 1], "what was mapped is the beginning of the range");
}

static uint64_t frame_0, prot;

static uint64_t as_mapped(unsigned page)
{
    return (frame_0 + page) << 10 | prot | PTE_V;
}

static uint64_t as_protected(unsigned page)
{
    return model[page] ? (model[page] & ~PTE_PROT_MASK) | prot : 0;
}

static uint64_t as_unmapped(unsigned page)
{
    (void)page;
    return 0;
}

/* Where a large leaf would go, is there a table already? Then only small ones are asked for. */
static unsigned level_for(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (look(addr_of(i)).level == 0)
            return 0;
    return 2;
}

static void step_map(unsigned first, unsigned n)
{
    while (n && model[first + n - 1])
        n--;
    for (unsigned i = first; i < first + n; i++)
        if (model[i])
            return;
    frame_0 = (BASE >> 12) + (below_n(3) ? 0 : below_n(9));
    prot = (below_n(2) ? PTE_R : PTE_R | PTE_W) | (rng_below(&rng, 8) << 5);
    int err = pt_map_range(&pt, mk_vaddr(addr_of(first)), mk_paddr((frame_0 + first) << 12),
                           n * PAGE_SIZE, prot, level_for(first, n));
    settle(first, n, err, as_mapped, true);
}

static void step_protect(unsigned first, unsigned n)
{
    prot = PTE_R | (rng_below(&rng, 4) ? PTE_W : PTE_X) | (rng_below(&rng, 2) ? PTE_U : PTE_G);
    int err = pt_protect_range(&pt, mk_vaddr(addr_of(first)), n * PAGE_SIZE, prot);
    settle(first, n, err, as_protected, false);
}

static void step_unmap(unsigned first, unsigned n)
{
    int err = pt_unmap_range(&pt, mk_vaddr(addr_of(first)), n * PAGE_SIZE);
    settle(first, n, err, as_unmapped, false);
}

static void step_hardware(unsigned page)
{
    struct found f = look(addr_of(page));
    if (!(f.entry->v & PTE_V))
        return;
    uint64_t bits = below_n(2) ? PTE_A : PTE_A | PTE_D, size = pt_level_size(f.level);
    f.entry->v |= bits;
    for (unsigned i = 0; i < PAGES; i++)
        if (ALIGN_DOWN(addr_of(i), size) == ALIGN_DOWN(addr_of(page), size))
            model[i] |= bits;
}

/* The tables of a hole go, but for those that its neighbours need. */
static void step_take(unsigned page)
{
    unsigned first = page, end = page;
    LIST_HEAD(taken);
    if (model[page])
        return;
    while (first && !model[first - 1])
        first--;
    while (end < PAGES && !model[end])
        end++;
    struct pt_gap gap = {addr_of(first), addr_of(end), first ? addr_of(first) : 0,
                         end < PAGES ? addr_of(end) : USER_TOP};
    pt_unlink_tables(&pt, &gap, &taken);
    pt_release_tables(&pt, &taken);
    for (unsigned i = first; i < end; i++) {
        uint64_t start = ALIGN_DOWN(addr_of(i), MIB2);
        bool needed = start < gap.floor || start + MIB2 > gap.ceiling;
        expect_true(needed || look(addr_of(i)).level > 0,
                    "no table of the last level is left for va 0x%lx", addr_of(i));
    }
}

/* All of it, or all around one boundary: room for large leaves again. */
static void step_clear(void)
{
    unsigned n = below_n(2) ? PAGES : 512, first = n == PAGES ? 0 : 256 + 512 * below_n(2);
    step_unmap(first, n);
    expect_model("pt_unmap_range()");
    step_take(first);
}

static void step(void)
{
    unsigned first = below_n(PAGES), n = 1 + below_n(below_n(2) ? 20 : PAGES);
    if (below_n(3) == 0)
        first = first / 512 * 512 + 256; /* a boundary of 2 MiB: the window begins between two */
    n = n > PAGES - first ? PAGES - first : n;
    tables_left = below_n(8) ? POOL : below_n(3);
    switch (below_n(8)) {
    case 0:
    case 1:
    case 2:
        step_map(first, n);
        return expect_model("pt_map_range()");
    case 3:
    case 4:
        step_protect(first, n);
        return expect_model("pt_protect_range()");
    case 5:
        step_unmap(first, n);
        return expect_model("pt_unmap_range()");
    case 6:
        below_n(2) ? step_take(first) : step_clear();
        return expect_model("pt_unlink_tables()");
    default:
        step_hardware(first);
    }
}

static void ranges_in_any_order(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned i = 0; i < STEPS; i++)
        step();
    tables_left = POOL;
    step_unmap(0, PAGES);
    step_take(0);
    expect_model("the end");
    expect_tables(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranges_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
