/* SPDX-License-Identifier: MIT */
/*
 * sys_kill.c - the calls that send signals.
 *
 *      kill, rt_sigqueueinfo, pidfd_send_signal      to a guest: any of its tasks takes it
 *      tkill, tgkill, rt_tgsigqueueinfo              to one task
 *
 * Who sends details of his own may not claim to be the kernel, unless it is to himself.
 *
 * Locks: guest->lock of the receiver. Linux's counterpart: the SYSCALL_DEFINEs of kernel/signal.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "file/viewfs.h"
#include "task/files.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define SI_DETHREAD (-7) /* the last of Linux's own codes... */
#define SI_ASYNCNL (-60) /* ... but this one */

/* --- who may ---------------------------------------------------------------------------------- */

int signal_permission(struct guest *g, int sig)
{
    const struct guest *from = task_current()->guest;
    const uint32_t *a = from->cred.uid, *b = g->cred.uid;
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    bool may = from == g || a[ID_EFFECTIVE] == b[ID_REAL] || a[ID_EFFECTIVE] == b[ID_SAVED] ||
               a[ID_REAL] == b[ID_REAL] || a[ID_REAL] == b[ID_SAVED] ||
               cred_capable(&from->cred, CAP_KILL) || (sig == SIGCONT && from->sid == g->sid);
    return may ? 0 : -EPERM;
}

static int64_t send(struct guest *g, const struct siginfo_words *info)
{
    int64_t err = signal_permission(g, info->signo);
    return err || !info->signo ? err : guest_signal(g, info);
}

/* --- to guests -------------------------------------------------------------------------------- */

/* Is g one of kill()'s targets, which are not a single one? */
static bool is_target(const struct task *t, const struct guest *g, int64_t pid)
{
    if (pid == -1)
        return g != t->guest && g->pid != 1;
    return g->pgid == (pid ? (uint32_t)-pid : t->guest->pgid);
}

/* To all that are meant: 0 when one got it. */
static int64_t send_to_many(struct task *t, int64_t pid, const struct siginfo_words *info)
{
    struct guest *g;
    int64_t result = -ESRCH;
    for (uint32_t from = 1; (g = guest_next(from)); guest_put(g)) {
        from = g->pid + 1;
        if (!is_target(t, g, pid))
            continue;
        int64_t err = send(g, info);
        if (pid == -1 && err == -EPERM)
            err = 0; /* "to all" means all that it may */
        if (result)
            result = err;
    }
    return result;
}

int64_t sys_kill(struct task *t, const uint64_t *a)
{
    int64_t pid = (int32_t)a[0];
    struct siginfo_words info = signal_from_current((int)a[1], SI_USER);
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid <= 0)
        return send_to_many(t, pid, &info);
    struct guest *g = guest_find_thread((uint32_t)pid);
    if (!g)
        return -ESRCH;
    int64_t err = send(g, &info);
    guest_put(g);
    return err;
}

/* --- to one task ------------------------------------------------------------------------------ */

/* tgid 0: the thread may be of any guest. */
static int64_t send_to_thread(uint32_t tgid, uint32_t tid, const struct siginfo_words *info)
{
    struct guest *g = guest_find_thread(tid);
    struct task *t, *found = NULL;
    if (!g)
        return -ESRCH;
    spin_lock(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (t->tid == tid && (!tgid || g->pid == tgid))
            found = t;
    }
    int64_t err = found ? signal_permission(g, info->signo) : -ESRCH;
    if (!err && info->signo)
        err = task_signal_locked(found, info);
    spin_unlock(&g->lock);
    guest_put(g);
    return err;
}

int64_t sys_tgkill(struct task *t, const uint64_t *a)
{
    struct siginfo_words info = signal_from_current((int)a[2], SI_TKILL);
    (void)t;
    if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
        return -EINVAL;
    return send_to_thread((uint32_t)a[0], (uint32_t)a[1], &info);
}

int64_t sys_tkill(struct task *t, const uint64_t *a)
{
    struct siginfo_words info = signal_from_current((int)a[1], SI_TKILL);
    (void)t;
    return (int32_t)a[0] <= 0 ? -EINVAL : send_to_thread(0, (uint32_t)a[0], &info);
}

/* --- with details of the sender's own --------------------------------------------------------- */

