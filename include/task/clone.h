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
#define CLONE_PIDFD 0x1000UL
#define CLONE_VFORK 0x4000UL
#define CLONE_PARENT 0x8000UL
#define CLONE_THREAD 0x10000UL
#define CLONE_NEWNS 0x20000UL
#define CLONE_SYSVSEM 0x40000UL
#define CLONE_SETTLS 0x80000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_DETACHED 0x400000UL
#define CLONE_CHILD_SETTID 0x1000000UL
#define CLONE_NEWCGROUP 0x2000000UL
#define CLONE_NEWUTS 0x4000000UL
#define CLONE_NEWIPC 0x8000000UL
#define CLONE_NEWUSER 0x10000000UL
#define CLONE_NEWPID 0x20000000UL
#define CLONE_NEWNET 0x40000000UL

/* Worlds of one's own, of which there are none here: all guests are in one. */
#define CLONE_NAMESPACES                                                                          \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

struct clone_request {
    uint64_t flags;
    uint8_t exit_signal;
    uint64_t stack; /* 0: the same address as the parent's */
    uint64_t tls;
    vaddr_t parent_tid, child_tid;
    vaddr_t pidfd; /* where CLONE_PIDFD puts it */
};

/** The child's tid, or -EINVAL, -ENOMEM, -EAGAIN. */
int64_t task_clone(struct task *t, const struct clone_request *req);

/** What is answered to who wants namespaces of its own: -EPERM, or that there are none. */
int clone_check_namespaces(const struct guest *g, uint64_t flags);

/** A descriptor of t's guest that stands for g, closed on exec; or -EMFILE, -ENOMEM. */
int64_t pidfd_install(struct task *t, struct guest *g, uint32_t flags);

/** The vfork child g has its own memory now, or has ended: its parent goes on. */
void clone_vfork_done(struct guest *g);

#endif
