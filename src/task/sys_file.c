/* SPDX-License-Identifier: MIT */
/*
 * sys_file.c - the calls on open files.
 *
 * Linux's counterpart: fs/read_write.c, fs/ioctl.c, fs/fcntl.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/files.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define IOV_MAX 1024
#define RW_MAX 0x7ffff000UL /* as Linux: a call moves at most so many bytes */

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC 1

enum direction { READING, WRITING };

static bool allowed(const struct file *f, enum direction dir)
{
    return (f->flags & O_ACCMODE) != (dir == READING ? O_WRONLY : O_RDONLY);
}

static int64_t transfer(struct file *f, enum direction dir, vaddr_t buf, uint64_t n, uint64_t *pos)
{
    if (!allowed(f, dir))
        return -EBADF;
    int64_t (*fn)(struct file *, vaddr_t, size_t, uint64_t *) =
        dir == READING ? f->ops->read : f->ops->write;
    return fn ? fn(f, buf, MIN(n, RW_MAX), pos) : -EINVAL;
}

/* A read of the terminal that a signal ended is made again after it. */
static int64_t restartable(int64_t result)
{
    return result == -EINTR ? -ERESTARTSYS : result;
}

static int64_t read_write(struct task *t, const uint64_t *a, enum direction dir)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t n = transfer(f, dir, mk_vaddr(a[1]), a[2], &f->pos);
    file_put(f);
    return restartable(n);
}

int64_t sys_read(struct task *t, const uint64_t *a)
{
    return read_write(t, a, READING);
}

int64_t sys_write(struct task *t, const uint64_t *a)
{
    return read_write(t, a, WRITING);
}

int64_t sys_pread64(struct task *t, const uint64_t *a)
{
    uint64_t pos = a[3];
    if ((int64_t)pos < 0)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t n = f->ops->seekable ? transfer(f, READING, mk_vaddr(a[1]), a[2], &pos) : -ESPIPE;
    file_put(f);
    return n;
}

static int64_t vector(struct task *t, const uint64_t *a, enum direction dir)
{
    int64_t done = 0, n = 0;
    if (a[2] > IOV_MAX)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    for (uint64_t i = 0; i < a[2]; i++) {
        uint64_t iov[2]; /* base, length */
        if (copy_from_user(iov, mk_vaddr(a[1] + i * sizeof(iov)), sizeof(iov)))
            n = -EFAULT;
        else if ((int64_t)iov[1] < 0)
            n = -EINVAL;
        else
            n = transfer(f, dir, mk_vaddr(iov[0]), iov[1], &f->pos);
        if (n < 0)
            break;
        done += n;
        if ((uint64_t)n < iov[1])
            break;
    }
    file_put(f);
    return done ? done : restartable(n);
}

int64_t sys_readv(struct task *t, const uint64_t *a)
{
    return vector(t, a, READING);
}

int64_t sys_writev(struct task *t, const uint64_t *a)
{
    return vector(t, a, WRITING);
}

int64_t sys_close(struct task *t, const uint64_t *a)
{
    return file_close(t->guest->files, a[0]);
}

static int64_t seek(struct file *f, int64_t offset, uint64_t whence)
{
    int64_t base = 0;
    if (!f->ops->seekable)
        return -ESPIPE;
    if (whence == SEEK_CUR)
        base = (int64_t)f->pos;
    else if (whence == SEEK_END)
        base = f->inode ? (int64_t)inode_size(f->inode) : (int64_t)f->text_len;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    f->pos = (uint64_t)base;
    return base;
}

int64_t sys_lseek(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t pos = seek(f, (int64_t)a[1], a[2]);
    file_put(f);
    return pos;
}

int64_t sys_ioctl(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t result = f->ops->ioctl ? f->ops->ioctl(f, (uint32_t)a[1], a[2]) : -ENOTTY;
    file_put(f);
    return result;
}

/* A second number for an open file: the reference of file_get() goes into the table. */
static int64_t duplicate(struct task *t, uint64_t fd, uint64_t from, bool cloexec)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    int64_t copy = file_install(t->guest->files, f, from, cloexec);
    if (copy < 0)
        file_put(f);
    return copy;
}

int64_t sys_dup(struct task *t, const uint64_t *a)
{
    return duplicate(t, a[0], 0, false);
}

int64_t sys_dup3(struct task *t, const uint64_t *a)
{
    if (a[0] == a[1] || (a[2] & ~(uint64_t)O_CLOEXEC))
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t fd = file_install_at(t->guest->files, f, a[1], a[2] & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

static int64_t set_cloexec(struct file_table *files, uint64_t fd, bool on)
{
    spin_lock(&files->lock);
    if (on)
        set_bit(fd, files->close_on_exec);
    else
        clear_bit(fd, files->close_on_exec);
    spin_unlock(&files->lock);
    return 0;
}

static int64_t control(struct task *t, struct file *f, const uint64_t *a)
{
    struct file_table *files = t->guest->files;
    switch (a[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return a[2] >= FILES_MAX ? -EINVAL : duplicate(t, a[0], a[2], a[1] == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return test_bit(a[0], files->close_on_exec) ? FD_CLOEXEC : 0;
    case F_SETFD:
        return set_cloexec(files, a[0], a[2] & FD_CLOEXEC);
    case F_GETFL:
        return f->flags & ~O_CLOEXEC;
    case F_SETFL:
        f->flags =
            (f->flags & ~(O_APPEND | O_NONBLOCK)) | ((uint32_t)a[2] & (O_APPEND | O_NONBLOCK));
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_fcntl(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t result = control(t, f, a);
    file_put(f);
    return result;
}
