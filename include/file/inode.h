/* SPDX-License-Identifier: MIT */
/*
 * inode.h - a file: its bytes as pages, and what stat says of it.
 *
 *      struct inode [ mode, size, ino ]
 *             `-- mapping --get_page(n)--> struct page, PAGE_FILE
 *
 * Locks: the owner's; an inode of the archive never changes.
 * Linux's counterpart: struct inode.
 */
#ifndef PAGODA_FILE_INODE_H
#define PAGODA_FILE_INODE_H

#include "base/types.h"
#include "virt/mapping.h"

#define S_IFMT 0170000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFREG 0100000u
#define S_IFLNK 0120000u

struct inode {
    uint64_t ino;
    uint32_t mode; /* S_IF* and permissions */
    uint32_t nlink;
    uint64_t mtime;               /* seconds */
    const char *path;             /* absolute; lives as long as the inode */
    struct address_space mapping; /* .size is the file's size */
};

static inline uint64_t inode_size(const struct inode *inode)
{
    return inode->mapping.size;
}

/** The page of this number, referenced; NULL with *err. See address_space_ops.get_page. */
static inline struct page *inode_get_page(struct inode *inode, uint64_t index, int *err)
{
    return inode->mapping.ops->get_page(&inode->mapping, index, err);
}

/** Copy at most n bytes from offset `at` to the monitor's memory. How many, or -EIO, -ENOMEM. */
pagoda_ssize_t inode_read(struct inode *inode, void *buf, size_t n, uint64_t at);

#endif
