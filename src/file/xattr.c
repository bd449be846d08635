/* SPDX-License-Identifier: MIT */
/*
 * xattr.c - extended attributes, a list a file.
 *
 *      struct xattr [ next | size | name 0 | value ]     one piece of memory each
 *
 * Locks: inode->rwsem. Invariant: xattr_bytes is the sum of what the list takes.
 * Linux's counterpart: fs/xattr.c, simple_xattr_*().
 */
#include "file/xattr.h"

#include "base/errno.h"
#include "base/string.h"
#include "slab/kmalloc.h"

struct xattr {
    struct list_head node;
    uint32_t size;
    uint32_t name_len;
    char name[]; /* and the value behind its 0 */
};

static size_t bytes_of(size_t name_len, size_t size)
{
    return sizeof(struct xattr) + name_len + 1 + size;
}

static char *value_of(struct xattr *x)
{
    return x->name + x->name_len + 1;
}

static struct xattr *find(struct inode *inode, const char *name)
{
    struct xattr *x;
    list_for_each_entry(x, &inode->xattrs, node) {
        if (!strcmp(x->name, name))
            return x;
    }
    return NULL;
}

static struct xattr *make(const char *name, const void *value, size_t n)
{
    size_t len = strlen(name);
    struct xattr *x = kmalloc(bytes_of(len, n), GFP_KERNEL);
    if (!x)
        return NULL;
    x->size = (uint32_t)n;
    x->name_len = (uint32_t)len;
    memcpy(x->name, name, len + 1);
    memcpy(value_of(x), value, n);
    return x;
}

static void drop(struct inode *inode, struct xattr *x)
{
    inode->xattr_bytes -= (uint32_t)bytes_of(x->name_len, x->size);
    list_del(&x->node);
    kfree(x);
}

int64_t xattr_get(struct inode *inode, const char *name, void *buf, size_t n)
{
    down_read(&inode->rwsem);
    struct xattr *x = find(inode, name);
    int64_t size = x ? (int64_t)x->size : -ENODATA;
    if (x && n) {
        if (x->size <= n)
            memcpy(buf, value_of(x), x->size);
        else
            size = -ERANGE;
    }
    up_read(&inode->rwsem);
    return size;
}

int xattr_set(struct inode *inode, const char *name, const void *value, size_t n, uint32_t flags)
{
    struct xattr *x = make(name, value, n);
    int err = 0;
    if (!x)
        return -ENOMEM;
    down_write(&inode->rwsem);
    struct xattr *old = find(inode, name);
    size_t before = old ? bytes_of(old->name_len, old->size) : 0;
    size_t bytes = bytes_of(x->name_len, n);
    if (old && (flags & XATTR_CREATE))
        err = -EEXIST;
    else if (!old && (flags & XATTR_REPLACE))
        err = -ENODATA;
    else if (inode->xattr_bytes - before + bytes > XATTR_TOTAL_MAX)
        err = -ENOSPC;
    if (!err) {
        if (old)
            drop(inode, old);
        list_add_tail(&x->node, &inode->xattrs);
        inode->xattr_bytes += (uint32_t)bytes;
        inode->ctime = inode_now();
    }
    up_write(&inode->rwsem);
    if (err)
        kfree(x);
    return err;
}

int xattr_remove(struct inode *inode, const char *name)
{
    down_write(&inode->rwsem);
    struct xattr *x = find(inode, name);
    if (x) {
        drop(inode, x);
        inode->ctime = inode_now();
    }
    up_write(&inode->rwsem);
    return x ? 0 : -ENODATA;
}

int64_t xattr_list(struct inode *inode, const char *hidden, char *buf, size_t n)
{
    struct xattr *x;
    size_t total = 0;
    int64_t err = 0;
    down_read(&inode->rwsem);
    list_for_each_entry(x, &inode->xattrs, node) {
        size_t len = x->name_len + 1;
        if (hidden && !strncmp(x->name, hidden, strlen(hidden)))
            continue;
        if (n && total + len > n) {
            err = -ERANGE;
            break;
        }
        if (n)
            memcpy(buf + total, x->name, len);
        total += len;
    }
    up_read(&inode->rwsem);
    return err ? err : (int64_t)total;
}

void xattr_free(struct inode *inode)
{
    struct xattr *x, *next;
    list_for_each_entry_safe(x, next, &inode->xattrs, node)
        kfree(x);
}
