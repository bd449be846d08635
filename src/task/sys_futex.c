/* SPDX-License-Identifier: MIT */
/*
 * sys_futex.c - one call with many commands. futex.c has the work.
 *
 * Linux's counterpart: kernel/futex/syscalls.c.
 */
#include "base/errno.h"
#include "kern/timer.h"
#include "task/futex.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_CMD_MASK 0x7f
#define FUTEX_CLOCK_REALTIME 0x100
#define MATCH_ANY UINT32_MAX

/* args: address, value, bits, deadline. */
static int64_t wait_until(struct task *t, const uint64_t *args)
{
    uint32_t value = (uint32_t)args[1], bits = (uint32_t)args[2];
    int64_t err = futex_wait(t, mk_vaddr(args[0]), value, bits, args[3]);
    if (err != -EINTR)
        return err;
    if (args[3] == TIMER_NEVER)
        return -ERESTARTSYS;
    t->restart = (struct restart_block){wait_until, {args[0], value, bits, args[3]}};
    return -ERESTART_RESTARTBLOCK;
}

/* a[3] is a time: from now for WAIT, absolute for WAIT_BITSET; NULL: none. */
static int64_t wait(struct task *t, const uint64_t *a, uint32_t bits, bool absolute)
{
    uint64_t deadline = TIMER_NEVER;
    if (a[3]) {
        int64_t ns = arg_timespec(mk_vaddr(a[3]));
        if (ns < 0)
            return ns;
        deadline = (uint64_t)ns + (absolute ? 0 : now_ns());
        if (absolute && (a[1] & FUTEX_CLOCK_REALTIME))
            deadline = realtime_to_ns((uint64_t)ns);
    }
    return wait_until(t, (uint64_t[]){a[0], (uint32_t)a[2], bits, deadline});
}

int64_t sys_futex(struct task *t, const uint64_t *a)
{
    vaddr_t addr = mk_vaddr(a[0]), addr2 = mk_vaddr(a[4]);
    uint32_t n = (uint32_t)a[2], m = (uint32_t)a[3], value = (uint32_t)a[5];
    switch (a[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return wait(t, a, MATCH_ANY, false);
    case FUTEX_WAIT_BITSET:
        return wait(t, a, value, true);
    case FUTEX_WAKE:
        return futex_wake(t->mm, addr, n, MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(t->mm, addr, n, value);
    case FUTEX_REQUEUE:
        return futex_requeue(t->mm, addr, n, addr2, m, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(t->mm, addr, n, addr2, m, &value);
    default:
        return -ENOSYS;
    }
}
