/* SPDX-License-Identifier: MIT */
/*
 * sys_attr.c - changing what a file is: mode, owner, times, size.
 *
 * Locks: inode->rwsem for writing where the size changes. Linux's counterpart: fs/open.c, utimes.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "file/path.h"
#include "file/tmpfs.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscalls.h"

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

#define FALLOC_FL_KEEP_SIZE 1u
#define FALLOC_FL_PUNCH_HOLE 2u

/* The inode of an open file, referenced; NULL with *err. */
static struct inode *inode_of_fd(struct task *t, uint64_t fd, int *err)
{
    struct file *f = file_get(t->guest->files, fd);
    *err = f ? -EINVAL : -EBADF;
    struct inode *inode = f && f->inode ? inode_get(f->inode) : NULL;
    if (f)
        file_put(f);
    return inode;
}

/* Only the owner and root may. */
static int may_change(struct guest *g, const struct inode *inode)
{
    struct cred cred = guest_cred(g);
    if (inode_read_only(inode))
        return -EROFS;
    if (!tmpfs_owns(inode))
        return -EPERM;
    return cred.uid && cred.uid != inode->uid ? -EPERM : 0;
}

/* --- mode and owner --------------------------------------------------------------------------- */

static int64_t change_mode(struct task *t, struct inode *inode, uint32_t mode, int err)
{
    if (!inode)
        return err;
    err = inode_is(inode, S_IFLNK) ? -EOPNOTSUPP : may_change(t->guest, inode);
    if (!err) {
        store_relaxed(&inode->mode, (inode->mode & S_IFMT) | (mode & 07777u));
        inode->ctime = inode_now();
    }
    inode_put(inode);
    return err;
}

int64_t sys_fchmodat(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *inode = path_arg_file(t, a[0], a[1], 0, &err);
    return change_mode(t, inode, (uint32_t)a[2], err);
}

int64_t sys_fchmodat2(struct task *t, const uint64_t *a)
{
    int err;
    if (a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    struct inode *inode = path_arg_file(t, a[0], a[1], a[3], &err);
    return change_mode(t, inode, (uint32_t)a[2], err);
}

int64_t sys_fchmod(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *inode = inode_of_fd(t, a[0], &err);
    return change_mode(t, inode, (uint32_t)a[1], err);
}

static int64_t change_owner(struct task *t, struct inode *inode, uint32_t uid, uint32_t gid,
                            int err)
{
    if (!inode)
        return err;
    struct cred cred = guest_cred(t->guest);
    err = may_change(t->guest, inode);
    if (!err && cred.uid &&
        ((uid != UINT32_MAX && uid != inode->uid) ||
         (gid != UINT32_MAX && !cred_in_group(&cred, gid) && gid != inode->gid)))
        err = -EPERM;
    if (!err) {
        inode->uid = uid == UINT32_MAX ? inode->uid : uid;
        inode->gid = gid == UINT32_MAX ? inode->gid : gid;
        if (inode_is(inode, S_IFREG)) /* who owns it now shall not lend its rights unasked */
            inode->mode &= ~(S_ISUID | (inode->mode & 010 ? S_ISGID : 0));
        inode->ctime = inode_now();
    }
    inode_put(inode);
    return err;
}

int64_t sys_fchownat(struct task *t, const uint64_t *a)
{
    int err;
    if (a[4] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    struct inode *inode = path_arg_file(t, a[0], a[1], a[4], &err);
    return change_owner(t, inode, (uint32_t)a[2], (uint32_t)a[3], err);
}

int64_t sys_fchown(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *inode = inode_of_fd(t, a[0], &err);
    return change_owner(t, inode, (uint32_t)a[1], (uint32_t)a[2], err);
}

/* --- times ------------------------------------------------------------------------------------ */

/* Two timespecs: ns each, UINT64_MAX for UTIME_OMIT. */
static int take_times(uint64_t user, uint64_t ns[2])
{
    int64_t ts[4];
    ns[0] = ns[1] = inode_now();
    if (!user)
        return 0;
    if (copy_from_user(ts, mk_vaddr(user), sizeof(ts)))
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        int64_t sec = ts[2 * i], part = ts[2 * i + 1];
        if (part == UTIME_OMIT)
            ns[i] = UINT64_MAX;
        else if (part != UTIME_NOW && (part < 0 || part >= (int64_t)NSEC_PER_SEC))
            return -EINVAL;
        else if (part != UTIME_NOW)
            ns[i] = (uint64_t)sec * NSEC_PER_SEC + (uint64_t)part;
    }
    return 0;
}

int64_t sys_utimensat(struct task *t, const uint64_t *a)
{
    uint64_t ns[2];
    int err = take_times(a[2], ns);
    if (err)
        return err;
    struct inode *inode =
        a[1] ? path_arg_file(t, a[0], a[1], a[3], &err) : inode_of_fd(t, (uint32_t)a[0], &err);
    if (!inode)
        return err;
    err = may_change(t->guest, inode);
    if (!err) {
        inode->atime = ns[0] == UINT64_MAX ? inode->atime : ns[0];
        inode->mtime = ns[1] == UINT64_MAX ? inode->mtime : ns[1];
        inode->ctime = inode_now();
    }
    inode_put(inode);
    return err;
}

/* --- size ------------------------------------------------------------------------------------- */

static int64_t set_size(struct inode *inode, uint64_t size)
{
    int err = 0;
    if ((int64_t)size < 0)
        return -EINVAL;
    if (inode_is(inode, S_IFDIR))
        return -EISDIR;
    if (!inode_is(inode, S_IFREG) || !tmpfs_owns(inode))
        return -EINVAL;
    if (inode->mapping.secret && inode_size(inode)) /* it is given its size once */
        return -EINVAL;
    if (size > inode_size(inode) && file_room(size - 1, 1) < 0)
        return -EFBIG;
    down_write(&inode->rwsem);
    if ((size < inode_size(inode) && (inode->seals & F_SEAL_SHRINK)) ||
        (size > inode_size(inode) && (inode->seals & F_SEAL_GROW)))
        err = -EPERM;
    else
        err = inode_truncate(inode, size);
    up_write(&inode->rwsem);
    return err;
}

int64_t sys_truncate(struct task *t, const uint64_t *a)
{
    int err;
    struct cred cred = guest_cred(t->guest);
    struct inode *inode = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], 0, &err);
    if (!inode)
        return err;
    int64_t result = inode_permission(inode, &cred, MAY_WRITE);
    if (!result)
        result = set_size(inode, a[1]);
    inode_put(inode);
    return result;
}

