/* SPDX-License-Identifier: MIT */
/*
 * test_mempolicy.c - on which node a page lies, by each policy, from each hart, with nodes full.
 *
 *      distance    0   1   2   3
 *      node 0     10  20  30  40     memory, hart 0
 *      node 1     20  10  25  35     memory, hart 1
 *      node 2     30  25  10  15             hart 2: a policy leaves it out
 *      node 3     40  35  15  10     memory
 *
 * No two distances from a node are equal, so there is always one that is nearest.
 * The model knows which nodes are full and sorts by distance; the allocator has zonelists,
 * watermarks and pagesets. Allocations do not wait, so a full node stays so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/fake_heap.h"

#include "base/errno.h"
#include "base/random.h"
#include "support/fake_machine.h"
#include "support/host.h"
#include "virt/mm.h"

#define NODES 4u
#define HARTS 3u /* hart i on node i */
#define NODE_MEMORY MIB(8)
#define GFP (__GFP_MOVABLE | __GFP_NOWARN)

static const uint8_t distances[NODES][NODES] = {
    {10, 20, 30, 40}, {20, 10, 25, 35}, {30, 25, 10, 15}, {40, 35, 15, 10}};
static const nodemask_t with_memory = {0xb};

static struct list_head taken[NODES]; /* the pages of a node that is full */

static nodemask_t nodes(uint64_t bits)
{
    return (nodemask_t){bits};
}

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    for (unsigned i = 0; i < NODES; i++) {
        INIT_LIST_HEAD(&taken[i]);
        if (mask_test(&with_memory, i))
            fake_memory(i, i * MIB(16), NODE_MEMORY);
        if (i < HARTS)
            fake_hart(i);
        for (unsigned j = 0; j < i; j++)
            fake_distance(i, j, distances[i][j]);
    }
    fake_boot("");
    mempolicy_init();
    return 0;
}

/* --- making them ------------------------------------------------------------------------------ */

static void policies_keep_the_nodes_that_have_memory(void **state)
{
    (void)state;
    static const struct {
        enum mpol_mode mode;
        uint64_t nodes;
        int err;
        const char *text;
    } table[] = {
        {MPOL_DEFAULT, 0, 0, "default"},
        {MPOL_DEFAULT, 1, -EINVAL, NULL},
        {MPOL_LOCAL, 0, 0, "local"},
        {MPOL_LOCAL, 2, -EINVAL, NULL},
        {MPOL_BIND, 0x1, 0, "bind:0"},
        {MPOL_BIND, 0xf, 0, "bind:0-1,3"},
        {MPOL_BIND, 0xfff8, 0, "bind:3"},
        {MPOL_BIND, 0, -EINVAL, NULL},
        {MPOL_BIND, 0x4, -EINVAL, NULL},    /* no memory */
        {MPOL_BIND, 0xff00, -EINVAL, NULL}, /* not online */
        {MPOL_PREFERRED, 0, 0, "local"},
        {MPOL_PREFERRED, 0x8, 0, "prefer:3"},
        {MPOL_PREFERRED, 0x4, -EINVAL, NULL},
        {MPOL_PREFERRED, 0xe, 0, "prefer:1"}, /* one is preferred: the first that can be */
        {MPOL_PREFERRED_MANY, 0xa, 0, "prefer (many):1,3"},
        {MPOL_PREFERRED_MANY, 0, -EINVAL, NULL},
        {MPOL_INTERLEAVE, 0x7, 0, "interleave:0-1"},
        {MPOL_INTERLEAVE, 0, -EINVAL, NULL},
        {NR_MPOL_MODES, 0x1, -EINVAL, NULL},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        int err = 1;
        struct mempolicy *pol = mpol_new(table[i].mode, nodes(table[i].nodes), &err);
        assert_int_equal(err, table[i].err);
        assert_int_equal(pol != NULL, !err);
        if (!pol)
            continue;
        char text[64];
        struct buffer_sink out;
        buffer_sink_init(&out, text, sizeof(text));
        mpol_print(pol, &out.sink);
        assert_string_equal(text, table[i].text);
        mpol_put(pol);
    }
    assert_int_equal(objects_out, 0);
}

