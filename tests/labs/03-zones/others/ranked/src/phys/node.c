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

struct ranked {
    int nid;
    unsigned distance, drawbacks, load;
};

static bool goes_before(const struct ranked *a, const struct ranked *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->drawbacks != b->drawbacks)
        return a->drawbacks < b->drawbacks;
    return a->load != b->load ? a->load < b->load : a->nid < b->nid;
}

static struct zoneref *write_zones(struct zoneref *at, pg_data_t *pgdat)
{
    int type = MAX_NR_ZONES;
    while (type-- > 0) {
        if (!pgdat->node_zones[type].present_pages)
            continue;
        at->zone = &pgdat->node_zones[type];
        at->zone_idx = (uint8_t)type;
        at++;
    }
    at->zone = NULL;
    at->zone_idx = 0;
    return at;
}

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
    struct ranked all[MAX_NODES];
    unsigned n = 0, nid;
    int me = pgdat->node_id;
    struct zoneref *at = pgdat->node_zonelists[ZONELIST_FALLBACK]->zonerefs;

    at->zone = NULL;
    for_each_in_mask(nid, &node_states[N_MEMORY]) {
        struct ranked one = {(int)nid, (unsigned)node_distance(me, (int)nid), 0, load[nid]};
        one.drawbacks = ((int)nid < me) + (mask_test(&node_states[N_CPU], nid) ? 1u : 0u);
        if ((int)nid == me)
            one.distance = 0;
        unsigned k = n++;
        for (; k > 0 && goes_before(&one, &all[k - 1]); k--)
            all[k] = all[k - 1];
        all[k] = one;
    }
    for (unsigned i = 0; i < n; i++) {
        at = write_zones(at, NODE_DATA(all[i].nid));
        unsigned before = i ? (unsigned)node_distance(me, all[i - 1].nid) : LOCAL_DISTANCE;
        if (all[i].nid != me && (unsigned)node_distance(me, all[i].nid) != before)
            load[all[i].nid]++;
    }
    write_zones(pgdat->node_zonelists[ZONELIST_NOFALLBACK]->zonerefs, pgdat);
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
