/* SPDX-License-Identifier: MIT */
/*
 * task.h - one thread of a guest: what runs in U-mode.
 *
 *      kernel stack                      struct task
 *      +--------------------+            +--------------------+
 *      | struct thread      | --owner--> | guest, tid         |
 *      | user trap frame    |            | fpu, sigmask       |
 *      | ...                |            | clear_child_tid    |
 *      +--------------------+            +--------------------+
 *
 * Locks: letters as in guest.h. A task is freed by the thread reaper, when it is off its stack.
 * Linux's counterpart: struct task_struct.
 */
#ifndef PAGODA_TASK_TASK_H
#define PAGODA_TASK_TASK_H

#include "arch/fpu.h"
#include "arch/trap.h"
#include "kern/thread.h"
#include "task/guest.h"
#include "task/rseq.h"

struct task;

/** How to go on with a call that may not begin anew: a sleep that has a part behind it. */
struct restart_block {
    int64_t (*fn)(struct task *t, const uint64_t *args); /* NULL: there is nothing to go on with */
    uint64_t args[6];
};

/** Another stack for handlers; laid out as stack_t. */
struct altstack {
    uint64_t sp;
    int32_t flags; /* SS_DISABLE: there is none */
    uint64_t size;
};

struct task {
    struct thread *thread;        /* (b) */
    struct guest *guest;          /* (b) referenced */
    struct mm_struct *mm;         /* (c) the space it runs in; changes at exec */
    uint32_t tid;                 /* (b) the first task's is the guest's pid */
    uint16_t restart_how;         /* (c) the call was interrupted: ERESTART..., or 0... */
    uint64_t restart_a0;          /* (c) ... and its first argument, to make it again... */
    struct restart_block restart; /* (c) ... or how to go on with it */
    struct list_head guest_node;  /* (g) in guest->tasks */
    uint64_t blocked;             /* (c) signal mask */
    uint64_t saved_blocked;       /* (c) the mask to return to after rt_sigsuspend */
    bool restore_blocked;         /* (c) saved_blocked counts */
    uint64_t awaited;             /* (c) signals that rt_sigtimedwait waits for, blocked or not */
    struct sigpending pending;    /* (g) signals to this task */
    struct siginfo_words forced;  /* (c) a fault to be taken before all others; signo 0: none */
    struct altstack altstack;     /* (c) */
    vaddr_t clear_child_tid;      /* (c) zeroed, and waiters woken, when it ends */
    vaddr_t set_child_tid;        /* (b) where to store the tid before the first instruction */
    vaddr_t robust_list;          /* (c) */
    bool exiting;                 /* (g) it looks for no more waiters of its locks */
    bool pi_waited;               /* (g) or by who hands it a lock: others wait for locks of it */
    uint64_t oom_retries;         /* (c) faults in a row without memory... */
    uint64_t oom_faults;          /* (c) ... while this was the number of those that went well */
    struct rseq_state rseq;       /* (c) */
    struct fpu_state fpu;
};

/** The task that runs here, or NULL in a helper thread of the monitor. */
static inline struct task *task_current(void)
{
    return thread_current()->owner;
}

/** The user frame of a task's thread, wherever it is. */
static inline struct trap_frame *task_frame(const struct task *t)
{
    return (struct trap_frame *)(void *)thread_stack_top(t->thread) - 1;
}

/** Name a task, and with its first one the guest. Longer names are cut. 0 or -ESRCH. */
int guest_set_task_name(struct guest *g, uint32_t tid, const char *name) must_check;

/** End the whole guest with this wait status; or only the current task. */
noreturn void task_exit_group(int status);
noreturn void task_exit(int status);

/** End all other tasks of the current one's guest, and wait until they have. 0 or -EINTR. */
int task_end_others(struct task *t) must_check;

/** Mark the guest as ending and kill its other tasks. guest->lock held. */
void guest_begin_exit_locked(struct guest *g, int status);

#endif
