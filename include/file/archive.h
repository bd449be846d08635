/* SPDX-License-Identifier: MIT */
/*
 * archive.h - the guest archive: the files that came with the machine, in a cpio.
 */
#ifndef PAGODA_FILE_ARCHIVE_H
#define PAGODA_FILE_ARCHIVE_H

#include "file/inode.h"

/**
 * Take the files out of the archive at @base (the initrd, reserved in memblock), keep their pages
 * where they lie, and give the other pages to the allocator. A broken member ends the reading with
 * a warning; what came before it stays. After slab_init() and lru_init(). Boot only.
 */
void archive_init(paddr_t base, uint64_t size);

/** The file or directory at an absolute path, or NULL. It lives for ever. */
struct inode *archive_lookup(const char *path);

/** Call @entry for each name directly in @dir. 0, or -ENOENT when there is no such directory. */
int archive_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir),
                 void *arg) must_check;

/** How many files and directories. */
unsigned archive_count(void);

/** The n-th of them, in the order of the archive. */
struct inode *archive_at(unsigned n);

#endif
