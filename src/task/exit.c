/* SPDX-License-Identifier: MIT */
/*
 * exit.c - the end of a task, and of its guest with the last one.
 *
 *      task_exit:  tell futex waiters --> leave the guest --> last? --> files, address space
 *                                                                    --> zombie, tell the parent
 *                  --> thread_exit
 *
 * A zombie is what is left to be asked about: pid, status, times. Who asks (wait.c), or nobody's
 * interest, ends it.
 *
 * The memory is given back before anyone is told: who has waited for a guest finds it free.
 *
 * Locks: guest_table_lock, then guest->lock. Linux's counterpart: kernel/exit.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/log.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/futex.h"
#include "task/guest_table.h"
#include "task/run.h"
#include "task/signal_set.h"
#include "task/sigqueue.h"
#include "task/sysv_sem.h"
#include "task/unix.h"
#include "task/timers.h"
#include "task/user.h"

void guest_begin_exit_locked(struct guest *g, int status)
{
    struct task *t;
    assert_locked(&g->lock);
    if (!g->group_exit) {
        g->group_exit = true;
        g->group_exit_status = status;
    }
    if (g->state == GUEST_STOPPED)
        g->state = GUEST_RUNNING;
    list_for_each_entry(t, &g->tasks, guest_node) {
        thread_notify(t->thread);
        thread_kill(t->thread);
    }
    wake_up_all(&g->wait_resume);
}

void guest_reap(struct guest *g)
{
    spin_lock(&guest_table_lock);
    bool mine = !list_empty(&g->table_node);
    if (mine)
        guest_leave_table_locked(g);
    spin_unlock(&guest_table_lock);
    if (mine)
        guest_put(g);
}

/* Does the parent not want to know of children that end? */
static bool parent_ignores(struct guest *parent)
{
    const struct sigaction_abi *act = &parent->actions[SIGCHLD - 1];
    return act->handler == SIG_IGN || (act->flags & SA_NOCLDWAIT);
}

/* A zombie's parent is told; without one, or when it does not want to know, the zombie goes. */
static void tell_parent(struct guest *g)
{
    int sig = g->exit_status & 0x7f;
    struct siginfo_words info = {.signo = g->exit_signal, .code = sig ? CLD_KILLED : CLD_EXITED};
    guest_child_info(g, sig ? sig : g->exit_status >> 8, &info);
    spin_lock(&guest_table_lock);
    struct guest *parent = g->parent;
    bool unwanted = g->detached;
    if (parent) {
        guest_get(parent);
        unwanted |= g->exit_signal == SIGCHLD && parent_ignores(parent);
    }
    spin_unlock(&guest_table_lock);
    if (unwanted)
        guest_reap(g);
    if (!parent)
        return;
    if (info.signo)
        guest_signal(parent, &info);
    wake_up_all(&parent->wait_child);
    guest_put(parent);
}

/* Become a zombie and say so. Who adopts it from now on sees that it is one. */
static void announce(struct guest *g)
{
    spin_lock(&guest_table_lock);
    spin_lock(&g->lock);
    store_release(&g->state, GUEST_ZOMBIE);
    sigpending_drop(&g->pending, UINT64_MAX);
    spin_unlock(&g->lock);
    spin_unlock(&guest_table_lock);
    tell_parent(g);
    wake_up_all(&g->wait_exit);
}

static void send_pdeath_signal(const struct guest *g, struct guest *child, uint8_t sig)
{
    struct siginfo_words info = {.signo = sig, .pid = (int32_t)g->pid};
    guest_signal(child, &info);
}

/* The nearest ancestor that has asked for orphans (PR_SET_CHILD_SUBREAPER), or NULL. */
static struct guest *heir_of_locked(const struct guest *g)
{
    assert_locked(&guest_table_lock);
    struct guest *heir = g->parent;
    while (heir && !heir->prctl.subreaper)
        heir = heir->parent;
    return heir;
}

static void adopt_locked(struct guest *child, struct guest *heir)
{
    assert_locked(&guest_table_lock);
    list_del_init(&child->sibling);
    child->parent = heir;
    child->detached = !heir;
    child->exit_signal = SIGCHLD;
    if (heir)
        list_add_tail(&child->sibling, &heir->children);
}

/* Children of the dead go to the heir; without one they are nobody's, and vanish at their end. */
static void abandon_children(struct guest *g)
{
    for (;;) {
        spin_lock(&guest_table_lock);
        struct guest *child = list_first_entry_or_null(&g->children, struct guest, sibling);
        uint8_t sig = 0;
        bool ended = false;
        if (child) {
            sig = child->prctl.pdeath_signal;
            ended = load_acquire(&child->state) == GUEST_ZOMBIE;
            adopt_locked(child, heir_of_locked(g));
            guest_get(child);
        }
        spin_unlock(&guest_table_lock);
        if (!child)
            return;
        if (ended)
            tell_parent(child);
        else if (sig)
            send_pdeath_signal(g, child, sig);
        guest_put(child);
    }
}

void guest_finish(struct guest *g, struct mm_struct *mm)
{
    struct file_table *files = g->files;
    spin_lock(&g->lock);
    g->mm = NULL;
    g->files = NULL;
    if (mm) {
        g->minflt = mm->minflt;
        g->majflt = mm->majflt;
    }
    spin_unlock(&g->lock);
    timers_end(g, true);
    sem_guest_exit(g);
    guest_drop_inodes(g);
    if (files)
        file_table_put(files);
    unix_collect();
    if (mm)
        mmput(mm);
    clone_vfork_done(g);
    stop_hang_up_orphans(g);
    abandon_children(g);
    announce(g);
}

/* Leave the guest; was this its last task? */
static bool leave_guest(struct task *t, int status)
{
    struct guest *g = t->guest;
    spin_lock(&g->lock);
    g->run_ns += thread_run_ns(t->thread);
    list_del(&t->guest_node);
    sigpending_drop(&t->pending, UINT64_MAX);
    if (g->pending.set) /* this task may have been the one to take it */
        signal_retarget_locked(g, t);
    bool last = --g->nr_tasks == 0;
    fetch_sub(&g->user->nr_tasks, 1);
    if (last)
        g->exit_status = g->group_exit ? g->group_exit_status : status;
    spin_unlock(&g->lock);
    wake_up_all(&g->wait_child); /* one that executes a program waits to be alone */
    return last;
}

int task_end_others(struct task *t)
{
    struct guest *g = t->guest;
    struct task *other;
    spin_lock(&g->lock);
    list_for_each_entry(other, &g->tasks, guest_node) {
        if (other == t)
            continue;
        thread_notify(other->thread);
        thread_kill(other->thread);
    }
    spin_unlock(&g->lock);
    int err = wait_event_killable(&g->wait_child, load_acquire(&g->nr_tasks) == 1);
    if (!err)
        t->tid = g->pid; /* the first task's, whoever it was */
    return err;
}

noreturn void task_exit(int status)
{
    struct task *t = task_current();
    struct guest *g = t->guest;
    struct mm_struct *mm = t->mm;
    if (mm)
        futex_task_exit(t);
    /* Out of the space before out of the guest: the last one to leave frees its tables. */
    t->mm = NULL;
    tlb_switch_kernel();
    bool last = leave_guest(t, status);
    if (last)
        guest_finish(g, mm); /* the guest's own use of mm goes with the last task's */
    thread_exit();
}

noreturn void task_exit_group(int status)
{
    struct guest *g = task_current()->guest;
    spin_lock(&g->lock);
    guest_begin_exit_locked(g, status);
    spin_unlock(&g->lock);
    task_exit(status);
}
