/* SPDX-License-Identifier: MIT */
/*
 * signal.c - sending signals, and which is taken next. signal.h has the picture.
 *
 *      sender:  ignored? --> dropped      deadly, and not blocked? --> the guest begins to end
 *               else pending, and a task that does not block it is notified
 *
 * Locks: guest->lock (RANK_GUEST). Linux's counterpart: __send_signal(), complete_signal(),
 * dequeue_signal().
 */
#include "task/signal.h"

#include "base/errno.h"
#include "task/guest_table.h"
#include "task/signal_set.h"
#include "task/sigqueue.h"

#define STOP_SIGNALS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))

struct wait_queue signals_pending = WAIT_QUEUE_INIT(signals_pending);

const char *signal_name(int sig)
{
    static const char *const names[] = {
        "signal 0",  "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
    };
    return sig >= 0 && (size_t)sig < ARRAY_SIZE(names) ? names[sig] : "real-time signal";
}

enum default_action signal_default(int sig)
{
    switch (sig) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
        return ACT_IGNORE;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return ACT_STOP;
    case SIGCONT:
        return ACT_CONTINUE;
    default:
        return ACT_TERM;
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool ignored(const struct guest *g, int sig)
{
    uint64_t handler = g->actions[sig - 1].handler;
    if (handler == SIG_IGN)
        return true;
    return handler == SIG_DFL && signal_default(sig) == ACT_IGNORE;
}

static bool blocks(const struct task *t, int sig)
{
    return load_relaxed(&t->blocked) & SIGBIT(sig) & ~UNBLOCKABLE;
}

/* A task that would take the signal, the first for preference: or that waits for it to come. */
static struct task *taker(struct guest *g, int sig)
{
    struct task *t;
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (!blocks(t, sig) || (load_relaxed(&t->awaited) & SIGBIT(sig)))
            return t;
    }
    return NULL;
}

static void notify(struct task *t)
{
    thread_notify(t->thread);
    thread_wake(t->thread, THREAD_KILLABLE);
}

/* SIGCONT undoes stopping, whatever its action; stops and SIGCONT cancel each other. */
static void stop_or_continue(struct guest *g, int sig)
{
    struct task *t;
    uint64_t cancelled = sig == SIGCONT               ? STOP_SIGNALS
                         : SIGBIT(sig) & STOP_SIGNALS ? SIGBIT(SIGCONT)
                                                      : 0;
    if (!cancelled)
        return;
    sigpending_drop(&g->pending, cancelled);
    list_for_each_entry(t, &g->tasks, guest_node)
        sigpending_drop(&t->pending, cancelled);
    if (sig == SIGCONT)
        stop_end_locked(g);
}

/* Does the signal kill at once? Then waits that can be killed end, and no handler is asked. */
static bool deadly(const struct guest *g, const struct task *t, int sig)
{
    if (sig == SIGKILL)
        return true;
    return t && !blocks(t, sig) && g->actions[sig - 1].handler == SIG_DFL &&
           signal_default(sig) == ACT_TERM;
}

/*
 * What comes before a signal waits. True when it is to wait; *t is then who might take it, or NULL.
 * A signal that is blocked is kept even if it is ignored: its action may be another by then.
 */
static bool prepare(struct guest *g, struct task *only, int sig, struct task **t)
{
    assert_locked(&g->lock);
    *t = only ? only : taker(g, sig);
    if (*t && blocks(*t, sig) && !(load_relaxed(&(*t)->awaited) & SIGBIT(sig)))
        *t = NULL;
    if (g->state >= GUEST_ZOMBIE || g->group_exit)
        return false;
    stop_or_continue(g, sig);
    if (*t && !blocks(*t, sig) && ignored(g, sig))
        return false;
    if (deadly(g, *t, sig)) {
        guest_begin_exit_locked(g, sig);
        return false;
    }
    return true;
}

/* Somebody may wait for it in rt_sigtimedwait, or in a call that it ends. */
static void announce(struct guest *g, struct task *t)
{
    if (t)
        notify(t);
    wake_up_all(&g->wait_signal);
    wake_up_all(&signals_pending);
}

static int send_locked(struct guest *g, struct task *only, const struct siginfo_words *info)
{
    struct task *t;
    if (!prepare(g, only, info->signo, &t))
        return 0;
    int err = sigpending_add(g, only ? &only->pending : &g->pending, info);
    if (!err)
        announce(g, t);
    return err;
}

int guest_signal(struct guest *g, const struct siginfo_words *info)
{
    spin_lock(&g->lock);
    int err = send_locked(g, NULL, info);
    spin_unlock(&g->lock);
    return err;
}

int task_signal_locked(struct task *t, const struct siginfo_words *info)
{
    assert_locked(&t->guest->lock);
    return send_locked(t->guest, t, info);
}

void signal_send_timer_locked(struct guest *g, struct task *only, struct sigqueue *q,
                              uint32_t overruns)
{
    struct task *t;
    int sig = q->info.signo;
    if (!list_empty(&q->node)) {
        uint64_t sum = (uint64_t)q->info.overrun + overruns + 1;
        q->info.overrun = (int32_t)MIN(sum, (uint64_t)INT32_MAX);
        return;
    }
    if (!prepare(g, only, sig, &t))
        return;
    q->info.overrun = (int32_t)MIN(overruns, (uint32_t)INT32_MAX);
    sigpending_add_own(only ? &only->pending : &g->pending, q);
    announce(g, t);
}

struct siginfo_words signal_from_current(int sig, int code)
{
    const struct guest *g = task_current()->guest;
    struct siginfo_words info = {.signo = sig, .code = code};
    info.pid = (int32_t)g->pid;
    info.uid = g->cred.uid[ID_REAL];
    return info;
}

void task_signal_self(int sig)
{
    struct task *t = task_current();
    struct siginfo_words info = signal_from_current(sig, SI_USER);
    spin_lock(&t->guest->lock);
    task_signal_locked(t, &info);
    spin_unlock(&t->guest->lock);
}

/* --- taking ----------------------------------------------------------------------------------- */

bool signal_pending(const struct task *t)
{
    const struct guest *g = t->guest;
    uint64_t pending = load_relaxed(&t->pending.set) | load_relaxed(&g->pending.set);
    return (pending & ~(t->blocked & ~UNBLOCKABLE)) || load_relaxed(&g->group_exit) ||
           load_relaxed(&t->thread->killed) || load_relaxed(&g->state) == GUEST_STOPPED;
}

int signal_take_locked(struct task *t, uint64_t set, struct siginfo_words *info)
{
    struct guest *g = t->guest;
    assert_locked(&g->lock);
    int sig = sigpending_take(&t->pending, set, info);
    return sig ? sig : sigpending_take(&g->pending, set, info);
}

void signal_drop_locked(struct guest *g, uint64_t set)
{
    struct task *t;
    assert_locked(&g->lock);
    sigpending_drop(&g->pending, set);
    list_for_each_entry(t, &g->tasks, guest_node)
        sigpending_drop(&t->pending, set);
}

void signal_retarget_locked(struct guest *g, const struct task *t)
{
    struct task *other;
    assert_locked(&g->lock);
    list_for_each_entry(other, &g->tasks, guest_node) {
        if (other != t && (g->pending.set & ~other->blocked))
            notify(other);
    }
}

void wait_status_print(int status, struct sink *out)
{
    int sig = status & 0x7f;
    if (sig == 0x7f)
        print(out, "stopped by %s", signal_name(status >> 8));
    else if (sig)
        print(out, "%s", signal_name(sig));
    else
        print(out, "exit %d", (status >> 8) & 0xff);
}
