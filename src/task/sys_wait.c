/* SPDX-License-Identifier: MIT */
/*
 * sys_wait.c - waiting for children: wait4 and waitid; files that stand for guests: pidfd_open.
 *
 * Linux's counterpart: kernel/exit.c, kernel/pid.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/poll.h"
#include "task/signal_set.h"
#include "task/syscall.h"
#include "task/syscalls.h"
#include "task/wait.h"

#define P_ALL 0
#define P_PID 1
#define P_PGID 2
#define P_PIDFD 3

#define WSTOPPED WUNTRACED
#define WAIT_KINDS (W_NOTHREAD | W_ALL | W_CLONE)
#define PIDFD_NONBLOCK O_NONBLOCK

/* --- wait4 ------------------------------------------------------------------------------------ */

/* struct rusage: two timevals, then 14 words; maxrss, minflt and majflt are [4], [8], [9]. */
int put_rusage(vaddr_t to, uint64_t run_ns, uint64_t minflt, uint64_t majflt, uint64_t maxrss_kb)
{
    uint64_t words[18] = {0};
    words[0] = run_ns / NSEC_PER_SEC;
    words[1] = run_ns % NSEC_PER_SEC / NSEC_PER_USEC;
    words[4] = maxrss_kb;
    words[8] = minflt;
    words[9] = majflt;
    return copy_to_user(to, words, sizeof(words)) ? -EFAULT : 0;
}

int64_t sys_wait4(struct task *t, const uint64_t *a)
{
    struct wait_result r;
    int options = (int)a[2];
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | (int)WAIT_KINDS))
        return -EINVAL;
    if ((int32_t)a[0] == INT32_MIN)
        return -ESRCH;
    int64_t pid = guest_wait_child(t, (int32_t)a[0], options | WEXITED, &r);
    if (pid <= 0)
        return pid;
    if (a[1] && put_user_u32((uint32_t)r.status, mk_vaddr(a[1])))
        return -EFAULT;
    if (a[3] && put_rusage(mk_vaddr(a[3]), r.run_ns, r.minflt, r.majflt, 0))
        return -EFAULT;
    return pid;
}

/* --- pidfd ------------------------------------------------------------------------------------ */

static uint32_t pidfd_poll(struct file *f, struct poll_wait *pw)
{
    struct guest *g = f->private;
    poll_add(pw, &g->wait_exit);
    return load_acquire(&g->state) >= GUEST_ZOMBIE ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_close(struct file *f)
{
    guest_put(f->private);
}

static void pidfd_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[pidfd]");
}

static const struct file_ops pidfd_ops = {
    .poll = pidfd_poll, .close = pidfd_close, .print_name = pidfd_print_name};

struct guest *arg_pidfd(struct task *t, uint64_t fd)
{
    struct file *f = file_get(t->guest->files, fd);
    struct guest *g = f && f->ops == &pidfd_ops ? f->private : NULL;
    if (g)
        guest_get(g);
    if (f)
        file_put(f);
    return g;
}

int64_t pidfd_install(struct task *t, struct guest *g, uint32_t flags)
{
    struct file *f = file_alloc(&pidfd_ops, 0600);
    if (!f)
        return -ENOMEM;
    guest_get(g);
    f->private = g;
    f->flags = O_RDWR | flags;
    int64_t fd = file_install(t->guest->files, f, 0, true);
    if (fd < 0)
        file_put(f);
    return fd;
}

int64_t sys_pidfd_open(struct task *t, const uint64_t *a)
{
    if ((a[1] & ~(uint64_t)PIDFD_NONBLOCK) || (int32_t)a[0] <= 0)
        return -EINVAL;
    struct guest *g = guest_find((uint32_t)a[0]);
    if (!g)
        return -ESRCH;
    int64_t fd = pidfd_install(t, g, (uint32_t)a[1] & O_NONBLOCK);
    guest_put(g);
    return fd;
}

/* Another guest's open file, under a number of one's own. */
int64_t sys_pidfd_getfd(struct task *t, const uint64_t *a)
{
    uint32_t uid = t->guest->cred.uid[ID_EFFECTIVE];
    struct guest *g = a[2] ? NULL : arg_pidfd(t, a[0]);
    if (!g)
        return a[2] ? -EINVAL : -EBADF;
    bool may = !uid || uid == g->cred.uid[ID_REAL];
    struct file_table *files = may ? guest_files(g) : NULL;
    guest_put(g);
    if (!files)
        return may ? -ESRCH : -EPERM;
    struct file *f = file_get(files, (uint32_t)a[1]);
    file_table_put(files);
    if (!f)
        return -EBADF;
    int64_t fd = file_install(t->guest->files, f, 0, true);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* --- waitid ----------------------------------------------------------------------------------- */

/* Whom to wait for, as wait4 says it. */
static int64_t which_of(struct task *t, uint64_t type, uint64_t id, int64_t *which)
{
    struct guest *g;
    switch (type) {
    case P_ALL:
        *which = -1;
        return 0;
    case P_PID:
        *which = (int32_t)id;
        return *which > 0 ? 0 : -EINVAL;
    case P_PGID:
        *which = -(int64_t)(uint32_t)id;
        return (int32_t)id < 0 ? -EINVAL : 0;
    case P_PIDFD:
        g = arg_pidfd(t, id);
        if (!g)
            return -EBADF;
        *which = g->pid;
        guest_put(g);
        return 0;
    default:
        return -EINVAL;
    }
}

/* As SIGCHLD has it; without a child all is zero. */
static int put_info(uint64_t to, const struct wait_result *r)
{
    struct siginfo_words info = {0};
    int sig = r->status & 0x7f;
    if (r->pid) {
        info.signo = SIGCHLD;
        info.pid = (int32_t)r->pid;
        info.uid = r->uid;
        info.status = sig && sig != 0x7f ? sig : r->status >> 8 & 0xff;
        info.code = sig == 0x7f ? CLD_STOPPED : sig ? CLD_KILLED : CLD_EXITED;
    }
    if (r->pid && r->status == WAIT_CONTINUED) {
        info.code = CLD_CONTINUED;
        info.status = SIGCONT;
    }
    return signal_put_info(to, &info);
}

int64_t sys_waitid(struct task *t, const uint64_t *a)
{
    struct wait_result r = {.pid = 0};
    int options = (int)a[3];
    int64_t which, err = which_of(t, a[0], a[1], &which);
    if (err)
        return err;
    if ((options & ~(WNOHANG | WSTOPPED | WEXITED | WCONTINUED | WNOWAIT | (int)WAIT_KINDS)) ||
        !(options & (WSTOPPED | WEXITED | WCONTINUED)))
        return -EINVAL;
    err = guest_wait_child(t, which, options, &r);
    if (err < 0)
        return err;
    if (a[2] && put_info(a[2], &r))
        return -EFAULT;
    return a[4] && r.pid && put_rusage(mk_vaddr(a[4]), r.run_ns, r.minflt, r.majflt, 0) ? -EFAULT
                                                                                        : 0;
}
