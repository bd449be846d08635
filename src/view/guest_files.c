/* SPDX-License-Identifier: MIT */
/*
 * guest_files.c - /proc/self, and what a guest has open: /proc/PID/{exe,cwd,root,fd,fdinfo}.
 *
 *      readlink   the path that the file had last
 *      open       the file itself, even when it has no path any more
 *
 * Locks: each guest is looked at with a reference. Linux's counterpart: fs/proc/base.c, fd.c.
 */
#include "base/errno.h"
#include "file/path.h"
#include "file/registry.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/task.h"
#include "view/view.h"

/* --- /proc/self ------------------------------------------------------------------------------- */

static int link_self(struct sink *out, const struct view_args *args)
{
    const struct task *t = task_current();
    (void)args;
    print(out, "%u", t ? t->guest->pid : 1); /* the console is no guest: it looks as init does */
    return 0;
}

/* --- exe, cwd, root --------------------------------------------------------------------------- */

enum which { EXE, CWD, ROOT };

static struct inode *inode_of(const struct view_args *args, enum which which)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return NULL;
    struct inode *inode = guest_inode(g, which == EXE   ? &g->exe
                                         : which == CWD ? &g->cwd
                                                        : &g->root);
    guest_put(g);
    return inode;
}

/* Names are locked by who follows or reads the link. */
static int print_inode(struct sink *out, struct inode *inode)
{
    char path[256];
    if (!inode)
        return -ENOENT;
    int n = inode_path(inode, path, sizeof(path));
    if (n >= 0)
        print(out, "%s", path);
    inode_put(inode);
    return n < 0 ? n : 0;
}

static struct inode *found(struct inode *inode, int *err)
{
    *err = inode ? 0 : -ENOENT;
    return inode;
}

static int link_exe(struct sink *out, const struct view_args *args)
{
    return print_inode(out, inode_of(args, EXE));
}

static struct inode *follow_exe(const struct view_args *args, int *err)
{
    return found(inode_of(args, EXE), err);
}

static int link_cwd(struct sink *out, const struct view_args *args)
{
    return print_inode(out, inode_of(args, CWD));
}

static struct inode *follow_cwd(const struct view_args *args, int *err)
{
    return found(inode_of(args, CWD), err);
}

static int link_root(struct sink *out, const struct view_args *args)
{
    return print_inode(out, inode_of(args, ROOT));
}

static struct inode *follow_root(const struct view_args *args, int *err)
{
    return found(inode_of(args, ROOT), err);
}

/* --- fd --------------------------------------------------------------------------------------- */

/* The files of a guest, referenced, or NULL. */
static struct file_table *files_of(const struct view_args *args)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return NULL;
    struct file_table *files = guest_files(g);
    guest_put(g);
    return files;
}

/* One of them, referenced, or NULL. */
static struct file *file_of(const struct view_args *args)
{
    struct file_table *files = files_of(args);
    if (!files)
        return NULL;
    struct file *f = file_get(files, args->number[1]);
    file_table_put(files);
    return f;
}

static long next_fd(unsigned long from, const struct view_args *args)
{
    struct file_table *files = files_of(args);
    if (!files)
        return -ENOENT;
    int64_t fd = file_next(files, from);
    file_table_put(files);
    return fd;
}

static int link_fd(struct sink *out, const struct view_args *args)
{
    struct file *f = file_of(args);
    int err = 0;
    if (!f)
        return -ENOENT;
    if (f->inode)
        err = print_inode(out, inode_get(f->inode));
    else if (f->ops->print_name)
        f->ops->print_name(f, out);
    file_put(f);
    return err;
}

/* What has no inode may have a name that leads to it all the same: the terminal. */
static struct inode *follow_fd(const struct view_args *args, int *err)
{
    struct file *f = file_of(args);
    struct inode *inode = f && f->inode ? inode_get(f->inode) : NULL;
    *err = f ? 0 : -ENOENT;
    if (f)
        file_put(f);
    return inode;
}

static int show_fdinfo(struct sink *out, const struct view_args *args)
{
    struct file *f = file_of(args);
    if (!f)
        return -ENOENT;
    print(out, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", f->pos, f->flags,
          f->inode ? f->inode->sb->mount_id : 0, f->inode ? f->inode->ino : 0);
    file_put(f);
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/self", .link = link_self},
    {.path = "/proc/%p/exe", .link = link_exe, .follow = follow_exe},
    {.path = "/proc/%p/cwd", .link = link_cwd, .follow = follow_cwd},
    {.path = "/proc/%p/root", .link = link_root, .follow = follow_root},
    {.path = "/proc/%p/fd/%f", .link = link_fd, .follow = follow_fd},
    {.path = "/proc/%p/fdinfo/%f", .show = show_fdinfo},
};

void view_guest_files_init(void)
{
    view_register_numbers('f', next_fd);
    view_register(views, ARRAY_SIZE(views));
}
