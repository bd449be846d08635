/* SPDX-License-Identifier: MIT */
/*
 * inode.c - files as objects: references, permissions, bytes.
 *
 *      write(fd)  user bytes --> [bounce buffer] --> page, under its lock   (the second arrow)
 *      mmap       PTE ------------------------------> the same page
 *
 * The page lock around the copy keeps the mover away: it copies a page only while it holds it, so
 * no byte is written to the old page that the new one lacks.
 *
 * Locks: rwsem, then the page lock. Linux's counterpart: fs/inode.c, mm/filemap.c, mm/shmem.c.
 */
#include "file/inode.h"

#include "base/errno.h"
#include "base/string.h"
#include "fault/shmem.h"
#include "file/path.h"
#include "file/xattr.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/alloc.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"

static struct kmem_cache *inode_cache;

void inode_init(void)
{
    inode_cache = kmem_cache_create("inode_cache", sizeof(struct inode), 0, 0, NULL);
    BUG_ON(!inode_cache);
}

/* --- as a mapping ----------------------------------------------------------------------------- */

static struct inode *inode_of(const struct address_space *m)
{
    return m->host;
}

static void mapping_get_inode(struct address_space *m)
{
    (void)inode_get(inode_of(m));
}

static void mapping_put_inode(struct address_space *m)
{
    inode_put(inode_of(m));
}

static void mapping_print_name(const struct address_space *m, struct sink *out)
{
    inode_print_path(inode_of(m), out);
}

/* No lock of the file: the caller has its mmap_lock, and only pages within the file go. */
static int mapping_drop_range(struct address_space *m, uint64_t first, uint64_t end)
{
    if (inode_of(m)->seals & F_SEAL_WRITE)
        return -EPERM;
    shmem_drop_pages(m, first, MIN(end, mapping_pages(m)));
    return 0;
}

static const struct address_space_ops inode_mapping_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
    .drop_range = mapping_drop_range,
    .get = mapping_get_inode,
    .put = mapping_put_inode,
    .print_name = mapping_print_name,
};

/* --- as an object ----------------------------------------------------------------------------- */

uint64_t inode_now(void)
{
    return now_realtime_ns();
}

struct inode *inode_alloc(struct superblock *sb, const struct inode_ops *ops, uint32_t mode)
{
    struct inode *inode = kmem_cache_alloc(inode_cache, GFP_KERNEL | __GFP_ZERO);
    if (!inode)
        return NULL;
    inode->refcount = 1;
    inode->mode = mode;
    inode->ops = ops;
    inode->sb = sb;
    fetch_add_relaxed(&sb->refcount, 1);
    inode->ino = fetch_add_relaxed(&sb->next_ino, 1);
    inode->atime = inode->mtime = inode->ctime = inode_now();
    rwsem_init(&inode->rwsem);
    INIT_LIST_HEAD(&inode->order);
    INIT_LIST_HEAD(&inode->xattrs);
    address_space_init(&inode->mapping, &inode_mapping_ops, inode, 0);
    inode->mapping.dev = sb->dev;
    inode->mapping.ino = inode->ino;
    inode->mapping.quota = sb->quota;
    return inode;
}

static void put_superblock(struct superblock *sb)
{
    if (fetch_sub(&sb->refcount, 1) != 1)
        return;
    kfree(sb->quota);
    kfree(sb->where);
    kfree(sb);
}

void inode_put(struct inode *inode)
{
    if (!inode || fetch_sub(&inode->refcount, 1) != 1)
        return;
    shmem_drop_pages(&inode->mapping, 0, UINT64_MAX);
    page_tree_destroy(&inode->mapping.pages);
    if (inode->ops->evict)
        inode->ops->evict(inode);
    kfree(inode->text);
    kfree(inode->locks);
    xattr_free(inode);
    put_superblock(inode->sb);
    kmem_cache_free(inode_cache, inode);
}

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
    bool is = cred->gid == gid;
    for (uint32_t i = 0; i < cred->nr_groups; i++)
        is |= cred->groups[i] == gid;
    return is;
}

