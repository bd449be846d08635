/* SPDX-License-Identifier: MIT */
/*
 * userfaultfd.h - a guest handles page faults of its own memory.
 *
 *      toucher                          struct userfaultfd               handler
 *      page is missing
 *      message on `pending`, asleep --> pending: [addr][addr]
 *                                             read() ------------------> address
 *                                       taken:   [addr]
 *      tries again <-------- woken -------- UFFDIO_COPY: the page, and wake the range
 *
 * A message lies on the stack of who waits, and leaves the lists when it is woken, killed, gets a
 * signal, or when the userfaultfd is closed: then everyone tries again, and finds that the range is
 * not registered any more.
 *
 * Who waits holds neither mmap_lock nor a VMA's. Before it sleeps, and when its message can be
 * found, it looks once more whether the page is missing: so no filling is missed.
 *
 * Locks: uf->lock (RANK_FUTEX) for the lists.
 * Linux's counterpart: fs/userfaultfd.c.
 */
#ifndef PAGODA_TASK_USERFAULTFD_H
#define PAGODA_TASK_USERFAULTFD_H

#include "fault/fault.h"
#include "fault/userfault.h"
#include "kern/wait.h"
#include "task/files.h"

#define UFFD_FEATURE_MISSING_SHMEM (1UL << 5)
#define UFFD_FEATURE_SIGBUS (1UL << 7)
#define UFFD_FEATURE_THREAD_ID (1UL << 8)
#define UFFD_FEATURE_EXACT_ADDRESS (1UL << 11)
#define UFFD_FEATURES                                                            \
    (UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_SIGBUS | UFFD_FEATURE_THREAD_ID | \
     UFFD_FEATURE_EXACT_ADDRESS)
#define UFFD_READY (1UL << 63) /* in features: the two have agreed on them */

struct userfaultfd {
    struct userfault base;
    struct mm_struct *mm; /* whose memory; mmgrab() done */
    struct spinlock lock;
    struct list_head pending;   /* (lock) messages that nobody has read */
    struct list_head taken;     /* (lock) those that were read */
    struct wait_queue touchers; /* who waits for a page */
    struct wait_queue readers;  /* who waits for a message */
    uint64_t features;          /* (a) */
    bool user_mode_only;        /* (b) faults of system calls fail instead */
    bool closed;                /* (lock) */
};

/**
 * A fault found that the page at addr is missing and registered: wait until it is filled, or until
 * there is something else to do. `user`: in U-mode, so that signals can be taken. FAULT_DONE: try
 * again; FAULT_SIGBUS. No lock held.
 */
enum fault_result userfault_wait(struct task *t, uint64_t addr, uint64_t access, bool user);

/** Who waits for a page of start..end tries again. */
void userfault_wake(struct userfaultfd *uf, uint64_t start, uint64_t end);

/** file_ops.ioctl: UFFDIO_*. */
int64_t userfaultfd_ioctl(struct file *f, uint64_t cmd, uint64_t arg);

/** vm.unprivileged_userfaultfd: may all have faults of system calls handled, too? */
extern uint32_t sysctl_unprivileged_userfaultfd;

#endif
