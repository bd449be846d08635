/* SPDX-License-Identifier: MIT */
/*
 * maps.h - what the views of an address space share.
 */
#ifndef PAGODA_VIEW_MAPS_H
#define PAGODA_VIEW_MAPS_H

#include "base/format.h"
#include "virt/mm.h"

/** The line of /proc/PID/maps for a VMA. */
void vma_print(struct sink *out, const struct vm_area_struct *vma);

/** What is mapped: a path, "[heap]", "[stack]", or nothing. */
void vma_print_name(struct sink *out, const struct vm_area_struct *vma);
bool vma_has_name(const struct vm_area_struct *vma);

/**
 * A part of a view (file/registry.h) that has an entry for each VMA: call @show, with mmap_lock
 * held for reading, for some that end behind the address *from.
 */
int show_vmas(struct sink *out, const struct view_args *args, uint64_t *from,
              void (*show)(struct sink *, struct vm_area_struct *));

#endif
