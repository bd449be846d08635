/* SPDX-License-Identifier: MIT */
/*
 * clone.c - one becomes two.
 *
 *      thread    CLONE_VM | CLONE_THREAD | ...   a task more in the same guest
 *      process   (no CLONE_VM)                   a new guest: memory copy-on-write, files shared
 *                CLONE_VM                        a new guest in the same memory
 *      vfork     CLONE_VM | CLONE_VFORK          the same, and the parent sleeps until it execs or
 *                                                ends, so that both can use one stack
 *
 * The child begins with its parent's registers, but a0 = 0.
 *
 * Locks: guest->lock. Linux's counterpart: copy_process(), kernel_clone().
 */
#include "task/clone.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/mmap.h"
#include "task/files.h"
#include "task/guest_table.h"
#include "task/run.h"
#include "task/user.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

/* What a child's thread does first. */
static void child_begins(void *arg)
{
    struct task *t = arg;
    if (t->set_child_tid.v && put_user_u32(t->tid, t->set_child_tid))
        t->set_child_tid = mk_vaddr(0); /* as Linux: a bad address is not the clone's failure */
    trap_enter_user(task_frame(t));
}

static void copy_registers(struct task *child, struct task *t, const struct clone_request *req)
{
    struct trap_frame *from = task_frame(t), *to = task_frame(child);
    fpu_sync(&t->fpu, from);
    memcpy(child->fpu.f, t->fpu.f, sizeof(t->fpu.f));
    child->fpu.fcsr = t->fpu.fcsr;
    *to = *from;
    to->regs[REG_A0] = 0;
    if (req->stack)
        to->regs[REG_SP] = req->stack;
    if (req->flags & CLONE_SETTLS)
        to->regs[REG_TP] = req->tls;
    child->blocked = t->blocked;
    if ((req->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
        child->altstack = t->altstack; /* one on one's own stack; not two on the same */
    if (!(req->flags & CLONE_VM)) {    /* its copy of the memory has the struct too */
        child->rseq = t->rseq;
        child->rseq.hart = RSEQ_NO_HART;
    }
    if (req->flags & CLONE_CHILD_SETTID)
        child->set_child_tid = req->child_tid;
    if (req->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = req->child_tid;
}

static int64_t start(struct task *t, struct task *child, const struct clone_request *req)
{
    uint32_t tid = child->tid;
    copy_registers(child, t, req);
    if (req->flags & CLONE_PARENT_SETTID) {
        int failed = put_user_u32(tid, req->parent_tid);
        (void)failed; /* as Linux: the child exists all the same */
    }
    thread_start(child->thread);
    return tid;
}

static int64_t clone_thread(struct task *t, const struct clone_request *req)
{
    struct guest *g = t->guest;
    uint32_t tid = pid_for_thread();
    struct task *child = tid ? task_create(g, tid, child_begins) : NULL;
    if (!child)
        return -EAGAIN;
    child->mm = t->mm;
    return start(t, child, req);
}

/* --- processes -------------------------------------------------------------------------------- */

static void copy_guest(struct guest *child, struct guest *g)
{
    spin_lock(&g->lock);
    strlcpy(child->name, g->name, sizeof(child->name));
    memcpy(child->actions, g->actions, sizeof(child->actions));
    memcpy(child->limits, g->limits, sizeof(child->limits));
    child->nid = g->nid;
    child->affinity = g->affinity;
    child->oom_score_adj = g->oom_score_adj;
    child->out = g->out;
    child->exe = g->exe ? inode_get(g->exe) : NULL;
    child->cwd = inode_get(g->cwd);
    child->root = inode_get(g->root);
    child->umask = g->umask;
    child->cred = g->cred;
    child->user = g->user;
    user_get(child->user);
    child->nice = g->nice;
    child->ioprio = g->ioprio;
    child->sched_policy = g->sched_policy;
    child->sched_priority = g->sched_priority;
    child->personality = g->personality;
    child->coredump_filter = g->coredump_filter;
    child->prctl = prctl_inherited(g);
    child->at_random[0] = g->at_random[0];
    child->at_random[1] = g->at_random[1];
    spin_unlock(&g->lock);
}

static struct mm_struct *copy_space(struct guest *child, struct mm_struct *from)
{
    struct mm_struct *mm = mm_alloc();
    if (!mm)
        return NULL;
    mm->owner = from->owner;
    mm->owner.pid = child->pid;
    mm->owner.oom_score_adj = child->oom_score_adj;
    if (dup_mmap(mm, from)) {
        mmput(mm);
        return NULL;
    }
    return mm;
}

/* A guest that never ran: as if it had not been. */
static void undo_guest(struct guest *child)
{
    if (child->files)
        file_table_put(child->files);
    if (child->mm)
        mmput(child->mm);
    child->files = NULL;
    child->mm = NULL;
    guest_drop_inodes(child);
    guest_reap(child);
    guest_put(child);
}

static struct mm_struct *share_space(struct mm_struct *mm)
{
    mmget(mm);
    return mm;
}

static struct file_table *share_files(struct file_table *files)
{
    fetch_add_relaxed(&files->refcount, 1);
    return files;
}

static struct task *make_child(struct task *t, struct guest *child, uint64_t flags)
{
    struct file_table *files = t->guest->files;
    child->files = flags & CLONE_FILES ? share_files(files) : file_table_copy(files);
    if (child->files)
        child->mm = flags & CLONE_VM ? share_space(t->mm) : copy_space(child, t->mm);
    struct task *task = child->mm ? task_create(child, 0, child_begins) : NULL;
    if (task)
        task->mm = child->mm;
    return task;
}

/* A pid, and a parent: with CLONE_PARENT the child is a sibling. */
static int enter_table(struct guest *child, struct guest *g, uint64_t flags)
{
    struct guest *elder = flags & CLONE_PARENT ? guest_parent(g) : NULL;
    child->detached = (flags & CLONE_PARENT) && !elder;
    int err = guest_enter_table(child, flags & CLONE_PARENT ? elder : g);
    if (!err) {
        child->pgid = g->pgid;
        child->sid = g->sid;
    }
    if (elder)
        guest_put(elder);
    return err;
}

/* The descriptor is made before the child begins, so that it can still be undone. */
static int make_pidfd(struct task *t, struct guest *child, const struct clone_request *req,
                      int64_t *fd)
{
    if (!(req->flags & CLONE_PIDFD))
        return 0;
    *fd = pidfd_install(t, child, 0);
    if (*fd < 0)
        return (int)*fd;
    return put_user_u32((uint32_t)*fd, req->pidfd) ? -EFAULT : 0;
}

static void undo_pidfd(struct task *t, int64_t fd)
{
    int gone = fd >= 0 ? file_close(t->guest->files, (uint64_t)fd) : 0;
    (void)gone; /* or another thread has closed it */
}

static int64_t clone_process(struct task *t, const struct clone_request *req)
{
    struct guest *child = guest_alloc();
    if (!child)
        return -ENOMEM;
    copy_guest(child, t->guest);
    child->exit_signal = req->exit_signal;
    child->vforked = req->flags & CLONE_VFORK;
    int64_t fd = -1;
    int err = enter_table(child, t->guest, req->flags);
    if (err) {
        guest_drop_inodes(child);
        guest_put(child);
        return err;
    }
    err = make_pidfd(t, child, req, &fd);
    struct task *task = err ? NULL : make_child(t, child, req->flags);
    if (!task) {
        undo_pidfd(t, fd);
        undo_guest(child);
        return err ? err : -ENOMEM;
    }
    int64_t pid = start(t, task, req);
    if (req->flags & CLONE_VFORK) {
        int killed = wait_event_killable(&child->wait_exit, !load_acquire(&child->vforked));
        (void)killed;
    }
    guest_put(child);
    return pid;
}

void clone_vfork_done(struct guest *g)
{
    if (!g->vforked)
        return;
    store_release(&g->vforked, false);
    wake_up_all(&g->wait_exit);
}

int clone_check_namespaces(const struct guest *g, uint64_t flags)
{
    if (!(flags & CLONE_NAMESPACES))
        return 0;
    bool mine =
        cred_capable(&g->cred, CAP_SYS_ADMIN) || !(flags & CLONE_NAMESPACES & ~CLONE_NEWUSER);
    return mine ? -EINVAL : -EPERM;
}

static int check_flags(const struct task *t, uint64_t flags)
{
    if ((flags & CLONE_THREAD) && (flags & THREAD_FLAGS) != THREAD_FLAGS)
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_FS) && (flags & (CLONE_NEWNS | CLONE_NEWUSER)))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && (flags & (CLONE_NEWUSER | CLONE_NEWPID)))
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & CLONE_DETACHED))
        return -EINVAL;
    return clone_check_namespaces(t->guest, flags);
}

int64_t task_clone(struct task *t, const struct clone_request *req)
{
    int err = check_flags(t, req->flags);
    if (err)
        return err;
    if (!task_may_have_more(t->guest))
        return -EAGAIN;
    if (req->flags & CLONE_THREAD)
        return clone_thread(t, req);
    return clone_process(t, req);
}
