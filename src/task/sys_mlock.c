/* SPDX-License-Identifier: MIT */
/*
 * sys_mlock.c - the calls that keep memory in memory.
 *
 * Linux's counterpart: mm/mlock.c.
 */
#include "base/errno.h"
#include "fault/mmap.h"
#include "task/guest.h"
#include "task/syscalls.h"

#define MLOCK_ONFAULT 1u

int64_t sys_mlock(struct task *t, const uint64_t *a)
{
    return do_mlock(t->mm, a[0], a[1], false);
}

int64_t sys_mlock2(struct task *t, const uint64_t *a)
{
    if (a[2] & ~(uint64_t)MLOCK_ONFAULT)
        return -EINVAL;
    return do_mlock(t->mm, a[0], a[1], a[2] & MLOCK_ONFAULT);
}

int64_t sys_munlock(struct task *t, const uint64_t *a)
{
    return do_munlock(t->mm, a[0], a[1]);
}

int64_t sys_mlockall(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[0];
    if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    return do_mlockall(t->mm, flags);
}

int64_t sys_munlockall(struct task *t, const uint64_t *a)
{
    (void)a;
    do_munlockall(t->mm);
    return 0;
}
