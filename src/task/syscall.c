/* SPDX-License-Identifier: MIT */
/*
 * syscall.c - the table, and what is not in it. syscall.h has the picture.
 *
 * Locks: none; the counts of unknown calls are atomic.
 * Linux's counterpart: arch/riscv/kernel/syscall_table.c.
 */
#include "task/syscall.h"

#include "arch/uaccess.h"
#include "arch/layout.h"
#include "base/string.h"
#include "kern/timer.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define SYSCALL(nr, name) [nr] = sys_##name,
static syscall_fn *const table[NR_SYSCALLS] = {
#include "task/syscall_list.h"
};
#undef SYSCALL

#define SYSCALL(nr, name) [nr] = #name,
static const char *const names[NR_SYSCALLS] = {
#include "task/syscall_list.h"
#include "task/syscall_absent.h"
};
#undef SYSCALL

/* How often calls were asked for that are not there; the last one counts all larger numbers. */
static uint32_t unknown[NR_SYSCALLS + 1];

static noinline int64_t not_there(uint64_t nr)
{
    fetch_add_relaxed(&unknown[MIN(nr, (uint64_t)NR_SYSCALLS)], 1);
    return -ENOSYS;
}

/* One of ERESTART...: no call has a result just below these errors. */
static bool is_restart(int64_t result)
{
    return (uint64_t)(result + ERESTART_RESTARTBLOCK) <= ERESTART_RESTARTBLOCK - ERESTARTSYS;
}

/* The call was interrupted: remember how to make it again, and look at the signals. */
static noinline void set_restart(struct trap_frame *frame, uint16_t how)
{
    struct task *t = task_current();
    t->restart_how = how;
    t->restart_a0 = frame->regs[REG_A0];
    thread_notify(t->thread);
}

void syscall_dispatch(struct trap_frame *frame)
{
    uint64_t nr = frame->regs[REG_A7];
    syscall_fn *fn = likely(nr < NR_SYSCALLS) ? table[nr] : NULL;
    int64_t result = likely(fn != NULL) ? fn(task_current(), &frame->regs[REG_A0]) : not_there(nr);
    if (unlikely(is_restart(result)))
        set_restart(frame, (uint16_t)-result);
    frame->regs[REG_A0] = (uint64_t)result;
}

const char *syscall_name(uint64_t nr)
{
    return nr < NR_SYSCALLS ? names[nr] : NULL;
}

void syscall_print_unknown(struct sink *out)
{
    for (uint32_t nr = 0; nr < NR_SYSCALLS; nr++) {
        if (unknown[nr])
            print(out, "%4u %-24s %u\n", nr, names[nr] ? names[nr] : "?", unknown[nr]);
    }
    if (unknown[NR_SYSCALLS])
        print(out, "   - %-24s %u\n", "(larger numbers)", unknown[NR_SYSCALLS]);
}

/* --- arguments -------------------------------------------------------------------------------- */

int64_t arg_path(char *buf, vaddr_t path)
{
    int64_t n = strncpy_from_user(buf, path, PATH_MAX);
    return n == 0 ? -ENOENT : n;
}

int arg_range(uint64_t addr, uint64_t *len)
{
    if (!IS_ALIGNED(addr, PAGE_SIZE) || *len > USER_TOP || addr > USER_TOP)
        return -EINVAL;
    *len = ALIGN_UP(*len, PAGE_SIZE);
    return *len > USER_TOP - addr ? -EINVAL : 0;
}

int64_t arg_timespec(vaddr_t ts)
{
    int64_t words[2];
    if (copy_from_user(words, ts, sizeof(words)))
        return -EFAULT;
    if (words[0] < 0 || words[1] < 0 || words[1] >= (int64_t)NSEC_PER_SEC)
        return -EINVAL;
    /* longer than 250 years is for ever */
    if (words[0] > (int64_t)(INT64_MAX / NSEC_PER_SEC) - 1)
        return INT64_MAX;
    return words[0] * (int64_t)NSEC_PER_SEC + words[1];
}

int put_timespec(vaddr_t ts, uint64_t ns)
{
    uint64_t words[2] = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
    return copy_to_user(ts, words, sizeof(words)) ? -EFAULT : 0;
}

int64_t arg_struct(void *to, size_t own, vaddr_t from, uint64_t size)
{
    memset(to, 0, own);
    if (copy_from_user(to, from, MIN(size, own)))
        return -EFAULT;
    for (uint64_t i = own; i < size; i++) {
        uint8_t byte;
        if (copy_from_user(&byte, mk_vaddr(from.v + i), 1))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return 0;
}
