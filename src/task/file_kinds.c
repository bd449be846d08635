/* SPDX-License-Identifier: MIT */
/*
 * file_kinds.c - what can be opened: the terminal, files of the archive, views, small devices.
 *
 *      /dev/tty console null zero full random urandom
 *      /proc/... /sys/...     a view's text, taken when it is first read
 *      anything else          a file of the archive, read-only
 *
 * Locks: none. Linux's counterpart: the file_operations of each.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/archive.h"
#include "file/registry.h"
#include "file/tty.h"
#include "kern/serial.h"
#include "slab/kmalloc.h"
#include "task/exec.h"
#include "task/files.h"

#define CHUNK 256 /* bytes that are carried at once, on the stack */
#define VIEW_TEXT_MAX KIB(256)

/* --- the terminal ----------------------------------------------------------------------------- */

#define RECORD_MARK '\x1e' /* begins what the console tells the launcher, so no guest may say it */

/* Show a guest's bytes, the mark of records as ^^, the way terminals show control characters. */
static void show(struct sink *out, const char *text, size_t n)
{
    while (n) {
        const char *mark = memchr(text, RECORD_MARK, n);
        size_t plain = mark ? (size_t)(mark - text) : n;
        if (plain)
            out->write(out, text, plain);
        if (!mark)
            return;
        out->write(out, "^^", 2);
        text = mark + 1;
        n -= plain + 1;
    }
}

static int64_t tty_file_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char chunk[CHUNK];
    size_t done = 0;
    (void)pos;
    while (done < n) {
        size_t part = MIN(n - done, sizeof(chunk));
        if (copy_from_user(chunk, mk_vaddr(buf.v + done), part))
            return done ? (int64_t)done : -EFAULT;
        show(f->out, chunk, part);
        done += part;
        cond_resched();
    }
    return (int64_t)done;
}

static int64_t tty_file_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char chunk[CHUNK];
    (void)f;
    (void)pos;
    pagoda_ssize_t got = tty_read(chunk, MIN(n, sizeof(chunk)));
    if (got > 0 && copy_to_user(buf, chunk, (size_t)got))
        return -EFAULT;
    return got;
}

static int64_t no_input(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return 0;
}

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TIOCGPGRP 0x540f
#define TIOCGWINSZ 0x5413

/* struct termios of the kernel: 4 words of flags, line discipline, 19 control characters. */
static int64_t get_termios(uint64_t arg)
{
    static const struct {
        uint32_t iflag, oflag, cflag, lflag;
        uint8_t line, cc[19];
    } cooked = {
        .iflag = 0x500,  /* ICRNL IXON */
        .oflag = 0x5,    /* OPOST ONLCR */
        .cflag = 0xbf,   /* 38400 baud, 8 bits */
        .lflag = 0x8a3b, /* ISIG ICANON ECHO... */
        .cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
    };
    return copy_to_user(mk_vaddr(arg), &cooked, sizeof(cooked)) ? -EFAULT : 0;
}

static int64_t tty_file_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    static const uint16_t size[4] = {24, 80, 0, 0};
    (void)f;
    switch (cmd) {
    case TCGETS:
        return get_termios(arg);
    case TCSETS:
    case TCSETSW:
        return 0;
    case TIOCGWINSZ:
        return copy_to_user(mk_vaddr(arg), size, sizeof(size)) ? -EFAULT : 0;
    case TIOCGPGRP:
        return put_user_u32(task_current()->guest->pgid, mk_vaddr(arg));
    default:
        return -ENOTTY;
    }
}

static const struct file_ops tty_ops = {
    .read = tty_file_read, .write = tty_file_write, .ioctl = tty_file_ioctl};
static const struct file_ops tty_output_ops = {
    .read = no_input, .write = tty_file_write, .ioctl = tty_file_ioctl};

struct file *tty_file(struct sink *out, bool without_input)
{
    struct file *f = file_alloc(without_input ? &tty_output_ops : &tty_ops, S_IFCHR | 0620);
    if (!f)
        return NULL;
    f->out = out ? out : serial_sink();
    f->flags = O_RDWR;
    strlcpy(f->path, "/dev/console", sizeof(f->path));
    return f;
}

/* --- files of the archive --------------------------------------------------------------------- */

