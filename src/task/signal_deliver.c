/* SPDX-License-Identifier: MIT */
/*
 * signal_deliver.c - on the way back to U-mode: what to do about signals.
 *
 *      the guest is ending?  end        it is stopped?  wait for SIGCONT
 *      a signal: handler?  push a frame, go there       none?  its default
 *
 * A system call that was interrupted is made again, unless a handler has run and the call, or the
 * handler by not saying SA_RESTART, wishes otherwise. A sleep that has a part behind it is not made
 * again but gone on with: restart_syscall.
 *
 * Locks: guest->lock. Linux's counterpart: get_signal(), arch_do_signal_or_restart().
 */
#include "base/errno.h"
#include "kern/log.h"
#include "task/guest_table.h"
#include "task/signal_set.h"
#include "virt/vma_print.h"

#define NR_RESTART_SYSCALL 128

/* The interrupted call is made again: back to the ecall, with its first argument restored. */
static void restart_call(struct task *t, struct trap_frame *frame)
{
    frame->regs[REG_A0] = t->restart_a0;
    frame->sepc -= 4;
}

/* No handler has run: as if nothing had been. */
static void restart_after_nothing(struct task *t, struct trap_frame *frame)
{
    if (!t->restart_how)
        return;
    restart_call(t, frame);
    if (t->restart_how == ERESTART_RESTARTBLOCK)
        frame->regs[REG_A7] = NR_RESTART_SYSCALL;
    t->restart_how = 0;
}

static void restart_after_handler(struct task *t, struct trap_frame *frame, uint64_t flags)
{
    uint16_t how = t->restart_how;
    if (how == ERESTARTNOINTR || (how == ERESTARTSYS && (flags & SA_RESTART)))
        restart_call(t, frame);
    else if (how)
        frame->regs[REG_A0] = (uint64_t)-EINTR;
    t->restart_how = 0;
}

static void run_handler(struct task *t, struct trap_frame *frame, const struct siginfo_words *info,
                        const struct sigaction_abi *act)
{
    rseq_resume(t, frame); /* the handler is to return to the abort of a sequence */
    restart_after_handler(t, frame, act->flags);
    if (!signal_push_frame(t, frame, info->signo, info, act))
        return;
    /* There is no stack to run the handler on. One for SIGSEGV may have another stack. */
    if (info->signo == SIGSEGV) {
        signal_report(t, frame, SIGSEGV, SI_KERNEL, frame->regs[REG_SP]);
        task_exit_group(SIGSEGV);
    }
    signal_fault(frame, SIGSEGV, SI_KERNEL, 0);
}

/* Take the next signal, and its action with it. 0: there is none. */
static int take_locked(struct task *t, struct siginfo_words *info, struct sigaction_abi *act)
{
    struct guest *g = t->guest;
    *info = t->forced;
    t->forced.signo = 0;
    int sig = info->signo;
    if (!sig)
        sig = signal_take_locked(t, ~(t->blocked & ~UNBLOCKABLE), info);
    if (!sig)
        return 0;
    *act = g->actions[sig - 1];
    if (act->handler > SIG_IGN && (act->flags & SA_RESETHAND))
        g->actions[sig - 1].handler = SIG_DFL;
    g->stop_dequeued = act->handler == SIG_DFL && signal_default(sig) == ACT_STOP;
    return sig;
}

/* What is to be done before any signal is taken? It is done; false: nothing. guest->lock held. */
static bool state_first(struct guest *g)
{
    if (g->group_exit) {
        int status = g->group_exit_status;
        spin_unlock(&g->lock);
        task_exit(status);
    }
    if (kill_pending()) { /* another task executes a program: only that one stays */
        spin_unlock(&g->lock);
        task_exit(0);
    }
    if (g->state != GUEST_STOPPED && !g->continue_tell)
        return false;
    spin_unlock(&g->lock);
    stop_stay(g);
    return true;
}

/* Take one signal and act on it. False when there is none. */
static bool deliver_one(struct task *t, struct trap_frame *frame)
{
    struct guest *g = t->guest;
    struct siginfo_words info;
    struct sigaction_abi act;
    spin_lock(&g->lock);
    if (state_first(g))
        return true;
    int sig = take_locked(t, &info, &act);
    spin_unlock(&g->lock);
    if (!sig)
        return false;
    if (act.handler > SIG_IGN)
        run_handler(t, frame, &info, &act);
    else if (act.handler == SIG_DFL && signal_default(sig) == ACT_STOP)
        stop_begin(t, sig);
    else if (act.handler == SIG_DFL && signal_default(sig) == ACT_TERM)
        task_exit_group(sig);
    return true;
}

void signal_deliver(struct task *t, struct trap_frame *frame)
{
    while (deliver_one(t, frame))
        ;
    restart_after_nothing(t, frame);
    if (t->restore_blocked) /* rt_sigsuspend ended without a handler that saved the old mask */
        signal_unuse_mask(t);
}

void signal_fault(struct trap_frame *frame, int sig, int code, uint64_t addr)
{
    struct task *t = task_current();
    struct guest *g = t->guest;
    struct siginfo_words info = {.signo = sig, .code = code};
    info.addr = addr;
    spin_lock(&g->lock);
    bool handled = g->actions[sig - 1].handler > SIG_IGN && !(t->blocked & SIGBIT(sig));
    bool ending = g->group_exit;
    if (handled) {
        t->forced = info;
        thread_notify(t->thread);
    }
    spin_unlock(&g->lock);
    if (handled || ending)
        return;
    signal_report(t, frame, sig, code, addr);
    task_exit_group(sig);
}

#define REPORT_MAPS 16u

static const char *code_text(int sig, int code)
{
    if (sig == SIGSEGV)
        return code == SEGV_MAPERR   ? "nothing is mapped there"
               : code == SEGV_ACCERR ? "not allowed there"
                                     : "no good frame of a signal, or sequence";
    if (sig == SIGBUS)
        return code == BUS_ADRALN ? "misaligned" : "past the end of the file";
    return sig == SIGILL ? "illegal or privileged instruction" : "trap";
}

void signal_report(const struct task *t, const struct trap_frame *frame, int sig, int code,
                   uint64_t addr)
{
    struct log_sink log;
    pr_info("%s[%u]: %s (signal %d code %d): %s, address %#018lx, pc %#018lx\n", t->guest->name,
            t->tid, signal_name(sig), sig, code, code_text(sig, code), addr, frame->sepc);
    log_sink_init(&log, LOG_DEBUG); /* for dmesg: the terminal is the guests' */
    trap_frame_print(&log.sink, frame);
    down_read(&t->mm->mmap_lock);
    vma_print_around(&log.sink, t->mm, addr, REPORT_MAPS);
    up_read(&t->mm->mmap_lock);
    log_sink_flush(&log);
}
