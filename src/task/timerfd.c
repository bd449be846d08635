/* SPDX-License-Identifier: MIT */
/*
 * timerfd.c - a timer as a file.
 *
 *      settime --> [ timer ] --is up--> ticks + 1, and it rests
 *                      ^                    read() takes them all, and waits while there are none
 *                      `-- with an interval ---'
 *
 * One with an interval is armed again when its ticks are read, and how often it would have been up
 * meanwhile is calculated: so nobody who sets many short ones and reads none keeps a hart busy.
 *
 * A timer that is set for a date keeps it as a date: when the date is set, it is armed anew, and if
 * that was asked for (CANCEL_ON_SET) it reads -ECANCELED once.
 *
 * Locks: timerfds_lock for the list of those with dates, then the timer's own.
 * Linux's counterpart: fs/timerfd.c.
 */
#include "task/timerfd.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/timer.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/poll.h"
#include "task/syscalls.h"
#include "task/timers.h"

#define CLOCK_REALTIME 0u
#define CLOCK_MONOTONIC 1u
#define CLOCK_BOOTTIME 7u
#define CLOCK_REALTIME_ALARM 8u
#define CLOCK_BOOTTIME_ALARM 9u
#define TFD_TIMER_ABSTIME 1u
#define TFD_TIMER_CANCEL_ON_SET 2u

struct timerfd {
    struct spinlock lock;
    struct timer timer;
    uint64_t expires;  /* (lock) ns, of the date if `dated`, else of now_ns(); 0: not set */
    uint64_t interval; /* (lock) ns, 0: once */
    uint64_t ticks;    /* (lock) times that it was up and that nobody has read */
    bool dated;        /* (lock) */
    bool cancels;      /* (lock) setting the date cancels it... */
    bool cancelled;    /* (lock) ... and has done so */
    bool realtime;     /* (b) its clock is the date */
    struct wait_queue up;
    struct list_head list; /* (timerfds_lock) */
};

static struct spinlock timerfds_lock = SPINLOCK_INIT("timerfds", RANK_FILE);
static LIST_HEAD(timerfds); /* those whose clock is the date */

/* --- being up --------------------------------------------------------------------------------- */

/* When it is up, by now_ns(). */
static uint64_t up_at(const struct timerfd *t)
{
    return t->dated ? realtime_to_ns(t->expires) : t->expires;
}

static void arm_locked(struct timerfd *t)
{
    uint64_t now = now_ns(), at = up_at(t);
    timer_add(&t->timer, at > now ? at - now : 0);
}

/* All the times that it was up until now. */
static void advance_locked(struct timerfd *t)
{
    uint64_t now = t->dated ? now_realtime_ns() : now_ns();
    if (!t->expires || now < t->expires)
        return;
    if (!t->interval) {
        t->ticks++;
        t->expires = 0;
        return;
    }
    uint64_t times = (now - t->expires) / t->interval + 1;
    t->ticks += times;
    t->expires += times * t->interval;
}

static void timer_is_up(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    spin_lock(&t->lock);
    advance_locked(t);
    bool up = t->ticks;
    if (!up && t->expires) /* the date was set back */
        arm_locked(t);
    spin_unlock(&t->lock);
    if (up)
        wake_up_all(&t->up);
}

void timerfd_clock_was_set(void)
{
    struct timerfd *t;
    spin_lock(&timerfds_lock);
    list_for_each_entry(t, &timerfds, list) {
        spin_lock_nested(&t->lock);
        if (t->dated && t->expires)
            arm_locked(t);
        t->cancelled |= t->cancels && t->dated;
        spin_unlock(&t->lock);
        wake_up_all(&t->up);
    }
    spin_unlock(&timerfds_lock);
}

/* --- setting ---------------------------------------------------------------------------------- */

static struct timer_setting look_locked(struct timerfd *t)
{
    struct timer_setting s = {.interval = t->interval};
    advance_locked(t);
    if (t->expires) {
        uint64_t now = now_ns(), at = up_at(t);
        s.value = at > now ? at - now : 1;
    }
    return s;
}

static void set(struct timerfd *t, const struct timer_setting *to, uint32_t flags,
                struct timer_setting *old)
{
    bool absolute = flags & TFD_TIMER_ABSTIME;
    (void)timer_cancel(&t->timer);
    spin_lock(&t->lock);
    *old = look_locked(t);
    t->dated = absolute && t->realtime;
    t->cancels = t->dated && (flags & TFD_TIMER_CANCEL_ON_SET);
    t->cancelled = false;
    t->ticks = 0;
    t->interval = to->interval;
    t->expires = !to->value ? 0 : absolute ? to->value : now_ns() + to->value;
    if (t->expires)
        arm_locked(t);
    spin_unlock(&t->lock);
}