static int64_t inode_file_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char chunk[CHUNK];
    size_t done = 0;
    while (done < n) {
        pagoda_ssize_t got = inode_read(f->inode, chunk, MIN(n - done, sizeof(chunk)), *pos);
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

static const struct file_ops inode_ops = {.read = inode_file_read, .seekable = true};

/* --- views ------------------------------------------------------------------------------------ */

/* Print the view into memory, once: what is read in pieces should fit together. */
static int take_text(struct file *f)
{
    for (size_t size = KIB(4); size <= VIEW_TEXT_MAX; size *= 4) {
        struct buffer_sink b;
        char *text = kmalloc(size, GFP_KERNEL);
        if (!text)
            return -ENOMEM;
        buffer_sink_init(&b, text, size);
        int err = view_read(f->path, &b.sink);
        if (!err && b.len < size) {
            f->text = text;
            f->text_len = b.len;
            return 0;
        }
        kfree(text);
        if (err)
            return err;
    }
    return -EFBIG;
}

static int64_t view_file_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    int err = f->text ? 0 : take_text(f);
    if (err)
        return err;
    if (*pos >= f->text_len)
        return 0;
    n = MIN(n, f->text_len - *pos);
    if (copy_to_user(buf, f->text + *pos, n))
        return -EFAULT;
    *pos += n;
    return (int64_t)n;
}

static int64_t view_file_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char text[CHUNK];
    (void)pos;
    if (n >= sizeof(text))
        return -EINVAL;
    if (copy_from_user(text, buf, n))
        return -EFAULT;
    text[n] = '\0';
    int err = view_write(f->path, text, n);
    return err ? err : (int64_t)n;
}

static void view_file_close(struct file *f)
{
    kfree(f->text);
}

static const struct file_ops view_ops = {
    .read = view_file_read, .write = view_file_write, .close = view_file_close, .seekable = true};

static struct file *open_view(struct guest *g, const char *path, int *err)
{
    struct view_args args;
    char real[sizeof(((struct file *)0)->path)];
    if (!strncmp(path, "/proc/self/", 11))
        snprintf(real, sizeof(real), "/proc/%u/%s", g->pid, path + 11);
    else
        strlcpy(real, path, sizeof(real));
    *err = -ENOENT;
    if (!view_find(real, &args))
        return NULL;
    struct file *f = file_alloc(&view_ops, S_IFREG | 0644);
    *err = f ? 0 : -ENOMEM;
    if (f)
        strlcpy(f->path, real, sizeof(f->path));
    return f;
}

/* --- devices ---------------------------------------------------------------------------------- */

static int64_t zero_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)pos;
    size_t left = clear_user(buf, n);
    return left == n && n ? -EFAULT : (int64_t)(n - left);
}

static int64_t random_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)pos;
    for (size_t done = 0; done < n; done += sizeof(uint64_t)) {
        uint64_t word = guest_random();
        if (copy_to_user(mk_vaddr(buf.v + done), &word, MIN(n - done, sizeof(word))))
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)n;
}

static int64_t swallow(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)pos;
    return (int64_t)n;
}

static int64_t full_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return -ENOSPC;
}

static const struct device {
    const char *path;
    struct file_ops ops;
} devices[] = {
    {"/dev/null", {.read = no_input, .write = swallow}},
    {"/dev/zero", {.read = zero_read, .write = swallow}},
    {"/dev/full", {.read = zero_read, .write = full_write}},
    {"/dev/random", {.read = random_read, .write = swallow}},
    {"/dev/urandom", {.read = random_read, .write = swallow}},
};

/* --- by path ---------------------------------------------------------------------------------- */

static struct file *open_inode(const char *path, uint32_t flags, int *err)
{
    struct inode *inode = archive_lookup(path);
    *err = -ENOENT;
    if (!inode) {
        if (flags & O_CREAT)
            *err = -EROFS;
        return NULL;
    }
    *err = -EROFS;
    if ((flags & O_ACCMODE) != O_RDONLY)
        return NULL;
    struct file *f = file_alloc(&inode_ops, inode->mode);
    *err = f ? 0 : -ENOMEM;
    if (f) {
        f->inode = inode;
        strlcpy(f->path, path, sizeof(f->path));
    }
    return f;
}

struct file *file_open(struct guest *g, const char *path, uint32_t flags, int *err)
{
    struct file *f = NULL;
    *err = -ENOMEM;
    if (!strcmp(path, "/dev/tty") || !strcmp(path, "/dev/console"))
        return tty_file(g->out, false);
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (strcmp(path, devices[i].path))
            continue;
        f = file_alloc(&devices[i].ops, S_IFCHR | 0666);
        if (f)
            strlcpy(f->path, path, sizeof(f->path));
        return f;
    }
    if (!strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5))
        f = open_view(g, path, err);
    else
        f = open_inode(path, flags, err);
    if (f)
        f->flags = flags;
    return f;
}
