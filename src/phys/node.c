/* SPDX-License-Identifier: MIT */
/*
 * node.c - the nodes of the machine and the order in which each looks at the others.
 *
 *      distances 10 20 30        zonelist of node 0:  0 0 0 | 1 1 | 2 2
 *                20 10 20                             Mov Norm D32 | ...
 *                30 20 10
 *
 * Where two nodes are equally far, each node prefers one that is not yet some other node's first
 * neighbour, so that not all overflow to the same one.
 *
 * Locks: boot only. Linux's counterpart: build_zonelists(), find_next_best_node().
 */
#include "phys/node.h"

#include "base/string.h"
#include "kern/panic.h"
#include "phys/memblock.h"

pg_data_t *node_data[MAX_NODES];
nodemask_t node_states[NR_NODE_STATES];

static void *boot_alloc(uint64_t size, int nid, const char *what)
{
    void *p = memblock_alloc(size, 64, nid);
    if (!p)
        panic("no memory for %s of node %d (%llu bytes); the machine is too small", what, nid,
              (unsigned long long)size);
    return p;
}

static void node_create(int nid)
{
    pg_data_t *pgdat = boot_alloc(sizeof(*pgdat), nid, "the pg_data_t");
    pgdat->node_id = nid;
    spin_init(&pgdat->lru_lock, "lru", RANK_LRU);
    wait_queue_init(&pgdat->kswapd_wait);
    wait_queue_init(&pgdat->kcompactd_wait);
    for (unsigned i = 0; i < NR_LRU_LISTS; i++)
        INIT_LIST_HEAD(&pgdat->lru[i]);
    pgdat->stat_diff = boot_alloc(sizeof(*pgdat->stat_diff) * nr_harts, nid, "the counters");
    for (unsigned list = 0; list < MAX_ZONELISTS; list++)
        pgdat->node_zonelists[list] = boot_alloc(sizeof(struct zonelist), nid, "the zonelists");
    node_data[nid] = pgdat;
}

void nodes_init(const struct machine *m)
{
    unsigned nid;
    node_states[N_POSSIBLE].bits = node_states[N_ONLINE].bits = m->nodes.bits;
    vm_event_counts =
        boot_alloc(sizeof(*vm_event_counts) * nr_harts, MEMBLOCK_ANY_NODE, "the event counters");
    for_each_node(nid)
        node_create((int)nid);
    for (unsigned i = 0; i < m->nr_harts; i++)
        mask_set(&node_states[N_CPU], m->harts[i].nid);
}

/* --- zonelists -------------------------------------------------------------------------------- */

/* lab zones: begin 5 */
/* The populated zones of a node, highest first. */
static unsigned append_zones(struct zonelist *list, unsigned n, pg_data_t *pgdat)
{
    for (unsigned i = MAX_NR_ZONES; i-- > 0;) {
        struct zone *zone = &pgdat->node_zones[i];
        if (zone_is_populated(zone))
            list->zonerefs[n++] = (struct zoneref){zone, (uint8_t)i};
    }
    list->zonerefs[n] = (struct zoneref){NULL, 0};
    return n;
}

/* The nearest node with memory that is not yet used; see build_zonelists(). -1: there is none. */
static int next_best_node(int nid, nodemask_t used, const unsigned *load)
{
    int best = -1;
    unsigned best_value = ~0u, n;
    for_each_in_mask(n, &node_states[N_MEMORY]) {
        if (mask_test(&used, n))
            continue;
        unsigned value = (unsigned)node_distance(nid, (int)n) * MAX_NODES * 2;
        value += (int)n < nid ? 1u : 0u; /* so that each begins with the one after it */
        value += mask_test(&node_states[N_CPU], n) ? 1u : 0u;
        value = value * MAX_NODES * MAX_NODES * 2 + load[n];
        if ((int)n == nid)
            value = 0;
        if (value < best_value) {
            best_value = value;
            best = (int)n;
        }
    }
    return best;
}
/* lab zones: end */

/*
 * Both zonelists of a node: the populated zones of nodes in the order in which it asks them, of
 * each node the highest first, and a NULL behind the last. It asks itself first. Then the nearest;
 * of equally near ones that with the fewest of two drawbacks: a number below its own (so that each
 * begins with the one after it), and harts (their memory is wanted). Then that with the least
 * @load, which counts how often a node was the first of a group of equally distant ones, for all
 * nodes that were here before; a group may be one node, and the node itself is none. Then the
 * lowest number. ZONELIST_NOFALLBACK has its own zones only.
 */
static void build_zonelists(pg_data_t *pgdat, unsigned *load)
{
    /* lab zones: begin 5 */
    nodemask_t used = {0};
    unsigned n = 0;
    int node, previous = pgdat->node_id;
    while ((node = next_best_node(pgdat->node_id, used, load)) >= 0) {
        /* the first of a group of equally distant nodes was a choice: count it */
        if (node_distance(pgdat->node_id, node) != node_distance(pgdat->node_id, previous))
            load[node]++;
        previous = node;
        mask_set(&used, node);
        n = append_zones(pgdat->node_zonelists[ZONELIST_FALLBACK], n, NODE_DATA(node));
    }
    append_zones(pgdat->node_zonelists[ZONELIST_NOFALLBACK], 0, pgdat);
    /* lab zones: stub lab_missing("zones", 5, pgdat, load); */
    /* lab zones: end */
}

void zonelists_init(void)
{
    unsigned load[MAX_NODES] = {0};
    unsigned nid;
    for_each_node(nid) {
        pg_data_t *pgdat = NODE_DATA(nid);
        build_zonelists(pgdat, load);
        for (unsigned high = 0; high < MAX_NR_ZONES; high++) {
            struct zone *zone;
            struct zoneref *ref;
            const nodemask_t *all = NULL;
            for_each_zone_zonelist_nodemask(zone, ref, pgdat->node_zonelists[ZONELIST_FALLBACK],
                                            high, all)
            {
                pgdat->preferred_zone[high] = zone;
                break;
            }
        }
    }
}
