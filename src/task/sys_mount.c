/* SPDX-License-Identifier: MIT */
/*
 * sys_mount.c - mounting a tmpfs, changing what it allows, and unmounting it.
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
#define MS_RDONLY 1u
#define MS_REMOUNT 32u
#define MS_BIND 4096u
#define MS_MOVE 8192u
#define MS_PROPAGATION 0x1e0000u /* unbindable, private, slave, shared */
#define MNT_DETACH 2u
#define MNT_FLAGS 15u

/* What "size=16m,mode=700,uid=5" asks for. */
struct wishes {
    uint64_t pages, mode, uid, gid;
};

static int take_wish(char *word, struct wishes *w)
{
    char *value = strchr(word, '=');
    uint64_t bytes;
    if (value)
        *value++ = '\0';
    if (!value)
        return !*word || !strcmp(word, "inode64") || !strcmp(word, "inode32") ? 0 : -EINVAL;
    if (!strcmp(word, "size")) {
        if (parse_size(value, &bytes))
            return -EINVAL;
        w->pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
        return 0;
    }
    if (!strcmp(word, "mode"))
        return parse_u64(value, 8, &w->mode);
    if (!strcmp(word, "uid"))
        return parse_u64(value, 10, &w->uid);
    if (!strcmp(word, "gid"))
        return parse_u64(value, 10, &w->gid);
    if (!strcmp(word, "nr_blocks"))
        return parse_size(value, &w->pages);
    return !strcmp(word, "nr_inodes") ? parse_size(value, &bytes) : -EINVAL;
}

/* The options of a tmpfs. What is not told is as Linux has it: half of memory, for all to write. */
static int take_wishes(uint64_t user, struct wishes *w)
{
    char options[OPTIONS_MAX] = "";
    int err = 0;
    *w = (struct wishes){.pages = root_fs->quota->max, .mode = 01777};
    if (user && strncpy_from_user(options, mk_vaddr(user), sizeof(options)) < 0)
        return -EFAULT;
    for (char *next, *word = options; word && !err; word = next) {
        next = strchr(word, ',');
        if (next)
            *next++ = '\0';
        err = take_wish(word, w) ? -EINVAL : 0;
    }
    return err;
}

static struct superblock *make_tmpfs(const struct wishes *w)
{
    struct superblock *sb = tmpfs_create(w->pages);
    if (sb) {
        sb->root->mode = S_IFDIR | ((uint32_t)w->mode & 07777u);
        sb->root->uid = (uint32_t)w->uid;
        sb->root->gid = (uint32_t)w->gid;
    }
    return sb;
}

/* What mount's first argument says; only /proc/mounts tells it again. */
static int take_source(uint64_t user, char source[SOURCE_MAX])
{
    strlcpy(source, "none", SOURCE_MAX);
    int64_t n = user ? strncpy_from_user(source, mk_vaddr(user), SOURCE_MAX) : 0;
    source[SOURCE_MAX - 1] = '\0';
    return n == -EFAULT ? -EFAULT : 0;
}

static int mount_tmpfs(struct inode *dir, uint64_t flags, uint64_t from, uint64_t options)
{
    struct wishes w;
    char source[SOURCE_MAX];
    int err = take_source(from, source);
    if (!err)
        err = take_wishes(options, &w);
    if (err)
        return err;
    if (!inode_is(dir, S_IFDIR))
        return -ENOTDIR;
    struct superblock *sb = make_tmpfs(&w);
    if (!sb)
        return -ENOMEM;
    sb->read_only = flags & MS_RDONLY;
    strlcpy(sb->source, source, sizeof(sb->source));
    down_write(&namespace_lock);
    err = tmpfs_owns(dir) && dir->nlink ? mount_on(sb, dir) : -EINVAL;
    up_write(&namespace_lock);
    if (err)
        inode_put(sb->root);
    return err;
}

/* What is mounted there becomes read-only, or is not any more. A root alone can be meant. */
static int remount(struct inode *dir, uint64_t flags)
{
    if (dir != dir->sb->root)
        return -EINVAL;
    store_relaxed(&dir->sb->read_only, flags & MS_RDONLY);
    return 0;
}

/* The type, if it is one that can be mounted. */
static int check_type(uint64_t user)
{
    char type[TYPE_MAX];
    if (!user)
        return -EINVAL;
    int64_t n = strncpy_from_user(type, mk_vaddr(user), sizeof(type));
    if (n < 0)
        return n == -ENAMETOOLONG ? -ENODEV : (int)n;
    return strcmp(type, "tmpfs") && strcmp(type, "ramfs") ? -ENODEV : 0;
}

int64_t sys_mount(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *dir = path_arg_file(t, (uint64_t)AT_FDCWD, a[1], 0, &err);
    if (!dir)
        return err;
    if (!cred_capable(&t->guest->cred, CAP_SYS_ADMIN))
        err = -EPERM;
    else if (a[3] & MS_REMOUNT)
        err = remount(dir, a[3]);
    else if (a[3] & (MS_BIND | MS_MOVE))
        err = -EINVAL; /* each tree is at one place */
    else if (a[3] & MS_PROPAGATION)
        err = 0; /* to nobody: all guests see one tree */
    else
        err = check_type(a[2]);
    if (!err && !(a[3] & (MS_REMOUNT | MS_PROPAGATION)))
        err = mount_tmpfs(dir, a[3], a[0], a[4]);
    inode_put(dir);
    return err;
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
