/* SPDX-License-Identifier: MIT */
/*
 * file_dir.c - a directory as an open file: getdents64.
 *
 *      position   0 "."   1 ".."   2 and up: the directory's own, plus 2
 *
 * Entries are put together in a buffer of the monitor's while the names are locked, and go to the
 * guest afterwards, as its memory may fault.
 *
 * Locks: namespace_lock for reading. Linux's counterpart: fs/readdir.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/path.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscalls.h"

#define BUFFER KIB(4)

/* struct linux_dirent64, its name behind it. */
struct dirent_abi {
    uint64_t ino;
    int64_t next;
    uint16_t reclen;
    uint8_t type;
    char name[];
} __attribute__((packed));

struct dents {
    char *buf;
    size_t size, used;
    uint64_t pos;  /* where to go on */
    bool too_long; /* the first entry did not fit */
};

static bool put_dent(void *arg, const char *name, size_t n, uint64_t ino, uint32_t mode,
                     uint64_t next)
{
    struct dents *d = arg;
    size_t len = ALIGN_UP(offsetof(struct dirent_abi, name) + n + 1, 8);
    if (len > d->size - d->used) {
        d->too_long = !d->used;
        return false;
    }
    struct dirent_abi *e = (void *)(d->buf + d->used);
    memset(e, 0, len);
    e->ino = ino;
    e->next = (int64_t)next + 2;
    e->reclen = (uint16_t)len;
    e->type = (uint8_t)((mode & S_IFMT) >> 12);
    memcpy(e->name, name, n);
    d->used += len;
    d->pos = next + 2;
    return true;
}

/* "." and "..": their `next` is that of the position behind them, less the 2 that is added. */
static bool put_dots(struct dents *d, const struct path_base *base, struct inode *dir)
{
    if (d->pos == 0 && !put_dent(d, ".", 1, dir->ino, S_IFDIR, 1 - 2UL))
        return false;
    if (d->pos != 1)
        return true;
    struct inode *up = path_up(base, dir);
    uint64_t ino = up->ino;
    inode_put(up);
    return put_dent(d, "..", 2, ino, S_IFDIR, 0);
}

static int64_t list(struct guest *g, struct file *f, struct dents *d)
{
    struct path_hold hold;
    int err = 0;
    path_hold(g, &hold);
    d->pos = f->pos;
    down_read(&namespace_lock);
    if (put_dots(d, &hold.base, f->inode))
        err = f->inode->ops->list(f->inode, d->pos - 2, put_dent, d);
    up_read(&namespace_lock);
    path_release(&hold);
    if (err)
        return err;
    return d->too_long ? -EINVAL : (int64_t)d->used;
}

int64_t sys_getdents64(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    int64_t n = -ENOTDIR;
    if (!f)
        return -EBADF;
    struct dents d = {.size = MIN(a[2] & UINT32_MAX, BUFFER)};
    if (f->inode && inode_is(f->inode, S_IFDIR)) {
        d.buf = kmalloc(BUFFER, GFP_KERNEL);
        n = d.buf ? list(t->guest, f, &d) : -ENOMEM;
        if (n > 0 && copy_to_user(mk_vaddr(a[1]), d.buf, (size_t)n))
            n = -EFAULT;
        if (n > 0)
            f->pos = d.pos;
        kfree(d.buf);
    }
    file_put(f);
    return n;
}

static int64_t dir_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return -EISDIR;
}

static int64_t dir_seek(struct file *f, int64_t offset, uint32_t whence)
{
    return file_seek(f, offset, whence, 0);
}

const struct file_ops dir_file_ops = {.read = dir_read, .seek = dir_seek};
