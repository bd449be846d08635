/* SPDX-License-Identifier: MIT */
/*
 * poll.c - ppoll and pselect6. poll.h has the picture.
 *
 *      round:  into the queues of all files; any ready? any signal? time over?  --> out of them
 *              sleep;  out of all queues;  again
 *
 * select is poll with the files in bit sets.
 *
 * Locks: none of its own. Linux's counterpart: fs/select.c.
 */
#include "task/poll.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/timer.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/signal_set.h"
#include "task/syscall.h"
#include "task/syscalls.h"

struct poll_entry {
    struct wait_entry wait;
    struct wait_queue *q;
};

struct pollfd_abi {
    int32_t fd;
    uint16_t events, revents;
};

/* --- one file --------------------------------------------------------------------------------- */

void poll_add(struct poll_wait *pw, struct wait_queue *q)
{
    if (pw && pw->add)
        pw->add(pw, q);
    if (!pw || pw->add || pw->n == pw->max)
        return;
    struct poll_entry *e = &pw->entries[pw->n++];
    e->q = q;
    wait_entry_init(&e->wait);
    wait_prepare(q, &e->wait, THREAD_KILLABLE);
}

uint32_t file_poll(struct file *f, struct poll_wait *pw)
{
    if (f->ops->poll)
        return f->ops->poll(f, pw);
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* --- several ---------------------------------------------------------------------------------- */

struct polling {
    struct pollfd_abi *fds;
    struct file **files; /* of the same places; NULL: not open */
    unsigned n;
    struct poll_wait pw;
};

static void polling_end(struct polling *p)
{
    for (unsigned i = 0; p->files && i < p->n; i++) {
        if (p->files[i])
            file_put(p->files[i]);
    }
    kfree(p->fds);
    kfree(p->files);
    kfree(p->pw.entries);
}

static int polling_begin(struct polling *p, unsigned n)
{
    *p = (struct polling){.n = n};
    unsigned room = MAX(n, 1u);
    p->fds = kcalloc(room, sizeof(*p->fds), GFP_KERNEL);
    p->files = kcalloc(room, sizeof(struct file *), GFP_KERNEL);
    p->pw.max = room * POLL_QUEUES;
    p->pw.entries = kcalloc(p->pw.max, sizeof(*p->pw.entries), GFP_KERNEL);
    if (p->fds && p->files && p->pw.entries)
        return 0;
    polling_end(p);
    return -ENOMEM;
}

static void open_all(struct polling *p, struct task *t)
{
    for (unsigned i = 0; i < p->n; i++)
        p->files[i] = p->fds[i].fd < 0 ? NULL : file_get(t->guest->files, (uint32_t)p->fds[i].fd);
}

/* Ask each file, and be in its queues from then on. How many are ready. */
static int64_t ask_all(struct polling *p)
{
    int64_t ready = 0;
    for (unsigned i = 0; i < p->n; i++) {
        struct pollfd_abi *fd = &p->fds[i];
        uint32_t wanted = fd->events | POLLERR | POLLHUP;
        fd->revents = 0;
        if (p->files[i])
            fd->revents = (uint16_t)(file_poll(p->files[i], &p->pw) & wanted);
        else if (fd->fd >= 0)
            fd->revents = POLLNVAL;
        ready += fd->revents != 0;
    }
    return ready;
}

static void leave_queues(struct poll_wait *pw)
{
    for (unsigned i = 0; i < pw->n; i++)
        wait_finish(pw->entries[i].q, &pw->entries[i].wait);
    pw->n = 0;
    thread_set_state(THREAD_RUNNABLE);
}

int task_wait_over(uint64_t end)
{
    if (kill_pending() || signal_pending(task_current()))
        return -EINTR;
    return now_ticks() >= end ? -ETIMEDOUT : 0;
}

void task_schedule_until(uint64_t end)
{
    if (end == TIMER_NEVER)
        schedule();
    else
        (void)schedule_until(end);
}

/* Until one is ready, or `end` (ticks). How many are; 0 at the end; -EINTR. */
static int64_t wait_for_any(struct polling *p, struct task *t, uint64_t end)
{
    struct wait_queue nobody; /* for who waits for no file: there must be one queue to be in */
    struct wait_entry entry;
    wait_queue_init(&nobody);
    for (;;) {
        wait_entry_init(&entry);
        wait_prepare(&nobody, &entry, THREAD_KILLABLE);
        int64_t ready = ask_all(p);
        if (!ready && (signal_pending(t) || kill_pending()))
            ready = -EINTR;
        bool over = ready || now_ticks() >= end;
        if (!over)
            task_schedule_until(end);
        leave_queues(&p->pw);
        wait_finish(&nobody, &entry);
        if (over)
            return ready;
    }
}

uint64_t arg_end(uint64_t user, int64_t *err)
{
    if (!user)
        return TIMER_NEVER;
    int64_t ns = arg_timespec(mk_vaddr(user));
    *err = ns < 0 ? ns : 0;
    return ns == INT64_MAX ? TIMER_NEVER : now_ticks() + ns_to_ticks((uint64_t)MAX(ns, 0L));
}

/* As Linux does: what is left of the time goes back to the guest. */
static void put_left(uint64_t user, uint64_t end)
{
    uint64_t now = now_ticks();
    if (user && end != TIMER_NEVER &&
        put_timespec(mk_vaddr(user), end > now ? ticks_to_ns(end - now) : 0))
        return; /* it was readable; where it is not writable nobody learns */
}

/* With another signal mask for as long as it waits. */
static int64_t wait_masked(struct polling *p, struct task *t, uint64_t end, uint64_t mask_user)
{
    uint64_t mask;
    if (mask_user && copy_from_user(&mask, mk_vaddr(mask_user), sizeof(mask)))
        return -EFAULT;
    if (mask_user)
        signal_use_mask(t, mask);
    int64_t ready = wait_for_any(p, t, end);
    if (mask_user && ready != -EINTR)
        signal_unuse_mask(t);
    return ready == -EINTR ? -ERESTARTNOHAND : ready;
}

int64_t sys_ppoll(struct task *t, const uint64_t *a)
{
    struct polling p;
    int64_t err = 0;
    uint64_t end = arg_end(a[2], &err), size = a[1] * sizeof(struct pollfd_abi);
    if (err)
        return err;
    if (a[1] > t->guest->limits[RLIMIT_NOFILE].cur)
        return -EINVAL;
    err = polling_begin(&p, (unsigned)a[1]);
    if (err)
        return err;
    int64_t ready = -EFAULT;
    if (!copy_from_user(p.fds, mk_vaddr(a[0]), size)) {
        open_all(&p, t);
        ready = wait_masked(&p, t, end, a[3]);
        if (ready >= 0 && copy_to_user(mk_vaddr(a[0]), p.fds, size))
            ready = -EFAULT;
        put_left(a[2], end);
    }
    polling_end(&p);
    return ready;
}

/* --- select ----------------------------------------------------------------------------------- */

static const uint32_t select_in[3] = {POLLIN, POLLOUT, POLLPRI};
static const uint32_t select_out[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};

#define SELECT_WORDS (FILES_MAX / 64)

static int take_sets(const uint64_t *a, unsigned n, uint64_t sets[3][SELECT_WORDS])
{
    size_t bytes = (n + 63) / 64 * sizeof(uint64_t);
    memset(sets, 0, 3 * SELECT_WORDS * sizeof(uint64_t));
    for (int s = 0; s < 3; s++) {
        if (a[1 + s] && copy_from_user(sets[s], mk_vaddr(a[1 + s]), bytes))
            return -EFAULT;
    }
    return 0;
}

/* From sets to a list of files. -EBADF for one that is not open. */
static int sets_to_files(struct polling *p, struct task *t, uint64_t sets[3][SELECT_WORDS])
{
    for (unsigned i = 0; i < p->n; i++) {
        p->fds[i].fd = -1;
        for (int s = 0; s < 3; s++) {
            if (test_bit(i, sets[s]))
                p->fds[i] =
                    (struct pollfd_abi){(int32_t)i, (uint16_t)(p->fds[i].events | select_in[s]), 0};
        }
        if (p->fds[i].fd < 0)
            continue;
        p->files[i] = file_get(t->guest->files, i);
        if (!p->files[i])
            return -EBADF;
    }
    return 0;
}

static int64_t files_to_sets(const struct polling *p, uint64_t sets[3][SELECT_WORDS])
{
    int64_t n = 0;
    for (unsigned i = 0; i < p->n; i++) {
        for (int s = 0; s < 3; s++) {
            if (!test_bit(i, sets[s]))
                continue;
            if (p->fds[i].revents & select_out[s])
                n++;
            else
                clear_bit(i, sets[s]);
        }
    }
    return n;
}

static int64_t select_files(struct task *t, const uint64_t *a, unsigned n, uint64_t end,
                            uint64_t mask)
{
    uint64_t sets[3][SELECT_WORDS];
    struct polling p;
    int64_t ready = polling_begin(&p, n);
    if (ready)
        return ready;
    ready = take_sets(a, n, sets);
    if (!ready)
        ready = sets_to_files(&p, t, sets);
    if (!ready)
        ready = wait_masked(&p, t, end, mask);
    if (ready >= 0)
        ready = files_to_sets(&p, sets);
    polling_end(&p);
    for (int s = 0; ready >= 0 && s < 3; s++) {
        if (a[1 + s] && copy_to_user(mk_vaddr(a[1 + s]), sets[s], (n + 63) / 64 * 8))
            ready = -EFAULT;
    }
    return ready;
}

int64_t sys_pselect6(struct task *t, const uint64_t *a)
{
    uint64_t mask[2] = {0}; /* pointer and size */
    int64_t err = 0;
    uint64_t end = arg_end(a[4], &err);
    if (err)
        return err;
    if ((int)a[0] < 0)
        return -EINVAL;
    if (a[5] && copy_from_user(mask, mk_vaddr(a[5]), sizeof(mask)))
        return -EFAULT;
    /* numbers for which the table has no room yet are passed over, as Linux does */
    uint32_t room = load_relaxed(&t->guest->files->size);
    int64_t n = select_files(t, a, MIN((uint32_t)a[0], room), end, mask[0]);
    put_left(a[4], end);
    return n;
}
