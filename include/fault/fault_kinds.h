/* SPDX-License-Identifier: MIT */
/*
 * fault_kinds.h - the kinds of fault, between the files of the fault floor. fault.h has the map.
 *
 * All of these run with mmap_lock held for reading. `pte` is where the entry of addr lies and
 * `seen` what it said; each looks again under page_table_lock and does nothing if it has changed:
 * the access is simply tried again.
 */
#ifndef PAGODA_FAULT_FAULT_KINDS_H
#define PAGODA_FAULT_FAULT_KINDS_H

#include "fault/fault.h"

/** Nothing there yet, in anonymous memory. */
enum fault_result fault_anonymous(struct vm_area_struct *vma, uint64_t addr, uint64_t access,
                                  pte_t *pte);

/** Nothing there yet, in a mapping of a file. */
enum fault_result fault_file(struct vm_area_struct *vma, uint64_t addr, uint64_t access,
                             pte_t *pte);

/** A write to an entry that does not allow it, in a VMA that does. */
enum fault_result fault_write_protected(struct vm_area_struct *vma, uint64_t addr, pte_t *pte,
                                        pte_t seen);

/** A or D was missing, or a stale translation was used. */
void fault_accessed(struct vm_area_struct *vma, uint64_t addr, uint64_t access, pte_t *pte,
                    pte_t seen);

/** Make the stack below addr's next VMA reach down to it. False: that is not possible. */
bool grow_stack(struct mm_struct *mm, uint64_t addr);

/** Put a page that only the caller knows where nothing is, or give it back: false. page_table_lock
 * not held. */
bool map_new_anon_page(struct vm_area_struct *vma, uint64_t addr, pte_t *pte, struct page *page);

/** Map the page of zeros where nothing is; false: something is. */
bool map_zero_page(struct vm_area_struct *vma, pte_t *pte);

/** Has the page no other user than one entry, so that who has the entry may write to it? */
bool anon_page_is_exclusive(struct page *page);

/** The page of zeros; PAGE_ZERO, mapped by special entries. */
extern struct page *zero_page;

#endif
