/* SPDX-License-Identifier: MIT */
/*
 * file_table.c - the numbers of open files.
 *
 *      table   size 64      files  [ 0 ][ 1 ][ 2 ][ - ][ 4 ] ...      first[] until it grows
 *                                    \    |    /           \
 *                                   the terminal       struct file
 *
 * A table begins with room for 64 and doubles when a number beyond is wanted, up to the guest's
 * RLIMIT_NOFILE.
 *
 * Locks: table->lock, also around each look into the arrays, as growing exchanges them.
 * Linux's counterpart: fs/file.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "kern/serial.h"
#include "slab/cache.h"
#include "slab/kmalloc.h"
#include "task/file_lock.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/task.h"

static struct kmem_cache *table_cache;

void file_table_init(void)
{
    table_cache = kmem_cache_create("files_cache", sizeof(struct file_table), 0, 0, NULL);
    BUG_ON(!table_cache);
}

/* --- size ------------------------------------------------------------------------------------- */

uint64_t file_limit(void)
{
    uint64_t limit = load_relaxed(&task_current()->guest->limits[RLIMIT_NOFILE].cur);
    return MIN(limit, (uint64_t)FILES_MAX);
}

/* Room for `size` numbers: both arrays in one piece of memory. */
static struct file **alloc_arrays(uint32_t size, uint64_t **close_on_exec)
{
    struct file **files = kzalloc(size * sizeof(*files) + size / 8, GFP_KERNEL);
    if (files)
        *close_on_exec = (uint64_t *)(void *)(files + size);
    return files;
}

static void free_arrays(const struct file_table *t, struct file **files)
{
    if (files != t->first)
        kfree(files);
}

