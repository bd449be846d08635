/* SPDX-License-Identifier: MIT */
/*
 * sys_names.c - the calls that make, move and remove names.
 *
 *      all of them:  lock the names for writing; walk to the directory; may we change it?
 *                    is it a place where names can be made?  then one step of file/tmpfs.c
 *
 * Locks: namespace_lock for writing. Linux's counterpart: fs/namei.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/tmpfs.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscall.h"
#include "task/syscalls.h"

/* The directory of a path, in which we may make or remove names. namespace_lock held. */
static int find_parent(struct path_arg *p, struct path_parent *at)
{
    int err = path_parent(&p->hold.base, p->path, at);
    if (!err && !tmpfs_owns(at->dir))
        err = -EPERM;
    else if (!err)
        err = inode_permission(at->dir, &p->hold.cred, MAY_WRITE | MAY_EXEC);
    if (err) {
        inode_put(at->dir);
        at->dir = NULL;
    }
    return err;
}

static bool is_dots(const struct path_parent *at)
{
    return at->name[0] == '.' && (at->len == 1 || (at->len == 2 && at->name[1] == '.'));
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_at(struct path_arg *p, struct tmpfs_new *what, struct inode **out)
{
    struct path_parent at;
    what->cred = &p->hold.cred;
    down_write(&namespace_lock);
    int err = find_parent(p, &at);
    if (err == -EBUSY)
        err = -EEXIST;
    if (!err) {
        if (is_dots(&at))
            err = -EEXIST;
        else if (at.slash && (what->mode & S_IFMT) != S_IFDIR)
            err = -ENOENT;
        else
            err = tmpfs_make(at.dir, at.name, at.len, what, out);
        inode_put(at.dir);
    }
    up_write(&namespace_lock);
    return err;
}

static int64_t make(struct task *t, uint64_t dirfd, uint64_t path, struct tmpfs_new *what)
{
    struct path_arg p;
    int err = path_arg_take(&p, t, dirfd, path, 0);
    if (err)
        return err;
    err = make_at(&p, what, NULL);
    path_arg_drop(&p);
    return err;
}

int path_make(struct task *t, const char *path, struct tmpfs_new *what, struct inode **out)
{
    struct path_arg p = {.path = kstrdup(path, GFP_KERNEL)};
    if (!p.path)
        return -ENOMEM;
    path_hold(t->guest, &p.hold);
    int err = make_at(&p, what, out);
    path_arg_drop(&p);
    return err;
}

int64_t sys_mkdirat(struct task *t, const uint64_t *a)
{
    uint32_t mode = (uint32_t)a[2] & 01777u & ~t->guest->umask;
    struct tmpfs_new what = {.mode = S_IFDIR | mode};
    return make(t, a[0], a[1], &what);
}

int64_t sys_mknodat(struct task *t, const uint64_t *a)
{
    uint32_t type = (uint32_t)a[2] & S_IFMT;
    uint32_t mode = (uint32_t)a[2] & 07777u & ~t->guest->umask;
    struct tmpfs_new what = {.mode = (type ? type : S_IFREG) | mode, .rdev = (uint32_t)a[3]};
    switch (type) {
    case 0:
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return make(t, a[0], a[1], &what);
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

int64_t sys_symlinkat(struct task *t, const uint64_t *a)
{
    char *target = kmalloc(PATH_MAX, GFP_KERNEL);
    if (!target)
        return -ENOMEM;
    int64_t err = arg_path(target, mk_vaddr(a[0]));
    if (err > 0) {
        struct tmpfs_new what = {.mode = S_IFLNK | 0777, .target = target};
        err = make(t, a[1], a[2], &what);
    }
    kfree(target);
    return err;
}

static int link_locked(struct path_arg *to, struct inode *inode)
{
    struct path_parent at;
    int err = find_parent(to, &at);
    if (err)
        return err == -EBUSY ? -EEXIST : err;
    err = is_dots(&at) ? -EEXIST : at.slash ? -ENOENT : 0;
    if (!err)
        err = tmpfs_link(inode, at.dir, at.name, at.len);
    inode_put(at.dir);
    return err;
}

int64_t sys_linkat(struct task *t, const uint64_t *a)
{
    struct path_arg to;
    int err;
    if (a[4] & ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    uint64_t flags = (a[4] & AT_EMPTY_PATH) | (a[4] & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
    struct inode *inode = path_arg_file(t, a[0], a[1], flags, &err);
    if (!inode)
        return err;
    err = path_arg_take(&to, t, a[2], a[3], 0);
    if (!err) {
        down_write(&namespace_lock);
        err = link_locked(&to, inode);
        up_write(&namespace_lock);
        path_arg_drop(&to);
    }
    inode_put(inode);
    return err;
}

/* --- removing --------------------------------------------------------------------------------- */

/* In a sticky directory only what is one's own goes. */
static int check_sticky(const struct path_parent *at, const struct cred *cred)
{
    int err = 0;
    if (!(at->dir->mode & S_ISVTX) || !cred->uid || cred->uid == at->dir->uid)
        return 0;
    struct inode *victim = at->dir->ops->lookup(at->dir, at->name, at->len, &err);
    if (!victim)
        return err;
    err = victim->uid == cred->uid ? 0 : -EPERM;
    inode_put(victim);
    return err;
}

static int unlink_locked(struct path_arg *p, bool directory)
{
    struct path_parent at;
    int err = find_parent(p, &at);
    if (err)
        return err == -EBUSY && !directory ? -EISDIR : err;
    if (is_dots(&at))
        err = !directory ? -EISDIR : at.len == 1 ? -EINVAL : -ENOTEMPTY;
    if (!err)
        err = check_sticky(&at, &p->hold.cred);
    if (!err)
        err = tmpfs_unlink(at.dir, at.name, at.len, directory);
    if (!directory && at.slash && !err)
        err = -ENOTDIR;
    inode_put(at.dir);
    return err;
}

int64_t sys_unlinkat(struct task *t, const uint64_t *a)
{
    struct path_arg p;
    if (a[2] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    int err = path_arg_take(&p, t, a[0], a[1], 0);
    if (err)
        return err;
    down_write(&namespace_lock);
    err = unlink_locked(&p, a[2] & AT_REMOVEDIR);
    up_write(&namespace_lock);
    path_arg_drop(&p);
    return err;
}

/* --- renaming --------------------------------------------------------------------------------- */

static int rename_locked(struct path_arg *from, struct path_arg *to, uint32_t flags)
{
    struct path_parent old, new = {.dir = NULL};
    int err = find_parent(from, &old);
    if (err)
        return err;
    err = find_parent(to, &new);
    if (!err && (is_dots(&old) || is_dots(&new)))
        err = -EBUSY;
    if (!err)
        err = check_sticky(&old, &from->hold.cred);
    if (!err) {
        struct tmpfs_name a = {old.dir, old.name, old.len}, b = {new.dir, new.name, new.len};
        err = tmpfs_rename(&a, &b, flags);
    }
    inode_put(old.dir);
    inode_put(new.dir);
    return err;
}

int64_t sys_renameat2(struct task *t, const uint64_t *a)
{
    struct path_arg from, to;
    uint32_t flags = (uint32_t)a[4];
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    int err = path_arg_take(&from, t, a[0], a[1], 0);
    if (err)
        return err;
    err = path_arg_take(&to, t, a[2], a[3], 0);
    if (!err) {
        down_write(&namespace_lock);
        err = rename_locked(&from, &to, flags);
        up_write(&namespace_lock);
        path_arg_drop(&to);
    }
    path_arg_drop(&from);
    return err;
}

/* --- where a guest is ------------------------------------------------------------------------- */

int64_t sys_getcwd(struct task *t, const uint64_t *a)
{
    struct path_hold hold;
    char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
    if (!buf)
        return -ENOMEM;
    path_hold(t->guest, &hold);
    down_read(&namespace_lock);
    int64_t n = hold.base.cwd->nlink ? inode_path(hold.base.cwd, buf, PATH_MAX) : -ENOENT;
    up_read(&namespace_lock);
    path_release(&hold);
    if (n >= 0 && (uint64_t)++n > a[1])
        n = -ERANGE;
    if (n >= 0 && copy_to_user(mk_vaddr(a[0]), buf, (size_t)n))
        n = -EFAULT;
    kfree(buf);
    return n;
}

/* Take over a directory as the working directory or the root. Uses up the reference. */
static int64_t enter(struct guest *g, struct inode **place, struct inode *inode)
{
    struct cred cred = guest_cred(g);
    int err = !inode_is(inode, S_IFDIR) ? -ENOTDIR : inode_permission(inode, &cred, MAY_EXEC);
    if (!err) {
        spin_lock(&g->lock);
        struct inode *old = *place;
        *place = inode;
        spin_unlock(&g->lock);
        inode = old;
    }
    inode_put(inode);
    return err;
}

int64_t sys_chdir(struct task *t, const uint64_t *a)
{
    int err;
    struct inode *inode = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], 0, &err);
    return inode ? enter(t->guest, &t->guest->cwd, inode) : err;
}

int64_t sys_chroot(struct task *t, const uint64_t *a)
{
    int err;
    struct cred cred = guest_cred(t->guest);
    if (cred.uid)
        return -EPERM;
    struct inode *inode = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], 0, &err);
    return inode ? enter(t->guest, &t->guest->root, inode) : err;
}

int64_t sys_fchdir(struct task *t, const uint64_t *a)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t err = f->inode ? enter(t->guest, &t->guest->cwd, inode_get(f->inode)) : -ENOTDIR;
    file_put(f);
    return err;
}
