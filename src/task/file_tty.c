/* SPDX-License-Identifier: MIT */
/*
 * file_tty.c - the terminal as an open file.
 *
 *      guest's write --> chunks --> its sink: the serial line, or what the console put in between
 *      guest's read  <-- one line of file/tty.c
 *
 * Locks: none. Linux's counterpart: drivers/tty/tty_io.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/tty.h"
#include "kern/thread.h"
#include "task/files.h"
#include "task/guest.h"

#define CHUNK 256 /* bytes that are carried at once, on the stack */

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

static int64_t no_input(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return 0;
}

static const struct file_ops tty_ops = {
    .read = tty_file_read, .write = tty_file_write, .ioctl = tty_file_ioctl};
static const struct file_ops tty_output_ops = {
    .read = no_input, .write = tty_file_write, .ioctl = tty_file_ioctl};

const struct file_ops *tty_file_ops(bool without_input)
{
    return without_input ? &tty_output_ops : &tty_ops;
}
