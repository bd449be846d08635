/* SPDX-License-Identifier: MIT */
/*
 * sys_path.c - the calls that take paths, and stat.
 *
 * There is one directory to be in: "/". Relative paths begin there.
 * Linux's counterpart: fs/open.c, fs/stat.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/archive.h"
#include "file/registry.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/syscalls.h"

#define AT_EMPTY_PATH 0x1000
#define AT_SYMLINK_NOFOLLOW 0x100

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

/* The path, made absolute, in memory of its own. NULL with *err. */
static char *take_path(vaddr_t user, int64_t *err)
{
    char *path = kmalloc(PATH_MAX + 1, GFP_KERNEL);
    *err = -ENOMEM;
    if (!path)
        return NULL;
    *err = arg_path(path + 1, user);
    if (*err < 0) {
        kfree(path);
        return NULL;
    }
    path[0] = '/';
    if (path[1] == '/')
        memmove(path, path + 1, (size_t)*err + 1);
    *err = 0;
    return path;
}

int64_t sys_openat(struct task *t, const uint64_t *a)
{
    int64_t fd;
    int err;
    char *path = take_path(mk_vaddr(a[1]), &fd);
    if (!path)
        return fd;
    struct file *f = file_open(t->guest, path, (uint32_t)a[2], &err);
    kfree(path);
    if (!f)
        return err;
    fd = file_install(t->guest->files, f, 0, a[2] & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

static void stat_of_file(const struct file *f, struct stat_abi *st)
{
    memset(st, 0, sizeof(*st));
    st->mode = f->mode;
    st->nlink = 1;
    st->blksize = PAGE_SIZE;
    if ((f->mode & S_IFMT) == S_IFCHR)
        st->rdev = 0x501; /* /dev/console */
    if (!f->inode)
        return;
    st->ino = f->inode->ino;
    st->nlink = f->inode->nlink;
    st->size = (int64_t)inode_size(f->inode);
    st->blocks = (st->size + 511) / 512;
    st->mtime = st->ctime = st->atime = (int64_t)f->inode->mtime;
}

static int64_t put_stat(const struct file *f, vaddr_t to)
{
    struct stat_abi st;
    stat_of_file(f, &st);
    return copy_to_user(to, &st, sizeof(st)) ? -EFAULT : 0;
}

static int64_t stat_fd(struct task *t, uint64_t fd, vaddr_t to)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    int64_t err = put_stat(f, to);
    file_put(f);
    return err;
}

int64_t sys_fstat(struct task *t, const uint64_t *a)
{
    return stat_fd(t, a[0], mk_vaddr(a[1]));
}

static int64_t stat_directory(vaddr_t to)
{
    struct file dir = {.mode = S_IFDIR | 0755};
    return put_stat(&dir, to);
}

int64_t sys_newfstatat(struct task *t, const uint64_t *a)
{
    int64_t err;
    int failed;
    char first;
    if (a[3] & AT_EMPTY_PATH) {
        if (copy_from_user(&first, mk_vaddr(a[1]), 1))
            return -EFAULT;
        if (!first)
            return stat_fd(t, a[0], mk_vaddr(a[2]));
    }
    char *path = take_path(mk_vaddr(a[1]), &err);
    if (!path)
        return err;
    bool dir = !strcmp(path, "/") || !strcmp(path, "/dev") || view_is_dir(path);
    struct file *f = dir ? NULL : file_open(t->guest, path, O_RDONLY, &failed);
    kfree(path);
    if (dir)
        return stat_directory(mk_vaddr(a[2]));
    if (!f)
        return failed;
    err = put_stat(f, mk_vaddr(a[2]));
    file_put(f);
    return err;
}

int64_t sys_faccessat(struct task *t, const uint64_t *a)
{
    int64_t err;
    int failed = 0;
    char *path = take_path(mk_vaddr(a[1]), &err);
    if (!path)
        return err;
    bool dir = !strcmp(path, "/") || view_is_dir(path);
    struct file *f = dir ? NULL : file_open(t->guest, path, O_RDONLY, &failed);
    if (f)
        file_put(f);
    kfree(path);
    return dir ? 0 : failed;
}

int64_t sys_readlinkat(struct task *t, const uint64_t *a)
{
    int64_t err;
    char *path = take_path(mk_vaddr(a[1]), &err);
    if (!path)
        return err;
    const struct inode *exe = t->guest->exe;
    bool self = !strcmp(path, "/proc/self/exe");
    bool there = archive_lookup(path) != NULL;
    kfree(path);
    if ((int64_t)a[3] <= 0)
        return -EINVAL;
    if (!self || !exe)
        return there ? -EINVAL : -ENOENT;
    size_t n = MIN(strlen(exe->path), a[3]);
    return copy_to_user(mk_vaddr(a[2]), exe->path, n) ? -EFAULT : (int64_t)n;
}

int64_t sys_getcwd(struct task *t, const uint64_t *a)
{
    static const char root[] = "/";
    (void)t;
    if (a[1] < sizeof(root))
        return -ERANGE;
    return copy_to_user(mk_vaddr(a[0]), root, sizeof(root)) ? -EFAULT : (int64_t)sizeof(root);
}