static void the_last_holder_frees_it(void **state)
{
    (void)state;
    int err;
    struct mempolicy *pol = mpol_new(MPOL_BIND, nodes(1), &err);
    mpol_get(pol);
    mpol_get(pol);
    mpol_put(pol);
    mpol_put(pol);
    assert_int_equal(objects_out, 1);
    mpol_put(pol);
    assert_int_equal(objects_out, 0);
    mpol_get(&default_policy);
    mpol_put(&default_policy);
    mpol_put(&default_policy); /* is nobody's */
    assert_int_equal(default_policy.mode, MPOL_DEFAULT);

    objects_left = 0;
    assert_null(mpol_new(MPOL_BIND, nodes(1), &err));
    objects_left = LONG_MAX;
    assert_int_equal(err, -ENOMEM);
}

static void policies_are_equal_by_what_they_say(void **state)
{
    (void)state;
    static const struct {
        enum mpol_mode mode;
        uint64_t nodes;
        int8_t home;
        char like; /* those of a letter are equal */
    } table[] = {
        {MPOL_BIND, 0x3, NO_NODE, 'a'},
        {MPOL_BIND, 0x7, NO_NODE, 'a'},
        {MPOL_BIND, 0x3, 1, 'b'},
        {MPOL_BIND, 0x1, NO_NODE, 'c'},
        {MPOL_INTERLEAVE, 0x3, NO_NODE, 'd'},
        {MPOL_PREFERRED, 0x3, NO_NODE, 'e'},
        {MPOL_PREFERRED, 0x1, NO_NODE, 'e'},
        {MPOL_PREFERRED, 0, NO_NODE, 'f'},
        {MPOL_LOCAL, 0, NO_NODE, 'f'},
        {MPOL_DEFAULT, 0, NO_NODE, 'g'},
    };
    struct mempolicy *pol[ARRAY_SIZE(table)];
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        int err;
        pol[i] = mpol_new(table[i].mode, nodes(table[i].nodes), &err);
        assert_non_null(pol[i]);
        pol[i]->home = table[i].home;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(table); j++)
            assert_int_equal(mpol_equal(pol[i], pol[j]), table[i].like == table[j].like);
        assert_false(mpol_equal(pol[i], NULL));
        assert_false(mpol_equal(NULL, pol[i]));
    }
    assert_true(mpol_equal(NULL, NULL));
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        mpol_put(pol[i]);
    assert_int_equal(objects_out, 0);
}

/* --- where a page comes from ------------------------------------------------------------------ */

/* Leave nothing on the node, also not in the pageset that its hart looks at first. */
static void fill(unsigned nid)
{
    for (unsigned hart = 0; hart < HARTS; hart++) {
        struct page *page;
        host_become(hart);
        while ((page = alloc_pages_node((int)nid, GFP | __GFP_THISNODE, 0)))
            list_add(&page->lru, &taken[nid]);
    }
    assert_false(list_empty(&taken[nid]));
}

/* Give it all back, and end the boost of the watermark, as kswapd would. */
static void drain(unsigned nid)
{
    struct page *page, *next;
    list_for_each_entry_safe(page, next, &taken[nid], lru)
        __free_page(page);
    INIT_LIST_HEAD(&taken[nid]);
    for (unsigned i = 0; i < nr_zones; i++)
        if (zones[i]->nid == nid)
            zones[i]->watermark_boost = 0;
}

/* The nearest of the nodes that has a page left; -1: none. */
static int nearest(unsigned from, nodemask_t among)
{
    int best = -1;
    for (unsigned i = 0; i < NODES; i++)
        if (mask_test(&among, i) && list_empty(&taken[i]) &&
            (best < 0 || distances[from][i] < distances[from][best]))
            best = (int)i;
    return best;
}

static unsigned nth(nodemask_t mask, uint64_t n)
{
    unsigned members[NODES], nr = 0;
    for (unsigned i = 0; i < NODES; i++)
        if (mask_test(&mask, i))
            members[nr++] = i;
    return members[n % nr];
}

static int expected(const struct mempolicy *pol, unsigned hart, uint64_t index)
{
    unsigned from = pol->home == NO_NODE ? hart : (unsigned)pol->home;
    int found = nearest(from, pol->nodes);
    switch (pol->mode) {
    case MPOL_BIND:
        return found;
    case MPOL_PREFERRED_MANY:
        return found >= 0 ? found : nearest(from, with_memory);
    case MPOL_PREFERRED:
        return nearest(nth(pol->nodes, 0), with_memory);
    case MPOL_INTERLEAVE:
        return nearest(nth(pol->nodes, index), with_memory);
    default:
        return nearest(hart, with_memory);
    }
}

