/* SPDX-License-Identifier: MIT */
/*
 * signal_set.h - which signal next, and what becomes of it; between the files of signals.
 */
#ifndef PAGODA_TASK_SIGNAL_SET_H
#define PAGODA_TASK_SIGNAL_SET_H

#include "task/task.h"

#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))

/*
 * What an interrupted call returns, and no guest sees. If no handler runs (the guest was stopped,
 * say) the call is made again; if one does:
 */
#define ERESTARTSYS 512           /* again after it if SA_RESTART, otherwise -EINTR */
#define ERESTARTNOINTR 513        /* again in any case */
#define ERESTARTNOHAND 514        /* -EINTR */
#define ERESTART_RESTARTBLOCK 516 /* -EINTR; without handler by task->restart.fn: restart_syscall */

enum default_action { ACT_TERM, ACT_IGNORE, ACT_STOP, ACT_CONTINUE };

/** What becomes of a signal that has no handler. */
enum default_action signal_default(int sig);

/**
 * Take the next signal of `set`, t's own first, then its guest's; the synchronous ones (faults)
 * before others. 0: there is none. guest->lock held.
 */
int signal_take_locked(struct task *t, uint64_t set, struct siginfo_words *info);

/** Woken when a signal of any guest becomes pending: for who waits for signals by files. */
extern struct wait_queue signals_pending;

/** Those in `set` that wait for the guest or any of its tasks wait no more. guest->lock held. */
void signal_drop_locked(struct guest *g, uint64_t set);

/** Others than t may have to take what waits for the guest as a whole. guest->lock held. */
void signal_retarget_locked(struct guest *g, const struct task *t);

/** May the current guest send sig to g? -EPERM: no. sig 0 asks only. */
int signal_permission(struct guest *g, int sig) must_check;

/** Store as siginfo_t. 0 or -EFAULT. */
int signal_put_info(uint64_t to, const struct siginfo_words *info) must_check;

/* --- stopping: stop.c ------------------------------------------------------------------------- */

/** t's guest stops by a signal that was just taken. No lock held. */
void stop_begin(struct task *t, int sig);

/** SIGCONT came: the guest goes on, and its parent is to hear of it. guest->lock held. */
void stop_end_locked(struct guest *g);

/** Wait as long as the guest is stopped; then tell the parent, once. No lock held. */
void stop_stay(struct guest *g);

/** g ends: groups that nobody could continue any more get SIGHUP and SIGCONT. No lock held. */
void stop_hang_up_orphans(struct guest *g);

/** Push a frame for the handler on the guest's stack, point `frame` at it. -EFAULT: no room. */
int signal_push_frame(struct task *t, struct trap_frame *frame, int sig,
                      const struct siginfo_words *info, const struct sigaction_abi *act) must_check;

/** What the frame takes of the stack: AT_MINSIGSTKSZ. */
#define SIGNAL_FRAME_SIZE 1088

/** rt_sigreturn: undo it. -EFAULT when the frame is not one. */
int signal_pop_frame(struct task *t, struct trap_frame *frame) must_check;

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1u << 31) /* off while a handler runs on it */

/** Is sp on t's alternate stack, which is in use then? */
bool signal_on_altstack(const struct task *t, uint64_t sp);

/** sigaltstack, with the guest's stack pointer at sp. 0, -EPERM, -EINVAL, -ENOMEM. */
int signal_set_altstack(struct task *t, const struct altstack *to, uint64_t sp) must_check;

/** A guest dies of a fault: who, of what, where, registers; to the log. */
void signal_report(const struct task *t, const struct trap_frame *frame, int sig, int code,
                   uint64_t addr);

#endif
