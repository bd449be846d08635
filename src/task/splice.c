/* SPDX-License-Identifier: MIT */
/*
 * splice.c - bytes from file to file that no guest has in its hands: splice, tee, vmsplice,
 * sendfile, copy_file_range.
 *
 *      splice           file --[bounce]--> pipe        pipe ----> file        pipe ----> pipe
 *      tee              pipe ----> pipe, and they stay in the first
 *      sendfile         file --[bounce]--> file or pipe
 *      copy_file_range  file --[bounce]--> file
 *
 * Linux hands pages over where it can. Here each byte is copied, once from a pipe and twice from a
 * file, as the pages of a pipe are the pipe's own; what is saved are the copies through a guest.
 *
 * Locks: a pipe's mutex while its bytes are taken. Two pipes' only with pipes_mutex, so that two
 * guests cannot each hold the one that the other wants.
 * Linux's counterpart: fs/splice.c, do_sendfile() and vfs_copy_file_range() of fs/read_write.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/mutex.h"
#include "phys/alloc.h"
#include "task/guest.h"
#include "task/pipe.h"
#include "task/poll.h"
#include "task/syscalls.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL 15u
#define RW_MAX 0x7ffff000UL

static struct mutex pipes_mutex = MUTEX_INIT(pipes_mutex);

/* A file to move bytes from or to, and where in it. */
struct end {
    struct file *f;
    struct pipe *pipe; /* if it is one */
    uint64_t *pos;     /* of the file, or: */
    uint64_t own_pos;  /* as the guest gave it */
    uint64_t user_pos; /* address of that, or 0 */
};

static int64_t open_end(struct task *t, struct end *e, uint64_t fd, uint32_t unwanted)
{
    e->f = file_get(t->guest->files, (uint32_t)fd);
    if (!e->f)
        return -EBADF;
    e->pipe = pipe_of_file(e->f);
    e->pos = &e->f->pos;
    e->user_pos = 0;
    return (e->f->flags & O_ACCMODE) == unwanted || (e->f->flags & O_PATH) ? -EBADF : 0;
}

/* Both ends; those that were opened are to be closed in any case. */
static int64_t open_ends(struct task *t, struct end *in, struct end *out, uint64_t in_fd,
                         uint64_t out_fd)
{
    out->f = NULL;
    int64_t err = open_end(t, in, in_fd, O_WRONLY);
    return err ? err : open_end(t, out, out_fd, O_RDONLY);
}

/* At the position that the guest gives, if it does. */
static int64_t take_position(struct end *e, uint64_t user)
{
    if (!user)
        return 0;
    if (e->pipe || !e->f->ops->seek)
        return -ESPIPE;
    e->pos = &e->own_pos;
    e->user_pos = user;
    if (copy_from_user(&e->own_pos, mk_vaddr(user), sizeof(e->own_pos)))
        return -EFAULT;
    return (int64_t)e->own_pos < 0 ? -EINVAL : 0;
}

static int64_t close_ends(struct end *in, struct end *out, int64_t result)
{
    struct end *ends[2] = {in, out};
    for (int i = 0; i < 2; i++) {
        struct end *e = ends[i];
        if (!e->f)
            continue;
        if (result > 0 && e->user_pos &&
            copy_to_user(mk_vaddr(e->user_pos), &e->own_pos, sizeof(e->own_pos)))
            result = -EFAULT;
        file_put(e->f);
    }
    return result;
}

/* --- moving ----------------------------------------------------------------------------------- */

static int64_t into_file(void *arg, void *bytes, size_t n)
{
    struct end *out = arg;
    return out->f->ops->splice_write(out->f, bytes, n, out->pos);
}

static int64_t into_pipe(void *arg, void *bytes, size_t n)
{
    return pipe_put(arg, bytes, n);
}