/* --- as a file -------------------------------------------------------------------------------- */

/* 1: *ticks were taken; 0: there are none; -ECANCELED. */
static int take(struct timerfd *t, uint64_t *ticks)
{
    spin_lock(&t->lock);
    bool rests = t->ticks;
    if (rests)
        advance_locked(t);
    if (rests && t->expires)
        arm_locked(t);
    int result = t->cancelled ? -ECANCELED : t->ticks != 0;
    *ticks = t->ticks;
    t->ticks = 0;
    t->cancelled = false;
    spin_unlock(&t->lock);
    return result;
}

static int64_t timerfd_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct timerfd *t = f->private;
    uint64_t ticks;
    int taken;
    (void)pos;
    if (n < sizeof(ticks))
        return -EINVAL;
    while (!(taken = take(t, &ticks))) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = task_wait_event(&t->up, load_relaxed(&t->ticks) || load_relaxed(&t->cancelled));
        if (err)
            return err;
    }
    if (taken < 0)
        return taken;
    return copy_to_user(buf, &ticks, sizeof(ticks)) ? -EFAULT : (int64_t)sizeof(ticks);
}

static uint32_t timerfd_poll(struct file *f, struct poll_wait *pw)
{
    struct timerfd *t = f->private;
    poll_add(pw, &t->up);
    return load_relaxed(&t->ticks) || load_relaxed(&t->cancelled) ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_close(struct file *f)
{
    struct timerfd *t = f->private;
    spin_lock(&timerfds_lock);
    list_del_init(&t->list);
    spin_unlock(&timerfds_lock);
    spin_lock(&t->lock);
    t->interval = t->expires = 0; /* so that it does not arm itself again */
    spin_unlock(&t->lock);
    (void)timer_cancel(&t->timer);
    kfree(t);
}

static void timerfd_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[timerfd]");
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .close = timerfd_close,
    .print_name = timerfd_print_name,
};

/* --- calls ------------------------------------------------------------------------------------ */

static int check_clock(struct task *task, uint32_t clock)
{
    bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
    if (!alarm && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    return alarm && !cred_capable(&task->guest->cred, CAP_WAKE_ALARM) ? -EPERM : 0;
}

int64_t sys_timerfd_create(struct task *task, const uint64_t *a)
{
    uint32_t clock = (uint32_t)a[0], flags = (uint32_t)a[1];
    int err = flags & ~(O_NONBLOCK | O_CLOEXEC) ? -EINVAL : check_clock(task, clock);
    if (err)
        return err;
    struct timerfd *t = kzalloc(sizeof(*t), GFP_KERNEL);
    struct file *f = t ? file_alloc(&timerfd_ops, 0600) : NULL;
    if (!f) {
        kfree(t);
        return -ENOMEM;
    }
    spin_init(&t->lock, "timerfd", RANK_FILE);
    timer_init(&t->timer, timer_is_up);
    wait_queue_init(&t->up);
    INIT_LIST_HEAD(&t->list);
    t->realtime = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    if (t->realtime) {
        spin_lock(&timerfds_lock);
        list_add_tail(&t->list, &timerfds);
        spin_unlock(&timerfds_lock);
    }
    f->private = t;
    f->flags = O_RDWR | (flags & O_NONBLOCK);
    int64_t fd = file_install(task->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* The timer behind a number; *f is to be put. NULL with *err. */
static struct timerfd *timerfd_of(struct task *task, uint64_t fd, struct file **f, int64_t *err)
{
    *f = file_get(task->guest->files, (uint32_t)fd);
    *err = *f ? -EINVAL : -EBADF;
    if (!*f || (*f)->ops == &timerfd_ops)
        return *f ? (*f)->private : NULL;
    file_put(*f);
    return NULL;
}

int64_t sys_timerfd_settime(struct task *task, const uint64_t *a)
{
    struct timer_setting to, old;
    struct file *f;
    int64_t err = timer_setting_take(&to, a[2], NSEC_PER_SEC);
    if (err)
        return err;
    if ((uint32_t)a[1] & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    struct timerfd *t = timerfd_of(task, a[0], &f, &err);
    if (!t)
        return err;
    set(t, &to, (uint32_t)a[1], &old);
    file_put(f);
    return a[3] ? timer_setting_put(&old, a[3], NSEC_PER_SEC) : 0;
}

int64_t sys_timerfd_gettime(struct task *task, const uint64_t *a)
{
    struct file *f;
    int64_t err;
    struct timerfd *t = timerfd_of(task, a[0], &f, &err);
    if (!t)
        return err;
    spin_lock(&t->lock);
    struct timer_setting now = look_locked(t);
    spin_unlock(&t->lock);
    file_put(f);
    return timer_setting_put(&now, a[1], NSEC_PER_SEC);
}
