/* SPDX-License-Identifier: MIT */
/*
 * dir.c - names in memory. dir.h has the picture.
 *
 * Locks: namespace_lock. Linux's counterpart: fs/libfs.c, fs/dcache.c.
 */
#include "file/dir.h"

#include "base/errno.h"
#include "base/string.h"
#include "slab/kmalloc.h"

static int compare(const struct dir_entry *e, const char *name, size_t n)
{
    int order = memcmp(name, e->name, MIN(n, e->len));
    return order ? order : n < e->len ? -1 : n > e->len;
}

struct dir_entry *dir_find(const struct inode *dir, const char *name, size_t n)
{
    struct rb_node *node = dir->names.node;
    while (node) {
        struct dir_entry *e = rb_entry(node, struct dir_entry, rb);
        int order = compare(e, name, n);
        if (!order)
            return e;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

struct dir_entry *dir_entry_new(const char *name, size_t n)
{
    struct dir_entry *entry = kmalloc(sizeof(*entry) + n + 1, GFP_KERNEL);
    if (!entry)
        return NULL;
    entry->len = n;
    memcpy(entry->name, name, n);
    entry->name[n] = '\0';
    return entry;
}

void dir_insert(struct inode *dir, struct dir_entry *entry, struct inode *inode)
{
    struct rb_node **link = &dir->names.node, *parent = NULL;
    while (*link) {
        parent = *link;
        bool left = compare(rb_entry(parent, struct dir_entry, rb), entry->name, entry->len) < 0;
        link = left ? &parent->left : &parent->right;
    }
    rb_link_node(&entry->rb, parent, link);
    rb_insert_color(&entry->rb, &dir->names);
    list_add_tail(&entry->list, &dir->order);
    entry->dir = dir;
    entry->inode = inode_get(inode);
    entry->position = dir->next_position++;
    inode->entry = entry;
}

int dir_add(struct inode *dir, const char *name, size_t n, struct inode *inode)
{
    if (dir_find(dir, name, n))
        return -EEXIST;
    struct dir_entry *entry = dir_entry_new(name, n);
    if (!entry)
        return -ENOMEM;
    dir_insert(dir, entry, inode);
    return 0;
}

struct inode *dir_remove(struct dir_entry *entry)
{
    struct inode *inode = entry->inode;
    rb_erase(&entry->rb, &entry->dir->names);
    list_del(&entry->list);
    if (inode->entry == entry)
        inode->entry = NULL;
    kfree(entry);
    return inode;
}

int dir_list(struct inode *dir, uint64_t pos, dir_emit *emit, void *arg)
{
    struct dir_entry *e;
    list_for_each_entry(e, &dir->order, list) {
        if (e->position >= pos &&
            !emit(arg, e->name, e->len, e->inode->ino, e->inode->mode, e->position + 1))
            break;
    }
    return 0;
}
