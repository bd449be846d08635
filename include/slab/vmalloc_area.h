/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_area.h - areas by themselves: for the files of this floor.
 */
#ifndef PAGODA_SLAB_VMALLOC_AREA_H
#define PAGODA_SLAB_VMALLOC_AREA_H

#include "slab/vmalloc.h"

/** Addresses for @size bytes, nothing mapped yet. NULL: no room or no memory. */
struct vmalloc_area *vmalloc_area_create(uint64_t size, enum vmalloc_kind kind, gfp_t gfp);

/** Back the area with pages and map them. 0 or -ENOMEM: then destroy it. */
int vmalloc_area_fill(struct vmalloc_area *area, gfp_t gfp, int nid) must_check;

/** Give its addresses back; it has no pages and no mappings any more. */
void vmalloc_area_remove(struct vmalloc_area *area);

/** Unmap, fence, free everything. */
void vmalloc_area_destroy(struct vmalloc_area *area);

/** The area that begins at @va, or NULL. */
struct vmalloc_area *vmalloc_area_find(const void *va);

#endif