/* Have room for the number fd. */
static bool table_grow(struct file_table *t, uint64_t fd)
{
    uint32_t size = FILES_FIRST;
    while (size <= fd)
        size *= 2;
    if (size <= load_relaxed(&t->size))
        return true;
    uint64_t *close_on_exec;
    struct file **files = alloc_arrays(size, &close_on_exec);
    if (!files)
        return false;
    spin_lock(&t->lock);
    if (t->size < size) {
        memcpy(files, t->files, t->size * sizeof(*files));
        memcpy(close_on_exec, t->close_on_exec, t->size / 8);
        struct file **old = t->files;
        t->files = files;
        files = old;
        t->close_on_exec = close_on_exec;
        t->size = size;
    }
    spin_unlock(&t->lock);
    free_arrays(t, files);
    return true;
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct file_table *table_alloc(void)
{
    struct file_table *t = kmem_cache_alloc(table_cache, GFP_KERNEL | __GFP_ZERO);
    if (!t)
        return NULL;
    t->refcount = 1;
    t->size = FILES_FIRST;
    t->files = t->first;
    t->close_on_exec = t->first_close_on_exec;
    spin_init(&t->lock, "files", RANK_FILE);
    return t;
}

static void table_free(struct file_table *t)
{
    if (!t)
        return;
    free_arrays(t, t->files);
    kmem_cache_free(table_cache, t);
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
        table_free(files);
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
    struct file_table *t = table_alloc();
    if (!t)
        return NULL;
    for (uint32_t size = 0; size != t->size;) { /* it may grow until the lock is held */
        size = load_relaxed(&from->size);
        if (!table_grow(t, size - 1)) {
            table_free(t);
            return NULL;
        }
        spin_lock(&from->lock);
        if (from->size == t->size)
            break;
        spin_unlock(&from->lock);
    }
    for (uint32_t fd = 0; fd < t->size; fd++) {
        t->files[fd] = from->files[fd];
        if (t->files[fd])
            fetch_add_relaxed(&t->files[fd]->refcount, 1);
    }
    memcpy(t->close_on_exec, from->close_on_exec, t->size / 8);
    spin_unlock(&from->lock);
    return t;
}

/* A number of t for f is gone: and with it all that t had locked of that file. */
static void release(struct file_table *t, struct file *f)
{
    file_lock_drop(f, LOCK_POSIX, t);
    if (f->ops->flush)
        f->ops->flush(f, t);
    file_put(f);
}

void file_table_put(struct file_table *t)
{
    if (fetch_sub(&t->refcount, 1) != 1)
        return;
    for (uint32_t fd = 0; fd < t->size; fd++) {
        if (t->files[fd])
            release(t, t->files[fd]);
    }
    table_free(t);
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

int guest_unshare_files(struct guest *g)
{
    struct file_table *old = g->files;
    if (load_acquire(&old->refcount) == 1)
        return 0;
    struct file_table *t = file_table_copy(old);
    if (!t)
        return -ENOMEM;
    spin_lock(&g->lock);
    g->files = t;
    spin_unlock(&g->lock);
    file_table_put(old);
    return 0;
}

void file_table_close_on_exec(struct file_table *t)
{
    for (uint64_t fd = 0; fd < load_relaxed(&t->size); fd++) {
        int err = file_is_close_on_exec(t, fd) ? file_close(t, fd) : 0;
        WARN_ON(err);
    }
}

/* --- numbers ---------------------------------------------------------------------------------- */

struct file *file_get(struct file_table *t, uint64_t fd)
{
    spin_lock(&t->lock);
    struct file *f = fd < t->size ? t->files[fd] : NULL;
    if (f)
        fetch_add_relaxed(&f->refcount, 1);
    spin_unlock(&t->lock);
    return f;
}

int64_t file_next(struct file_table *t, uint64_t from)
{
    spin_lock(&t->lock);
    while (from < t->size && !t->files[from])
        from++;
    int64_t fd = from < t->size ? (int64_t)from : -ENOENT;
    spin_unlock(&t->lock);
    return fd;
}

bool file_is_close_on_exec(struct file_table *t, uint64_t fd)
{
    spin_lock(&t->lock);
    bool set = fd < t->size && test_bit(fd, t->close_on_exec);
    spin_unlock(&t->lock);
    return set;
}

void file_set_close_on_exec(struct file_table *t, uint64_t fd, bool on)
{
    spin_lock(&t->lock);
    if (fd < t->size && t->files[fd]) {
        if (on)
            set_bit(fd, t->close_on_exec);
        else
            clear_bit(fd, t->close_on_exec);
    }
    spin_unlock(&t->lock);
}

/* The lock is held, and there is room. */
static void put_in_slot(struct file_table *t, struct file *f, uint64_t fd, bool cloexec)
{
    t->files[fd] = f;
    if (cloexec)
        set_bit(fd, t->close_on_exec);
    else
        clear_bit(fd, t->close_on_exec);
}

int64_t file_install(struct file_table *t, struct file *f, uint64_t from, bool cloexec)
{
    uint64_t limit = file_limit();
    for (;;) {
        spin_lock(&t->lock);
        while (from < t->size && t->files[from])
            from++;
        bool fits = from < MIN(limit, (uint64_t)t->size);
        if (fits)
            put_in_slot(t, f, from, cloexec);
        spin_unlock(&t->lock);
        if (fits)
            return (int64_t)from;
        if (from >= limit)
            return -EMFILE;
        if (!table_grow(t, from))
            return -ENOMEM;
    }
}

int64_t file_install_at(struct file_table *t, struct file *f, uint64_t fd, bool cloexec)
{
    if (fd >= file_limit())
        return -EBADF;
    if (!table_grow(t, fd))
        return -ENOMEM;
    spin_lock(&t->lock);
    struct file *old = t->files[fd];
    put_in_slot(t, f, fd, cloexec);
    spin_unlock(&t->lock);
    if (old)
        release(t, old);
    return (int64_t)fd;
}

int file_close(struct file_table *t, uint64_t fd)
{
    struct file *f = NULL;
    spin_lock(&t->lock);
    if (fd < t->size) {
        f = t->files[fd];
        put_in_slot(t, NULL, fd, false);
    }
    spin_unlock(&t->lock);
    if (!f)
        return -EBADF;
    release(t, f);
    return 0;
}
