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

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC 1

#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

enum direction { READING, WRITING };

static bool allowed(const struct file *f, enum direction dir)
{
    return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != (dir == READING ? O_WRONLY : O_RDONLY);
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

static int64_t at_position(struct task *t, const uint64_t *a, enum direction dir)
{
    uint64_t pos = a[3];
    if ((int64_t)pos < 0)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t n = f->ops->seek ? transfer(f, dir, mk_vaddr(a[1]), a[2], &pos) : -ESPIPE;
    file_put(f);
    return n;
}

int64_t sys_pread64(struct task *t, const uint64_t *a)
{
    return at_position(t, a, READING);
}

int64_t sys_pwrite64(struct task *t, const uint64_t *a)
{
    return at_position(t, a, WRITING);
}

/* An array of buffers is refused as a whole, before a byte is moved. */
static int64_t check_vector(vaddr_t array, uint64_t n)
{
    uint64_t iov[2]; /* base, length */
    if (n > IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < n; i++) {
        if (copy_from_user(iov, mk_vaddr(array.v + i * sizeof(iov)), sizeof(iov)))
            return -EFAULT;
        if ((int64_t)iov[1] < 0)
            return -EINVAL;
    }
    return 0;
}

/* The buffers of an array, one after the other; `pos` NULL: at the file's position. */
static int64_t vector(struct task *t, const uint64_t *a, enum direction dir, uint64_t *pos)
{
    int64_t done = 0, n = 0;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    if (pos && !f->ops->seek)
        n = -ESPIPE;
    if (!n)
        n = check_vector(mk_vaddr(a[1]), a[2]);
    if (!n && !pos && f->ops->vector) {
        n = allowed(f, dir) ? f->ops->vector(f, a[1], a[2], dir == WRITING) : -EBADF;
        file_put(f);
        return restartable(n);
    }
    for (uint64_t i = 0; !n && i < a[2]; i++) {
        uint64_t iov[2]; /* base, length */
        if (copy_from_user(iov, mk_vaddr(a[1] + i * sizeof(iov)), sizeof(iov)))
            n = -EFAULT;
        else
            n = transfer(f, dir, mk_vaddr(iov[0]), iov[1], pos ? pos : &f->pos);
        if (n < 0)
            break;
        done += n;
        n = (uint64_t)n == iov[1] ? 0 : 1; /* short: that is all */
    }
    file_put(f);
    return done || n >= 0 ? done : restartable(n);
}

int64_t sys_readv(struct task *t, const uint64_t *a)
{
    return vector(t, a, READING, NULL);
}

int64_t sys_writev(struct task *t, const uint64_t *a)
{
    return vector(t, a, WRITING, NULL);
}

#define RWF_HIPRI 1UL
#define RWF_DSYNC 2UL
#define RWF_SYNC 4UL
#define RWF_APPEND 16UL
#define RWF_SUPPORTED (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND)

/* Let the file's own position follow. */
static void move_to(struct task *t, uint64_t fd, uint64_t pos)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return;
    f->pos = pos;
    file_put(f);
}

static int64_t vector_at(struct task *t, const uint64_t *a, enum direction dir)
{
    uint64_t pos = a[3];
    return (int64_t)pos < 0 ? -EINVAL : vector(t, a, dir, &pos);
}

int64_t sys_preadv(struct task *t, const uint64_t *a)
{
    return vector_at(t, a, READING);
}

int64_t sys_pwritev(struct task *t, const uint64_t *a)
{
    return vector_at(t, a, WRITING);
}

/*
 * With flags; a position of -1: the file's. Those about a disk change nothing where there is none,
 * and for a wait that never comes RWF_NOWAIT is refused, as by a tmpfs on Linux.
 */
static int64_t vector2(struct task *t, const uint64_t *a, enum direction dir)
{
    uint64_t pos = POS_END;
    if (a[5] & ~RWF_SUPPORTED)
        return -EOPNOTSUPP;
    if (!(a[5] & RWF_APPEND) || dir == READING)
        return a[3] == UINT64_MAX ? vector(t, a, dir, NULL) : vector_at(t, a, dir);
    if ((int64_t)a[3] < -1)
        return -EINVAL;
    int64_t n = vector(t, a, dir, &pos);
    if (n > 0 && a[3] == UINT64_MAX)
        move_to(t, a[0], pos);
    return n;
}

