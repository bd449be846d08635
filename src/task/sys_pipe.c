/* SPDX-License-Identifier: MIT */
/*
 * sys_pipe.c - pipe2: a FIFO without a name, with an end for each of two numbers.
 *
 * Linux's counterpart: do_pipe2() of fs/pipe.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/pipe.h"
#include "task/syscalls.h"

#define PIPEFS_MAGIC 0x50495045u

static const struct inode_ops pipefs_ops;
static struct superblock pipefs = {
    .refcount = 1, .type = "pipefs", .magic = PIPEFS_MAGIC, .dev = 0xe, .next_ino = 1};

bool pipe_has_no_name(const struct inode *fifo)
{
    return fifo->sb == &pipefs;
}

/* A FIFO without a name: /proc/PID/fd leads to it, so that it can be opened again. */
static struct inode *make_fifo(struct task *t)
{
    char name[32];
    struct inode *fifo = inode_alloc(&pipefs, &pipefs_ops, S_IFIFO | 0600);
    if (!fifo)
        return NULL;
    snprintf(name, sizeof(name), "pipe:[%lu]", fifo->ino);
    struct cred cred = guest_cred(t->guest);
    fifo->uid = cred.uid;
    fifo->gid = cred.gid;
    fifo->nlink = 1;
    fifo->text = kstrdup(name, GFP_KERNEL);
    if (!fifo->text) {
        inode_put(fifo);
        return NULL;
    }
    return fifo;
}

/* Both ends of a new pipe, opened as files of one FIFO are. 0 or -ENOMEM. */
static int open_ends(struct task *t, uint32_t flags, struct file *ends[2])
{
    int err = -ENOMEM;
    struct inode *fifo = make_fifo(t);
    if (!fifo)
        return err;
    ends[0] = file_open_inode(t->guest, fifo, O_RDONLY | flags, true, &err);
    ends[1] = ends[0] ? file_open_inode(t->guest, fifo, O_WRONLY | flags, true, &err) : NULL;
    if (ends[0] && !ends[1])
        file_put(ends[0]);
    inode_put(fifo);
    return err;
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
    struct file *ends[2] = {NULL, NULL};
    int64_t err = open_ends(t, (uint32_t)a[1] & O_NONBLOCK, ends);
    if (err)
        return err;
    err = install(t, ends, a[1], fds);
    if (!err && copy_to_user(mk_vaddr(a[0]), fds, sizeof(fds))) {
        close_again(t->guest->files, fds[0]);
        close_again(t->guest->files, fds[1]);
        err = -EFAULT;
    }
    return err;
}