static int64_t pipe_to_file(struct end *in, struct end *out, size_t n, bool nonblock)
{
    if (!out->f->ops->splice_write || (out->f->flags & O_APPEND))
        return -EINVAL;
    int ready = pipe_await_bytes(in->f, nonblock);
    return ready <= 0 ? ready : pipe_drain(in->pipe, n, into_file, out, false);
}

static int64_t pipe_to_pipe(struct end *in, struct end *out, size_t n, bool nonblock, bool keep)
{
    for (;;) {
        int ready = pipe_await_bytes(in->f, nonblock);
        if (ready <= 0)
            return ready;
        ready = pipe_await_room(out->f, nonblock);
        if (ready)
            return ready;
        mutex_lock(&pipes_mutex);
        int64_t moved = pipe_drain(in->pipe, n, into_pipe, out->pipe, keep);
        mutex_unlock(&pipes_mutex);
        if (moved)
            return moved;
    }
}

/* What fits into the pipe; it waits only for the first byte's room. */
static int64_t file_to_pipe(struct end *in, struct end *out, size_t n, bool nonblock, char *bounce)
{
    size_t done = 0;
    int64_t got = pipe_await_room(out->f, nonblock);
    while (!got && done < n) {
        size_t part = MIN(MIN(n - done, PAGE_SIZE), pipe_room(out->pipe));
        got = part ? in->f->ops->splice_read(in->f, bounce, part, in->pos) : 0;
        if (got <= 0)
            break;
        int64_t put = pipe_put(out->pipe, bounce, (size_t)got);
        *in->pos -= (uint64_t)(got - MAX(put, 0L));
        done += (size_t)MAX(put, 0L);
        got = put <= 0 ? put : 0;
    }
    return done ? (int64_t)done : got;
}

/* All of n bytes, or what there was before something was in the way. */
static int64_t file_to_file(struct end *in, struct end *out, size_t n, char *bounce)
{
    size_t done = 0;
    int64_t put = 0;
    while (done < n && !kill_pending()) {
        int64_t got = in->f->ops->splice_read(in->f, bounce, MIN(n - done, PAGE_SIZE), in->pos);
        put = got > 0 ? out->f->ops->splice_write(out->f, bounce, (size_t)got, out->pos) : got;
        if (got > 0 && put < got)
            *in->pos -= (uint64_t)(got - MAX(put, 0L));
        done += (size_t)MAX(put, 0L);
        if (put <= 0 || put < got)
            break;
        cond_resched();
    }
    return done ? (int64_t)done : put;
}

/* --- splice, tee, vmsplice -------------------------------------------------------------------- */

static int64_t move(struct end *in, struct end *out, size_t n, bool nonblock)
{
    if (in->pipe && out->pipe)
        return in->pipe == out->pipe ? -EINVAL : pipe_to_pipe(in, out, n, nonblock, false);
    if (in->pipe)
        return pipe_to_file(in, out, n, nonblock);
    if (!out->pipe || !in->f->ops->splice_read)
        return -EINVAL;
    char *bounce = get_free_pages(GFP_KERNEL, 0);
    if (!bounce)
        return -ENOMEM;
    int64_t moved = file_to_pipe(in, out, n, nonblock, bounce);
    free_pages(bounce, 0);
    return moved;
}

int64_t sys_splice(struct task *t, const uint64_t *a)
{
    struct end in, out;
    if (!a[4])
        return 0;
    if (a[5] & ~(uint64_t)SPLICE_F_ALL)
        return -EINVAL;
    int64_t moved = open_ends(t, &in, &out, a[0], a[2]);
    if (!moved)
        moved = take_position(&in, a[1]);
    if (!moved)
        moved = take_position(&out, a[3]);
    if (!moved)
        moved = move(&in, &out, MIN(a[4], RW_MAX), a[5] & SPLICE_F_NONBLOCK);
    return close_ends(&in, &out, moved);
}

