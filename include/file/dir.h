/* SPDX-License-Identifier: MIT */
/*
 * dir.h - directories that are kept in memory: names in a tree, and in the order of their age.
 *
 *      struct inode (directory)
 *        names --> rb tree of dir_entry, by name      to find one
 *        order --> list of dir_entry, by position     to list them, also while names come and go
 *
 * Locks: namespace_lock (path.h), for writing where names change.
 */
#ifndef PAGODA_FILE_DIR_H
#define PAGODA_FILE_DIR_H

#include "file/inode.h"

struct dir_entry {
    struct rb_node rb;
    struct list_head list;
    struct inode *dir;   /* no reference: the directory lives while it has entries */
    struct inode *inode; /* with a reference */
    uint64_t position;   /* never used twice */
    size_t len;
    char name[];
};

/** The entry of that name, or NULL. */
struct dir_entry *dir_find(const struct inode *dir, const char *name, size_t n);

/** Enter a name for an inode, which gets a reference. 0, -ENOMEM; -EEXIST. */
int dir_add(struct inode *dir, const char *name, size_t n, struct inode *inode) must_check;

/** The two steps of dir_add(), for who has to know first that there is memory. */
struct dir_entry *dir_entry_new(const char *name, size_t n);
void dir_insert(struct inode *dir, struct dir_entry *entry, struct inode *inode);

/** Take the entry away. Its inode's reference is the caller's then. */
struct inode *dir_remove(struct dir_entry *entry);

/** Entries from a position on: inode_ops.list. */
int dir_list(struct inode *dir, uint64_t pos, dir_emit *emit, void *arg);

static inline bool dir_is_empty(const struct inode *dir)
{
    return list_empty(&dir->order);
}

#endif
