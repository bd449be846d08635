/* SPDX-License-Identifier: MIT */
/*
 * sys_open.c - opening files, and making them with O_CREAT.
 *
 *      path --> inode --> which kind?  regular   file_regular.c     directory  file_dir.c
 *                                      a view    file_view.c        terminal   file_tty.c
 *                                      a device  file_device.c      FIFO       fifo.c
 *
 * Locks: namespace_lock, for writing when a file may be made.
 * Linux's counterpart: fs/open.c, do_last() in fs/namei.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "file/tmpfs.h"
#include "file/viewfs.h"
#include "kern/serial.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscall.h"
#include "task/pipe.h"
#include "task/syscalls.h"

#define LINKS_MAX 8
#define O_KNOWN 037777703u /* all that open() has a meaning for */
#define RESOLVE_KNOWN 0x3fu

struct open_how {
    uint64_t flags, mode, resolve;
};

/* --- a file that was found -------------------------------------------------------------------- */

static const struct file_ops *device_ops(const struct inode *inode)
{
    if (inode->rdev == DEV_TTY || inode->rdev == DEV_CONSOLE)
        return tty_file_ops(false);
    return device_file_ops(inode->rdev);
}

static const struct file_ops *ops_of(const struct inode *inode, int *err)
{
    const struct file_ops *ops = NULL;
    *err = -ENXIO;
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        ops = viewfs_owns(inode)      ? view_file_ops(inode)
              : inode->mapping.secret ? &secret_file_ops
                                      : &regular_file_ops;
        *err = -ESRCH;
        break;
    case S_IFDIR:
        ops = &dir_file_ops;
        break;
    case S_IFCHR:
        ops = device_ops(inode);
        break;
    case S_IFIFO:
        ops = &pipe_ops;
        break;
    default:
        break;
    }
    if (ops)
        *err = 0;
    return ops;
}

/* May it be opened that way? */
static int may_open(struct guest *g, const struct inode *inode, uint32_t flags, bool made)
{
    uint32_t access = flags & O_ACCMODE, wanted = 0;
    struct cred cred = guest_cred(g);
    if (inode_is(inode, S_IFLNK))
        return -ELOOP;
    if ((flags & O_DIRECTORY) && !inode_is(inode, S_IFDIR))
        return -ENOTDIR;
    if (inode_is(inode, S_IFDIR) && (access != O_RDONLY || (flags & O_TRUNC)))
        return -EISDIR;
    if (access != O_WRONLY)
        wanted |= MAY_READ;
    if (access != O_RDONLY || (flags & O_TRUNC))
        wanted |= MAY_WRITE;
    return made ? 0 : inode_permission(inode, &cred, wanted);
}

static const struct file_ops path_only_ops; /* O_PATH: nothing can be done with its bytes */

static int truncate(struct inode *inode, uint32_t flags)
{
    if (!(flags & O_TRUNC) || !inode_is(inode, S_IFREG) || !tmpfs_owns(inode))
        return 0;
    down_write(&inode->rwsem);
    int err = inode_truncate(inode, 0);
    up_write(&inode->rwsem);
    return err;
}

struct file *file_open_inode(struct guest *g, struct inode *inode, uint32_t flags, bool made,
                             int *err)
{
    const struct file_ops *ops = &path_only_ops;
    *err = 0;
    if (flags & O_PATH) {
        if ((flags & O_DIRECTORY) && !inode_is(inode, S_IFDIR))
            *err = -ENOTDIR;
    } else {
        *err = may_open(g, inode, flags, made);
        if (!*err)
            ops = ops_of(inode, err);
        if (!*err)
            *err = truncate(inode, flags);
    }
    struct file *f = *err ? NULL : file_alloc(ops, inode->mode);
    if (!f) {
        *err = *err ? *err : -ENOMEM;
        return NULL;
    }
    f->inode = inode_get(inode);
    fetch_add_relaxed(&inode->sb->users, 1);
    f->out = g->out ? g->out : serial_sink();
    f->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
    *err = ops->open ? ops->open(f) : 0;
    if (*err) {
        file_put(f);
        return NULL;
    }
    return f;
}

/* --- a file that may have to be made ---------------------------------------------------------- */

static struct inode *make(const struct path_hold *hold, const struct path_parent *at, uint32_t mode,
                          int *err)
{
    struct tmpfs_new what = {.mode = S_IFREG | mode, .cred = &hold->cred};
    struct inode *inode = NULL;
    *err = inode_permission(at->dir, &hold->cred, MAY_WRITE | MAY_EXEC);
    if (!*err && at->slash)
        *err = -EISDIR;
    if (!*err && !tmpfs_owns(at->dir))
        *err = -EACCES;
    if (!*err)
        *err = tmpfs_make(at->dir, at->name, at->len, &what, &inode);
    return inode;
}

/* A link to a file that is not there yet: go on at its text. */
static int follow(struct path_hold *hold, struct path_parent *at, struct inode *link, char *path)
{
    pagoda_ssize_t n = link->ops->readlink(link, path, PATH_MAX - 1);
    inode_put(hold->base.cwd);
    hold->base.cwd = inode_get(at->dir);
    if (n >= 0)
        path[n] = '\0';
    return n < 0 ? (int)n : 0;
}

