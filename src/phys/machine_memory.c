/* SPDX-License-Identifier: MIT */
/*
 * machine_memory.c - where the RAM is, on which node, and which of it is spoken for.
 *
 *      memory@80000000 { device_type = "memory"; reg = <base size>, <base size>; numa-node-id }
 *      reserved-memory { mmode_resv0@80000000 { reg; no-map; } }     and the reservation block
 *
 * Two memory nodes may claim the same bytes. The first one keeps them, and of the later one only
 * what is new is added:
 *
 *      known     [=== node 0 ===]        [= node 0 =]
 *      claimed           [============= node 1 ==========]
 *      added                     [ node 1]           [ n1 ]
 *
 * Locks: none. Invariant: memory[] sorted by base, without overlaps, without empty ranges.
 * Linux's counterpart: early_init_dt_scan_memory(), of_reserved_mem.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

static int refuse(struct machine *m, int error, const char *reason)
{
    m->reason = reason;
    return error;
}

/* A range known to overlap nothing: into its place. False if the array is full. */
static bool insert_range(struct machine *m, uint64_t base, uint64_t end, uint32_t nid)
{
    uint32_t at = m->nr_memory;

    if (at == MACHINE_MAX_MEMORY)
        return false;
    while (at > 0 && m->memory[at - 1].base.v > base) {
        m->memory[at] = m->memory[at - 1];
        at--;
    }
    m->memory[at] = (struct machine_range){mk_paddr(base), end - base, nid};
    m->nr_memory++;
    return true;
}

/* The parts of [base, end) that no range holds yet. */
static void add_new_parts(struct machine *m, uint64_t base, uint64_t end, uint32_t nid)
{
    uint64_t from = base;
    bool overlaps = false;
    bool room = true;

    for (uint32_t i = 0; i < m->nr_memory && from < end; i++) {
        uint64_t known = m->memory[i].base.v;
        uint64_t known_end = known + m->memory[i].size;
        if (known_end <= from)
            continue;
        if (known >= end)
            break;
        overlaps = true;
        /* Inserting moves the known range up by one: it is met again, and from is then in it. */
        if (known > from && !(room = insert_range(m, from, known, nid)))
            break;
        from = MAX(from, known_end);
    }
    if (room && from < end)
        room = insert_range(m, from, end, nid);
    if (overlaps)
        machine_warn(m, "memory [0x%lx, 0x%lx) of node %u: overlaps, the first claim holds", base,
                     end, nid);
    if (!room)
        machine_warn(m, "memory [0x%lx, 0x%lx): more than %d ranges, left out", from, end,
                     MACHINE_MAX_MEMORY);
}

/* Ranges of one node that touch are one range. */
static void merge_ranges(struct machine *m)
{
    uint32_t last = 0;

    for (uint32_t i = 1; i < m->nr_memory; i++) {
        struct machine_range *r = &m->memory[last];
        if (r->base.v + r->size == m->memory[i].base.v && r->nid == m->memory[i].nid)
            r->size += m->memory[i].size;
        else
            m->memory[++last] = m->memory[i];
    }
    if (m->nr_memory)
        m->nr_memory = last + 1;
}

/* All of `reg` of one memory node. Size 0 says: this node exists, and has no memory. */
static void read_ranges(struct machine *m, const struct fdt *fdt, fdt_node_t node, fdt_node_t root)
{
    uint32_t nid = machine_read_nid(m, fdt, node);
    uint64_t base, size;
    int error = 0;

    for (uint32_t i = 0; error == 0 || error == -ERANGE; i++) {
        error = fdt_bus_reg(fdt, node, root, i, &base, &size);
        if (error == 0 && size)
            add_new_parts(m, base, base + size, nid);
        else if (error == -ERANGE)
            machine_warn(m, "%s: range %u is past 64 bits, left out", fdt_name(fdt, node), i);
    }
    if (error != -ENOENT)
        machine_warn(m, "%s: reg is malformed, its rest is left out", fdt_name(fdt, node));
}

int machine_read_memory(struct machine *m, const struct fdt *fdt)
{
    fdt_node_t root = fdt_root(fdt);

    fdt_for_each_child(fdt, root, node) {
        const char *type = fdt_string(fdt, node, "device_type");
        if (type && strcmp(type, "memory") == 0 && fdt_enabled(fdt, node))
            read_ranges(m, fdt, node, root);
    }
    merge_ranges(m);
    return m->nr_memory ? 0 : refuse(m, -ENODEV, "the tree tells of no memory");
}

/* Forgetting a reservation would hand out the firmware's memory, so a full array is refused. */
static int add_reserved(struct machine *m, uint64_t base, uint64_t size, bool no_map,
                        const char *name)
{
    if (size == 0)
        return 0;
    if (m->nr_reserved == MACHINE_MAX_RESERVED)
        return refuse(m, -EINVAL, "there are more than 64 reservations");
    struct machine_reserved *r = &m->reserved[m->nr_reserved++];
    *r = (struct machine_reserved){.base = mk_paddr(base), .size = size, .no_map = no_map};
    strlcpy(r->name, name, sizeof(r->name));
    return 0;
}

static int read_reserved_node(struct machine *m, const struct fdt *fdt, fdt_node_t node,
                              fdt_node_t parent)
{
    const char *name = fdt_name(fdt, node);
    struct fdt_prop no_map;
    uint64_t base, size;
    int error;

    for (uint32_t i = 0;; i++) {
        error = fdt_bus_reg(fdt, node, parent, i, &base, &size);
        if (error == -ENOENT) /* or there is only a `size`: to be placed by whoever wants it */
            return 0;
        if (error == -ERANGE) {
            machine_warn(m, "%s: range %u is past 64 bits, ignored", name, i);
            continue;
        }
        if (error) {
            machine_warn(m, "%s: reg is malformed, its rest is ignored", name);
            return 0;
        }
        error = add_reserved(m, base, size, fdt_prop(fdt, node, "no-map", &no_map), name);
        if (error)
            return error;
    }
}

int machine_read_reserved(struct machine *m, const struct fdt *fdt)
{
    fdt_node_t parent = fdt_path(fdt, "/reserved-memory", strlen("/reserved-memory"));
    uint64_t base, size;
    int error;

    for (uint32_t i = 0; i < fdt->rsv_count; i++) {
        fdt_reservation(fdt, i, &base, &size);
        if (base + size < base) {
            machine_warn(m, "reservation %u is past 64 bits, ignored", i);
            continue;
        }
        if ((error = add_reserved(m, base, size, false, "memreserve")) != 0)
            return error;
    }
    fdt_for_each_child(fdt, parent, node) {
        if (!fdt_enabled(fdt, node))
            continue;
        if ((error = read_reserved_node(m, fdt, node, parent)) != 0)
            return error;
    }
    return 0;
}
