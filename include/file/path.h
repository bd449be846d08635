/* SPDX-License-Identifier: MIT */
/*
 * path.h - from a path to a file.
 *
 *      "/tmp/a/../b"      root --tmp--> dir --a--> dir --..--> dir --b--> inode
 *                          each step: may we search it? a link? something mounted on it?
 *
 * Locks: namespace_lock (a rwsem, above all inodes' rwsems): for reading to walk, for writing to
 * change names.
 * Linux's counterpart: fs/namei.c, without its cache of names.
 */
#ifndef PAGODA_FILE_PATH_H
#define PAGODA_FILE_PATH_H

#include "base/format.h"
#include "file/inode.h"

#define PATH_LEN_MAX 4096

extern struct rwsem namespace_lock;

/** Mount a file system on a directory. 0, -EBUSY: something is. namespace_lock for writing. */
int mount_on(struct superblock *sb, struct inode *dir) must_check;

/** Take away what is mounted: its root. -EINVAL: it is none; -EBUSY: it is in use. */
int unmount(struct inode *root, bool lazily) must_check;

/** Each that is mounted; namespace_lock for reading. */
void mount_each(void (*fn)(const struct superblock *sb, void *arg), void *arg);

/** Where a walk begins and who walks. */
struct path_base {
    struct inode *cwd;  /* where relative paths begin */
    struct inode *root; /* where absolute ones do, and where ".." ends */
    const struct cred *cred;
    uint32_t resolve; /* RESOLVE_*: what the walk may not meet */
};

#define RESOLVE_NO_XDEV 0x01u       /* the root of something mounted: -EXDEV */
#define RESOLVE_NO_MAGICLINKS 0x02u /* a link straight to a file, as in /proc/PID/fd: -ELOOP */
#define RESOLVE_NO_SYMLINKS 0x04u   /* any link: -ELOOP */
#define RESOLVE_BENEATH 0x08u       /* what is not below cwd: -EXDEV */
#define RESOLVE_IN_ROOT 0x10u       /* cwd is the root; links straight to a file: -EXDEV */
#define RESOLVE_CACHED 0x20u        /* what has to be waited for: here nothing */

enum path_last {
    PATH_FOLLOW,   /* the last component, when it is a link, is followed */
    PATH_NOFOLLOW, /* the link itself is wanted */
};

/** The file, referenced; NULL with *err. namespace_lock held. */
struct inode *path_walk(const struct path_base *base, const char *path, enum path_last last,
                        int *err);

/** The same; takes the lock. */
struct inode *path_lookup(const struct path_base *base, const char *path, enum path_last last,
                          int *err);

/** Where a name is, or is to be. */
struct path_parent {
    struct inode *dir; /* referenced */
    const char *name;  /* in the path; "." and ".." are possible */
    size_t len;
    bool slash; /* there was one behind it: only a directory is meant */
};

/** All but the last component. -ENOENT for "", -EBUSY for "/". namespace_lock held. */
int path_parent(const struct path_base *base, const char *path, struct path_parent *out) must_check;

/** The directory above; the root itself for base->root. Referenced. namespace_lock held. */
struct inode *path_up(const struct path_base *base, struct inode *dir);

/** "/tmp/x" of an inode into buf: its length, -ENOENT (no name any more), -ENAMETOOLONG. */
int inode_path(struct inode *inode, char *buf, size_t size);

/** The same, printed; "/tmp/x (deleted)" for the last name that it had... or its fixed text. */
void inode_print_path(struct inode *inode, struct sink *out);

#endif
