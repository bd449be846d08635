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
#include "task/poll.h"

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

static int64_t tty_file_splice_write(struct file *f, const void *buf, size_t n, uint64_t *pos)
{
    (void)pos;
    show(f->out, buf, n);
    return (int64_t)n;
}

static uint32_t tty_file_poll(struct file *f, struct poll_wait *pw)
{
    (void)f;
    poll_add(pw, tty_readers());
    return POLLOUT | POLLWRNORM | (tty_readable() ? POLLIN | POLLRDNORM : 0);
}

/* Is there nothing to wait for: a terminal that is to answer at once, or in its own time? */
static bool answers_itself(void)
{
    struct termios_abi t;
    tty_get_termios(&t);
    return !(t.lflag & TTY_ICANON) && !t.cc[VMIN];
}

static int64_t tty_file_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char chunk[CHUNK];
    (void)pos;
    if ((f->flags & O_NONBLOCK) && !tty_readable())
        return -EAGAIN;
    int err = answers_itself() ? 0 : task_wait_event(tty_readers(), tty_readable());
    if (err)
        return err;
    pagoda_ssize_t got = tty_read(chunk, MIN(n, sizeof(chunk)));
    if (got > 0 && copy_to_user(buf, chunk, (size_t)got))
        return -EFAULT;
    return got;
}

#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSF 0x5404u
#define TCFLSH 0x540bu
#define TIOCSCTTY 0x540eu
#define TIOCGPGRP 0x540fu
#define TIOCSPGRP 0x5410u
#define TIOCOUTQ 0x5411u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define FIONREAD 0x541bu
#define TIOCGSID 0x5429u

static int64_t get_termios(uint64_t arg)
{
    struct termios_abi t;
    tty_get_termios(&t);
    return copy_to_user(mk_vaddr(arg), &t, sizeof(t)) ? -EFAULT : 0;
}

static int64_t set_termios(uint64_t arg, bool flush)
{
    struct termios_abi t;
    if (copy_from_user(&t, mk_vaddr(arg), sizeof(t)))
        return -EFAULT;
    tty_set_termios(&t, flush);
    return 0;
}

/* Give the terminal to a process group of the guest's own session. */
static int64_t set_pgrp(const struct guest *g, uint64_t arg)
{
    uint32_t pgid;
    if (copy_from_user(&pgid, mk_vaddr(arg), sizeof(pgid)))
        return -EFAULT;
    if (!guest_group_exists(pgid, g->sid))
        return -EPERM;
    tty_set_pgrp(pgid);
    return 0;
}

static int64_t tty_file_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    static const uint16_t size[4] = {24, 80, 0, 0};
    const struct guest *g = task_current()->guest;
    (void)f;
    switch (cmd) {
    case TCGETS:
        return get_termios(arg);
    case TCSETS ... TCSETSF:
        return set_termios(arg, cmd == TCSETSF);
    case TIOCGWINSZ:
        return copy_to_user(mk_vaddr(arg), size, sizeof(size)) ? -EFAULT : 0;
    case TIOCGPGRP:
        return put_user_u32(tty_pgrp() ? tty_pgrp() : g->pgid, mk_vaddr(arg));
    case TIOCSPGRP:
        return set_pgrp(g, arg);
    case TIOCGSID:
        return put_user_u32(g->sid, mk_vaddr(arg));
    case FIONREAD:
        return put_user_u32(tty_readable(), mk_vaddr(arg));
    case TIOCOUTQ:
        return put_user_u32(0, mk_vaddr(arg));
    case TIOCSCTTY:
    case TIOCSWINSZ:
    case TCFLSH:
        return 0;
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

static const struct file_ops tty_ops = {.read = tty_file_read,
                                        .write = tty_file_write,
                                        .splice_write = tty_file_splice_write,
                                        .ioctl = tty_file_ioctl,
                                        .poll = tty_file_poll};
static const struct file_ops tty_output_ops = {.read = no_input,
                                               .write = tty_file_write,
                                               .splice_write = tty_file_splice_write,
                                               .ioctl = tty_file_ioctl};

const struct file_ops *tty_file_ops(bool without_input)
{
    return without_input ? &tty_output_ops : &tty_ops;
}
