/* SPDX-License-Identifier: MIT */
/*
 * syscalls.h - the prototypes of all system calls, out of the list.
 */
#ifndef PAGODA_TASK_SYSCALLS_H
#define PAGODA_TASK_SYSCALLS_H

#include "task/syscall.h"

#define SYSCALL(nr, name) syscall_fn sys_##name;
#include "task/syscall_list.h"
#undef SYSCALL

#endif