int inode_permission(const struct inode *inode, const struct cred *cred, uint32_t wanted)
{
    uint32_t mode = inode->mode;
    if ((wanted & MAY_WRITE) && inode_read_only(inode))
        return -EROFS;
    if (!cred->uid) {
        bool runnable = inode_is(inode, S_IFDIR) || (mode & 0111);
        return (wanted & MAY_EXEC) && !runnable ? -EACCES : 0;
    }
    if (cred->uid == inode->uid)
        mode >>= 6;
    else if (cred_in_group(cred, inode->gid))
        mode >>= 3;
    return wanted & ~mode ? -EACCES : 0;
}

/* --- bytes ------------------------------------------------------------------------------------ */

pagoda_ssize_t inode_read(struct inode *inode, void *buf, size_t n, uint64_t at)
{
    size_t done = 0;
    uint64_t size = inode_size(inode);
    if (at >= size)
        return 0;
    n = MIN(n, size - at);
    while (done < n) {
        size_t offset = (at + done) & (PAGE_SIZE - 1), step = MIN(n - done, PAGE_SIZE - offset);
        struct page *page = shmem_find_page(&inode->mapping, (at + done) >> PAGE_SHIFT);
        if (page) {
            memcpy((char *)buf + done, (char *)page_address(page) + offset, step);
            put_page(page);
        } else {
            memset((char *)buf + done, 0, step);
        }
        done += step;
    }
    return (pagoda_ssize_t)done;
}

/* Write, or zero when `from` is NULL, within one page. */
static int write_page(struct inode *inode, uint64_t at, const void *from, size_t n)
{
    int err = 0;
    struct page *page = shmem_get_page(&inode->mapping, at >> PAGE_SHIFT, &err);
    if (!page)
        return err;
    char *to = (char *)page_address(page) + (at & (PAGE_SIZE - 1));
    lock_page(page);
    if (from)
        memcpy(to, from, n);
    else
        memset(to, 0, n);
    page_set_flag(page, PG_dirty);
    unlock_page(page);
    put_page(page);
    return 0;
}

pagoda_ssize_t inode_write(struct inode *inode, const void *buf, size_t n, uint64_t at)
{
    size_t done = 0;
    uint64_t size = inode_size(inode);
    while (done < n) {
        uint64_t pos = at + done;
        size_t step = MIN(n - done, PAGE_SIZE - (pos & (PAGE_SIZE - 1)));
        if (pos + step > inode_size(inode)) /* the page must lie within the file to be made */
            store_relaxed(&inode->mapping.size, pos + step);
        int err = write_page(inode, pos, (const char *)buf + done, step);
        if (err) {
            store_relaxed(&inode->mapping.size, MAX(size, pos));
            return done ? (pagoda_ssize_t)done : err;
        }
        done += step;
        cond_resched();
    }
    inode->mtime = inode->ctime = inode_now();
    return (pagoda_ssize_t)done;
}

/* Zero from `from` to the end of its page, so that growing again shows no old bytes. */
static int zero_tail(struct inode *inode, uint64_t from, uint64_t to)
{
    struct page *page = shmem_find_page(&inode->mapping, from >> PAGE_SHIFT);
    if (!page)
        return 0;
    put_page(page);
    return write_page(inode, from, NULL, to - from);
}

int inode_truncate(struct inode *inode, uint64_t size)
{
    uint64_t old = inode_size(inode);
    int err = 0;
    if (size < old && (size & (PAGE_SIZE - 1)))
        err = zero_tail(inode, size, ALIGN_UP(size, PAGE_SIZE));
    if (err)
        return err;
    store_relaxed(&inode->mapping.size, size);
    if (size < old)
        shmem_drop_pages(&inode->mapping, ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT, UINT64_MAX);
    inode->mtime = inode->ctime = inode_now();
    return 0;
}

int inode_punch(struct inode *inode, uint64_t from, uint64_t to)
{
    uint64_t first = ALIGN_UP(from, PAGE_SIZE), end = ALIGN_DOWN(to, PAGE_SIZE);
    int err = 0;
    if (first > end) /* within one page */
        return zero_tail(inode, from, to);
    if (from < first)
        err = zero_tail(inode, from, first);
    if (!err && end < to)
        err = zero_tail(inode, end, to);
    if (!err)
        shmem_drop_pages(&inode->mapping, first >> PAGE_SHIFT, end >> PAGE_SHIFT);
    return err;
}
