/* SPDX-License-Identifier: MIT */
/*
 * signal.h - telling a guest something, if need be that it is over.
 *
 *      kill(pid), fault, Ctrl-C --> pending bit --> thread_notify --> on the way back to U-mode:
 *          handler?   push a frame on the guest's stack, go on there; rt_sigreturn undoes it
 *          default?   end the guest, stop it, or nothing
 *          ignored?   dropped
 *
 * Signals are bits of one word: bit n-1 is signal n. The classic ones, below 32, are pending once,
 * with the details (siginfo) of the first; the real-time ones queue, each with its own details.
 *
 *      struct sigpending    set   ...0100 0000 0010       guest->pending: any task takes it
 *                           queue [2: pid 7]-[33: 1]-[33: 2]      task->pending: only this one
 *
 * Locks: guest->lock (RANK_GUEST) for pending sets and actions.
 * Linux's counterpart: kernel/signal.c, arch/riscv/kernel/signal.c.
 */
#ifndef PAGODA_TASK_SIGNAL_H
#define PAGODA_TASK_SIGNAL_H

#include "base/format.h"
#include "base/list.h"
#include "base/types.h"

struct guest;
struct task;
struct trap_frame;

enum signo {
    SIGHUP = 1,
    SIGINT = 2,
    SIGQUIT = 3,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGABRT = 6,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGXCPU = 24,
    SIGXFSZ = 25,
    SIGVTALRM = 26,
    SIGPROF = 27,
    SIGWINCH = 28,
    SIGIO = 29,
    SIGSYS = 31,
    SIGRTMIN = 32, /* from here on they queue */
    NSIG = 64
};

#define SIGBIT(n) (1UL << ((n)-1))

/* How somebody is told. */
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

/** The beginning of struct sigevent, which nobody else reads. */
struct sigevent_abi {
    uint64_t value;
    int32_t signo, notify, tid;
};

/* si_code */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_MESGQ (-3)
#define SI_TKILL (-6)
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define ILL_ILLOPC 1
#define TRAP_BRKPT 1
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

/* sa_flags */
#define SA_NOCLDSTOP 1UL
#define SA_NOCLDWAIT 2UL
#define SA_SIGINFO 4UL
#define SA_ONSTACK 0x08000000UL
#define SA_RESTART 0x10000000UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL
#define SA_EXPOSE_TAGBITS 0x800UL
#define SA_KNOWN                                                                       \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | \
     SA_RESETHAND | SA_EXPOSE_TAGBITS)

#define SIG_DFL 0UL
#define SIG_IGN 1UL

/** What a signal does where there is no handler; laid out as riscv's kernel sigaction. */
struct sigaction_abi {
    uint64_t handler, flags, mask;
};

/** Where a signal came from: what siginfo_t holds, and laid out as it; the rest of that is zero. */
struct siginfo_words {
    int32_t signo, errno_, code, pad;
    union {
        uint64_t addr; /* faults */
        struct {       /* kill; and what a child did */
            int32_t pid;
            uint32_t uid;
            union {
                struct {
                    int32_t status, pad2;
                    int64_t utime, stime; /* in hundredths of a second */
                };
                uint64_t value; /* sigqueue */
            };
        };
        struct { /* timer_create: the value is in the same place */
            int32_t timer_id, overrun;
        };
        uint64_t words[4]; /* sigqueue: as the sender has it */
    };
};
_Static_assert(sizeof(struct siginfo_words) == 48, "the part of siginfo_t that Linux keeps");

/** Signals that were sent and not taken yet. */
struct sigpending {
    uint64_t set;
    struct list_head queue; /* struct sigqueue, oldest first */
};

struct user_struct;

/** The details of one of them. */
struct sigqueue {
    struct list_head node; /* (g) in a queue */
    struct siginfo_words info;
    struct user_struct *user;    /* whose account it is on; NULL: a timer's, which sends it again */
    struct sigpending *waits_in; /* a timer's: where it is */
    int32_t taken_overrun;       /* a timer's: as it was when the signal was last taken */
};

/** "SIGSEGV", or "signal 40". Never NULL. */
const char *signal_name(int sig);

/** What kill() says of the current task: sig, code, its pid and its user. */
struct siginfo_words signal_from_current(int sig, int code);

/**
 * To a guest as a whole: any of its tasks takes it. Any context; guest referenced. 0, or -EAGAIN:
 * a queued signal, and RLIMIT_SIGPENDING is reached.
 */
int guest_signal(struct guest *g, const struct siginfo_words *info);

/** To one task of a guest: tgkill. Its guest's lock is held. The same results. */
int task_signal_locked(struct task *t, const struct siginfo_words *info);

/**
 * A timer's signal, to the guest or to one task of it (`only`). One that was not taken yet is not
 * sent again, but told how many times it would have been. Guest's lock held.
 */
void signal_send_timer_locked(struct guest *g, struct task *only, struct sigqueue *q,
                              uint32_t overruns);

/**
 * A fault of the running task: it cannot be blocked or ignored; without a handler the guest ends,
 * and the log gets a report. Current task only.
 */
void signal_fault(struct trap_frame *frame, int sig, int code, uint64_t addr);

/** The current task did what brings it a signal: SIGPIPE. */
void task_signal_self(int sig);

/**
 * With this mask of blocked signals instead of the own one, for the time of a sleep. The own one
 * comes back by itself when the sleep was interrupted (behind the handler, if one runs), otherwise
 * by signal_unuse_mask(). Current task only.
 */
void signal_use_mask(struct task *t, uint64_t mask);
void signal_unuse_mask(struct task *t);

/** Does the current task have a signal that it would take now? Interruptible waits end then. */
bool signal_pending(const struct task *t);

/** Take what is pending. On the way to U-mode, frame is the user frame. May not return. */
void signal_deliver(struct task *t, struct trap_frame *frame);

#endif
