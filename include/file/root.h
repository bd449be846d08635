/* SPDX-License-Identifier: MIT */
/*
 * root.h - the tree of files as a machine begins with it.
 */
#ifndef PAGODA_FILE_ROOT_H
#define PAGODA_FILE_ROOT_H

#include "file/inode.h"

/** A device by its numbers, as Linux has them. */
#define DEV_NUMBER(major, minor) ((uint32_t)(major) << 8 | (uint32_t)(minor))

#define DEV_NULL DEV_NUMBER(1, 3)
#define DEV_ZERO DEV_NUMBER(1, 5)
#define DEV_FULL DEV_NUMBER(1, 7)
#define DEV_RANDOM DEV_NUMBER(1, 8)
#define DEV_URANDOM DEV_NUMBER(1, 9)
#define DEV_KMSG DEV_NUMBER(1, 11)
#define DEV_TTY DEV_NUMBER(5, 0)
#define DEV_CONSOLE DEV_NUMBER(5, 1)

/** Make "/" with /dev, /dev/shm and /tmp, and mount the views on /proc and /sys. Boot only. */
void file_boot(void);

/** The file at a path from "/", as root sees it: referenced, or NULL with *err. */
struct inode *file_find(const char *path, int *err);

/** Write to the file at a path, making it when there is none; or to a view. 0 or -Exxx. */
int file_store(const char *path, const char *text, size_t n) must_check;

/** Call @entry for each name directly in @dir. 0, -ENOENT, -ENOTDIR. */
int file_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir),
              void *arg) must_check;

#endif
