/* SPDX-License-Identifier: MIT */
/*
 * files.c - tables of open files. files.h has the picture.
 *
 * Locks: table->lock. Linux's counterpart: fs/file.c.
 */
#include "task/files.h"

#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "kern/serial.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"

static struct kmem_cache *file_cache, *table_cache;

void files_init(void)
{
    file_cache = kmem_cache_create("filp", sizeof(struct file), 0, 0, NULL);
    table_cache = kmem_cache_create("files_cache", sizeof(struct file_table), 0, 0, NULL);
    BUG_ON(!file_cache || !table_cache);
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

/* --- tables ----------------------------------------------------------------------------------- */

static struct file_table *table_alloc(void)
{
    struct file_table *files = kmem_cache_alloc(table_cache, GFP_KERNEL | __GFP_ZERO);
    if (!files)
        return NULL;
    files->refcount = 1;
    spin_init(&files->lock, "files", RANK_FILE);
    return files;
}

/* The terminal, as if it had been opened by its path. */
static struct file *open_console(struct sink *out, bool no_input)
{
    int err;
    struct file *tty = file_alloc(tty_file_ops(no_input), S_IFCHR | 0666);
    if (!tty)
        return NULL;
    tty->inode = file_find("/dev/console", &err);
    if (tty->inode)
        fetch_add_relaxed(&tty->inode->sb->users, 1);
    tty->out = out ? out : serial_sink();
    tty->flags = O_RDWR;
    return tty;
}

struct file_table *file_table_create(struct sink *out, bool no_input)
{
    struct file_table *files = table_alloc();
    struct file *tty = open_console(out, no_input);
    if (!files || !tty) {
        kmem_cache_free(table_cache, files);
        if (tty)
            file_put(tty);
        return NULL;
    }
    tty->refcount = 3;
    for (int fd = 0; fd < 3; fd++)
        files->files[fd] = tty;
    return files;
}

struct file_table *file_table_copy(struct file_table *from)
{
    struct file_table *files = table_alloc();
    if (!files)
        return NULL;
    spin_lock(&from->lock);
    for (int fd = 0; fd < FILES_MAX; fd++) {
        files->files[fd] = from->files[fd];
        if (files->files[fd])
            fetch_add_relaxed(&files->files[fd]->refcount, 1);
    }
    memcpy(files->close_on_exec, from->close_on_exec, sizeof(files->close_on_exec));
    spin_unlock(&from->lock);
    return files;
}

void file_table_put(struct file_table *files)
{
    if (fetch_sub(&files->refcount, 1) != 1)
        return;
    for (int fd = 0; fd < FILES_MAX; fd++) {
        if (files->files[fd])
            file_put(files->files[fd]);
    }
    kmem_cache_free(table_cache, files);
}

struct file_table *guest_files(struct guest *g)
{
    spin_lock(&g->lock);
    struct file_table *files = g->files;
    if (files)
        fetch_add_relaxed(&files->refcount, 1);
    spin_unlock(&g->lock);
    return files;
}

void file_table_close_on_exec(struct file_table *files)
{
    for (uint64_t fd = 0; fd < FILES_MAX; fd++) {
        int err = test_bit(fd, files->close_on_exec) ? file_close(files, fd) : 0;
        WARN_ON(err);
    }
}

struct file *file_get(struct file_table *files, uint64_t fd)
{
    if (fd >= FILES_MAX)
        return NULL;
    spin_lock(&files->lock);
    struct file *f = files->files[fd];
    if (f)
        fetch_add_relaxed(&f->refcount, 1);
    spin_unlock(&files->lock);
    return f;
}

static void put_in_slot(struct file_table *files, struct file *f, uint64_t fd, bool cloexec)
{
    files->files[fd] = f;
    if (cloexec)
        set_bit(fd, files->close_on_exec);
    else
        clear_bit(fd, files->close_on_exec);
}

int64_t file_install(struct file_table *files, struct file *f, uint64_t from, bool cloexec)
{
    int64_t fd = -EMFILE;
    spin_lock(&files->lock);
    for (uint64_t i = from; i < FILES_MAX && fd < 0; i++) {
        if (files->files[i])
            continue;
        put_in_slot(files, f, i, cloexec);
        fd = (int64_t)i;
    }
    spin_unlock(&files->lock);
    return fd;
}

int64_t file_install_at(struct file_table *files, struct file *f, uint64_t fd, bool cloexec)
{
    if (fd >= FILES_MAX)
        return -EBADF;
    spin_lock(&files->lock);
    struct file *old = files->files[fd];
    put_in_slot(files, f, fd, cloexec);
    spin_unlock(&files->lock);
    if (old)
        file_put(old);
    return (int64_t)fd;
}

int file_close(struct file_table *files, uint64_t fd)
{
    struct file *f = NULL;
    if (fd < FILES_MAX) {
        spin_lock(&files->lock);
        f = files->files[fd];
        put_in_slot(files, NULL, fd, false);
        spin_unlock(&files->lock);
    }
    if (!f)
        return -EBADF;
    file_put(f);
    return 0;
}
