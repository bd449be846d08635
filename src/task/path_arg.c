/* SPDX-License-Identifier: MIT */
/*
 * path_arg.c - fetching paths from guests.
 *
 *      dirfd, "a/b"     begins at the directory that is open there
 *      AT_FDCWD, "a"    at the working directory
 *      any, "/a"        at the guest's root
 *
 * Locks: guest->lock for a moment. Linux's counterpart: fs/namei.c.
 */
#include "task/path_arg.h"

#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscall.h"

void path_hold(struct guest *g, struct path_hold *hold)
{
    spin_lock(&g->lock);
    hold->base.cwd = inode_get(g->cwd);
    hold->base.root = inode_get(g->root);
    hold->cred = guest_cred(g);
    spin_unlock(&g->lock);
    hold->base.cred = &hold->cred;
    hold->base.resolve = 0;
}

void path_release(struct path_hold *hold)
{
    inode_put(hold->base.cwd);
    inode_put(hold->base.root);
}

/* Begin at the file that is open as fd. */
static int begin_at(struct path_arg *p, struct task *t, uint64_t fd, bool itself)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    int err = 0;
    if (!f->inode || (!itself && !inode_is(f->inode, S_IFDIR))) {
        err = -ENOTDIR;
    } else {
        inode_put(p->hold.base.cwd);
        p->hold.base.cwd = inode_get(f->inode);
    }
    file_put(f);
    return err;
}

int path_arg_take(struct path_arg *p, struct task *t, uint64_t dirfd, uint64_t user, uint64_t flags)
{
    p->path = kmalloc(PATH_MAX, GFP_KERNEL);
    if (!p->path)
        return -ENOMEM;
    int64_t err = arg_path(p->path, mk_vaddr(user));
    p->empty = err == -ENOENT && (flags & AT_EMPTY_PATH);
    if (err < 0 && !p->empty) {
        kfree(p->path);
        return (int)err;
    }
    path_hold(t->guest, &p->hold);
    err = 0;
    if ((p->path[0] != '/' || (flags & PATH_IN_ROOT)) && (int)dirfd != AT_FDCWD)
        err = begin_at(p, t, (uint32_t)dirfd, p->empty);
    if (err)
        path_arg_drop(p);
    return (int)err;
}

void path_arg_drop(struct path_arg *p)
{
    path_release(&p->hold);
    kfree(p->path);
}

struct inode *path_arg_inode(struct path_arg *p, enum path_last last, int *err)
{
    *err = 0;
    if (p->empty)
        return inode_get(p->hold.base.cwd);
    return path_lookup(&p->hold.base, p->path, last, err);
}

struct inode *path_arg_file(struct task *t, uint64_t dirfd, uint64_t user, uint64_t flags, int *err)
{
    struct path_arg p;
    *err = path_arg_take(&p, t, dirfd, user, flags);
    if (*err)
        return NULL;
    enum path_last last = flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : PATH_FOLLOW;
    struct inode *inode = path_arg_inode(&p, last, err);
    path_arg_drop(&p);
    return inode;
}
