/* SPDX-License-Identifier: MIT */
/*
 * sys_signal.c - what a guest does with the signals it gets; sys_kill.c has how it sends them.
 *
 * Locks: guest->lock. Linux's counterpart: the SYSCALL_DEFINEs of kernel/signal.c.
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
#define MINSIGSTKSZ 2048

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
        g->actions[sig - 1].flags &= SA_KNOWN;
        /* ignoring a signal also forgets those that are pending */
        if (new.handler == SIG_IGN || (new.handler == SIG_DFL &&signal_default(sig) == ACT_IGNORE))
            signal_drop_locked(g, SIGBIT(sig));
    }
    spin_unlock(&g->lock);
    if (a[2] && copy_to_user(mk_vaddr(a[2]), &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

static void set_blocked(struct task *t, uint64_t blocked)
{
    struct guest *g = t->guest;
    uint64_t fresh = blocked & ~t->blocked;
    store_relaxed(&t->blocked, blocked & ~UNBLOCKABLE);
    if (unlikely(load_relaxed(&g->pending.set) & fresh)) {
        spin_lock(&g->lock); /* one that this task was told of is for another to take now */
        signal_retarget_locked(g, t);
        spin_unlock(&g->lock);
    }
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
    uint64_t set = (t->pending.set | t->guest->pending.set) & t->blocked;
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
    set_blocked(t, t->saved_blocked);
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
    return -ERESTARTNOHAND;
}

/* Take one of `set` as soon as it is there. Its number, -EAGAIN at the end (ticks), -EINTR. */
static int64_t await(struct task *t, uint64_t set, uint64_t end, struct siginfo_words *info)
{
    struct guest *g = t->guest;
    struct wait_entry entry;
    int64_t sig;
    wait_entry_init(&entry);
    store_relaxed(&t->awaited, set);
    for (;;) {
        wait_prepare(&g->wait_signal, &entry, THREAD_KILLABLE);
        spin_lock(&g->lock);
        sig = signal_take_locked(t, set, info);
        spin_unlock(&g->lock);
        if (!sig && (signal_pending(t) || kill_pending()))
            sig = -EINTR;
        if (!sig && end != TIMER_NEVER && now_ticks() >= end)
            sig = -EAGAIN;
        if (sig)
            break;
        if (end == TIMER_NEVER)
            schedule();
        else
            (void)schedule_until(end);
    }
    wait_finish(&g->wait_signal, &entry);
    store_relaxed(&t->awaited, 0);
    return sig;
}

int64_t sys_rt_sigtimedwait(struct task *t, const uint64_t *a)
{
    struct siginfo_words info;
    uint64_t set, end = TIMER_NEVER;
    if (a[3] != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, mk_vaddr(a[0]), sizeof(set)))
        return -EFAULT;
    if (a[2]) {
        int64_t ns = arg_timespec(mk_vaddr(a[2]));
        if (ns < 0)
            return ns;
        end = ns == INT64_MAX ? TIMER_NEVER : now_ticks() + ns_to_ticks((uint64_t)ns);
    }
    int64_t sig = await(t, set & ~UNBLOCKABLE, end, &info);
    return sig > 0 && a[1] && signal_put_info(a[1], &info) ? -EFAULT : sig;
}

/* A call that was interrupted with a part of it done: what is left of it. */
int64_t sys_restart_syscall(struct task *t, const uint64_t *a)
{
    struct restart_block block = t->restart;
    (void)a;
    t->restart.fn = NULL;
    return block.fn ? block.fn(t, block.args) : -EINTR;
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

int signal_set_altstack(struct task *t, const struct altstack *to, uint64_t sp)
{
    uint32_t mode = (uint32_t)to->flags & ~SS_AUTODISARM;
    if (signal_on_altstack(t, sp))
        return -EPERM;
    if (mode > SS_DISABLE)
        return -EINVAL;
    if (mode != SS_DISABLE && to->size < MINSIGSTKSZ)
        return -ENOMEM;
    t->altstack = *to;
    if (mode == SS_DISABLE)
        t->altstack.sp = t->altstack.size = 0;
    return 0;
}

int64_t sys_sigaltstack(struct task *t, const uint64_t *a)
{
    uint64_t sp = task_frame(t)->regs[REG_SP];
    struct altstack old = t->altstack, new;
    if (signal_on_altstack(t, sp))
        old.flags |= SS_ONSTACK;
    if (a[0]) {
        if (copy_from_user(&new, mk_vaddr(a[0]), sizeof(new)))
            return -EFAULT;
        int err = signal_set_altstack(t, &new, sp);
        if (err)
            return err;
    }
    return a[1] && copy_to_user(mk_vaddr(a[1]), &old, sizeof(old)) ? -EFAULT : 0;
}
