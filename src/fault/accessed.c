/* SPDX-License-Identifier: MIT */
/*
 * accessed.c - faults that are about A and D alone, or about nothing.
 *
 *      hardware that sets A and D       faults here only by a stale translation
 *      hardware that faults instead     A or D missing: we set them, as it would have
 *
 * Locks: mmap_lock for reading. The entry is changed only if nobody else has.
 * Linux's counterpart: the end of handle_pte_fault(), flush_tlb_fix_spurious_fault().
 */
#include "fault/fault_kinds.h"

void fault_accessed(struct vm_area_struct *vma, uint64_t addr, uint64_t access, pte_t *pte,
                    pte_t seen)
{
    uint64_t bits = pte_fault_sets(seen, access);
    if (bits)
        pte_set_accessed(pte, seen, bits);
    tlb_flush_spurious(&vma->vm_mm->tlb, mk_vaddr(addr));
}