/* One try: the file, or NULL with *err; -EAGAIN: the path has become that of a link's text. */
static struct inode *find_or_make(struct path_arg *p, uint32_t flags, uint32_t mode, bool *made,
                                  int *err)
{
    struct path_parent at;
    *err = path_parent(&p->hold.base, p->path, &at);
    if (*err)
        return *err == -EBUSY ? (*err = -EISDIR, NULL) : NULL;
    bool dots = at.name[0] == '.' && (at.len == 1 || (at.len == 2 && at.name[1] == '.'));
    struct inode *inode = dots ? NULL : at.dir->ops->lookup(at.dir, at.name, at.len, err);
    if (dots) {
        *err = flags & O_EXCL ? -EEXIST : -EISDIR;
    } else if (!inode && *err == -ENOENT) {
        inode = make(&p->hold, &at, mode, err);
        *made = inode != NULL;
    } else if (inode && (flags & O_EXCL)) {
        *err = -EEXIST;
    } else if (inode && inode_is(inode, S_IFLNK) && !(flags & O_NOFOLLOW)) {
        inode_put(inode);
        inode = path_walk(&p->hold.base, p->path, PATH_FOLLOW, err);
        if (!inode && *err == -ENOENT) {
            struct inode *link = at.dir->ops->lookup(at.dir, at.name, at.len, err);
            *err = link ? follow(&p->hold, &at, link, p->path) : *err;
            inode_put(link);
            *err = *err ? *err : -EAGAIN;
        }
    }
    inode_put(at.dir);
    if (*err && inode) {
        inode_put(inode);
        return NULL;
    }
    return inode;
}

static struct inode *open_creating(struct path_arg *p, uint32_t flags, uint32_t mode, bool *made,
                                   int *err)
{
    struct inode *inode = NULL;
    *err = -EAGAIN;
    down_write(&namespace_lock);
    for (unsigned i = 0; *err == -EAGAIN && i < LINKS_MAX; i++)
        inode = find_or_make(p, flags, mode, made, err);
    up_write(&namespace_lock);
    if (*err == -EAGAIN)
        *err = -ELOOP;
    return inode;
}

/* O_TMPFILE: a file without a name, in the file system of a directory. */
static struct inode *open_unnamed(struct path_arg *p, uint32_t flags, uint32_t mode, int *err)
{
    struct tmpfs_new what = {.mode = S_IFREG | mode, .cred = &p->hold.cred};
    struct inode *dir = path_arg_inode(p, PATH_FOLLOW, err), *inode = NULL;
    if (!dir)
        return NULL;
    if ((flags & O_ACCMODE) == O_RDONLY)
        *err = -EINVAL;
    else if (!inode_is(dir, S_IFDIR))
        *err = -ENOTDIR;
    else if (!tmpfs_owns(dir))
        *err = -EOPNOTSUPP;
    else
        inode = tmpfs_make_unnamed(dir->sb, &what);
    if (!*err && !inode)
        *err = -ENOMEM;
    inode_put(dir);
    return inode;
}

static struct file *open_path(struct guest *g, struct path_arg *p, uint32_t flags, uint32_t mode,
                              int *err)
{
    struct inode *inode;
    bool made = false;
    mode &= 07777u & ~g->umask;
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        inode = open_unnamed(p, flags, mode, err);
        made = true;
    } else if ((flags & (O_CREAT | O_PATH)) == O_CREAT) {
        if (flags & O_DIRECTORY) {
            *err = -EINVAL;
            return NULL;
        }
        inode = open_creating(p, flags, mode, &made, err);
    } else {
        inode = path_arg_inode(p, flags & O_NOFOLLOW ? PATH_NOFOLLOW : PATH_FOLLOW, err);
    }
    if (!inode)
        return NULL;
    struct file *f = file_open_inode(g, inode, flags, made, err);
    inode_put(inode);
    return f;
}

/* With RESOLVE_IN_ROOT the directory that paths begin at is their root, too. */
static void keep_within(struct path_arg *p, uint32_t resolve)
{
    p->hold.base.resolve = resolve;
    if (resolve & RESOLVE_IN_ROOT) {
        inode_put(p->hold.base.root);
        p->hold.base.root = inode_get(p->hold.base.cwd);
    }
}

static int64_t open_at(struct task *t, const uint64_t *a, const struct open_how *how)
{
    struct path_arg p;
    uint32_t flags = (uint32_t)how->flags;
    int err = path_arg_take(&p, t, a[0], a[1], how->resolve & RESOLVE_IN_ROOT ? PATH_IN_ROOT : 0);
    if (err)
        return err;
    keep_within(&p, (uint32_t)how->resolve);
    struct file *f = open_path(t->guest, &p, flags, (uint32_t)how->mode, &err);
    path_arg_drop(&p);
    if (!f)
        return err;
    int64_t fd = file_install(t->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

int64_t sys_openat(struct task *t, const uint64_t *a)
{
    struct open_how how = {.flags = (uint32_t)a[2], .mode = (uint32_t)a[3]};
    return open_at(t, a, &how);
}

/* What openat passes over in silence is an error here. */
static int check_how(const struct open_how *how)
{
    uint64_t flags = how->flags;
    bool makes = (flags & O_CREAT) || (flags & O_TMPFILE & ~O_DIRECTORY);
    if ((flags & ~(uint64_t)O_KNOWN) || (how->resolve & ~(uint64_t)RESOLVE_KNOWN))
        return -EINVAL;
    if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
        return -EINVAL;
    if (makes ? how->mode & ~07777UL : how->mode != 0)
        return -EINVAL;
    if ((flags & O_PATH) && (flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
        return -EINVAL;
    return (how->resolve & RESOLVE_CACHED) && (makes || (flags & O_TRUNC)) ? -EAGAIN : 0;
}

int64_t sys_openat2(struct task *t, const uint64_t *a)
{
    struct open_how how;
    if (a[3] < sizeof(how))
        return -EINVAL;
    if (a[3] > PAGE_SIZE)
        return -E2BIG;
    int64_t err = arg_struct(&how, sizeof(how), mk_vaddr(a[2]), a[3]);
    if (!err)
        err = check_how(&how);
    return err ? err : open_at(t, a, &how);
}
