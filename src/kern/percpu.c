/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - the table of harts.
 *
 *      harts[]   [ 0 ][ 1 ][ 2 ] ...          hart ids   5, 0, 7 ...
 *                  |
 *                  v struct hart, on that hart's node
 *
 * Locks: none; written at boot, by the boot hart.
 * Linux's counterpart: setup_per_cpu_areas(), cpu_logical_map.
 */
#include "kern/percpu.h"

#include "kern/panic.h"

struct hart boot_hart; /* entry.S points tp here */
struct hart *harts[MAX_HARTS];
uint32_t nr_harts;
hartmask_t harts_online;
hartmask_t harts_idle;
hartmask_t node_harts[MAX_NODES];

int hart_index_of_id(uint64_t hartid)
{
    for (uint32_t i = 0; i < nr_harts; i++)
        if (harts[i] && harts[i]->arch.hartid == hartid)
            return (int)i;
    return -1;
}

void percpu_add_hart(struct hart *h, uint32_t index, uint64_t hartid, uint32_t nid)
{
    BUG_ON(index >= MAX_HARTS || nid >= MAX_NODES);
    h->arch.index = index;
    h->arch.hartid = hartid;
    h->arch.nid = nid;
    harts[index] = h;
    nr_harts = MAX(nr_harts, index + 1);
    mask_set(&node_harts[nid], index);
}

void percpu_init_boot_hart(uint64_t hartid)
{
    BUG_ON(this_hart() != &boot_hart);
    percpu_add_hart(&boot_hart, 0, hartid, 0);
    mask_set(&harts_online, 0);
}

void percpu_set_nid(struct hart *h, uint32_t nid)
{
    BUG_ON(nid >= MAX_NODES);
    mask_clear(&node_harts[h->arch.nid], h->arch.index);
    mask_set(&node_harts[nid], h->arch.index);
    h->arch.nid = nid;
}
