/* SPDX-License-Identifier: MIT */
/*
 * signal_set.h - which signal next, and what becomes of it; between the files of signals.
 */
#ifndef PAGODA_TASK_SIGNAL_SET_H
#define PAGODA_TASK_SIGNAL_SET_H

#include "task/task.h"

/** What a system call returns to be called again after a handler (SA_RESTART) or none has run. */
#define ERESTARTSYS 512

enum default_action { ACT_TERM, ACT_IGNORE, ACT_STOP, ACT_CONTINUE };

/** What becomes of a signal that has no handler. */
enum default_action signal_default(int sig);

/**
 * Take the next signal that t does not block, its own first, then its guest's; the synchronous ones
 * (faults) before others. 0: there is none. guest->lock held.
 */
int signal_take_locked(struct task *t, struct siginfo_words *info);

/** Push a frame for the handler on the guest's stack, point `frame` at it. -EFAULT: no room. */
int signal_push_frame(struct task *t, struct trap_frame *frame, int sig,
                      const struct siginfo_words *info, const struct sigaction_abi *act) must_check;

/** rt_sigreturn: undo it. -EFAULT when the frame is not one. */
int signal_pop_frame(struct task *t, struct trap_frame *frame) must_check;

/** A guest dies of a fault: who, of what, where, registers; to the log. */
void signal_report(const struct task *t, const struct trap_frame *frame, int sig, int code,
                   uint64_t addr);

#endif
