/* SPDX-License-Identifier: MIT */
/*
 * owners.h - a private page that may not be written, and who has it.
 *
 *      mm     [ vma   ] entry r- --.
 *                                   >-- page        by hand, as a fork leaves it
 *      other  [ child ] entry r- --'
 */
#ifndef OWNERS_H
#define OWNERS_H

#include "lab_space.h"

#define RW (PROT_READ | PROT_WRITE)

static struct vm_area_struct *vma, *child;
static struct page *page;
static pte_t *pte, seen;

/* One private page, read-only in a range that may be written. */
static inline void one_owner(void)
{
    vma = lab_map(mm, ANON, BASE, 4, RW);
    page = lab_put(vma, BASE, 7, PTE_R);
    pte = lab_pte(mm, BASE);
    seen = pte_load(pte);
}

/* The same page in both spaces. */
static inline void two_owners(void)
{
    one_owner();
    child = lab_child(vma, RW);
    lab_share(child, BASE, page, PTE_R);
}

static inline enum fault_result write_fault(void)
{
    return fault_write_protected(vma, BASE, pte, seen);
}

#endif
