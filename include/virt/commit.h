/* SPDX-License-Identifier: MIT */
/*
 * commit.h - how much memory has been promised.
 *
 *      promised:  private writable mappings, and shared memory without a file    (VM_ACCOUNT)
 *      there:     what has been touched of it
 *
 * Mode 0 refuses only what could never be: more at once than there is. Mode 1 refuses nothing.
 * Mode 2 refuses what would take the promises over the limit.
 *
 * Locks: the counter is atomic. Linux's counterpart: __vm_enough_memory(), mm/util.c.
 */
#ifndef PAGODA_VIRT_COMMIT_H
#define PAGODA_VIRT_COMMIT_H

#include "base/atomic.h"
#include "base/types.h"

enum { OVERCOMMIT_GUESS, OVERCOMMIT_ALWAYS, OVERCOMMIT_NEVER };

/** vm.overcommit_memory, vm.overcommit_ratio (per cent), vm.overcommit_kbytes (0: the ratio). */
extern int sysctl_overcommit_memory, sysctl_overcommit_ratio;
extern uint64_t sysctl_overcommit_kbytes;

extern int64_t vm_committed_pages;

/** So many pages more are promised, or fewer. */
static inline void vm_acct_memory(int64_t pages)
{
    fetch_add_relaxed(&vm_committed_pages, pages);
}

/** May so many pages be promised? Only asks. */
bool vm_enough_memory(uint64_t pages);

/** In pages: the most that mode 2 promises; what is promised now. */
uint64_t vm_commit_limit(void);
uint64_t vm_committed(void);

#endif
