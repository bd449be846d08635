/* SPDX-License-Identifier: MIT */
/*
 * sys_info.c - what machine is this?
 *
 * Linux's counterpart: kernel/sys.c, drivers/char/random.c.
 */
#include "arch/barrier.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/ipi.h"
#include "kern/timer.h"
#include "phys/node.h"
#include "task/exec.h"
#include "task/syscalls.h"

#define GRND_KNOWN 7u

struct sysinfo_abi {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
    uint8_t rest[4];
};

int64_t sys_sysinfo(struct task *t, const uint64_t *a)
{
    struct sysinfo_abi info;
    (void)t;
    memset(&info, 0, sizeof(info));
    info.uptime = (int64_t)(now_ns() / NSEC_PER_SEC);
    info.totalram = nr_managed_pages() << PAGE_SHIFT;
    info.freeram = nr_free_pages_with_pcp() << PAGE_SHIFT;
    info.sharedram = global_node_state(NR_SHMEM) << PAGE_SHIFT;
    info.procs = (uint16_t)guest_count();
    info.mem_unit = 1;
    return copy_to_user(mk_vaddr(a[0]), &info, sizeof(info)) ? -EFAULT : 0;
}

int64_t sys_getrandom(struct task *t, const uint64_t *a)
{
    uint64_t n = MIN(a[1], 0x1ffffffUL);
    (void)t;
    if ((uint32_t)a[2] & ~GRND_KNOWN)
        return -EINVAL;
    for (uint64_t done = 0; done < n; done += sizeof(uint64_t)) {
        uint64_t word = guest_random();
        if (copy_to_user(mk_vaddr(a[0] + done), &word, MIN(n - done, sizeof(word))))
            return done ? (int64_t)done : -EFAULT;
        if (signal_pending(t))
            return (int64_t)MIN(done + sizeof(word), n);
    }
    return (int64_t)n;
}

static void fence_here(void *arg)
{
    (void)arg;
    fence_i();
}

int64_t sys_riscv_flush_icache(struct task *t, const uint64_t *a)
{
    (void)t;
    if (a[2] & ~1UL)
        return -EINVAL;
    fence_here(NULL);
    ipi_call_others(fence_here, NULL, IPI_WAIT);
    return 0;
}