int64_t sys_tee(struct task *t, const uint64_t *a)
{
    struct end in, out;
    if (a[3] & ~(uint64_t)SPLICE_F_ALL)
        return -EINVAL;
    if (!a[2])
        return 0;
    int64_t moved = open_ends(t, &in, &out, a[0], a[1]);
    if (!moved && (!in.pipe || !out.pipe || in.pipe == out.pipe))
        moved = -EINVAL;
    if (!moved)
        moved = pipe_to_pipe(&in, &out, a[2], a[3] & SPLICE_F_NONBLOCK, true);
    return close_ends(&in, &out, moved);
}

/* A guest's pages into a pipe or out of it: they are copied, as by writev() and readv(). */
int64_t sys_vmsplice(struct task *t, const uint64_t *a)
{
    if (a[3] & ~(uint64_t)SPLICE_F_ALL)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, (uint32_t)a[0]);
    int64_t ready = !f || !pipe_of_file(f) ? -EBADF : 0;
    bool writes = !ready && (f->flags & O_ACCMODE) != O_RDONLY;
    if (!ready && a[2] && (a[3] & SPLICE_F_NONBLOCK))
        ready = writes ? pipe_await_room(f, true) : pipe_await_bytes(f, true);
    if (f)
        file_put(f);
    if (ready < 0)
        return ready;
    return writes ? sys_writev(t, a) : sys_readv(t, a);
}

/* --- sendfile, copy_file_range ---------------------------------------------------------------- */

static int64_t send(struct end *in, struct end *out, size_t n)
{
    if (!in->f->ops->seek || !in->f->ops->splice_read || (out->f->flags & O_APPEND) ||
        !(out->pipe || out->f->ops->splice_write))
        return -EINVAL;
    char *bounce = get_free_pages(GFP_KERNEL, 0);
    if (!bounce)
        return -ENOMEM;
    int64_t sent =
        out->pipe ? file_to_pipe(in, out, n, false, bounce) : file_to_file(in, out, n, bounce);
    free_pages(bounce, 0);
    return sent;
}

int64_t sys_sendfile(struct task *t, const uint64_t *a)
{
    struct end in, out;
    int64_t sent = open_ends(t, &in, &out, a[1], a[0]);
    if (!sent)
        sent = take_position(&in, a[2]);
    if (!sent)
        sent = send(&in, &out, MIN(a[3], RW_MAX));
    return close_ends(&in, &out, sent);
}

/* What Linux asks of two files before it copies between them. *n: how much there is to copy. */
static int64_t check_copy(const struct end *in, const struct end *out, uint64_t *n)
{
    const struct inode *from = in->f->inode, *to = out->f->inode;
    if (from && to && (inode_is(from, S_IFDIR) || inode_is(to, S_IFDIR)))
        return -EISDIR;
    if (in->f->ops != &regular_file_ops || out->f->ops != &regular_file_ops)
        return -EINVAL;
    if (out->f->flags & O_APPEND)
        return -EBADF;
    if (*in->pos + *n < *n || *out->pos + *n < *n)
        return -EOVERFLOW;
    uint64_t size = inode_size(from);
    *n = *in->pos >= size ? 0 : MIN(*n, size - *in->pos);
    bool overlap = *out->pos + *n > *in->pos && *out->pos < *in->pos + *n;
    return from == to && overlap ? -EINVAL : 0;
}

int64_t sys_copy_file_range(struct task *t, const uint64_t *a)
{
    struct end in, out;
    uint64_t n = MIN(a[4], RW_MAX);
    if (a[5])
        return -EINVAL;
    int64_t copied = open_ends(t, &in, &out, a[0], a[2]);
    if (!copied)
        copied = take_position(&in, a[1]);
    if (!copied)
        copied = take_position(&out, a[3]);
    if (!copied)
        copied = check_copy(&in, &out, &n);
    if (!copied && n)
        copied = send(&in, &out, n);
    return close_ends(&in, &out, copied);
}
