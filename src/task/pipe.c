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
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/pipe.h"
#include "task/poll.h"
#include "task/syscalls.h"

#define PIPE_SIZE (PIPE_PAGES * PAGE_SIZE)
#define PIPE_BUF PAGE_SIZE
#define FIONREAD 0x541bu

static struct pipe *pipe_of(const struct file *f)
{
    return f->private;
}

struct pipe *pipe_create(void)
{
    static uint64_t next = 1;
    struct pipe *p = kzalloc(sizeof(*p), GFP_KERNEL);
    if (!p)
        return NULL;
    mutex_init(&p->mutex);
    wait_queue_init(&p->can_read);
    wait_queue_init(&p->can_write);
    p->number = fetch_add_relaxed(&next, 1);
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

static int64_t put_bytes(struct pipe *p, vaddr_t buf, size_t n)
{
    size_t done = 0, len;
    int64_t err = 0;
    n = MIN(n, PIPE_SIZE - bytes_in(p));
    while (done < n) {
        char *at = place(p, p->head, true, &len);
        len = MIN(len, n - done);
        err = !at ? -ENOMEM : copy_from_user(at, mk_vaddr(buf.v + done), len) ? -EFAULT : 0;
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

/* Is there room for what must go in at once? */
static bool has_room(const struct pipe *p, size_t n)
{
    return PIPE_SIZE - bytes_in(p) >= (n <= PIPE_BUF ? n : 1);
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
            put = put_bytes(p, mk_vaddr(buf.v + done), n - done);
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
    struct inode *fifo = f->inode;
    if (!p)
        return; /* a FIFO that could not be opened */
    mutex_lock(&p->mutex);
    p->readers -= reads(f);
    p->writers -= writes(f);
    mutex_unlock(&p->mutex);
    wake_up_all(&p->can_read);
    wake_up_all(&p->can_write);
    if (fifo)
        down_write(&fifo->rwsem);
    bool last = fetch_sub(&p->users, 1) == 1;
    if (last && fifo)
        fifo->private = NULL;
    if (fifo)
        up_write(&fifo->rwsem);
    if (last)
        pipe_destroy(p);
}

static void pipe_print_name(const struct file *f, struct sink *out)
{
    print(out, "pipe:[%lu]", pipe_of(f)->number);
}

const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .open = fifo_open,
    .close = pipe_close,
    .print_name = pipe_print_name,
};

int64_t pipe_size(const struct file *f)
{
    return f->ops == &pipe_ops ? (int64_t)PIPE_SIZE : -EBADF;
}

/* --- pipe2 ------------------------------------------------------------------------------------ */

static struct file *open_end(struct pipe *p, uint32_t flags)
{
    struct file *f = file_alloc(&pipe_ops, S_IFIFO | 0600);
    if (!f)
        return NULL;
    f->flags = flags;
    pipe_add_ends(p, f);
    return f;
}

static void close_again(struct file_table *files, int64_t fd)
{
    int err = file_close(files, (uint64_t)fd); /* another thread may have been faster */
    (void)err;
}

/* Both ends into the table, or none. */
static int64_t install(struct task *t, struct file *ends[2], uint64_t flags, int32_t fds[2])
{
    struct file_table *files = t->guest->files;
    int64_t in = file_install(files, ends[0], 0, flags & O_CLOEXEC);
    int64_t out = in < 0 ? in : file_install(files, ends[1], 0, flags & O_CLOEXEC);
    if (in < 0)
        file_put(ends[0]);
    if (out < 0)
        file_put(ends[1]);
    if (in >= 0 && out < 0)
        close_again(files, in);
    fds[0] = (int32_t)in;
    fds[1] = (int32_t)out;
    return out < 0 ? out : 0;
}

int64_t sys_pipe2(struct task *t, const uint64_t *a)
{
    int32_t fds[2];
    if (a[1] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | 040000u /* O_DIRECT */))
        return -EINVAL;
    struct pipe *p = pipe_create();
    if (!p)
        return -ENOMEM;
    struct file *ends[2] = {open_end(p, O_RDONLY | (a[1] & O_NONBLOCK)),
                            open_end(p, O_WRONLY | (a[1] & O_NONBLOCK))};
    if (!ends[0] || !ends[1]) {
        for (int i = 0; i < 2; i++) {
            if (ends[i])
                file_put(ends[i]);
        }
        if (!ends[0] && !ends[1])
            pipe_destroy(p);
        return -ENOMEM;
    }
    int64_t err = install(t, ends, a[1], fds);
    if (!err && copy_to_user(mk_vaddr(a[0]), fds, sizeof(fds))) {
        close_again(t->guest->files, fds[0]);
        close_again(t->guest->files, fds[1]);
        err = -EFAULT;
    }
    return err;
}