static bool is_writable(const struct file *f)
{
    return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_RDONLY;
}

int64_t sys_ftruncate(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t err = f->flags & O_PATH ? -EBADF : -EINVAL;
    if (is_writable(f) && (f->ops == &regular_file_ops || f->ops == &secret_file_ops))
        err = set_size(f->inode, a[1]);
    file_put(f);
    return err;
}

/* Make the pages that are missing, so that no write to them can find the file system full. */
static int fill_holes(struct inode *inode, uint64_t from, uint64_t to)
{
    int err = 0;
    for (uint64_t i = from >> PAGE_SHIFT; !err && i < (to + PAGE_SIZE - 1) >> PAGE_SHIFT; i++) {
        struct page *page = inode->mapping.ops->get_page(&inode->mapping, i, &err);
        if (page)
            put_page(page);
        cond_resched();
    }
    return err;
}

static int allocate(struct inode *inode, uint32_t mode, uint64_t from, uint64_t to)
{
    uint64_t size = inode_size(inode);
    int err = 0;
    if (mode & FALLOC_FL_PUNCH_HOLE)
        return inode->seals & F_SEAL_WRITE ? -EPERM
                                           : inode_punch(inode, from, MIN(to, MAX(size, from)));
    if (to > size && (inode->seals & F_SEAL_GROW))
        return -EPERM;
    if (to > size)
        store_relaxed(&inode->mapping.size, to);
    err = fill_holes(inode, from, to);
    if (to > size && (err || (mode & FALLOC_FL_KEEP_SIZE))) {
        int undone = inode_truncate(inode, size);
        err = err ? err : undone;
    }
    return err;
}

int64_t sys_fallocate(struct task *t, const uint64_t *a)
{
    uint32_t mode = (uint32_t)a[1];
    if ((int64_t)a[2] < 0 || (int64_t)a[3] <= 0)
        return -EINVAL;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
        return -EOPNOTSUPP;
    if (a[2] + a[3] > INT64_MAX)
        return -EFBIG;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    bool pipe = !f->inode || inode_is(f->inode, S_IFIFO);
    int64_t err = !is_writable(f) ? -EBADF : pipe ? -ESPIPE : -ENODEV;
    if (!is_writable(f) || f->ops != &regular_file_ops) {
        file_put(f);
        return err;
    }
    down_write(&f->inode->rwsem);
    uint64_t end = a[2] + a[3];
    bool fits =
        end <= inode_size(f->inode) || (mode & FALLOC_FL_KEEP_SIZE) || file_room(end - 1, 1) > 0;
    err = fits ? allocate(f->inode, mode, a[2], end) : -EFBIG;
    up_write(&f->inode->rwsem);
    file_put(f);
    return err;
}
