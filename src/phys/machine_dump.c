/* SPDX-License-Identifier: MIT */
/*
 * machine_dump.c - the facts in words, for the boot log.
 *
 * Locks: none.
 */
#include "phys/machine.h"

static void dump_harts(const struct machine *m, struct sink *out)
{
    for (uint32_t i = 0; i < m->nr_harts; i++) {
        const struct machine_hart *h = &m->harts[i];
        print(out, "hart %lu: node %u, sv%u, %s%s\n", h->hartid, h->nid, h->sv, h->isa_string,
              i == 0 ? " (boot)" : "");
    }
}

static void dump_ranges(const struct machine *m, struct sink *out)
{
    for (uint32_t i = 0; i < m->nr_memory; i++) {
        const struct machine_range *r = &m->memory[i];
        print(out, "memory [0x%lx, 0x%lx): %lu KiB, node %u\n", r->base.v, r->base.v + r->size,
              r->size >> 10, r->nid);
    }
    for (uint32_t i = 0; i < m->nr_reserved; i++) {
        const struct machine_reserved *r = &m->reserved[i];
        print(out, "reserved [0x%lx, 0x%lx): %s%s\n", r->base.v, r->base.v + r->size, r->name,
              r->no_map ? ", no-map" : "");
    }
    if (m->initrd_size)
        print(out, "initrd [0x%lx, 0x%lx)\n", m->initrd.v, m->initrd.v + m->initrd_size);
}

static void dump_distances(const struct machine *m, struct sink *out)
{
    unsigned from, to;

    for_each_in_mask(from, &m->nodes) {
        print(out, "node %u: distances", from);
        for_each_in_mask(to, &m->nodes)
            print(out, " %u", m->distance[from][to]);
        print(out, "\n");
    }
}

static void dump_devices(const struct machine *m, struct sink *out)
{
    if (m->uart.present)
        print(out, "uart 0x%lx: shift %u, irq %u of plic %d\n", m->uart.base.v, m->uart.reg_shift,
              m->uart.irq, m->uart.plic);
    for (uint32_t i = 0; i < m->nr_plics; i++)
        print(out, "plic %u at 0x%lx: node %u, %u sources\n", i, m->plics[i].base.v,
              m->plics[i].nid, m->plics[i].nr_sources);
    if (m->nr_virtio)
        print(out, "virtio: %u slots\n", m->nr_virtio);
}

void machine_dump(const struct machine *m, struct sink *out)
{
    print(out, "%s: %u harts, %u nodes, clock of %lu Hz\n", m->model, m->nr_harts, m->nr_nodes,
          m->timebase_hz);
    if (m->nr_disabled)
        print(out, "%u more harts are disabled\n", m->nr_disabled);
    dump_harts(m, out);
    dump_ranges(m, out);
    dump_distances(m, out);
    dump_devices(m, out);
    if (m->bootargs[0])
        print(out, "bootargs: %s\n", m->bootargs);
}