/* The node of a page for this address; it is given back at once. -1: there was none. */
static int place(struct vm_area_struct *vma, uint64_t addr)
{
    struct page *page = alloc_page_vma(GFP, vma, addr);
    if (!page)
        return -1;
    int nid = page->nid;
    __free_page(page);
    return nid;
}

static struct mempolicy *random_policy(struct rng *rng)
{
    int err;
    struct mempolicy *pol;
    do {
        pol = mpol_new((enum mpol_mode)rng_below(rng, NR_MPOL_MODES), nodes(rng_below(rng, 16)),
                       &err);
    } while (!pol);
    bool near = (pol->mode == MPOL_BIND || pol->mode == MPOL_PREFERRED_MANY) && rng_below(rng, 2);
    pol->home = near ? (int8_t)rng_below(rng, NODES) : NO_NODE;
    return pol;
}

static void random_pages_lie_where_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct rng rng = {seed};
        struct mm_struct mm = {.policy = &default_policy};
        uint64_t interleaved = vm_event_sum(NUMA_INTERLEAVE);
        for (unsigned step = 0; step < 4000; step++) {
            unsigned nid = nth(with_memory, rng_below(&rng, 3)),
                     hart = (unsigned)rng_below(&rng, HARTS);
            if (step % 20 == 0)
                list_empty(&taken[nid]) ? fill(nid) : drain(nid);
            struct mempolicy *of_vma = rng_below(&rng, 3) ? random_policy(&rng) : NULL;
            mm.policy = rng_below(&rng, 2) ? random_policy(&rng) : &default_policy;
            uint64_t page = rng_below(&rng, 64);
            struct vm_area_struct vma = {.vm_mm = &mm,
                                         .vm_policy = of_vma,
                                         .vm_start = GIB(1),
                                         .vm_end = GIB(2),
                                         .vm_pgoff = rng_below(&rng, 1000)};
            const struct mempolicy *pol = of_vma ? of_vma : mm.policy;
            host_become(hart);
            assert_int_equal(place(&vma, vma.vm_start + page * PAGE_SIZE),
                             expected(pol, hart, vma.vm_pgoff + page));
            interleaved += pol->mode == MPOL_INTERLEAVE;
            if (of_vma)
                mpol_put(of_vma);
            mpol_put(mm.policy);
        }
        for (unsigned nid = 0; nid < NODES; nid++)
            drain(nid);
        assert_int_equal(vm_event_sum(NUMA_INTERLEAVE), interleaved);
        assert_int_equal(objects_out, 0);
        fake_check();
    }
}

/* As many pages on each node, and the halves of a split range go on where the whole one did. */
static void interleaving_is_even_and_survives_a_split(void **state)
{
    (void)state;
    int err;
    unsigned on[NODES] = {0};
    struct mm_struct mm = {.policy = &default_policy};
    struct vm_area_struct whole = {
        .vm_mm = &mm, .vm_start = GIB(1), .vm_end = GIB(2), .vm_pgoff = 7};
    struct vm_area_struct half = whole;
    half.vm_start += 100 * PAGE_SIZE;
    half.vm_pgoff += 100;
    whole.vm_policy = half.vm_policy = mpol_new(MPOL_INTERLEAVE, nodes(0xb), &err);
    for (unsigned i = 0; i < 300; i++) {
        uint64_t addr = whole.vm_start + i * PAGE_SIZE;
        host_become(i % HARTS);
        int nid = place(&whole, addr);
        on[nid]++;
        if (addr >= half.vm_start)
            assert_int_equal(place(&half, addr), nid);
    }
    for (unsigned i = 0; i < NODES; i++)
        assert_int_equal(on[i], mask_test(&with_memory, i) ? 100 : 0);
    mpol_put(whole.vm_policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_keep_the_nodes_that_have_memory),
        cmocka_unit_test(the_last_holder_frees_it),
        cmocka_unit_test(policies_are_equal_by_what_they_say),
        cmocka_unit_test(random_pages_lie_where_the_model_says),
        cmocka_unit_test(interleaving_is_even_and_survives_a_split),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
