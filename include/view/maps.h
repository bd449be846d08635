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

/** Call @show for each VMA with mmap_lock held for reading. @mm may be NULL: nothing to show. */
int each_vma(struct sink *out, struct mm_struct *mm,
             void (*show)(struct sink *, struct vm_area_struct *));

#endif
