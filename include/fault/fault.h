/* SPDX-License-Identifier: MIT */
/*
 * fault.h - a guest touched what is not there, or not so.
 *
 *      user_fault(mm, addr, access)
 *        | VMA that holds addr? ---- no ---> stack below it may grow? --no--> SIGSEGV MAPERR
 *        | VMA allows it?  --------- no ---> SIGSEGV ACCERR
 *        v
 *      handle_mm_fault(vma, addr, access)
 *        entry empty       anonymous  read: the zero page     write: a zeroed page   anonymous.c
 *                          file       read: the file's page   write: a copy of it    file.c
 *                          registered with a userfaultfd: whoever has that fills it  userfault.c
 *        entry migration   wait until the page has arrived                           rmap.h
 *        entry present     write to a read-only one: copy, or reuse                  cow.c
 *                          otherwise A or D was missing, or the entry was stale      accessed.c
 *
 * Locks: user_fault() takes mmap_lock for reading; the functions below it have it. Entries change
 * under page_table_lock, after a second look.
 * Linux's counterpart: arch/riscv/mm/fault.c and mm/memory.c.
 */
#ifndef PAGODA_FAULT_FAULT_H
#define PAGODA_FAULT_FAULT_H

#include "base/types.h"
#include "virt/mm.h"

/** What became of a fault. */
enum fault_result {
    FAULT_DONE,      /* try the access again */
    FAULT_MAJOR,     /* the same, and it took reading from a file */
    FAULT_MAPERR,    /* SIGSEGV, SEGV_MAPERR: nothing is mapped there */
    FAULT_ACCERR,    /* SIGSEGV, SEGV_ACCERR: what is mapped does not allow it */
    FAULT_SIGBUS,    /* past the end of the file, or it cannot be read */
    FAULT_OOM,       /* no memory, not even after the killer ran */
    FAULT_USERFAULT, /* what is missing is filled by somebody else: see userfault.h */
};

/** Registers the fault floor's hooks with virt. Boot only, after mm_init. */
void fault_init(void);

/**
 * Handle a fault of a guest at addr (any address). access: PTE_R, PTE_W or PTE_X; sp: its stack
 * pointer. Counts it. Context: thread, may block; no lock held.
 */
enum fault_result user_fault(struct mm_struct *mm, uint64_t addr, uint64_t access);

/**
 * Make addr in the vma accessible. The vma allows the access; mmap_lock held for reading.
 */
enum fault_result handle_mm_fault(struct vm_area_struct *vma, uint64_t addr, uint64_t access);

/**
 * Populate start..end as touching it would: MAP_POPULATE, mlock. mmap_lock held for reading.
 * 0, -ENOMEM, -EFAULT, -EINTR (killed).
 */
int mm_populate(struct mm_struct *mm, uint64_t start, uint64_t end) must_check;

#endif
