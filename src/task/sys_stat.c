/* SPDX-License-Identifier: MIT */
/*
 * sys_stat.c - asking about files: stat and its kin, access, readlink, statfs.
 *
 * Linux's counterpart: fs/stat.c, fs/statfs.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/shmem.h"
#include "file/path.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define STATX_BASIC_STATS 0x7ffu
#define STATX_RESERVED 0x80000000u
#define AT_STATX_SYNC_TYPE 0x6000u

/* Linux's struct stat on riscv64. */
struct stat_abi {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    uint32_t unused_[2];
};
_Static_assert(sizeof(struct stat_abi) == 128, "Linux's struct stat on riscv64");

/* --- stat ------------------------------------------------------------------------------------- */

static void stat_of_inode(const struct inode *inode, struct stat_abi *st)
{
    *st = (struct stat_abi){
        .dev = inode->sb->dev,
        .ino = inode->ino,
        .mode = inode->mode,
        .nlink = inode->nlink,
        .uid = inode->uid,
        .gid = inode->gid,
        .rdev = inode->rdev,
        .size = (int64_t)inode_size(inode),
        .blksize = PAGE_SIZE,
        .blocks = (int64_t)(load_relaxed(&inode->mapping.pages.count) * (PAGE_SIZE / 512)),
        .atime = (int64_t)(inode->atime / NSEC_PER_SEC),
        .atime_ns = (int64_t)(inode->atime % NSEC_PER_SEC),
        .mtime = (int64_t)(inode->mtime / NSEC_PER_SEC),
        .mtime_ns = (int64_t)(inode->mtime % NSEC_PER_SEC),
        .ctime = (int64_t)(inode->ctime / NSEC_PER_SEC),
        .ctime_ns = (int64_t)(inode->ctime % NSEC_PER_SEC),
    };
}

/* What has no inode: a pipe and the like. */
static void stat_of_file(const struct file *f, struct stat_abi *st)
{
    if (f->inode)
        stat_of_inode(f->inode, st);
    else
        *st = (struct stat_abi){.dev = 0xd, .mode = f->mode, .nlink = 1, .blksize = PAGE_SIZE};
}

static int64_t stat_fd(struct task *t, uint64_t fd, struct stat_abi *st)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    stat_of_file(f, st);
    file_put(f);
    return 0;
}

int64_t sys_fstat(struct task *t, const uint64_t *a)
{
    struct stat_abi st;
    int64_t err = stat_fd(t, a[0], &st);
    if (err)
        return err;
    return copy_to_user(mk_vaddr(a[1]), &st, sizeof(st)) ? -EFAULT : 0;
}

/* By path, or with AT_EMPTY_PATH and an empty one by fd, which may be a pipe. */
static int64_t stat_at(struct task *t, uint64_t dirfd, uint64_t path, uint64_t flags,
                       struct stat_abi *st)
{
    int err;
    char first = 1;
    if ((flags & AT_EMPTY_PATH) && (int)dirfd != AT_FDCWD) {
        if (path && copy_from_user(&first, mk_vaddr(path), 1))
            return -EFAULT;
        if (!path || !first)
            return stat_fd(t, (uint32_t)dirfd, st);
    }
    struct inode *inode = path_arg_file(t, dirfd, path, flags, &err);
    if (!inode)
        return err;
    stat_of_inode(inode, st);
    inode_put(inode);
    return 0;
}

int64_t sys_newfstatat(struct task *t, const uint64_t *a)
{
    struct stat_abi st;
    if (a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x800 /* AT_NO_AUTOMOUNT */))
        return -EINVAL;
    int64_t err = stat_at(t, a[0], a[1], a[3], &st);
    if (err)
        return err;
    return copy_to_user(mk_vaddr(a[2]), &st, sizeof(st)) ? -EFAULT : 0;
}

/* struct statx: 256 bytes, times as (int64 seconds, uint32 ns, pad). */
struct statx_abi {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad1;
    uint64_t ino, size, blocks, attributes_mask;
    struct {
        int64_t sec;
        uint32_t ns, pad;
    } atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t rest[14];
};
_Static_assert(sizeof(struct statx_abi) == 256, "Linux's struct statx");

