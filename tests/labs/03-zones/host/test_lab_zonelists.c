/* SPDX-License-Identifier: MIT */
/*
 * test_lab_zonelists.c - in which order a node asks the others: step 5.
 *
 *      "0 2 1"      a zonelist as the nodes in it; the zones are made by hand
 */
#include "labs/wire/expect.h"

#include "base/random.h"
#include "base/string.h"
#include "phys/node.h"
#include "support/fake_machine.h"

static int fresh(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    for (uint32_t i = 1; i < MAX_NODES; i++)
        mask_set(&machine.nodes, i);
    fake_hart(0);
    return 0;
}

/* Nodes 0 to @n - 1, those of @memory with a zone, those of @harts with a hart. */
static void make_nodes(unsigned n, unsigned memory, unsigned harts)
{
    machine.nodes.bits = (1u << n) - 1;
    fake_memblock("");
    nodes_init(&machine);
    node_states[N_CPU].bits = harts;
    for (unsigned nid = 0; nid < n; nid++)
        for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
            struct zone *zone = &NODE_DATA(nid)->node_zones[i];
            zone->nid = (uint8_t)nid;
            zone->index = (uint8_t)i;
            zone->zone_pgdat = NODE_DATA(nid);
            zone->name = zone_type_name((enum zone_type)i);
        }
    for (unsigned nid = 0; nid < n; nid++)
        if (memory & (1u << nid)) {
            NODE_DATA(nid)->node_zones[ZONE_NORMAL].present_pages = 100;
            mask_set(&node_states[N_MEMORY], nid);
        }
}

static void lists(void)
{
    zonelists_init();
}

/* The nodes of a list, one digit each; a list without end is cut. */
static const char *order_of(int nid, int list)
{
    static char text[MAX_ZONES_PER_ZONELIST * 2 + 2];
    const struct zonelist *zonelist = NODE_DATA(nid)->node_zonelists[list];
    unsigned n = 0;
    for (unsigned i = 0; i <= MAX_ZONES_PER_ZONELIST && zonelist->zonerefs[i].zone; i++)
        n += (unsigned)snprintf(text + n, sizeof(text) - n, "%x", zonelist->zonerefs[i].zone->nid);
    text[n] = '\0';
    return text;
}

static void expect_order(int nid, const char *want, const char *why)
{
    const char *got = order_of(nid, ZONELIST_FALLBACK);
    if (strcmp(got, want) != 0)
        fail_msg("%s != %s\nthe nodes in the zonelist of node %d: %s", got, want, nid, why);
}

static void zonelist_begins_at_home(void **state)
{
    (void)state;
    make_nodes(4, 0xf, 0xf);
    lists();
    for (int nid = 0; nid < 4; nid++) {
        expect_equal(order_of(nid, ZONELIST_FALLBACK)[0] - '0', nid, "the first node of node %d",
                     nid);
        expect_equal(strlen(order_of(nid, ZONELIST_FALLBACK)), 4, "zones in the list of node %d",
                     nid);
    }
}

static void zonelist_of_its_own(void **state)
{
    (void)state;
    make_nodes(3, 0x5, 0x7);
    NODE_DATA(2)->node_zones[ZONE_MOVABLE].present_pages = 5;
    lists();
    expect_true(!strcmp(order_of(0, ZONELIST_NOFALLBACK), "0"), "NOFALLBACK of node 0: its own");
    expect_true(!strcmp(order_of(1, ZONELIST_NOFALLBACK), ""), "of node 1: nothing");
    expect_true(!strcmp(order_of(2, ZONELIST_NOFALLBACK), "22"), "of node 2: its two zones");
}

static void zonelist_from_the_highest_zone(void **state)
{
    static const struct {
        int nid, idx;
    } want[] = {
        {0, ZONE_MOVABLE}, {0, ZONE_DMA32}, {1, ZONE_MOVABLE}, {1, ZONE_NORMAL}, {1, ZONE_DMA32}};
    (void)state;
    make_nodes(2, 0x3, 0x3);
    NODE_DATA(0)->node_zones[ZONE_NORMAL].present_pages = 0;
    for (unsigned nid = 0; nid < 2; nid++)
        NODE_DATA(nid)->node_zones[ZONE_DMA32].present_pages =
            NODE_DATA(nid)->node_zones[ZONE_MOVABLE].present_pages = 5;
    lists();
    const struct zoneref *ref = NODE_DATA(0)->node_zonelists[ZONELIST_FALLBACK]->zonerefs;
    for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
        expect_true(ref[i].zone != NULL, "zone %u of the list is there", i);
        expect_equal(ref[i].zone->nid, want[i].nid, "node of zone %u of the list", i);
        expect_equal(ref[i].zone->index, want[i].idx, "type of zone %u of the list", i);
        expect_equal(ref[i].zone_idx, want[i].idx, "zone_idx of zone %u of the list", i);
    }
    expect_true(ref[ARRAY_SIZE(want)].zone == NULL, "NULL behind the last");
}

static void zonelist_by_distance(void **state)
{
    (void)state;
    make_nodes(4, 0xf, 0xf);
    fake_distance(0, 1, 40);
    fake_distance(0, 2, 30);
    fake_distance(0, 3, 20);
    fake_distance(1, 2, 15);
    lists();
    expect_order(0, "0321", "20, 30, 40 away");
    expect_order(1, "1230", "15, 20, 40 away");
}

