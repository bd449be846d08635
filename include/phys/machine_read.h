/* SPDX-License-Identifier: MIT */
/*
 * machine_read.h - the steps of machine_from_fdt(), in their order. For machine*.c alone.
 *
 *      chosen -> harts -> memory -> reserved -> nodes, distances -> plics -> uart, virtio
 *                  |                               ^                   ^
 *                  `-- intc phandles --------------+-------------------'
 *
 * Each reads one part of the tree into its fields of struct machine. Those that return int may
 * refuse, with m->reason set; the others repair, and warn.
 *
 * Locks: none.
 */
#ifndef PAGODA_PHYS_MACHINE_READ_H
#define PAGODA_PHYS_MACHINE_READ_H

#include "phys/machine.h"

/** bootargs, initrd, rng-seed. */
void machine_read_chosen(struct machine *m, const struct fdt *fdt);

/** Drop the initrd if it cannot be read: no RAM, no-map, not linear. After both readers of RAM. */
void machine_check_initrd(struct machine *m);

/** harts[] and timebase; m->boot_hartid is set. */
int machine_read_harts(struct machine *m, const struct fdt *fdt) must_check;

/** memory[]. */
int machine_read_memory(struct machine *m, const struct fdt *fdt) must_check;

/** reserved[]: the reservation block and /reserved-memory. */
int machine_read_reserved(struct machine *m, const struct fdt *fdt) must_check;

/** The node id of a node of the tree, noted in m->nodes; 0 with a warning if it is unusable. */
uint32_t machine_read_nid(struct machine *m, const struct fdt *fdt, fdt_node_t node);

/** distance[][]. */
void machine_read_distances(struct machine *m, const struct fdt *fdt);

/** plics[], then uart and virtio[], which refer to them. */
void machine_read_plics(struct machine *m, const struct fdt *fdt);
void machine_read_uart(struct machine *m, const struct fdt *fdt);
void machine_read_rtc(struct machine *m, const struct fdt *fdt);
void machine_read_virtio(struct machine *m, const struct fdt *fdt);

/** The PLIC source and index in plics[] of interrupt 0 of a device; MACHINE_NO_IRQ and -1. */
void machine_read_irq(struct machine *m, const struct fdt *fdt, fdt_node_t node, uint32_t *irq,
                      int32_t *plic);

#endif
