/* SPDX-License-Identifier: MIT */
/*
 * viewfs.h - the views as files: /proc and /sys.
 *
 * Locks: those of the path walk. Linux's counterpart: fs/proc, fs/kernfs.
 */
#ifndef PAGODA_FILE_VIEWFS_H
#define PAGODA_FILE_VIEWFS_H

#include "file/inode.h"
#include "file/registry.h"

#define PROC_MAGIC 0x9fa0u
#define SYSFS_MAGIC 0x62656572u

/** Mount the views below "/proc" and "/sys" on those directories of the root. Boot only. */
void viewfs_boot(void);

/** Is it a view's (a file, a directory or a link)? Its path is inode->text then. */
bool viewfs_owns(const struct inode *inode);

#endif
