/* SPDX-License-Identifier: MIT */
/*
 * files.c - open files. files.h has the picture; file_table.c has their numbers.
 *
 * Locks: none; a count of references. Linux's counterpart: fs/file_table.c.
 */
#include "task/files.h"

#include "base/errno.h"
#include "slab/cache.h"
#include "task/epoll.h"
#include "task/file_lock.h"

static struct kmem_cache *file_cache;

void files_init(void)
{
    file_cache = kmem_cache_create("filp", sizeof(struct file), 0, 0, NULL);
    BUG_ON(!file_cache);
    file_table_init();
}

/* --- files ------------------------------------------------------------------------------------ */

struct file *file_alloc(const struct file_ops *ops, uint32_t mode)
{
    struct file *f = kmem_cache_alloc(file_cache, GFP_KERNEL | __GFP_ZERO);
    if (!f)
        return NULL;
    f->ops = ops;
    f->mode = mode;
    f->refcount = 1;
    return f;
}

void file_put(struct file *f)
{
    if (fetch_sub(&f->refcount, 1) != 1)
        return;
    file_lock_drop(f, LOCK_FLOCK, f);
    file_lock_drop(f, LOCK_OFD, f);
    if (load_acquire(&f->watchers))
        epoll_release(f);
    if (f->ops->close)
        f->ops->close(f);
    if (f->inode)
        fetch_sub(&f->inode->sb->users, 1);
    inode_put(f->inode);
    kmem_cache_free(file_cache, f);
}

int64_t file_seek(struct file *f, int64_t offset, uint32_t whence, uint64_t size)
{
    int64_t base = whence == SEEK_CUR ? (int64_t)f->pos : whence == SEEK_END ? (int64_t)size : 0;
    if (whence > SEEK_END || __builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    f->pos = (uint64_t)base;
    return base;
}
