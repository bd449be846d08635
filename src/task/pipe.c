/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - bytes from one guest to another.
 *
 *      writers --> [ page | page | - | - ... 16 ] --> readers       a ring of 64 KiB
 *                    ^tail             ^head                        pages are there while used
 *
 * A write of at most PIPE_BUF bytes is never torn: it waits until all of it fits.
 *
 * Locks: pipe->mutex, held while bytes are copied, which may fault; nobody sleeps for room or for
 * bytes with it. Linux's counterpart: fs/pipe.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/pipe.h"
#include "task/poll.h"

#define PIPE_SIZE (PIPE_PAGES * PAGE_SIZE)
#define PIPE_BUF PAGE_SIZE
#define FIONREAD 0x541bu

/* Where bytes go to, or come from: memory of the guest, or of the monitor. */
struct buffer {
    vaddr_t user;
    char *own; /* if not NULL */
};

static struct pipe *pipe_of(const struct file *f)
{
    return f->private;
}

struct pipe *pipe_of_file(const struct file *f)
{
    return f->ops == &pipe_ops ? f->private : NULL;
}

struct pipe *pipe_create(void)
{
    struct pipe *p = kzalloc(sizeof(*p), GFP_KERNEL);
    if (!p)
        return NULL;
    mutex_init(&p->mutex);
    wait_queue_init(&p->can_read);
    wait_queue_init(&p->can_write);
    return p;
}

void pipe_destroy(struct pipe *p)
{
    for (unsigned i = 0; i < PIPE_PAGES; i++) {
        if (p->pages[i])
            free_pages(p->pages[i], 0);
    }
    kfree(p);
}

static bool reads(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

void pipe_add_ends(struct pipe *p, struct file *f)
{
    mutex_lock(&p->mutex);
    p->readers += reads(f);
    p->reads += reads(f);
    p->writers += writes(f);
    p->writes += writes(f);
    mutex_unlock(&p->mutex);
    fetch_add_relaxed(&p->users, 1);
    f->private = p;
    wake_up_all(&p->can_read);
    wake_up_all(&p->can_write);
}

static uint64_t bytes_in(const struct pipe *p)
{
    return load_acquire(&p->head) - load_acquire(&p->tail);
}

/* --- moving bytes ----------------------------------------------------------------------------- */

/* The place of position `at` within the ring: its page, made when `make`; and how far it goes. */
static char *place(struct pipe *p, uint64_t at, bool make, size_t *len)
{
    char **page = &p->pages[at / PAGE_SIZE % PIPE_PAGES];
    *len = PAGE_SIZE - at % PAGE_SIZE;
    if (!*page && make)
        *page = get_free_pages(GFP_KERNEL, 0);
    return *page ? *page + at % PAGE_SIZE : NULL;
}

/* Pages that hold no byte any more go; one that the head has come round to holds some again. */
static void drop_pages(struct pipe *p, uint64_t from)
{
    for (uint64_t at = ALIGN_DOWN(from, PAGE_SIZE); at < p->tail; at += PAGE_SIZE) {
        char **page = &p->pages[at / PAGE_SIZE % PIPE_PAGES];
        bool over = at + PAGE_SIZE <= p->tail && p->head <= at + PIPE_SIZE;
        if ((over || p->tail == p->head) && *page) {
            free_pages(*page, 0);
            *page = NULL;
        }
    }
}

static int64_t take_bytes(struct pipe *p, vaddr_t buf, size_t n)
{
    size_t done = 0, len;
    uint64_t from = p->tail;
    n = MIN(n, bytes_in(p));
    while (done < n) {
        const char *at = place(p, p->tail, false, &len);
        len = MIN(len, n - done);
        ASSERT(at);
        if (copy_to_user(mk_vaddr(buf.v + done), at, len))
            break;
        store_release(&p->tail, p->tail + len);
        done += len;
    }
    drop_pages(p, from);
    return done || !n ? (int64_t)done : -EFAULT;
}

/* Is there room for what must go in at once? */
static bool has_room(const struct pipe *p, size_t n)
{
    return PIPE_SIZE - bytes_in(p) >= (n <= PIPE_BUF ? n : 1);
}

static bool copy_in(char *to, const struct buffer *from, size_t at, size_t n)
{
    if (!from->own)
        return !copy_from_user(to, mk_vaddr(from->user.v + at), n);
    memcpy(to, from->own + at, n);
    return true;
}

static int64_t put_bytes(struct pipe *p, const struct buffer *from, size_t n)
{
    size_t done = 0, len;
    int64_t err = 0;
    n = MIN(n, PIPE_SIZE - bytes_in(p));
    while (done < n) {
        char *at = place(p, p->head, true, &len);
        len = MIN(len, n - done);
        err = !at ? -ENOMEM : copy_in(at, from, done, len) ? 0 : -EFAULT;
        if (err)
            break;
        store_release(&p->head, p->head + len);
        done += len;
    }
    return done ? (int64_t)done : err;
}

/* --- as a file -------------------------------------------------------------------------------- */

static int64_t pipe_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct pipe *p = pipe_of(f);
    (void)pos;
    for (;;) {
        mutex_lock(&p->mutex);
        int64_t got = n ? take_bytes(p, buf, n) : 0;
        bool closed = !p->writers;
        mutex_unlock(&p->mutex);
        if (got > 0)
            wake_up_all(&p->can_write);
        if (got || closed || !n)
            return got;
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = task_wait_event(&p->can_read, bytes_in(p) || !load_relaxed(&p->writers));
        if (err)
            return err;
    }
}

