/* SPDX-License-Identifier: MIT */
/*
 * sys_signal.c - the signal calls.
 *
 * Linux's counterpart: the SYSCALL_DEFINEs of kernel/signal.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/timer.h"
#include "task/files.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define MINSIGSTKSZ 2048
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))

int64_t sys_rt_sigaction(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    struct sigaction_abi new = {0}, old;
    int sig = (int)a[0];
    if (a[3] != sizeof(uint64_t) || sig < 1 || sig > NSIG)
        return -EINVAL;
    if (a[1] && (sig == SIGKILL || sig == SIGSTOP))
        return -EINVAL;
    if (a[1] && copy_from_user(&new, mk_vaddr(a[1]), sizeof(new)))
        return -EFAULT;
    spin_lock(&g->lock);
    old = g->actions[sig - 1];
    if (a[1]) {
        g->actions[sig - 1] = new;
        g->actions[sig - 1].mask &= ~UNBLOCKABLE;
        /* ignoring a signal also forgets one that is pending */
        if (new.handler == SIG_IGN ||
            (new.handler == SIG_DFL &&signal_default(sig) == ACT_IGNORE)) {
            g->pending &= ~SIGBIT(sig);
            t->pending &= ~SIGBIT(sig);
        }
    }
    spin_unlock(&g->lock);
    if (a[2] && copy_to_user(mk_vaddr(a[2]), &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

static void set_blocked(struct task *t, uint64_t blocked)
{
    store_relaxed(&t->blocked, blocked & ~UNBLOCKABLE);
    if (signal_pending(t))
        thread_notify(t->thread);
}

int64_t sys_rt_sigprocmask(struct task *t, const uint64_t *a)
{
    uint64_t set = 0, old = t->blocked;
    if (a[3] != sizeof(set))
        return -EINVAL;
    if (a[1]) {
        if (copy_from_user(&set, mk_vaddr(a[1]), sizeof(set)))
            return -EFAULT;
        switch (a[0]) {
        case SIG_BLOCK:
            set_blocked(t, old | set);
            break;
        case SIG_UNBLOCK:
            set_blocked(t, old & ~set);
            break;
        case SIG_SETMASK:
            set_blocked(t, set);
            break;
        default:
            return -EINVAL;
        }
    }
    return a[2] && copy_to_user(mk_vaddr(a[2]), &old, sizeof(old)) ? -EFAULT : 0;
}

int64_t sys_rt_sigpending(struct task *t, const uint64_t *a)
{
    uint64_t set = (t->pending | t->guest->pending) & t->blocked;
    if (a[1] > sizeof(set))
        return -EINVAL;
    return copy_to_user(mk_vaddr(a[0]), &set, a[1]) ? -EFAULT : 0;
}

void signal_use_mask(struct task *t, uint64_t mask)
{
    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    store_relaxed(&t->blocked, mask & ~UNBLOCKABLE);
}

void signal_unuse_mask(struct task *t)
{
    t->restore_blocked = false;
    store_relaxed(&t->blocked, t->saved_blocked);
    if (signal_pending(t))
        thread_notify(t->thread);
}

int64_t sys_rt_sigsuspend(struct task *t, const uint64_t *a)
{
    uint64_t mask;
    if (a[1] != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, mk_vaddr(a[0]), sizeof(mask)))
        return -EFAULT;
    signal_use_mask(t, mask);
    (void)task_sleep(t, TIMER_NEVER);
    thread_notify(t->thread);
    return -EINTR;
}

int64_t sys_rt_sigreturn(struct task *t, const uint64_t *a)
{
    struct trap_frame *frame = task_frame(t);
    (void)a;
    if (signal_pop_frame(t, frame)) {
        signal_fault(frame, SIGSEGV, SI_KERNEL, frame->regs[REG_SP]);
        return 0;
    }
    if (signal_pending(t))
        thread_notify(t->thread);
    trap_frame_rewritten();
    return (int64_t)frame->regs[REG_A0]; /* the dispatcher stores it where it is already */
}

/* struct stack_t: sp, flags, size */
int64_t sys_sigaltstack(struct task *t, const uint64_t *a)
{
    uint64_t sp = task_frame(t)->regs[REG_SP];
    bool in_use = t->altstack_size && sp - t->altstack <= t->altstack_size;
    uint64_t old[3] = {t->altstack,
                       in_use             ? SS_ONSTACK
                       : t->altstack_size ? 0
                                          : SS_DISABLE,
                       t->altstack_size};
    uint64_t new[3];
    if (a[0]) {
        if (copy_from_user(new, mk_vaddr(a[0]), sizeof(new)))
            return -EFAULT;
        if (in_use)
            return -EPERM;
        if ((uint32_t) new[1] & ~(uint32_t)(SS_DISABLE | SS_ONSTACK))
            return -EINVAL;
        bool off = (uint32_t) new[1] & SS_DISABLE;
        if (!off && new[2] < MINSIGSTKSZ)
            return -ENOMEM;
        t->altstack = off ? 0 : new[0];
        t->altstack_size = off ? 0 : new[2];
    }
    return a[1] && copy_to_user(mk_vaddr(a[1]), old, sizeof(old)) ? -EFAULT : 0;
}

/* kill's targets: a pid, or groups. */
static bool is_target(const struct task *t, const struct guest *g, int64_t pid)
{
    if (pid == -1)
        return g != t->guest && g->pid != 1;
    return g->pgid == (pid ? (uint32_t)-pid : t->guest->pgid);
}

/* One's own, or by root's right. */
static bool may_kill(const struct guest *from, const struct guest *to)
{
    const uint32_t *a = from->cred.uid, *b = to->cred.uid;
    return cred_capable(&from->cred, CAP_KILL) || a[ID_EFFECTIVE] == b[ID_REAL] ||
           a[ID_EFFECTIVE] == b[ID_SAVED] || a[ID_REAL] == b[ID_REAL] || a[ID_REAL] == b[ID_SAVED];
}

int64_t sys_kill(struct task *t, const uint64_t *a)
{
    int64_t pid = (int32_t)a[0], err = -ESRCH;
    int sig = (int)a[1];
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    struct guest *g;
    info.pid = (int32_t)t->guest->pid;
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    for (uint32_t from = pid > 0 ? (uint32_t)pid : 1; (g = guest_next(from)); guest_put(g)) {
        from = g->pid + 1;
        if (pid > 0 ? g->pid == pid : is_target(t, g, pid)) {
            bool may = may_kill(t->guest, g);
            if (may || err == -ESRCH)
                err = may ? 0 : -EPERM;
            if (may && sig)
                guest_signal(g, &info);
        }
        if (pid > 0) {
            guest_put(g);
            break;
        }
    }
    return err;
}

/* tgid 0: the thread may be of any guest. */
static int64_t kill_thread(struct task *t, uint32_t tgid, uint32_t tid, int sig)
{
    struct siginfo_words info = {.signo = sig, .code = SI_TKILL};
    struct guest *g;
    info.pid = (int32_t)t->guest->pid;
    if ((int32_t)tid <= 0 || sig < 0 || sig > NSIG)
        return -EINVAL;
    for (uint32_t from = tgid ? tgid : 1; (g = guest_next(from)); guest_put(g)) {
        struct task *other, *found = NULL;
        from = g->pid + 1;
        spin_lock(&g->lock);
        list_for_each_entry(other, &g->tasks, guest_node) {
            if (other->tid == tid)
                found = other;
        }
        if (found && sig)
            task_signal_locked(found, &info);
        spin_unlock(&g->lock);
        if (found || tgid) {
            guest_put(g);
            return found ? 0 : -ESRCH;
        }
    }
    return -ESRCH;
}

int64_t sys_tgkill(struct task *t, const uint64_t *a)
{
    return (int32_t)a[0] <= 0 ? -EINVAL : kill_thread(t, (uint32_t)a[0], (uint32_t)a[1], (int)a[2]);
}

int64_t sys_tkill(struct task *t, const uint64_t *a)
{
    return kill_thread(t, 0, (uint32_t)a[0], (int)a[1]);
}