/* What we know the size of ends within the words; the rest of anything else must be zero. */
static int64_t take_info(struct siginfo_words *info, uint64_t from)
{
    uint64_t rest[10];
    if (copy_from_user(info, mk_vaddr(from), sizeof(*info)))
        return -EFAULT;
    if (info->code >= SI_DETHREAD || info->code == SI_ASYNCNL)
        return 0;
    if (copy_from_user(rest, mk_vaddr(from + sizeof(*info)), sizeof(rest)))
        return -EFAULT;
    for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
        if (rest[i])
            return -E2BIG;
    }
    return 0;
}

static bool claims_to_be_kernel(const struct siginfo_words *info)
{
    return info->code >= 0 || info->code == SI_TKILL;
}

int64_t sys_rt_sigqueueinfo(struct task *t, const uint64_t *a)
{
    struct siginfo_words info;
    int64_t err = take_info(&info, a[2]);
    if (err)
        return err;
    info.signo = (int32_t)a[1];
    if (claims_to_be_kernel(&info) && t->tid != (uint32_t)a[0])
        return -EPERM;
    struct guest *g = (int32_t)a[0] > 0 ? guest_find_thread((uint32_t)a[0]) : NULL;
    if (!g)
        return -ESRCH;
    err = send(g, &info);
    guest_put(g);
    return err;
}

int64_t sys_rt_tgsigqueueinfo(struct task *t, const uint64_t *a)
{
    struct siginfo_words info;
    int64_t err = take_info(&info, a[3]);
    if (err)
        return err;
    info.signo = (int32_t)a[2];
    if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
        return -EINVAL;
    if (claims_to_be_kernel(&info) && t->tid != (uint32_t)a[1])
        return -EPERM;
    return send_to_thread((uint32_t)a[0], (uint32_t)a[1], &info);
}

#define PIDFD_SIGNAL_THREAD 1u
#define PIDFD_SIGNAL_THREAD_GROUP 2u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u
#define PIDFD_SIGNAL_SCOPES \
    (PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP)

static int64_t pidfd_info(struct task *t, const struct guest *g, const uint64_t *a,
                          struct siginfo_words *info)
{
    *info = signal_from_current((int)a[1], SI_USER);
    if (!a[2])
        return 0;
    int64_t err = take_info(info, a[2]);
    if (err)
        return err;
    if (info->signo != (int)a[1])
        return -EINVAL;
    return claims_to_be_kernel(info) && g != t->guest ? -EPERM : 0;
}

/* A directory /proc/PID that is open stands for the guest as well, here alone. */
static struct guest *guest_of_directory(struct task *t, uint64_t fd)
{
    static const char proc[] = "/proc/";
    uint64_t pid = 0;
    struct file *f = file_get(t->guest->files, fd);
    const struct inode *dir = f ? f->inode : NULL;
    bool is_view = dir && inode_is(dir, S_IFDIR) && viewfs_owns(dir) && dir->text;
    if (is_view &&
        (strncmp(dir->text, proc, strlen(proc)) || parse_u64(dir->text + strlen(proc), 10, &pid)))
        pid = 0;
    if (f)
        file_put(f);
    return pid && pid <= PID_MAX ? guest_find((uint32_t)pid) : NULL;
}

int64_t sys_pidfd_send_signal(struct task *t, const uint64_t *a)
{
    struct siginfo_words info;
    uint32_t flags = (uint32_t)a[3];
    if ((flags & ~PIDFD_SIGNAL_SCOPES) || (flags & (flags - 1)))
        return -EINVAL;
    struct guest *g = arg_pidfd(t, a[0]);
    if (!g)
        g = guest_of_directory(t, a[0]);
    if (!g)
        return -EBADF;
    int64_t err = pidfd_info(t, g, a, &info);
    if (!err && load_acquire(&g->state) == GUEST_GONE)
        err = -ESRCH;
    if (!err && (flags & PIDFD_SIGNAL_THREAD))
        err = send_to_thread(g->pid, g->pid, &info);
    else if (!err && (flags & PIDFD_SIGNAL_PROCESS_GROUP))
        err = send_to_many(t, -(int64_t)g->pgid, &info);
    else if (!err)
        err = send(g, &info);
    guest_put(g);
    return err;
}
