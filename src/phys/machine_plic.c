/* SPDX-License-Identifier: MIT */
/*
 * machine_plic.c - the interrupt controllers, and which of their outputs reaches which hart.
 *
 *      plic@c000000 { interrupts-extended = <&intc0 11>, <&intc0 9>, <&intc1 11>, <&intc1 9>; }
 *                     context:                  0           1           2           3
 *
 * The position in the list is the number of the context; 9 is the S-mode external interrupt of the
 * hart, 11 M-mode's, which is the firmware's. The numbers follow no other rule, so they are read
 * and not computed. With several sockets QEMU has one PLIC each, and a PLIC serves only the harts
 * of its own socket.
 *
 * Locks: none.
 * Linux's counterpart: __plic_init() in irq-sifive-plic.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

#define CELL_SIZE 4u
#define PAIR_SIZE (2 * CELL_SIZE) /* a cpu-intc's #interrupt-cells is 1 */
#define IRQ_S_EXTERNAL 9u
#define PLIC_MAX_SOURCES 1023u
#define PLIC_CONTEXT_BASE 0x200000u
#define PLIC_CONTEXT_SIZE 0x1000u

/* The index of the hart whose cpu-intc has this phandle, or -1 (also for a hart left out). */
static int hart_of_intc(const struct machine *m, uint32_t phandle)
{
    for (uint32_t i = 0; i < m->nr_harts; i++)
        if (phandle && m->harts[i].intc_phandle == phandle)
            return (int)i;
    return -1;
}

static void read_contexts(struct machine *m, const struct fdt *fdt, fdt_node_t node,
                          struct machine_plic *plic)
{
    struct fdt_prop list;
    uint64_t room = 0;

    for (uint32_t i = 0; i < MAX_HARTS; i++)
        plic->context[i] = MACHINE_NO_CONTEXT;
    if (plic->size > PLIC_CONTEXT_BASE)
        room = (plic->size - PLIC_CONTEXT_BASE) / PLIC_CONTEXT_SIZE;
    if (!fdt_prop(fdt, node, "interrupts-extended", &list) || list.len % PAIR_SIZE) {
        machine_warn(m, "%s: malformed interrupts-extended", fdt_name(fdt, node));
        return;
    }
    for (uint32_t context = 0; context < list.len / PAIR_SIZE; context++) {
        const uint8_t *pair = list.value + context * PAIR_SIZE;
        int hart = hart_of_intc(m, fdt_be32(pair));
        if (fdt_be32(pair + CELL_SIZE) != IRQ_S_EXTERNAL || hart < 0)
            continue;
        if (context >= room || context > INT16_MAX) {
            machine_warn(m, "%s: context %u is past its registers", fdt_name(fdt, node), context);
            return;
        }
        plic->context[hart] = (int16_t)context;
    }
}

static void read_plic(struct machine *m, const struct fdt *fdt, fdt_node_t node)
{
    struct machine_plic *plic = &m->plics[m->nr_plics];
    const char *name = fdt_name(fdt, node);
    uint64_t base;

    if (fdt_reg(fdt, node, FDT_NO_NODE, 0, &base, &plic->size) ||
        fdt_u32(fdt, node, "phandle", &plic->phandle) ||
        fdt_u32(fdt, node, "riscv,ndev", &plic->nr_sources)) {
        machine_warn(m, "%s: lacks reg, phandle or riscv,ndev, left out", name);
        return;
    }
    if (plic->nr_sources > PLIC_MAX_SOURCES) {
        machine_warn(m, "%s: %u sources, a PLIC has at most %u", name, plic->nr_sources,
                     PLIC_MAX_SOURCES);
        plic->nr_sources = PLIC_MAX_SOURCES;
    }
    plic->base = mk_paddr(base);
    /* It names a node, but does not make one; which nodes there are, harts and memory tell. */
    if (fdt_u32(fdt, node, "numa-node-id", &plic->nid) || plic->nid >= MAX_NODES ||
        !mask_test(&m->nodes, plic->nid))
        plic->nid = m->harts[0].nid;
    read_contexts(m, fdt, node, plic);
    m->nr_plics++;
}

/* PLICs are counted whether usable or not: each costs walks of the tree. */
void machine_read_plics(struct machine *m, const struct fdt *fdt)
{
    uint32_t plics = 0;

    fdt_for_each_node(fdt, node) {
        if (!fdt_compatible(fdt, node, "riscv,plic0") &&
            !fdt_compatible(fdt, node, "sifive,plic-1.0.0"))
            continue;
        if (!fdt_enabled(fdt, node))
            continue;
        if (plics++ == MACHINE_MAX_PLICS) {
            machine_warn(m, "%s: one PLIC too many, the rest is left out", fdt_name(fdt, node));
            return;
        }
        read_plic(m, fdt, node);
    }
}
