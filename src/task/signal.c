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

#define STOP_SIGNALS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SYNCHRONOUS \
    (SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE))
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define NR_CLASSIC 32 /* signals whose details are kept */

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

/* A task that would take the signal, the first for preference. */
static struct task *taker(struct guest *g, int sig)
{
    struct task *t;
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (!(load_relaxed(&t->blocked) & SIGBIT(sig)))
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
    g->pending &= ~cancelled;
    list_for_each_entry(t, &g->tasks, guest_node)
        t->pending &= ~cancelled;
    if (sig == SIGCONT && g->state == GUEST_STOPPED) {
        g->state = GUEST_RUNNING;
        wake_up_all(&g->wait_resume);
    }
}

/* Does the signal kill at once? Then waits that can be killed end, and no handler is asked. */
static bool deadly(const struct guest *g, const struct task *t, int sig)
{
    if (sig == SIGKILL)
        return true;
    return t && g->actions[sig - 1].handler == SIG_DFL && signal_default(sig) == ACT_TERM;
}

static void send_locked(struct guest *g, struct task *only, const struct siginfo_words *info)
{
    int sig = info->signo;
    struct task *t = only && !(only->blocked & SIGBIT(sig)) ? only : NULL;
    if (g->state >= GUEST_ZOMBIE || g->group_exit)
        return;
    if (!only)
        t = taker(g, sig);
    stop_or_continue(g, sig);
    if (ignored(g, sig) && t)
        return;
    if (deadly(g, t, sig)) {
        guest_begin_exit_locked(g, sig);
        return;
    }
    uint64_t *pending = only ? &only->pending : &g->pending;
    if (!(*pending & SIGBIT(sig)) && sig < NR_CLASSIC)
        (only ? only->pending_info : g->pending_info)[sig] = *info;
    *pending |= SIGBIT(sig);
    if (t)
        notify(t);
}

void guest_signal(struct guest *g, const struct siginfo_words *info)
{
    spin_lock(&g->lock);
    send_locked(g, NULL, info);
    spin_unlock(&g->lock);
}

void task_signal_locked(struct task *t, const struct siginfo_words *info)
{
    assert_locked(&t->guest->lock);
    send_locked(t->guest, t, info);
}

int guest_kill(uint32_t pid, int sig)
{
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    struct guest *g = guest_find(pid);
    if (!g)
        return -ESRCH;
    if (sig)
        guest_signal(g, &info);
    guest_put(g);
    return 0;
}

void task_signal_self(int sig)
{
    struct task *t = task_current();
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    info.pid = (int32_t)t->guest->pid;
    spin_lock(&t->guest->lock);
    task_signal_locked(t, &info);
    spin_unlock(&t->guest->lock);
}

unsigned guest_kill_group(uint32_t pgid, int sig)
{
    struct guest *g;
    unsigned n = 0;
    for (uint32_t from = 1; (g = guest_next(from)) != NULL; from = g->pid + 1, guest_put(g)) {
        if (load_relaxed(&g->pgid) == pgid)
            n += guest_kill(g->pid, sig) == 0;
    }
    return n;
}

bool guest_group_exists(uint32_t pgid, uint32_t sid)
{
    struct guest *g;
    bool found = false;
    for (uint32_t from = 1; (g = guest_next(from)) != NULL; from = g->pid + 1, guest_put(g))
        found |= load_relaxed(&g->pgid) == pgid && load_relaxed(&g->sid) == sid;
    return found;
}

unsigned guest_kill_all(int sig, uint32_t except)
{
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    unsigned n = 0;
    struct guest *g;
    for (uint32_t pid = 1; (g = guest_next(pid)); guest_put(g)) {
        pid = g->pid + 1;
        if (g->pid == except || load_relaxed(&g->state) >= GUEST_ZOMBIE)
            continue;
        guest_signal(g, &info);
        n++;
    }
    return n;
}

/* --- taking ----------------------------------------------------------------------------------- */

bool signal_pending(const struct task *t)
{
    const struct guest *g = t->guest;
    uint64_t pending = load_relaxed(&t->pending) | load_relaxed(&g->pending);
    return (pending & ~t->blocked) || load_relaxed(&g->group_exit) ||
           load_relaxed(&t->thread->killed) || load_relaxed(&g->state) == GUEST_STOPPED;
}

static int take_from(uint64_t *pending, const struct siginfo_words *infos, uint64_t blocked,
                     struct siginfo_words *info)
{
    uint64_t ready = *pending & ~blocked;
    if (!ready)
        return 0;
    uint64_t first = ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready;
    int sig = __builtin_ctzll(first) + 1;
    *pending &= ~SIGBIT(sig);
    if (sig < NR_CLASSIC)
        *info = infos[sig];
    else
        *info = (struct siginfo_words){.signo = sig, .code = SI_USER};
    return sig;
}

int signal_take_locked(struct task *t, struct siginfo_words *info)
{
    struct guest *g = t->guest;
    uint64_t blocked = t->blocked & ~UNBLOCKABLE;
    assert_locked(&g->lock);
    int sig = take_from(&t->pending, t->pending_info, blocked, info);
    return sig ? sig : take_from(&g->pending, g->pending_info, blocked, info);
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
