/* SPDX-License-Identifier: MIT */
/*
 * xattr.h - extended attributes: names with values that hang on a file.
 *
 *      inode->xattrs --> ["user.colour" = 3 bytes] --> ["trusted.x" = 0 bytes]
 *
 * Locks: inode->rwsem, for writing where they change. What is called here takes it.
 * Linux's counterpart: struct simple_xattrs, with which tmpfs keeps them.
 */
#ifndef PAGODA_FILE_XATTR_H
#define PAGODA_FILE_XATTR_H

#include "file/inode.h"

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536u
#define XATTR_TOTAL_MAX 131072u /* of one file, names and all: ours */

#define XATTR_CREATE 1u
#define XATTR_REPLACE 2u

/**
 * Copy the value to buf: its length; n 0 only asks for that. -ENODATA, -ERANGE: it does not fit.
 */
int64_t xattr_get(struct inode *inode, const char *name, void *buf, size_t n);

/** flags: XATTR_*. 0, -EEXIST, -ENODATA, -ENOSPC, -ENOMEM. */
int xattr_set(struct inode *inode, const char *name, const void *value, size_t n,
              uint32_t flags) must_check;

/** 0 or -ENODATA. */
int xattr_remove(struct inode *inode, const char *name) must_check;

/**
 * All names into buf, a 0 behind each; those that begin with `hidden` (may be NULL) are left out.
 * The length, or -ERANGE; n 0 only asks.
 */
int64_t xattr_list(struct inode *inode, const char *hidden, char *buf, size_t n);

/** All go, with the inode. */
void xattr_free(struct inode *inode);

#endif