int64_t sys_preadv2(struct task *t, const uint64_t *a)
{
    return vector2(t, a, READING);
}

int64_t sys_pwritev2(struct task *t, const uint64_t *a)
{
    return vector2(t, a, WRITING);
}

int64_t sys_close(struct task *t, const uint64_t *a)
{
    return file_close(t->guest->files, a[0]);
}

int64_t sys_lseek(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t pos = f->ops->seek ? f->ops->seek(f, (int64_t)a[1], (uint32_t)a[2]) : -ESPIPE;
    file_put(f);
    return pos;
}

#define FIONREAD 0x541bu
#define FIONBIO 0x5421u
#define FIONCLEX 0x5450u
#define FIOCLEX 0x5451u

/* FIONBIO: as O_NONBLOCK of fcntl. */
static int64_t set_nonblock(struct file *f, uint64_t user)
{
    uint32_t on;
    if (copy_from_user(&on, mk_vaddr(user), sizeof(on)))
        return -EFAULT;
    f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
    return 0;
}

/* What all kinds of files know, then what this kind does. */
static int64_t io_control(struct task *t, struct file *f, const uint64_t *a)
{
    if (f->flags & O_PATH)
        return -EBADF;
    switch ((uint32_t)a[1]) {
    case FIOCLEX:
    case FIONCLEX:
        file_set_close_on_exec(t->guest->files, a[0], (uint32_t)a[1] == FIOCLEX);
        return 0;
    case FIONBIO:
        return set_nonblock(f, a[2]);
    case FIONREAD:
        if (f->ops == &regular_file_ops)
            return put_user_u32((uint32_t)(inode_size(f->inode) - f->pos), mk_vaddr(a[2]));
        break;
    default:
        break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, (uint32_t)a[1], a[2]) : -ENOTTY;
}

int64_t sys_ioctl(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t result = io_control(t, f, a);
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

/* Seals are added, never taken off. */
static int64_t add_seals(struct file *f, uint32_t seals)
{
    struct inode *inode = f->inode;
    int64_t err = -EPERM;
    if (!inode || f->ops != &regular_file_ops || (seals & ~F_SEAL_ALL))
        return -EINVAL;
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    down_write(&inode->rwsem);
    if (!(inode->seals & F_SEAL_SEAL)) {
        bool mapped = (seals & F_SEAL_WRITE) && mapping_is_writable(&inode->mapping);
        err = mapped ? -EBUSY : 0;
        inode->seals |= err ? 0 : seals;
    }
    up_write(&inode->rwsem);
    return err;
}

static int64_t control(struct task *t, struct file *f, const uint64_t *a)
{
    struct file_table *files = t->guest->files;
    switch (a[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return a[2] >= file_limit() ? -EINVAL : duplicate(t, a[0], a[2], a[1] == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return file_is_close_on_exec(files, a[0]) ? FD_CLOEXEC : 0;
    case F_SETFD:
        file_set_close_on_exec(files, a[0], a[2] & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return f->flags & ~O_CLOEXEC;
    case F_SETFL:
        f->flags =
            (f->flags & ~(O_APPEND | O_NONBLOCK)) | ((uint32_t)a[2] & (O_APPEND | O_NONBLOCK));
        return 0;
    case F_ADD_SEALS:
        return add_seals(f, (uint32_t)a[2]);
    case F_GET_SEALS:
        return f->ops == &regular_file_ops ? (int64_t)f->inode->seals : -EINVAL;
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ: /* there is but one size */
        return pipe_size(f);
    case F_GETLK:
    case F_OFD_GETLK:
        return fcntl_get_lock(t, f, a[2], a[1] == F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
        return fcntl_set_lock(t, f, a, false, a[1] == F_SETLKW);
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return fcntl_set_lock(t, f, a, true, a[1] == F_OFD_SETLKW);
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
