/* SPDX-License-Identifier: MIT */
/*
 * wait.h - a guest asks for its children.
 */
#ifndef PAGODA_TASK_WAIT_H
#define PAGODA_TASK_WAIT_H

#include "task/task.h"

#define WNOHANG 1
#define WUNTRACED 2
#define WEXITED 4 /* waitid may wait for less */
#define WCONTINUED 8
#define WNOWAIT 0x01000000

struct wait_result {
    uint32_t pid; /* 0: WNOHANG, and none has ended */
    int status;   /* as wait4 stores it */
    uint64_t run_ns, minflt, majflt;
};

/**
 * Wait for a child: which > 0 that pid, -1 any, 0 of the own group, < -1 of that group. The pid,
 * 0 (WNOHANG), -ECHILD or -EINTR.
 */
int64_t guest_wait_child(struct task *t, int64_t which, int options, struct wait_result *out);

#endif