/* Distances need not be the same both ways: what counts is how far it is from here. */
static void zonelist_by_distance_from_here(void **state)
{
    (void)state;
    make_nodes(3, 0x7, 0x7);
    machine.distance[0][1] = 40;
    machine.distance[0][2] = 30;
    machine.distance[1][0] = 11;
    machine.distance[2][0] = 50;
    lists();
    expect_order(0, "021", "node 2 is 30 from node 0, though node 0 is 50 from node 2");
    expect_order(1, "102", "node 0 is 11 from node 1");
    expect_order(2, "210", "node 0 is 50 from node 2");
}

static void zonelist_of_a_memoryless_node(void **state)
{
    (void)state;
    make_nodes(4, 0xb, 0x4);
    fake_distance(2, 3, 15);
    fake_distance(2, 1, 30);
    lists();
    expect_order(2, "301", "it has no memory, and begins with the nearest that has");
    for (int nid = 0; nid < 4; nid += nid == 1 ? 2 : 1)
        expect_true(!strchr(order_of(nid, ZONELIST_FALLBACK), '2'), "node 2 is in no list");
    expect_true(NODE_DATA(2)->preferred_zone[ZONE_NORMAL] == &NODE_DATA(3)->node_zones[ZONE_NORMAL],
                "the first zone that node 2 is given");
}

static void zonelist_shares_the_load(void **state)
{
    (void)state;
    make_nodes(4, 0xf, 0xf);
    lists();
    expect_order(0, "0123", "all are 20 apart: the next numbers");
    expect_order(1, "1230", "begins with the one after it");
    expect_order(2, "2301", "begins with the one after it");
    expect_order(3, "3012", "all others have lower numbers; node 0 was nobody's first choice");
    fresh(state);
    make_nodes(5, 0x7, 0x18); /* two memoryless nodes with harts, memory behind them */
    lists();
    expect_order(3, "012", "node 0 and 1 were chosen once each, node 2 once: the lowest number");
    expect_order(4, "120", "node 0 was chosen by node 3 too");
}

static void zonelist_spares_nodes_with_harts(void **state)
{
    (void)state;
    make_nodes(4, 0xf, 0xb);
    lists();
    expect_order(0, "0213", "node 2 has no harts to want its memory");
    expect_order(3, "3201", "node 2, though its number is lower: one drawback, the others two");
}

/* --- any machine, against the rules as they are written down ---------------------------------- */

struct rank {
    unsigned own, distance, drawbacks, load, nid;
};

static bool before(const struct rank *a, const struct rank *b)
{
    if (a->own != b->own)
        return a->own > b->own;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->drawbacks != b->drawbacks)
        return a->drawbacks < b->drawbacks;
    if (a->load != b->load)
        return a->load < b->load;
    return a->nid < b->nid;
}

static void model_order(unsigned nid, unsigned n, unsigned memory, unsigned harts, unsigned *load,
                        char *text)
{
    unsigned left = memory, last = LOCAL_DISTANCE;
    while (left) {
        struct rank best = {0, ~0u, ~0u, ~0u, 0};
        for (unsigned k = 0; k < n; k++) {
            struct rank rank = {k == nid, machine.distance[nid][k], (k < nid) + ((harts >> k) & 1),
                                load[k], k};
            if ((left >> k) & 1 && before(&rank, &best))
                best = rank;
        }
        if (best.distance != last)
            load[best.nid]++;
        last = best.distance;
        left &= ~(1u << best.nid);
        *text++ = "0123456789abcdef"[best.nid];
    }
    *text = '\0';
}

static void zonelist_of_any_machine(void **state)
{
    struct rng rng;
    rng_seed(&rng, lab_seed());
    for (int round = 0; round < 100; round++) {
        unsigned load[MAX_NODES] = {0}, n = 2 + (unsigned)rng_below(&rng, MAX_NODES - 1);
        unsigned all = (1u << n) - 1, kinds = 1 + (unsigned)rng_below(&rng, 3);
        unsigned memory = ((unsigned)rng_next(&rng) | 1) & all, harts = (unsigned)rng_next(&rng);
        fresh(state);
        for (unsigned a = 0; a < n; a++)
            for (unsigned b = 0; b < n; b++)
                if (a != b)
                    machine.distance[a][b] = (uint8_t)(20 + 5 * rng_below(&rng, kinds));
        make_nodes(n, memory, harts & all);
        lists();
        for (unsigned nid = 0; nid < n; nid++) {
            char want[MAX_NODES + 1];
            model_order(nid, n, memory, harts & all, load, want);
            expect_order((int)nid, want, "of a machine that was drawn");
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zonelist_begins_at_home),        TEST(zonelist_of_its_own),
        TEST(zonelist_from_the_highest_zone), TEST(zonelist_by_distance),
        TEST(zonelist_by_distance_from_here), TEST(zonelist_of_a_memoryless_node),
        TEST(zonelist_shares_the_load),       TEST(zonelist_spares_nodes_with_harts),
        TEST(zonelist_of_any_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
