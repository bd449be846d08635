/* SPDX-License-Identifier: MIT */
/*
 * sys_mount.c - mounting a tmpfs, and unmounting it.
 *
 * Linux's counterpart: fs/namespace.c; the options are those of mm/shmem.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "fault/shmem.h"
#include "file/path.h"
#include "file/tmpfs.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define TYPE_MAX 32
#define OPTIONS_MAX 256
#define MS_REMOUNT 32u
#define MNT_DETACH 2u
#define MNT_FLAGS 15u

/* "size=16m,mode=..." to pages; what is not told or not understood is half of the memory. */
static uint64_t size_of(char *options)
{
    uint64_t pages = root_fs->quota->max, bytes;
    for (char *next, *word = options; word; word = next) {
        next = strchr(word, ',');
        if (next)
            *next++ = '\0';
        if (strncmp(word, "size=", 5) || parse_size(word + 5, &bytes))
            continue;
        pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    }
    return pages;
}

static int64_t mount_tmpfs(struct task *t, uint64_t path, uint64_t options_user)
{
    char options[OPTIONS_MAX] = "";
    int err;
    if (options_user && strncpy_from_user(options, mk_vaddr(options_user), sizeof(options)) < 0)
        return -EFAULT;
    struct inode *dir = path_arg_file(t, (uint64_t)AT_FDCWD, path, 0, &err);
    if (!dir)
        return err;
    struct superblock *sb = inode_is(dir, S_IFDIR) ? tmpfs_create(size_of(options)) : NULL;
    err = !inode_is(dir, S_IFDIR) ? -ENOTDIR : sb ? 0 : -ENOMEM;
    if (!err) {
        down_write(&namespace_lock);
        err = tmpfs_owns(dir) && dir->nlink ? mount_on(sb, dir) : -EINVAL;
        up_write(&namespace_lock);
        if (err)
            inode_put(sb->root);
    }
    inode_put(dir);
    return err;
}

int64_t sys_mount(struct task *t, const uint64_t *a)
{
    char type[TYPE_MAX];
    if (!cred_capable(&t->guest->cred, CAP_SYS_ADMIN))
        return -EPERM;
    if (a[3] & MS_REMOUNT)
        return -EINVAL;
    if (!a[2])
        return -EINVAL;
    int64_t n = strncpy_from_user(type, mk_vaddr(a[2]), sizeof(type));
    if (n < 0)
        return n == -ENAMETOOLONG ? -ENODEV : n;
    if (strcmp(type, "tmpfs") && strcmp(type, "ramfs"))
        return -ENODEV;
    return mount_tmpfs(t, a[1], a[4]);
}

int64_t sys_umount2(struct task *t, const uint64_t *a)
{
    int err;
    if (a[1] & ~(uint64_t)MNT_FLAGS)
        return -EINVAL;
    if (!cred_capable(&t->guest->cred, CAP_SYS_ADMIN))
        return -EPERM;
    struct inode *root = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], 0, &err);
    if (!root)
        return err;
    down_write(&namespace_lock);
    err = tmpfs_owns(root) ? unmount(root, a[1] & MNT_DETACH) : -EINVAL;
    up_write(&namespace_lock);
    inode_put(root);
    return err;
}
