/* SPDX-License-Identifier: MIT */
/*
 * sys_epoll.c - the calls of epoll; what they do is in epoll.c.
 *
 *      epoll_pwait:  anything ready? --yes--> copy it out, a chunk at a time
 *                        `-- no: sleep in the epoll's queue, until its end
 *
 * Linux's counterpart: fs/eventpoll.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/epoll.h"
#include "task/guest.h"
#include "task/syscalls.h"

#define EPOLL_CTL_ADD 1u
#define EPOLL_CTL_DEL 2u
#define EPOLL_CTL_MOD 3u
#define CHUNK 32u

/* What may be asked for together with EPOLLEXCLUSIVE. */
#define EXCLUSIVE_OK (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLET | POLLIN | POLLOUT | POLLERR | POLLHUP)

int64_t sys_epoll_create1(struct task *t, const uint64_t *a)
{
    if ((uint32_t)a[0] & ~O_CLOEXEC)
        return -EINVAL;
    struct file *f = epoll_create();
    if (!f)
        return -ENOMEM;
    int64_t fd = file_install(t->guest->files, f, 0, a[0] & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

static int control(struct file *epf, struct file *f, uint32_t op, uint32_t fd,
                   const struct epoll_event_abi *ev)
{
    struct epoll *ep = epoll_of(epf);
    if (!f->ops->poll)
        return -EPERM;
    if (f == epf || !ep)
        return -EINVAL;
    if (op != EPOLL_CTL_DEL && (ev->events & EPOLLEXCLUSIVE) &&
        (op == EPOLL_CTL_MOD || epoll_of(f) || (ev->events & ~EXCLUSIVE_OK)))
        return -EINVAL;
    switch (op) {
    case EPOLL_CTL_ADD:
        return epoll_add(ep, f, fd, ev);
    case EPOLL_CTL_DEL:
        return epoll_remove(ep, f, fd);
    case EPOLL_CTL_MOD:
        return epoll_modify(ep, f, fd, ev);
    default:
        return -EINVAL;
    }
}

int64_t sys_epoll_ctl(struct task *t, const uint64_t *a)
{
    struct epoll_event_abi ev = {0};
    uint32_t op = (uint32_t)a[1];
    if (op != EPOLL_CTL_DEL && copy_from_user(&ev, mk_vaddr(a[3]), sizeof(ev)))
        return -EFAULT;
    ev.events |= POLLERR | POLLHUP; /* one cannot but be told of these */
    struct file *epf = file_get(t->guest->files, (uint32_t)a[0]);
    struct file *f = epf ? file_get(t->guest->files, (uint32_t)a[2]) : NULL;
    int err = f ? control(epf, f, op, (uint32_t)a[2], &ev) : -EBADF;
    if (f)
        file_put(f);
    if (epf)
        file_put(epf);
    return err;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Copy what is ready to the guest: how many, or -EFAULT for none. */
static int64_t hand_out(struct epoll *ep, uint64_t user, uint64_t max)
{
    struct epoll_event_abi events[CHUNK];
    uint64_t done = 0, left = load_relaxed(&ep->nr_ready);
    while (done < max && left) {
        unsigned n = epoll_collect(ep, events, (unsigned)MIN(max - done, CHUNK), &left);
        vaddr_t to = mk_vaddr(user + done * sizeof(events[0]));
        if (n && copy_to_user(to, events, n * sizeof(events[0])))
            return done ? (int64_t)done : -EFAULT;
        done += n;
        if (!n)
            break;
    }
    return (int64_t)done;
}

static int64_t wait_for_events(struct epoll *ep, uint64_t user, uint64_t max, uint64_t end)
{
    for (;;) {
        int64_t n = hand_out(ep, user, max);
        if (n)
            return n;
        int err = task_wait_event_until(&ep->wait, load_relaxed(&ep->nr_ready), end);
        if (err)
            return err == -ETIMEDOUT ? 0 : err;
    }
}

/* With the arguments of both calls; end in ticks. */
static int64_t wait_masked(struct task *t, const uint64_t *a, uint64_t end)
{
    uint64_t mask;
    int32_t max = (int32_t)a[2];
    if (a[4] && a[5] != sizeof(mask))
        return -EINVAL;
    if (a[4] && copy_from_user(&mask, mk_vaddr(a[4]), sizeof(mask)))
        return -EFAULT;
    if (max <= 0 || (uint64_t)max > INT32_MAX / sizeof(struct epoll_event_abi))
        return -EINVAL;
    struct file *f = file_get(t->guest->files, (uint32_t)a[0]);
    if (!f)
        return -EBADF;
    struct epoll *ep = epoll_of(f);
    int64_t n = -EINVAL;
    if (ep) {
        if (a[4])
            signal_use_mask(t, mask);
        n = wait_for_events(ep, a[1], (uint64_t)max, end);
        if (a[4] && n != -EINTR)
            signal_unuse_mask(t);
        if (n == -EINTR)
            thread_notify(t->thread);
    }
    file_put(f);
    return n;
}

int64_t sys_epoll_pwait(struct task *t, const uint64_t *a)
{
    int32_t ms = (int32_t)a[3];
    uint64_t end = TIMER_NEVER;
    if (ms >= 0)
        end = now_ticks() + ns_to_ticks((uint64_t)ms * NSEC_PER_MSEC);
    return wait_masked(t, a, end);
}

int64_t sys_epoll_pwait2(struct task *t, const uint64_t *a)
{
    int64_t err = 0;
    uint64_t end = arg_end(a[3], &err);
    return err ? err : wait_masked(t, a, end);
}
