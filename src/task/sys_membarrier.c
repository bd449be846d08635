/* SPDX-License-Identifier: MIT */
/*
 * sys_membarrier.c - a memory barrier on all harts that run this guest, paid for by one.
 *
 *      fast threads:  plain loads and stores        the slow one: membarrier() --IPI--> fence there
 *
 * Who wants the expedited kinds says so first, as on Linux.
 *
 * Linux's counterpart: kernel/sched/membarrier.c.
 */
#include "arch/barrier.h"
#include "base/errno.h"
#include "kern/ipi.h"
#include "kern/percpu.h"
#include "task/guest.h"
#include "task/syscalls.h"

#define QUERY 0u
#define GLOBAL 1u
#define GLOBAL_EXPEDITED 2u
#define REGISTER_GLOBAL_EXPEDITED 4u
#define PRIVATE_EXPEDITED 8u
#define REGISTER_PRIVATE_EXPEDITED 16u
#define PRIVATE_EXPEDITED_SYNC_CORE 32u
#define REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 64u
#define GET_REGISTRATIONS 512u
#define ALL_KINDS                                                                \
    (GLOBAL | GLOBAL_EXPEDITED | REGISTER_GLOBAL_EXPEDITED | PRIVATE_EXPEDITED | \
     REGISTER_PRIVATE_EXPEDITED | PRIVATE_EXPEDITED_SYNC_CORE |                  \
     REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | GET_REGISTRATIONS)

static void fence(void *arg)
{
    (void)arg;
    io_mb();
    fence_i();
}

/* On the harts of the mask; a trap into the monitor and back is a barrier for those in it. */
static int64_t everywhere(hartmask_t mask)
{
    ipi_call(mask, fence, NULL, IPI_WAIT);
    return 0;
}

int64_t sys_membarrier(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    uint32_t cmd = (uint32_t)a[0];
    if (a[1])
        return -EINVAL;
    switch (cmd) {
    case QUERY:
        return ALL_KINDS;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
        return everywhere(harts_online);
    case REGISTER_GLOBAL_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        (void)fetch_or(&g->membarriers, cmd);
        return 0;
    case PRIVATE_EXPEDITED:
    case PRIVATE_EXPEDITED_SYNC_CORE: /* each is registered by the bit above its own */
        return load_relaxed(&g->membarriers) & (cmd << 1) ? everywhere(t->mm->tlb.harts) : -EPERM;
    case GET_REGISTRATIONS:
        return load_relaxed(&g->membarriers);
    default:
        return -EINVAL;
    }
}
