/* SPDX-License-Identifier: MIT */
/*
 * kernel_map.h - the monitor's own half of the address space.
 */
#ifndef PAGODA_VIRT_KERNEL_MAP_H
#define PAGODA_VIRT_KERNEL_MAP_H

#include "virt/pgtable.h"

/** The monitor's table; each guest's root carries a copy of its upper half. */
extern struct pgtable kernel_pgtable;

/**
 * Build the final map and switch to it: the linear map of memblock's RAM in the largest leaves,
 * without what the firmware keeps for itself, and the image with W^X. Before phys_init(), from
 * memblock. Panics when there is no memory for it.
 */
void kernel_map_init(void);

/** For phys_set_vmemmap_map(): back a part of mem_map. */
int kernel_map_vmemmap(vaddr_t va, paddr_t pa, uint64_t size) must_check;

/** From now on table pages come from the buddy allocator (after mem_init). */
void kernel_map_use_pages(void);

/**
 * Map and unmap pages in the VMALLOC region. 0, -ENOMEM. A hart may remember that nothing was there
 * (privileged specification, 4.2.1), so kernel_mapped() has all of them forget it before the range
 * is used. Unmapping ends with the same fence. Any lock held.
 */
int kernel_map_page(vaddr_t va, paddr_t pa, uint64_t prot) must_check;
void kernel_mapped(vaddr_t va, uint64_t size);
void kernel_unmap_range(vaddr_t va, uint64_t size);

/** W^X, global, nothing of the user's, and the image not writable by its other name. */
unsigned kernel_map_check(struct sink *out);

#endif