static int64_t pipe_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct pipe *p = pipe_of(f);
    size_t done = 0;
    int64_t err = 0;
    (void)pos;
    while (done < n && !err) {
        mutex_lock(&p->mutex);
        int64_t put = 0;
        if (!p->readers)
            err = -EPIPE;
        else if (has_room(p, n - done))
            put = put_bytes(p, &(struct buffer){.user = mk_vaddr(buf.v + done)}, n - done);
        mutex_unlock(&p->mutex);
        if (put > 0) {
            done += (size_t)put;
            wake_up_all(&p->can_read);
        } else if (put < 0) {
            err = put;
        } else if (!err && (f->flags & O_NONBLOCK)) {
            err = -EAGAIN;
        } else if (!err) {
            err =
                task_wait_event(&p->can_write, has_room(p, n - done) || !load_relaxed(&p->readers));
        }
    }
    if (err == -EPIPE)
        task_signal_self(SIGPIPE);
    return done ? (int64_t)done : err;
}

/* --- for those who move bytes without a guest's buffer: splice.c ------------------------------ */

int pipe_await_bytes(struct file *f, bool nonblock)
{
    struct pipe *p = pipe_of(f);
    if (!bytes_in(p) && load_relaxed(&p->writers) && (nonblock || (f->flags & O_NONBLOCK)))
        return -EAGAIN;
    int err = task_wait_event(&p->can_read, bytes_in(p) || !load_relaxed(&p->writers));
    return err ? err : bytes_in(p) != 0;
}

int pipe_await_room(struct file *f, bool nonblock)
{
    struct pipe *p = pipe_of(f);
    int err = 0;
    if (!has_room(p, 1) && (nonblock || (f->flags & O_NONBLOCK)))
        err = load_relaxed(&p->readers) ? -EAGAIN : 0;
    if (!err)
        err = task_wait_event(&p->can_write, has_room(p, 1) || !load_relaxed(&p->readers));
    if (err || load_relaxed(&p->readers))
        return err;
    task_signal_self(SIGPIPE);
    return -EPIPE;
}

size_t pipe_room(const struct pipe *p)
{
    return PIPE_SIZE - bytes_in(p);
}

int64_t pipe_put(struct pipe *p, void *from, size_t n)
{
    mutex_lock(&p->mutex);
    int64_t put = put_bytes(p, &(struct buffer){.own = from}, n);
    mutex_unlock(&p->mutex);
    if (put > 0)
        wake_up_all(&p->can_read);
    return put;
}

int64_t pipe_drain(struct pipe *p, size_t n, pipe_sink *sink, void *arg, bool keep)
{
    size_t done = 0, len;
    int64_t got = 0;
    mutex_lock(&p->mutex);
    uint64_t from = p->tail;
    n = MIN(n, bytes_in(p));
    while (done < n) {
        char *at = place(p, from + done, false, &len);
        got = sink(arg, at, MIN(len, n - done));
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    if (!keep) {
        store_release(&p->tail, from + done);
        drop_pages(p, from);
    }
    mutex_unlock(&p->mutex);
    if (done && !keep)
        wake_up_all(&p->can_write);
    return done ? (int64_t)done : got;
}

static uint32_t pipe_poll(struct file *f, struct poll_wait *pw)
{
    struct pipe *p = pipe_of(f);
    uint32_t mask = 0;
    if (reads(f)) {
        poll_add(pw, &p->can_read);
        mask |= bytes_in(p) ? POLLIN | POLLRDNORM : 0;
        bool never = load_relaxed(&p->writes) == f->pos; /* a FIFO: no writer since it is open */
        mask |= load_relaxed(&p->writers) || never ? 0 : POLLHUP;
    }
    if (writes(f)) {
        poll_add(pw, &p->can_write);
        mask |= has_room(p, PIPE_BUF) ? POLLOUT | POLLWRNORM : 0;
        mask |= load_relaxed(&p->readers) ? 0 : POLLERR;
    }
    return mask;
}

static int64_t pipe_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    if (cmd != FIONREAD)
        return -ENOTTY;
    return put_user_u32((uint32_t)bytes_in(pipe_of(f)), mk_vaddr(arg));
}

static void pipe_close(struct file *f)
{
    struct pipe *p = pipe_of(f);
    if (!p)
        return; /* it could not be opened */
    mutex_lock(&p->mutex);
    p->readers -= reads(f);
    p->writers -= writes(f);
    mutex_unlock(&p->mutex);
    wake_up_all(&p->can_read);
    wake_up_all(&p->can_write);
    down_write(&f->inode->rwsem);
    bool last = fetch_sub(&p->users, 1) == 1;
    if (last)
        f->inode->private = NULL;
    up_write(&f->inode->rwsem);
    if (last)
        pipe_destroy(p);
}

const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .open = fifo_open,
    .close = pipe_close,
};

int64_t pipe_size(const struct file *f)
{
    return f->ops == &pipe_ops ? (int64_t)PIPE_SIZE : -EBADF;
}
