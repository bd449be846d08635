/* SPDX-License-Identifier: MIT */
/*
 * vma_print.h - a VMA as a line of /proc/PID/maps.
 *
 *      00010000-00070000 r-xp 00000000 00:02 3          /bin/hello
 *      \__ the range __/ perm offset   dev   inode      what is mapped
 *
 * Locks: mmap_lock for reading; a path is looked up under namespace_lock, so no spinlock.
 */
#ifndef PAGODA_VIRT_VMA_PRINT_H
#define PAGODA_VIRT_VMA_PRINT_H

#include "base/format.h"
#include "virt/mm.h"

/** "rw-p" and so on. buf holds 5 bytes. */
void vma_flags_text(const struct vm_area_struct *vma, char *buf);

/** The line. */
void vma_print(struct sink *out, const struct vm_area_struct *vma);

/** What is mapped: a path, "[heap]", "[stack]", or nothing. */
void vma_print_name(struct sink *out, const struct vm_area_struct *vma);
bool vma_has_name(const struct vm_area_struct *vma);

/** The lines of at most n VMAs at and around an address. */
void vma_print_around(struct sink *out, struct mm_struct *mm, uint64_t addr, unsigned n);

#endif
