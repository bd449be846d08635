/* SPDX-License-Identifier: MIT */
/*
 * signal_deliver.c - on the way back to U-mode: what to do about signals.
 *
 *      the guest is ending?  end        it is stopped?  wait for SIGCONT
 *      a signal: handler?  push a frame, go there       none?  its default
 *
 * A system call that was interrupted is made again, unless a handler without SA_RESTART has run.
 *
 * Locks: guest->lock. Linux's counterpart: get_signal(), arch_do_signal_or_restart().
 */
#include "base/errno.h"
#include "kern/log.h"
#include "task/guest_table.h"
#include "task/signal_set.h"

/* Stop until SIGCONT or death. Returns at once when the guest is not stopped. */
static void stay_stopped(struct guest *g)
{
    int killed = wait_event_killable(&g->wait_resume, load_relaxed(&g->state) != GUEST_STOPPED);
    (void)killed; /* group_exit tells */
}

static void stop_guest_locked(struct guest *g, int sig)
{
    struct task *t;
    g->state = GUEST_STOPPED;
    g->stop_signal = (uint8_t)sig;
    g->stop_news = true;
    list_for_each_entry(t, &g->tasks, guest_node) {
        thread_notify(t->thread);
        thread_wake(t->thread, THREAD_KILLABLE);
    }
}

/* The parent may wait for stops too. */
static void tell_parent_of_stop(struct guest *g)
{
    wake_up_all(&g->wait_exit); /* the console, if it started the guest */
    spin_lock(&guest_table_lock);
    struct guest *parent = g->parent;
    if (parent)
        guest_get(parent);
    spin_unlock(&guest_table_lock);
    if (!parent)
        return;
    struct siginfo_words info = {.signo = SIGCHLD, .code = CLD_STOPPED};
    info.pid = (int32_t)g->pid;
    if (!(parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
        guest_signal(parent, &info);
    wake_up_all(&parent->wait_child);
    guest_put(parent);
}

/* The interrupted call is made again: back to the ecall, with its first argument restored. */
static void restart_call(struct task *t, struct trap_frame *frame)
{
    frame->regs[REG_A0] = t->restart_a0;
    frame->sepc -= 4;
    t->restart = false;
}

static void run_handler(struct task *t, struct trap_frame *frame, int sig,
                        const struct siginfo_words *info, const struct sigaction_abi *act)
{
    if (t->restart && (act->flags & SA_RESTART))
        restart_call(t, frame);
    else if (t->restart)
        frame->regs[REG_A0] = (uint64_t)-EINTR;
    t->restart = false;
    if (signal_push_frame(t, frame, sig, info, act)) {
        /* no stack to run the handler on: the guest cannot go on */
        signal_report(t, frame, SIGSEGV, SI_KERNEL, frame->regs[REG_SP]);
        task_exit_group(SIGSEGV);
    }
}

/* Take one signal and act on it. False when there is none. */
static bool deliver_one(struct task *t, struct trap_frame *frame)
{
    struct guest *g = t->guest;
    struct siginfo_words info;
    spin_lock(&g->lock);
    if (g->group_exit) {
        int status = g->group_exit_status;
        spin_unlock(&g->lock);
        task_exit(status);
    }
    if (kill_pending()) { /* another task executes a program: only that one stays */
        spin_unlock(&g->lock);
        task_exit(0);
    }
    if (g->state == GUEST_STOPPED) {
        spin_unlock(&g->lock);
        stay_stopped(g);
        return true;
    }
    int sig = signal_take_locked(t, &info);
    struct sigaction_abi act = {0};
    bool stopped = false;
    if (sig) {
        act = g->actions[sig - 1];
        if (act.handler > SIG_IGN && (act.flags & SA_RESETHAND))
            g->actions[sig - 1].handler = SIG_DFL;
        stopped = act.handler == SIG_DFL && signal_default(sig) == ACT_STOP;
        if (stopped)
            stop_guest_locked(g, sig);
    }
    spin_unlock(&g->lock);
    if (stopped)
        tell_parent_of_stop(g);
    else if (sig && act.handler > SIG_IGN)
        run_handler(t, frame, sig, &info, &act);
    else if (sig && act.handler == SIG_DFL && signal_default(sig) == ACT_TERM)
        task_exit_group(sig);
    return sig != 0;
}

void signal_deliver(struct task *t, struct trap_frame *frame)
{
    while (deliver_one(t, frame))
        ;
    if (t->restart)
        restart_call(t, frame);
    if (t->restore_blocked) { /* rt_sigsuspend ended without a handler that saved the old mask */
        t->blocked = t->saved_blocked;
        t->restore_blocked = false;
    }
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
        t->pending |= SIGBIT(sig);
        t->pending_info[sig] = info;
        thread_notify(t->thread);
    }
    spin_unlock(&g->lock);
    if (handled || ending)
        return;
    signal_report(t, frame, sig, code, addr);
    task_exit_group(sig);
}

static const char *code_text(int sig, int code)
{
    if (sig == SIGSEGV)
        return code == SEGV_MAPERR   ? "nothing is mapped there"
               : code == SEGV_ACCERR ? "not allowed there"
                                     : "no room for a signal frame";
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
    log_sink_flush(&log);
}
