/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - from a number to a function.
 *
 *      ecall, a7 = 222 --> syscall_table[222] = sys_mmap --> a0 = result or -errno
 *
 * Arguments are handed over as the six registers a0..a5 where they lie in the trap frame, as u64:
 * each function takes out of them what it needs, checks it, and only then acts. The functions are
 * in families, a file each: sys_memory.c, sys_file.c, sys_signal.c, sys_process.c, sys_time.c,
 * sys_numa.c, sys_info.c; they are listed in syscall_list.h.
 *
 * What is not in the table returns -ENOSYS and is counted by number.
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/syscall_table.c.
 */
#ifndef PAGODA_TASK_SYSCALL_H
#define PAGODA_TASK_SYSCALL_H

#include "base/errno.h"
#include "base/format.h"
#include "phys/node.h"
#include "task/task.h"

#define NR_SYSCALLS 464

/** The six arguments; a[0] also receives the result. */
typedef int64_t syscall_fn(struct task *t, const uint64_t *a);

/** trap_ops.syscall. */
void syscall_dispatch(struct trap_frame *frame);

/** The name of a call, or NULL when it is not known. */
const char *syscall_name(uint64_t nr);

/** How often guests have asked for calls that are not there, "NUMBER NAME COUNT" a line. */
void syscall_print_unknown(struct sink *out);

/** What a clock shows, ns, or -EINVAL: there is none of that number. */
int64_t clock_ns(struct task *t, uint64_t clock);

/** Sleep until `end` (ns of now_ns(), or TIMER_NEVER), or a signal. 0 or -EINTR. */
int64_t task_sleep(struct task *t, uint64_t end);

/* --- arguments: one copy of each check -------------------------------------------------------- */

/** A path into buf of PATH_MAX bytes: its length, -EFAULT, -ENAMETOOLONG, -ENOENT when empty. */
#define PATH_MAX 4096
int64_t arg_path(char *buf, vaddr_t path);

/**
 * A structure of ours that has `size` bytes for the caller: what it leaves out is zero, what it has
 * more must be. 0, -EFAULT, -E2BIG.
 */
int64_t arg_struct(void *to, size_t own, vaddr_t from, uint64_t size) must_check;

/** A page-aligned range of user space, its length rounded up. 0, or -EINVAL. */
int arg_range(uint64_t addr, uint64_t *len) must_check;

/**
 * The space of a pid (0: one's own) with mmget() done: for its owner and root. NULL with *err
 * -ESRCH, -EPERM.
 */
struct mm_struct *arg_space(struct task *t, uint64_t pid, int64_t *err);

/** The guest of a first task's tid (0: the caller's own guest). Referenced, or NULL. */
struct guest *arg_guest(struct task *t, uint64_t tid);

/** The guest behind a pidfd, referenced, or NULL: -EBADF. */
struct guest *arg_pidfd(struct task *t, uint64_t fd);

/** Store a struct rusage. 0 or -EFAULT. */
int put_rusage(vaddr_t to, uint64_t run_ns, uint64_t minflt, uint64_t majflt,
               uint64_t maxrss_kb) must_check;

/** A mask of nodes with a length in bits. 0, -EFAULT, -EINVAL (a node that cannot be). */
int64_t arg_nodes(vaddr_t mask, uint64_t bits, nodemask_t *nodes);

/**
 * Move what is mapped in [from_addr, end) and lies on nodes of @from to those of @to; pages that
 * others map too only if @shared. How many could not be moved.
 */
int64_t move_range(struct mm_struct *mm, uint64_t from_addr, uint64_t end, nodemask_t from,
                   nodemask_t to, bool shared);

/** A struct timespec: nanoseconds, or -EFAULT, -EINVAL. */
int64_t arg_timespec(vaddr_t ts);

/** The end of a wait in ticks, from a struct timespec; NULL: never. -EFAULT, -EINVAL in *err. */
uint64_t arg_end(uint64_t ts, int64_t *err);

/** Store one. 0 or -EFAULT. */
int put_timespec(vaddr_t ts, uint64_t ns) must_check;

#endif
