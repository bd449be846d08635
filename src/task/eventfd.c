/* SPDX-License-Identifier: MIT */
/*
 * eventfd.c - a number that can be waited for.
 *
 *      write adds; read takes all of it (or 1, as a semaphore) and waits while it is 0
 *
 * Locks: its own spinlock; sleeping without. Linux's counterpart: fs/eventfd.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/poll.h"
#include "task/syscalls.h"

#define EFD_SEMAPHORE 1u
#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct spinlock lock;
    uint64_t count; /* (lock) */
    bool semaphore;
    struct wait_queue changed;
};

/* Take what a read gets: 0 when there is nothing. */
static uint64_t take(struct eventfd *e)
{
    spin_lock(&e->lock);
    uint64_t n = e->count && e->semaphore ? 1 : e->count;
    e->count -= n;
    spin_unlock(&e->lock);
    return n;
}

static bool add(struct eventfd *e, uint64_t n)
{
    spin_lock(&e->lock);
    bool fits = n <= COUNT_MAX - e->count;
    if (fits)
        e->count += n;
    spin_unlock(&e->lock);
    return fits;
}

static int64_t eventfd_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct eventfd *e = f->private;
    uint64_t value;
    (void)pos;
    if (n < sizeof(value))
        return -EINVAL;
    while (!(value = take(e))) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = task_wait_event(&e->changed, load_relaxed(&e->count) != 0);
        if (err)
            return err;
    }
    wake_up_all(&e->changed);
    return copy_to_user(buf, &value, sizeof(value)) ? -EFAULT : (int64_t)sizeof(value);
}

static int64_t eventfd_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct eventfd *e = f->private;
    uint64_t value;
    (void)pos;
    if (n < sizeof(value))
        return -EINVAL;
    if (copy_from_user(&value, buf, sizeof(value)))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    while (!add(e, value)) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = task_wait_event(&e->changed, value <= COUNT_MAX - load_relaxed(&e->count));
        if (err)
            return err;
    }
    wake_up_all(&e->changed);
    return sizeof(value);
}

static uint32_t eventfd_poll(struct file *f, struct poll_wait *pw)
{
    struct eventfd *e = f->private;
    poll_add(pw, &e->changed);
    uint64_t count = load_relaxed(&e->count);
    return (count ? POLLIN | POLLRDNORM : 0) | (count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_close(struct file *f)
{
    kfree(f->private);
}

static void eventfd_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[eventfd]");
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .close = eventfd_close,
    .print_name = eventfd_print_name,
};

int64_t sys_eventfd2(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[1];
    if (flags & ~(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    struct eventfd *e = kzalloc(sizeof(*e), GFP_KERNEL);
    struct file *f = e ? file_alloc(&eventfd_ops, 0600) : NULL;
    if (!f) {
        kfree(e);
        return -ENOMEM;
    }
    spin_init(&e->lock, "eventfd", RANK_FILE);
    wait_queue_init(&e->changed);
    e->count = (uint32_t)a[0];
    e->semaphore = flags & EFD_SEMAPHORE;
    f->private = e;
    f->flags = O_RDWR | (flags & O_NONBLOCK);
    int64_t fd = file_install(t->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}
