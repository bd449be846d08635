/* SPDX-License-Identifier: MIT */
/*
 * maps.h - what the views of an address space share.
 */
#ifndef PAGODA_VIEW_MAPS_H
#define PAGODA_VIEW_MAPS_H

#include "base/format.h"
#include "virt/mm.h"

/**
 * A part of a view (file/registry.h) that has an entry for each VMA: call @show, with mmap_lock
 * held for reading, for some that end behind the address *from.
 */
int show_vmas(struct sink *out, const struct view_args *args, uint64_t *from,
              void (*show)(struct sink *, struct vm_area_struct *));

#endif
