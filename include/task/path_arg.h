/* SPDX-License-Identifier: MIT */
/*
 * path_arg.h - a path as a system call gets it: (directory fd, pointer, flags).
 *
 * Linux's counterpart: getname(), struct nameidata.
 */
#ifndef PAGODA_TASK_PATH_ARG_H
#define PAGODA_TASK_PATH_ARG_H

#include "file/path.h"
#include "file/tmpfs.h"
#include "task/task.h"

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR 0x200u
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_EMPTY_PATH 0x1000u
#define PATH_IN_ROOT 0x80000000u /* ours: begin at dirfd also with "/" */

/** Where a guest's paths begin, kept while it is used. */
struct path_hold {
    struct path_base base;
    struct cred cred;
};

void path_hold(struct guest *g, struct path_hold *hold);
void path_release(struct path_hold *hold);

struct path_arg {
    struct path_hold hold;
    char *path; /* PATH_MAX bytes */
    bool empty; /* "" with AT_EMPTY_PATH: the file of the fd itself, which hold.base.cwd is */
};

/** Fetch them. 0, or -EFAULT, -ENAMETOOLONG, -ENOENT, -EBADF, -ENOTDIR, -ENOMEM. */
int path_arg_take(struct path_arg *p, struct task *t, uint64_t dirfd, uint64_t user,
                  uint64_t flags) must_check;
void path_arg_drop(struct path_arg *p);

/** The file, referenced; NULL with *err. Takes namespace_lock. */
struct inode *path_arg_inode(struct path_arg *p, enum path_last last, int *err);

/** Both at once, for a call that wants but the file. */
struct inode *path_arg_file(struct task *t, uint64_t dirfd, uint64_t user, uint64_t flags,
                            int *err);

/** Make a file at a path of the monitor's memory, in the guest's name; *out is referenced. */
int path_make(struct task *t, const char *path, struct tmpfs_new *what,
              struct inode **out) must_check;

#endif