int64_t sys_statx(struct task *t, const uint64_t *a)
{
    struct stat_abi st;
    uint32_t flags = (uint32_t)a[2], mask = (uint32_t)a[3];
    if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    int64_t err = stat_at(t, a[0], a[1], flags, &st);
    if (err)
        return err;
    struct statx_abi x = {
        .mask = STATX_BASIC_STATS,
        .blksize = (uint32_t)st.blksize,
        .nlink = st.nlink,
        .uid = st.uid,
        .gid = st.gid,
        .mode = (uint16_t)st.mode,
        .ino = st.ino,
        .size = (uint64_t)st.size,
        .blocks = (uint64_t)st.blocks,
        .atime = {st.atime, (uint32_t)st.atime_ns, 0},
        .ctime = {st.ctime, (uint32_t)st.ctime_ns, 0},
        .mtime = {st.mtime, (uint32_t)st.mtime_ns, 0},
        .rdev_major = (uint32_t)st.rdev >> 8,
        .rdev_minor = st.rdev & 0xff,
        .dev_major = (uint32_t)st.dev >> 8,
        .dev_minor = st.dev & 0xff,
    };
    return copy_to_user(mk_vaddr(a[4]), &x, sizeof(x)) ? -EFAULT : 0;
}

/* --- access, readlink ------------------------------------------------------------------------- */

static int64_t access_at(struct task *t, const uint64_t *a, uint64_t flags)
{
    int err;
    struct cred cred = guest_cred(t->guest);
    if (a[2] & ~(uint64_t)(MAY_READ | MAY_WRITE | MAY_EXEC))
        return -EINVAL;
    struct inode *inode = path_arg_file(t, a[0], a[1], flags, &err);
    if (!inode)
        return err;
    err = inode_permission(inode, &cred, (uint32_t)a[2]);
    inode_put(inode);
    return err;
}

int64_t sys_faccessat(struct task *t, const uint64_t *a)
{
    return access_at(t, a, 0);
}

int64_t sys_faccessat2(struct task *t, const uint64_t *a)
{
    if (a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x200 /* AT_EACCESS */))
        return -EINVAL;
    return access_at(t, a, a[3]);
}

int64_t sys_readlinkat(struct task *t, const uint64_t *a)
{
    int err;
    pagoda_ssize_t n = -EINVAL;
    if ((int)a[3] <= 0)
        return -EINVAL;
    struct inode *link = path_arg_file(t, a[0], a[1], AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &err);
    if (!link)
        return err;
    char *text = kmalloc(PATH_MAX, GFP_KERNEL);
    if (!text)
        n = -ENOMEM;
    down_read(&namespace_lock);
    if (text && inode_is(link, S_IFLNK))
        n = link->ops->readlink(link, text, PATH_MAX);
    up_read(&namespace_lock);
    if (n > 0) {
        n = MIN(n, (pagoda_ssize_t)(int)a[3]);
        if (copy_to_user(mk_vaddr(a[2]), text, (size_t)n))
            n = -EFAULT;
    }
    kfree(text);
    inode_put(link);
    return n;
}

/* --- statfs ----------------------------------------------------------------------------------- */

struct statfs_abi {
    int64_t type, bsize;
    uint64_t blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct statfs_abi) == 120, "Linux's struct statfs");

static int64_t put_statfs(const struct superblock *sb, uint64_t to)
{
    struct statfs_abi st = {.type = sb->magic,
                            .bsize = PAGE_SIZE,
                            .namelen = NAME_MAX,
                            .frsize = PAGE_SIZE,
                            .flags = 0x20};
    if (sb->quota) {
        uint64_t used = MIN(load_relaxed(&sb->quota->used), sb->quota->max);
        st.blocks = st.files = sb->quota->max;
        st.bfree = st.bavail = st.ffree = st.blocks - used;
    }
    return copy_to_user(mk_vaddr(to), &st, sizeof(st)) ? -EFAULT : 0;
}

int64_t sys_statfs(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *inode = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], 0, &err);
    if (!inode)
        return err;
    int64_t result = put_statfs(inode->sb, a[1]);
    inode_put(inode);
    return result;
}

int64_t sys_fstatfs(struct task *t, const uint64_t *a)
{
    static const struct superblock pipes = {.type = "pipefs", .magic = 0x50495045};
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t result = put_statfs(f->inode ? f->inode->sb : &pipes, a[1]);
    file_put(f);
    return result;
}
