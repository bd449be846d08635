/* SPDX-License-Identifier: MIT */
/*
 * file_regular.c - a file of a tmpfs as an open file.
 *
 *      guest's buffer --copy_from_user--> bounce buffer --inode_write--> pages of the file
 *
 * The bounce buffer is there because the guest's buffer may be a mapping of the very page that is
 * written: a fault on it needs the lock of the page.
 *
 * Locks: inode->rwsem for writing while bytes or the size change; a read takes none.
 * Linux's counterpart: generic_file_read_iter(), generic_perform_write().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "phys/gfp.h"
#include "task/files.h"

#define SMALL 256 /* carried on the stack */

/* A buffer for n bytes: the small one, or a page. */
static char *bounce(char *small, size_t n, size_t *size)
{
    char *page = n > SMALL ? get_free_pages(GFP_KERNEL, 0) : NULL;
    *size = page ? PAGE_SIZE : SMALL;
    return page ? page : small;
}

static void unbounce(const char *small, char *buf)
{
    if (buf != small)
        free_pages(buf, 0);
}

static int64_t regular_read(struct file *f, vaddr_t to, size_t n, uint64_t *pos)
{
    char small[SMALL];
    size_t size, done = 0;
    int64_t err = 0;
    char *buf = bounce(small, n, &size);
    while (done < n) {
        pagoda_ssize_t got = inode_read(f->inode, buf, MIN(n - done, size), *pos);
        if (got > 0 && copy_to_user(mk_vaddr(to.v + done), buf, (size_t)got))
            got = -EFAULT;
        if (got <= 0) {
            err = got;
            break;
        }
        *pos += (uint64_t)got;
        done += (size_t)got;
        cond_resched();
    }
    unbounce(small, buf);
    return done ? (int64_t)done : err;
}

static int64_t write_locked(struct file *f, vaddr_t from, size_t n, uint64_t *pos)
{
    char small[SMALL];
    size_t size, done = 0;
    int64_t err = 0;
    char *buf = bounce(small, n, &size);
    while (done < n) {
        size_t step = MIN(n - done, size - (*pos & (size - 1)));
        pagoda_ssize_t put = -EFAULT;
        if (!copy_from_user(buf, mk_vaddr(from.v + done), step))
            put = inode_write(f->inode, buf, step, *pos);
        if (put <= 0) {
            err = put;
            break;
        }
        *pos += (uint64_t)put;
        done += (size_t)put;
    }
    unbounce(small, buf);
    return done ? (int64_t)done : err;
}

int64_t file_room(uint64_t pos, uint64_t n)
{
    uint64_t limit = load_relaxed(&task_current()->guest->limits[RLIMIT_FSIZE].cur);
    if (n && pos >= limit) {
        task_signal_self(SIGXFSZ);
        return -EFBIG;
    }
    return (int64_t)MIN(n, limit - pos);
}

static int64_t write_own(struct file *f, const void *from, size_t n, uint64_t *pos)
{
    pagoda_ssize_t put = inode_write(f->inode, from, n, *pos);
    *pos += put > 0 ? (uint64_t)put : 0;
    return put;
}

/* From the guest's memory, or, if it is not NULL, from `own`, which is the monitor's. */
static int64_t write_from(struct file *f, vaddr_t from, const void *own, size_t n, uint64_t *pos)
{
    struct inode *inode = f->inode;
    int64_t done = -EPERM;
    down_write(&inode->rwsem);
    if ((f->flags & O_APPEND) || *pos == POS_END)
        *pos = inode_size(inode);
    int64_t room = file_room(*pos, n);
    if (room < 0) {
        up_write(&inode->rwsem);
        return room;
    }
    n = (size_t)room;
    bool grows = *pos + n > inode_size(inode);
    if (!(inode->seals & F_SEAL_WRITE) && !(grows && (inode->seals & F_SEAL_GROW)))
        done = *pos > (uint64_t)INT64_MAX - n ? -EFBIG
               : own                          ? write_own(f, own, n, pos)
                                              : write_locked(f, from, n, pos);
    up_write(&inode->rwsem);
    return done;
}

static int64_t regular_write(struct file *f, vaddr_t from, size_t n, uint64_t *pos)
{
    return write_from(f, from, NULL, n, pos);
}

static int64_t regular_splice_write(struct file *f, const void *from, size_t n, uint64_t *pos)
{
    return write_from(f, mk_vaddr(0), from, n, pos);
}

static int64_t regular_splice_read(struct file *f, void *to, size_t n, uint64_t *pos)
{
    pagoda_ssize_t got = inode_read(f->inode, to, n, *pos);
    *pos += got > 0 ? (uint64_t)got : 0;
    return got;
}

/* SEEK_DATA and SEEK_HOLE: the first page that is there, or is not. */
static int64_t seek_data(struct inode *inode, int64_t offset, bool data)
{
    uint64_t size = inode_size(inode), at = (uint64_t)offset >> PAGE_SHIFT;
    if (offset < 0 || (uint64_t)offset >= size)
        return -ENXIO;
    for (;; at++) {
        uint64_t next = at;
        struct page *page =
            page_tree_next(&inode->mapping.pages, &next, mapping_pages(&inode->mapping));
        if (page)
            put_page(page);
        if (data)
            return page ? MAX(offset, (int64_t)(next << PAGE_SHIFT)) : -ENXIO;
        if (!page || next != at)
            return (int64_t)MIN(MAX((uint64_t)offset, at << PAGE_SHIFT), size);
    }
}

static int64_t regular_seek(struct file *f, int64_t offset, uint32_t whence)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return file_seek(f, offset, whence, inode_size(f->inode));
    int64_t pos = seek_data(f->inode, offset, whence == SEEK_DATA);
    if (pos >= 0)
        f->pos = (uint64_t)pos;
    return pos;
}

const struct file_ops regular_file_ops = {
    .read = regular_read,
    .write = regular_write,
    .splice_read = regular_splice_read,
    .splice_write = regular_splice_write,
    .seek = regular_seek,
};
