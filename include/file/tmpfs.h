/* SPDX-License-Identifier: MIT */
/*
 * tmpfs.h - files that live in memory: what is at "/", what memfd_create() makes.
 *
 * Locks: namespace_lock for writing, for all that changes names.
 * Linux's counterpart: mm/shmem.c.
 */
#ifndef PAGODA_FILE_TMPFS_H
#define PAGODA_FILE_TMPFS_H

#include "file/inode.h"

#define TMPFS_MAGIC 0x01021994u

/** A file system of its own for at most max_pages pages; its root has one reference. NULL: none. */
struct superblock *tmpfs_create(uint64_t max_pages);

/** The one at "/"; half of the memory is its most. Boot only. */
void tmpfs_boot(void);
extern struct superblock *root_fs;

/** Can names and files be made there? Else it is a file system of views. */
bool tmpfs_owns(const struct inode *inode);

/** What a new file is to be. */
struct tmpfs_new {
    uint32_t mode; /* S_IF* and permissions */
    uint32_t rdev;
    const char *target; /* of a symbolic link */
    const struct cred *cred;
};

/** A file without a name, with one reference; it goes with the last. NULL when out of memory. */
struct inode *tmpfs_make_unnamed(struct superblock *sb, const struct tmpfs_new *what);

/** Make a file of any kind with a name; *out is referenced (NULL: not wanted). 0 or -Exxx. */
int tmpfs_make(struct inode *dir, const char *name, size_t n, const struct tmpfs_new *what,
               struct inode **out) must_check;

/** One more name. -EPERM for a directory. */
int tmpfs_link(struct inode *inode, struct inode *dir, const char *name, size_t n) must_check;

/** One name less; with `directory` an empty directory, else anything but one. */
int tmpfs_unlink(struct inode *dir, const char *name, size_t n, bool directory) must_check;

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u

struct tmpfs_name {
    struct inode *dir;
    const char *name;
    size_t len;
};

/** Another name instead, in place of what has it already. 0 or -Exxx as rename(2). */
int tmpfs_rename(const struct tmpfs_name *from, const struct tmpfs_name *to,
                 uint32_t flags) must_check;

#endif
