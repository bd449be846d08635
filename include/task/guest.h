/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the unit that is hosted: a process, as Linux would call it.
 *
 *      struct guest                         struct task (task.h), one a thread
 *      +-----------------------+            +----------------------+
 *      | pid, name, parent     |  tasks --> | kernel thread, frame |
 *      | address space (mm)    |            | FP state, sigmask    |
 *      | open files, actions   |            +----------------------+
 *      | limits, exit status   |
 *      +-----------------------+
 *
 *      RUNNING --exit, fatal signal--> ZOMBIE --wait, or nobody will--> gone
 *          `--SIGSTOP--> STOPPED --SIGCONT--'
 *
 * A guest that the console started has no parent; its exit status waits for guest_wait(), or for
 * nobody (options.detached).
 *
 * Locks: the table of guests has one (RANK_GUEST_TABLE), each guest has one (RANK_GUEST). Letters:
 * (T) table's, (g) guest's, (a) atomic, (b) before it runs, (c) only its own tasks.
 * Linux's counterpart: signal_struct and the thread group leader's task_struct.
 */
#ifndef PAGODA_TASK_GUEST_H
#define PAGODA_TASK_GUEST_H

#include "base/format.h"
#include "file/inode.h"
#include "kern/lock.h"
#include "kern/wait.h"
#include "task/cred.h"
#include "task/prctl.h"
#include "task/signal.h"
#include "virt/mm.h"

enum guest_state { GUEST_RUNNING, GUEST_STOPPED, GUEST_ZOMBIE, GUEST_GONE };

#define GUEST_NAME_MAX 16
#define GUEST_ARGS_MAX 256 /* words of argv and of envp that a guest may be given */
#define PID_MAX 32768

enum { /* resources, Linux's numbers */
       RLIMIT_CPU = 0,
       RLIMIT_FSIZE,
       RLIMIT_DATA,
       RLIMIT_STACK,
       RLIMIT_CORE,
       RLIMIT_RSS,
       RLIMIT_NPROC,
       RLIMIT_NOFILE,
       RLIMIT_MEMLOCK,
       RLIMIT_AS,
       RLIMIT_LOCKS,
       RLIMIT_SIGPENDING,
       RLIMIT_MSGQUEUE,
       RLIMIT_NICE,
       RLIMIT_RTPRIO,
       RLIMIT_RTTIME,
       NR_RLIMITS
};
#define RLIM_INFINITY UINT64_MAX

struct rlimit {
    uint64_t cur, max;
};

struct file_table;
struct spawn;

struct guest {
    uint32_t pid;                /* (b) */
    uint32_t pgid;               /* (g) process group */
    uint32_t sid;                /* (g) session */
    uint32_t refcount;           /* (a) */
    uint32_t state;              /* (g) enum guest_state */
    int32_t exit_status;         /* (g) as wait4 has it: code << 8, or signal */
    int32_t group_exit_status;   /* (g) decided by the first to exit_group or to be killed */
    bool group_exit;             /* (g) all tasks are to end */
    uint8_t stop_signal;         /* (g) what stopped it */
    bool stop_dequeued;          /* (g) it is about to stop, unless SIGCONT comes */
    bool stop_news;              /* (g) nobody has waited for its having stopped... */
    bool continue_news;          /* (g) ... or continued */
    bool continue_tell;          /* (g) the parent gets a signal for that */
    bool of_console;             /* (b) the console started it: it can be continued from there */
    bool detached;               /* (b) nobody will wait for it */
    bool vforked;                /* (a) its parent waits until it has memory of its own */
    bool executed;               /* (a) it is no mere copy of its parent any more */
    int8_t nid;                  /* (b) preferred node, or NO_NODE */
    int16_t oom_score_adj;       /* (a) */
    uint8_t exit_signal;         /* (b) what the parent gets: SIGCHLD */
    char name[GUEST_NAME_MAX];   /* (g) set at exec */
    struct mm_struct *mm;        /* (g) NULL once it has exited; use guest_mm() */
    struct guest *parent;        /* (T) NULL: the console's */
    struct list_head children;   /* (T) guest.sibling */
    struct list_head sibling;    /* (T) */
    struct list_head table_node; /* (T) in order of pids */
    struct list_head tasks;      /* (g) task.guest_node */
    uint32_t nr_tasks;           /* (g) */
    struct spinlock lock;
    struct wait_queue wait_exit; /* who waits for this one; and its own waits for children */
    struct wait_queue wait_child;
    struct wait_queue wait_resume;      /* its own tasks, while it is stopped */
    struct wait_queue wait_signal;      /* who waits for signals in other ways than to take them */
    struct sigpending pending;          /* (g) signals to the guest as a whole */
    struct user_struct *user;           /* (g) its real user's account */
    struct sigaction_abi actions[NSIG]; /* (g) */
    struct rlimit limits[NR_RLIMITS];   /* (g) */
    struct file_table *files;           /* (c) */
    struct inode *exe;                  /* (g) what it executes, with a reference; or NULL */
    struct inode *cwd, *root;           /* (g) where its paths begin; with references */
    struct spawn *spawn;                /* (c) who waits for it to be loaded, or NULL */
    struct sink *out;            /* (b) where the terminal's writes go, or NULL: serial line */
    hartmask_t affinity;         /* (g) for tasks to come */
    uint64_t start_ns;           /* (b) */
    uint64_t run_ns;             /* (g) of tasks that have ended */
    uint64_t child_run_ns;       /* (g) of children that were waited for */
    uint64_t minflt, majflt;     /* (g) after exit; while it runs they are in mm */
    struct guest_cred cred;      /* (g) */
    struct list_head sem_undos;  /* struct sem_undo: what its end gives back; sem_ids.lock */
    struct guest_timers *timers; /* alarms, made when the first is set */
    int8_t nice;                 /* (a) told back; so are the next four */
    uint8_t sched_policy, sched_priority;
    uint16_t ioprio;
    uint32_t personality, coredump_filter;
    struct prctl_state prctl;
    uint32_t membarriers;  /* (a) kinds that were registered for */
    uint32_t umask;        /* (c) */
    uint64_t at_random[2]; /* (b) */
};

/** How a guest is to be started. Zeroed is a good default. */
struct guest_options {
    struct sink *out;    /* its standard output and error; NULL: the serial line */
    bool detached;       /* its status is not asked for: it vanishes when it ends */
    bool no_input;       /* standard input is at its end (background) */
    bool has_nid;        /* nid counts */
    uint8_t nid;         /* preferred node of harts and memory */
    nodemask_t bind;     /* memory from these nodes only; empty: any */
    hartmask_t affinity; /* harts; empty: all */
    int16_t oom_score_adj;
    char *reason; /* out: why it could not be started, a sentence; may be NULL */
    size_t reason_size;
};

/** Boot only, after mm_init() and fault_init(): caches, table, trap hooks. */
void guest_init(void);

/** Start /bin/init, pid 1, if the archive has it: never chosen by the OOM killer. */
void guest_start_init(void);

/**
 * Start the program at path (looked up in the archive; a bare name in /bin) with these words and
 * environment (both ended by NULL; envp NULL: the default one). Its pid, or -ENOENT, -ENOEXEC,
 * -ENOMEM, -E2BIG, -EAGAIN with options->reason filled. Thread context.
 */
int guest_spawn(const char *path, const char *const *argv, const char *const *envp,
                const struct guest_options *options);

/** Wait until a guest without a parent has ended, take its status. 0, -ESRCH, -EINTR. */
int guest_wait(uint32_t pid, int *status) must_check;

/** The same, but a guest that stops ends the wait too: status is then SIG << 8 | 0x7f. */
int guest_wait_or_stop(uint32_t pid, int *status) must_check;

/** Send a signal by pid. 0, -ESRCH, -EINVAL. SIGSTOP pauses, SIGCONT resumes. Any context. */
int guest_kill(uint32_t pid, int sig) must_check;

/** Send a signal to each guest of a process group. How many there were. */
unsigned guest_kill_group(uint32_t pgid, int sig);

/** Is there such a group in the session? */
bool guest_group_exists(uint32_t pgid, uint32_t sid);

/** Send a signal to each guest but `except` (0: to all). How many there were. */
unsigned guest_kill_all(int sig, uint32_t except);

/** The guest of a pid with a reference, or NULL. Zombies are found too. */
struct guest *guest_find(uint32_t pid);

/** The guest that has a task of this number; like guest_find(). */
struct guest *guest_find_thread(uint32_t tid);

/** The guest's task of this number, while g->lock is held; or NULL. */
struct task *guest_task_locked(struct guest *g, uint32_t tid);

/** Its parent with a reference; NULL: none, or the console. */
struct guest *guest_parent(struct guest *g);

/** What SIGCHLD says of it: who it is and what it used. info->signo and code are set already. */
void guest_child_info(struct guest *g, int status, struct siginfo_words *info);

/** The guest with the smallest pid >= from, with a reference, or NULL. For going over all. */
struct guest *guest_next(uint32_t from);

static inline void guest_get(struct guest *g)
{
    fetch_add_relaxed(&g->refcount, 1);
}
void guest_put(struct guest *g);

/** Whose wishes its calls to files are. */
static inline struct cred guest_cred(const struct guest *g)
{
    return (struct cred){load_relaxed(&g->cred.uid[ID_FS]), load_relaxed(&g->cred.gid[ID_FS]),
                         load_relaxed(&g->cred.nr_groups), g->cred.groups};
}

/** Its program, working directory or root (&g->exe...), referenced; NULL when it has ended. */
struct inode *guest_inode(struct guest *g, struct inode *const *which);

/** It ends, or never began: it refers to no file any more. May block. */
void guest_drop_inodes(struct guest *g);

/** How many bytes it may lock: RLIMIT_MEMLOCK, unless it has the right to more. */
static inline uint64_t guest_memlock_limit(const struct guest *g)
{
    return cred_capable(&g->cred, CAP_IPC_LOCK) ? RLIM_INFINITY : g->limits[RLIMIT_MEMLOCK].cur;
}

/** Its address space with mmget() done, or NULL when it has ended. */
struct mm_struct *guest_mm(struct guest *g);

/** Its parent's pid: 1, init, also for those that the console started or whose parent is gone. */
static inline uint32_t guest_ppid(const struct guest *g)
{
    const struct guest *parent = load_relaxed(&g->parent);
    return parent ? parent->pid : g->pid != 1;
}

/** Nanoseconds of hart time of all its tasks. */
uint64_t guest_run_ns(struct guest *g);

/** 'R', 'S', 'T', 'Z', ... as ps and /proc/PID/stat show it. */
char guest_state_letter(struct guest *g);

/** The hart that its first task runs on, or ran on last. */
uint32_t guest_hart(struct guest *g);

/** Change oom_score_adj, here and in what the killer reads. -EINVAL outside -1000..1000. */
int guest_set_oom_score_adj(struct guest *g, int adj) must_check;

/** Its argv as one string with spaces. Reads the guest's memory; any thread. */
void guest_print_cmdline(struct guest *g, struct sink *out, char separator);

/** "exit 3", "SIGSEGV": a wait status in words. */
void wait_status_print(int status, struct sink *out);

/** Is anyone there? Number of guests, zombies included. */
uint32_t guest_count(void);

/** All tables, references and address spaces agree. Prints each fault; their number. */
unsigned task_check(struct sink *out);

#endif
