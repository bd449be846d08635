/* SPDX-License-Identifier: MIT */
/*
 * sys_futex.c - one call with many commands. futex.c, futex_op.c and futex_pi.c have the work.
 *
 * Linux's counterpart: kernel/futex/syscalls.c.
 */
#include "base/errno.h"
#include "kern/timer.h"
#include "task/futex.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP = 5,
    FUTEX_LOCK_PI = 6,
    FUTEX_UNLOCK_PI = 7,
    FUTEX_TRYLOCK_PI = 8,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_WAIT_REQUEUE_PI = 11,
    FUTEX_CMP_REQUEUE_PI = 12,
    FUTEX_LOCK_PI2 = 13,
};

#define FUTEX_CLOCK_REALTIME 0x100u
#define FUTEX_CMD_MASK (~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME))
#define MATCH_ANY UINT32_MAX

/* args: address, flags, value, bits, deadline. */
static int64_t wait_until(struct task *t, const uint64_t *args)
{
    int64_t err = futex_wait(t, mk_vaddr(args[0]), (unsigned)args[1], (uint32_t)args[2],
                             (uint32_t)args[3], args[4]);
    if (err != -EINTR)
        return err;
    if (args[4] == TIMER_NEVER)
        return -ERESTARTSYS;
    t->restart = (struct restart_block){wait_until, {args[0], args[1], args[2], args[3], args[4]}};
    return -ERESTART_RESTARTBLOCK;
}

/* a[3] is a time: from now for WAIT, else absolute; NULL: none. */
static int64_t take_deadline(const uint64_t *a, uint32_t cmd, uint64_t *deadline)
{
    *deadline = TIMER_NEVER;
    if (!a[3])
        return 0;
    int64_t ns = arg_timespec(mk_vaddr(a[3]));
    if (ns < 0)
        return ns;
    *deadline = (uint64_t)ns;
    if (cmd == FUTEX_WAIT)
        *deadline += now_ns();
    else if (cmd == FUTEX_LOCK_PI || (a[1] & FUTEX_CLOCK_REALTIME))
        *deadline = realtime_to_ns((uint64_t)ns);
    return 0;
}

static int64_t waiting(struct task *t, const uint64_t *a, uint32_t cmd, unsigned flags)
{
    vaddr_t addr = mk_vaddr(a[0]);
    uint32_t value = (uint32_t)a[2], bits = (uint32_t)a[5];
    uint64_t deadline;
    int64_t err = take_deadline(a, cmd, &deadline);
    if (err)
        return err;
    switch (cmd) {
    case FUTEX_WAIT:
        return wait_until(t, (uint64_t[]){a[0], flags, value, MATCH_ANY, deadline});
    case FUTEX_WAIT_BITSET:
        return wait_until(t, (uint64_t[]){a[0], flags, value, bits, deadline});
    case FUTEX_WAIT_REQUEUE_PI:
        return futex_wait_requeue_pi(t, addr, flags, value, MATCH_ANY, deadline, mk_vaddr(a[4]));
    default:
        return futex_lock_pi(t, addr, flags, deadline);
    }
}

static bool has_clock(uint32_t cmd)
{
    return cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_WAIT_REQUEUE_PI || cmd == FUTEX_LOCK_PI2;
}

int64_t sys_futex(struct task *t, const uint64_t *a)
{
    vaddr_t addr = mk_vaddr(a[0]), addr2 = mk_vaddr(a[4]);
    uint32_t n = (uint32_t)a[2], m = (uint32_t)a[3], value = (uint32_t)a[5];
    uint32_t cmd = (uint32_t)a[1] & FUTEX_CMD_MASK;
    unsigned flags = (unsigned)a[1] & FUTEX_PRIVATE;
    if ((a[1] & FUTEX_CLOCK_REALTIME) && !has_clock(cmd))
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return waiting(t, a, cmd, flags);
    case FUTEX_WAKE:
        return futex_wake(t->mm, addr, flags, n, MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(t->mm, addr, flags, n, value);
    case FUTEX_REQUEUE:
        return futex_requeue(t->mm, addr, flags, n, addr2, m, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(t->mm, addr, flags, n, addr2, m, &value);
    case FUTEX_CMP_REQUEUE_PI:
        return futex_requeue_pi(t, addr, flags, n, addr2, m, value);
    case FUTEX_WAKE_OP:
        return futex_wake_op(t->mm, addr, flags, n, addr2, m, value);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(t, addr, flags);
    case FUTEX_TRYLOCK_PI:
        return futex_trylock_pi(t, addr, flags);
    default:
        return -ENOSYS;
    }
}
