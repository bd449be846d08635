/* SPDX-License-Identifier: MIT */
/*
 * signalfd.c - signals that are read instead of handled.
 *
 *      blocked signals, pending --read()--> struct signalfd_siginfo, one or more
 *
 * A signalfd is no more than a set of signals: whoever reads it takes its own. So all of them wait
 * in one queue, which is there as long as the machine.
 *
 * Locks: guest->lock. Linux's counterpart: fs/signalfd.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/poll.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

struct signalfd_siginfo_abi {
    uint32_t signo;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trapno;
    int32_t status, integer;
    uint64_t ptr, utime, stime, addr;
    uint8_t pad[48];
};
_Static_assert(sizeof(struct signalfd_siginfo_abi) == 128, "as Linux lays it out");

struct signalfd {
    uint64_t mask; /* (a) */
};

static uint64_t pending(const struct task *t)
{
    return load_relaxed(&t->pending.set) | load_relaxed(&t->guest->pending.set);
}

static int take(struct task *t, const struct signalfd *s, struct siginfo_words *info)
{
    spin_lock(&t->guest->lock);
    int sig = signal_take_locked(t, load_relaxed(&s->mask), info);
    spin_unlock(&t->guest->lock);
    return sig;
}

static int put_info(vaddr_t to, const struct siginfo_words *info)
{
    struct signalfd_siginfo_abi abi = {
        .signo = (uint32_t)info->signo, .error = info->errno_, .code = info->code};
    if (info->code == SI_TIMER) {
        abi.tid = (uint32_t)info->timer_id;
        abi.overrun = (uint32_t)info->overrun;
    } else {
        abi.pid = (uint32_t)info->pid;
        abi.uid = info->uid;
    }
    if (info->signo == SIGCHLD) {
        abi.status = info->status;
        abi.utime = (uint64_t)info->utime;
        abi.stime = (uint64_t)info->stime;
    } else if (info->code < 0) { /* with a value: timer_create, sigqueue */
        abi.ptr = info->value;
        abi.integer = (int32_t)info->value;
    }
    return copy_to_user(to, &abi, sizeof(abi)) ? -EFAULT : 0;
}

static int64_t signalfd_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    const struct signalfd *s = f->private;
    struct task *t = task_current();
    struct siginfo_words info;
    size_t done = 0;
    (void)pos;
    if (n < sizeof(struct signalfd_siginfo_abi))
        return -EINVAL;
    while (n - done >= sizeof(struct signalfd_siginfo_abi)) {
        int err = 0;
        if (take(t, s, &info)) {
            err = put_info(mk_vaddr(buf.v + done), &info);
            done += err ? 0 : sizeof(struct signalfd_siginfo_abi);
        } else if (done || (f->flags & O_NONBLOCK)) {
            err = -EAGAIN;
        } else {
            err = task_wait_event(&signals_pending, pending(t) & load_relaxed(&s->mask));
        }
        if (err)
            return done ? (int64_t)done : err;
    }
    return (int64_t)done;
}

static uint32_t signalfd_poll(struct file *f, struct poll_wait *pw)
{
    const struct signalfd *s = f->private;
    poll_add(pw, &signals_pending);
    return pending(task_current()) & load_relaxed(&s->mask) ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_close(struct file *f)
{
    kfree(f->private);
}

static void signalfd_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[signalfd]");
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .poll = signalfd_poll,
    .close = signalfd_close,
    .print_name = signalfd_print_name,
};

/* Another set for one that there is. */
static int64_t change(struct task *t, uint64_t fd, uint64_t mask)
{
    struct file *f = file_get(t->guest->files, (uint32_t)fd);
    if (!f)
        return -EBADF;
    bool is_one = f->ops == &signalfd_ops;
    if (is_one)
        store_relaxed(&((struct signalfd *)f->private)->mask, mask);
    file_put(f);
    wake_up_all(&signals_pending);
    return is_one ? (int64_t)(uint32_t)fd : -EINVAL;
}

int64_t sys_signalfd4(struct task *t, const uint64_t *a)
{
    uint64_t mask;
    uint32_t flags = (uint32_t)a[3];
    if (a[2] != sizeof(mask) || copy_from_user(&mask, mk_vaddr(a[1]), sizeof(mask)))
        return -EINVAL;
    if (flags & ~(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    mask &= ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP));
    if ((int32_t)a[0] != -1)
        return change(t, a[0], mask);
    struct signalfd *s = kzalloc(sizeof(*s), GFP_KERNEL);
    struct file *f = s ? file_alloc(&signalfd_ops, 0600) : NULL;
    if (!f) {
        kfree(s);
        return -ENOMEM;
    }
    s->mask = mask;
    f->private = s;
    f->flags = O_RDWR | (flags & O_NONBLOCK);
    int64_t fd = file_install(t->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}
