/* SPDX-License-Identifier: MIT */
/*
 * clone.h - one becomes two: threads and processes.
 */
#ifndef PAGODA_TASK_CLONE_H
#define PAGODA_TASK_CLONE_H

#include "task/task.h"

#define CLONE_VM 0x100UL
#define CLONE_FS 0x200UL
#define CLONE_FILES 0x400UL
#define CLONE_SIGHAND 0x800UL
#define CLONE_VFORK 0x4000UL
#define CLONE_PARENT 0x8000UL
#define CLONE_THREAD 0x10000UL
#define CLONE_SYSVSEM 0x40000UL
#define CLONE_SETTLS 0x80000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_DETACHED 0x400000UL
#define CLONE_CHILD_SETTID 0x1000000UL

struct clone_request {
    uint64_t flags;
    uint8_t exit_signal;
    uint64_t stack; /* 0: the same address as the parent's */
    uint64_t tls;
    vaddr_t parent_tid, child_tid;
};

/** The child's tid, or -EINVAL, -ENOMEM, -EAGAIN. */
int64_t task_clone(struct task *t, const struct clone_request *req);

/** The vfork child g has its own memory now, or has ended: its parent goes on. */
void clone_vfork_done(struct guest *g);

#endif
