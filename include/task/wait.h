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
#define W_NOTHREAD 0x20000000u /* children of this thread only: here they are the guest's */
#define W_ALL 0x40000000u      /* whatever signal they end with */
#define W_CLONE 0x80000000u    /* only those whose signal is not SIGCHLD */
#define WAIT_CONTINUED 0xffff  /* a status */

struct wait_result {
    uint32_t pid; /* 0: WNOHANG, and there is no news of any */
    uint32_t uid;
    int status; /* as wait4 stores it */
    uint64_t run_ns, minflt, majflt;
};

/**
 * Wait for a child: which > 0 that pid, -1 any, 0 of the own group, < -1 of that group. The pid,
 * 0 (WNOHANG), -ECHILD or -ERESTARTSYS.
 */
int64_t guest_wait_child(struct task *t, int64_t which, int options, struct wait_result *out);

#endif
