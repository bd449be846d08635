/* SPDX-License-Identifier: MIT */
/*
 * sys_lock.c - flock, and the commands of fcntl that lock bytes of a file.
 *
 * Linux's counterpart: the SYSCALL_DEFINEs and fcntl_*lk() of fs/locks.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/file_lock.h"
#include "task/guest.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

#define END_OF_FILE ((uint64_t)INT64_MAX) /* a lock that grows with the file */

/* --- flock ------------------------------------------------------------------------------------ */

int64_t sys_flock(struct task *t, const uint64_t *a)
{
    uint64_t op = (uint32_t)a[1] & ~(uint32_t)LOCK_NB;
    if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    struct file_lock want = {
        .end = END_OF_FILE,
        .owner = f,
        .pid = (int32_t)t->guest->pid,
        .kind = LOCK_FLOCK,
        .type = op == LOCK_SH   ? F_RDLCK
                : op == LOCK_EX ? F_WRLCK
                                : F_UNLCK,
    };
    int err = f->inode && !(f->flags & O_PATH) ? 0 : -EBADF;
    if (!err)
        err = file_lock_set(f, &want, !(a[1] & LOCK_NB));
    file_put(f);
    return err == -EINTR ? -ERESTARTSYS : err;
}

/* --- fcntl ------------------------------------------------------------------------------------ */

struct flock_abi {
    int16_t type, whence;
    int64_t start, len;
    int32_t pid;
};

/* The bytes that it means: from..to, both inside. */
static int range_of(const struct file *f, const struct flock_abi *user, struct file_lock *l)
{
    int64_t start = 0, end;
    if (user->whence == SEEK_CUR)
        start = (int64_t)f->pos;
    else if (user->whence == SEEK_END)
        start = (int64_t)inode_size(f->inode);
    else if (user->whence != SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(start, user->start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    end = INT64_MAX;
    if (user->len > 0 && __builtin_add_overflow(start, user->len - 1, &end))
        return -EOVERFLOW;
    if (user->len < 0) {
        end = start - 1;
        start += user->len;
        if (start < 0)
            return -EINVAL;
    }
    l->start = (uint64_t)start;
    l->end = (uint64_t)end;
    return 0;
}

static int take_lock(struct task *t, struct file *f, uint64_t arg, bool ofd, struct file_lock *l)
{
    struct flock_abi user;
    if (copy_from_user(&user, mk_vaddr(arg), sizeof(user)))
        return -EFAULT;
    if (!f->inode || user.type < F_RDLCK || user.type > F_UNLCK)
        return -EINVAL;
    if (ofd && user.pid)
        return -EINVAL;
    *l = (struct file_lock){
        .owner = ofd ? (const void *)f : t->guest->files,
        .pid = ofd ? -1 : (int32_t)t->guest->pid,
        .kind = ofd ? LOCK_OFD : LOCK_POSIX,
        .type = (uint8_t)user.type,
    };
    return range_of(f, &user, l);
}

/* Another thread may have closed the file meanwhile, and its locks went before ours came. */
static void drop_if_closed(struct task *t, struct file *f, uint64_t fd)
{
    struct file *now = file_get(t->guest->files, fd);
    if (now != f)
        file_lock_drop(f, LOCK_POSIX, t->guest->files);
    if (now)
        file_put(now);
}

int64_t fcntl_set_lock(struct task *t, struct file *f, const uint64_t *a, bool ofd, bool wait)
{
    struct file_lock want;
    uint32_t access = f->flags & O_ACCMODE;
    int err = f->flags & O_PATH ? -EBADF : take_lock(t, f, a[2], ofd, &want);
    if (err)
        return err;
    if ((want.type == F_RDLCK && access == O_WRONLY) ||
        (want.type == F_WRLCK && access == O_RDONLY))
        return -EBADF;
    err = file_lock_set(f, &want, wait);
    if (!err && !ofd)
        drop_if_closed(t, f, a[0]);
    return err == -EINTR ? -ERESTARTSYS : err;
}

int64_t fcntl_get_lock(struct task *t, struct file *f, uint64_t arg, bool ofd)
{
    struct flock_abi user;
    struct file_lock l;
    int err = f->flags & O_PATH ? -EBADF : take_lock(t, f, arg, ofd, &l);
    if (err)
        return err;
    if (l.type == F_UNLCK)
        return -EINVAL;
    if (copy_from_user(&user, mk_vaddr(arg), sizeof(user)))
        return -EFAULT;
    if (file_lock_find(f, &l)) {
        user = (struct flock_abi){
            .type = l.type,
            .whence = SEEK_SET,
            .start = (int64_t)l.start,
            .len = l.end == END_OF_FILE ? 0 : (int64_t)(l.end - l.start + 1),
            .pid = l.pid,
        };
    } else {
        user.type = F_UNLCK;
    }
    return copy_to_user(mk_vaddr(arg), &user, sizeof(user)) ? -EFAULT : 0;
}
