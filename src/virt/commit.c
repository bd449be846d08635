/* SPDX-License-Identifier: MIT */
/*
 * commit.c - may more memory be promised? commit.h tells what is counted.
 *
 * Locks: none. Linux's counterpart: mm/util.c.
 */
#include "virt/commit.h"

#include "phys/vmstat.h"

int sysctl_overcommit_memory = OVERCOMMIT_GUESS;
int sysctl_overcommit_ratio = 50;
uint64_t sysctl_overcommit_kbytes;
int64_t vm_committed_pages;

uint64_t vm_commit_limit(void)
{
    if (sysctl_overcommit_kbytes)
        return sysctl_overcommit_kbytes >> (PAGE_SHIFT - 10);
    return nr_managed_pages() * (uint64_t)sysctl_overcommit_ratio / 100;
}

uint64_t vm_committed(void)
{
    int64_t pages = load_relaxed(&vm_committed_pages);
    return pages > 0 ? (uint64_t)pages : 0;
}

bool vm_enough_memory(uint64_t pages)
{
    switch (load_relaxed(&sysctl_overcommit_memory)) {
    case OVERCOMMIT_ALWAYS:
        return true;
    case OVERCOMMIT_NEVER:
        return vm_committed() + pages <= vm_commit_limit();
    default:
        return pages <= nr_managed_pages();
    }
}
