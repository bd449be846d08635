/* SPDX-License-Identifier: MIT */
/*
 * machine_node.c - NUMA: who belongs to which node, and how far the nodes are apart.
 *
 *      distance-map { compatible = "numa-distance-map-v1";
 *                     distance-matrix = <0 0 10>, <0 1 20>, <1 0 20>, <1 1 10>; }
 *
 * A distance is relative: 10 is local, 20 is twice as slow. One way may be told without the way
 * back, which is then the same. The matrix is believed as a whole or not at all: with one bad
 * entry all nodes are 20 apart.
 *
 * Locks: none.
 * Linux's counterpart: of_numa.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

#define CELL_SIZE 4u
#define ENTRY_CELLS 3u /* from, to, distance */
#define ENTRY_SIZE (ENTRY_CELLS * CELL_SIZE)
#define MAX_DISTANCE 255u

uint32_t machine_read_nid(struct machine *m, const struct fdt *fdt, fdt_node_t node)
{
    uint32_t nid = 0;
    int error = fdt_u32(fdt, node, "numa-node-id", &nid);

    m->numa |= error == 0;
    if (error == -EINVAL || nid >= MAX_NODES) {
        machine_warn(m, "%s: unusable numa-node-id, put on node 0", fdt_name(fdt, node));
        nid = 0;
    }
    mask_set(&m->nodes, nid);
    return nid;
}

struct entry {
    uint32_t from, to, distance;
};

static struct entry entry_at(const struct fdt_prop *matrix, uint32_t at)
{
    const uint8_t *p = matrix->value + at;

    return (struct entry){fdt_be32(p), fdt_be32(p + CELL_SIZE), fdt_be32(p + 2 * CELL_SIZE)};
}

/* NULL, or what is wrong with the matrix as a whole. */
static const char *matrix_fault(const struct fdt_prop *matrix)
{
    if (matrix->len == 0 || matrix->len % ENTRY_SIZE)
        return "is no list of triples";
    for (uint32_t at = 0; at < matrix->len; at += ENTRY_SIZE) {
        struct entry e = entry_at(matrix, at);
        if (e.from >= MAX_NODES || e.to >= MAX_NODES)
            return "names a node that cannot be";
        if (e.from == e.to && e.distance != LOCAL_DISTANCE)
            return "has a node that is not 10 from itself";
        if (e.from != e.to && (e.distance <= LOCAL_DISTANCE || e.distance > MAX_DISTANCE))
            return "has a distance outside of 11 to 255";
    }
    return NULL;
}

/* Both ways first, so that a way back that is told later in the list wins over the way there. */
static void apply_matrix(struct machine *m, const struct fdt_prop *matrix)
{
    bool told[MAX_NODES][MAX_NODES] = {{false}};

    for (uint32_t at = 0; at < matrix->len; at += ENTRY_SIZE) {
        struct entry e = entry_at(matrix, at);
        m->distance[e.from][e.to] = (uint8_t)e.distance;
        told[e.from][e.to] = true;
        if (!told[e.to][e.from])
            m->distance[e.to][e.from] = (uint8_t)e.distance;
    }
}

static void default_distances(struct machine *m)
{
    for (uint32_t from = 0; from < MAX_NODES; from++)
        for (uint32_t to = 0; to < MAX_NODES; to++)
            m->distance[from][to] = from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

void machine_read_distances(struct machine *m, const struct fdt *fdt)
{
    struct fdt_prop matrix;

    default_distances(m);
    fdt_for_each_child(fdt, fdt_root(fdt), node) {
        if (!fdt_compatible(fdt, node, "numa-distance-map-v1"))
            continue;
        bool there = fdt_prop(fdt, node, "distance-matrix", &matrix);
        const char *fault = there ? matrix_fault(&matrix) : "is missing";
        if (fault)
            machine_warn(m, "distance-matrix %s: all nodes are %d apart", fault, REMOTE_DISTANCE);
        else
            apply_matrix(m, &matrix);
        return;
    }
}

void machine_numa_off(struct machine *m)
{
    m->numa = false;
    m->nodes = (nodemask_t){1};
    m->nr_nodes = 1;
    for (uint32_t i = 0; i < m->nr_harts; i++)
        m->harts[i].nid = 0;
    for (uint32_t i = 0; i < m->nr_memory; i++)
        m->memory[i].nid = 0;
    for (uint32_t i = 0; i < m->nr_plics; i++)
        m->plics[i].nid = 0;
    default_distances(m);
}
