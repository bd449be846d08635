/* SPDX-License-Identifier: MIT */
/*
 * file_view.c - a view as an open file.
 *
 *      read at 0     the view is printed into memory, anew: all of it, or of a long one a part
 *      read behind   the same text: what is read in pieces fits together; then the next part
 *      write         one write is one setting
 *
 * Big binary views (pagemap) are never printed: each read asks them.
 *
 * Locks: the inode's rwsem for the text, as a file may be read by several at once.
 * Linux's counterpart: fs/seq_file.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/viewfs.h"
#include "kern/thread.h"
#include "slab/kmalloc.h"
#include "task/files.h"

#define TEXT_FIRST KIB(4)
#define TEXT_MAX MIB(4)
#define CHUNK 256
#define STORE_MAX 256

/* --- text ------------------------------------------------------------------------------------- */

/* Print the part that begins at *from; what is left of the part before it goes. */
static int take_part(struct file *f, uint64_t from)
{
    for (size_t size = TEXT_FIRST; size <= TEXT_MAX; size *= 4) {
        struct buffer_sink b;
        uint64_t next = from;
        char *text = kmalloc(size, GFP_KERNEL);
        if (!text)
            return -ENOMEM;
        buffer_sink_init(&b, text, size);
        int err = view_read_part(f->inode->text, &b.sink, &next);
        if (!err && b.len < size) {
            kfree(f->text);
            f->text = text;
            f->text_len = b.len;
            f->text_next = next;
            return 0;
        }
        kfree(text);
        if (err)
            return err;
    }
    return -EFBIG;
}

/* Have the part that holds @pos; none: text_len is 0. */
static int take_text(struct file *f, uint64_t pos)
{
    int err = 0;
    if (!f->text || !pos || pos < f->text_at) {
        f->text_at = 0;
        err = take_part(f, 0);
    }
    while (!err && pos - f->text_at >= f->text_len && f->text_next != VIEW_END) {
        f->text_at += f->text_len;
        err = take_part(f, f->text_next);
        cond_resched();
    }
    return err;
}

/* How many of n bytes there are at pos, and where; or -Exxx. */
static int64_t find_text(struct file *f, uint64_t pos, size_t n, const char **text)
{
    int err = take_text(f, pos);
    if (err)
        return err;
    uint64_t at = pos - f->text_at;
    if (at >= f->text_len)
        return 0;
    *text = f->text + at;
    return (int64_t)MIN(n, f->text_len - at);
}

/* Exactly one of the two buffers is there. */
static int64_t read_either(struct file *f, vaddr_t user, void *buf, size_t n, uint64_t *pos)
{
    const char *text = NULL;
    down_write(&f->inode->rwsem);
    int64_t got = find_text(f, *pos, n, &text);
    if (got > 0 && buf)
        memcpy(buf, text, (size_t)got);
    else if (got > 0 && copy_to_user(user, text, (size_t)got))
        got = -EFAULT;
    up_write(&f->inode->rwsem);
    if (got > 0)
        *pos += (uint64_t)got;
    return got;
}

static int64_t text_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    return read_either(f, buf, NULL, n, pos);
}

static int64_t text_splice_read(struct file *f, void *buf, size_t n, uint64_t *pos)
{
    return read_either(f, mk_vaddr(0), buf, n, pos);
}

static int64_t text_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char text[STORE_MAX];
    (void)pos;
    if (!n || n >= sizeof(text))
        return n ? -EINVAL : 0;
    if (copy_from_user(text, buf, n))
        return -EFAULT;
    text[n] = '\0';
    int err = view_write(f->inode->text, text, n);
    return err ? err : (int64_t)n;
}

static void text_close(struct file *f)
{
    kfree(f->text);
}

/* --- binary ----------------------------------------------------------------------------------- */

static int64_t binary_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct view_args args;
    const struct view *view = view_find(f->inode->text, &args);
    char chunk[CHUNK];
    size_t done = 0;
    if (!view)
        return -ESRCH;
    while (done < n) {
        pagoda_ssize_t got = view->read_at(chunk, MIN(n - done, sizeof(chunk)), *pos, &args);
        if (got <= 0)
            return done ? (int64_t)done : got;
        if (copy_to_user(mk_vaddr(buf.v + done), chunk, (size_t)got))
            return done ? (int64_t)done : -EFAULT;
        *pos += (uint64_t)got;
        done += (size_t)got;
        cond_resched();
    }
    return (int64_t)done;
}

static int64_t binary_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct view_args args;
    const struct view *view = view_find(f->inode->text, &args);
    char chunk[CHUNK];
    size_t done = 0;
    if (!view || !view->write_at)
        return view ? -EINVAL : -ESRCH;
    while (done < n) {
        size_t part = MIN(n - done, sizeof(chunk));
        if (copy_from_user(chunk, mk_vaddr(buf.v + done), part))
            return done ? (int64_t)done : -EFAULT;
        pagoda_ssize_t put = view->write_at(chunk, part, *pos, &args);
        if (put <= 0)
            return done ? (int64_t)done : put;
        *pos += (uint64_t)put;
        done += (size_t)put;
        cond_resched();
    }
    return (int64_t)done;
}

static int64_t view_seek(struct file *f, int64_t offset, uint32_t whence)
{
    return file_seek(f, offset, whence, f->text_at + f->text_len);
}

static const struct file_ops text_ops = {.read = text_read,
                                         .splice_read = text_splice_read,
                                         .write = text_write,
                                         .seek = view_seek,
                                         .close = text_close};
static const struct file_ops binary_ops = {
    .read = binary_read, .write = binary_write, .seek = view_seek};

const struct file_ops *view_file_ops(const struct inode *inode)
{
    struct view_args args;
    const struct view *view = view_find(inode->text, &args);
    if (!view)
        return NULL;
    return view->read_at ? &binary_ops : &text_ops;
}
