/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the terminal: what happens between a key and its reader.
 *
 *      serial line --thread "tty"--> [ ring of typed bytes ] --tty_getc(), tty_read()--> reader
 *                          |             head ^     ^ tail
 *                          `-- cooked: echo, erase, Ctrl-C Z \\ -> interrupt function
 *
 * In cooked mode a line can be mended until Enter: `edit` marks where the unfinished line begins,
 * and readers see only what lies before it. A guest may want it otherwise (termios: ICANON, ECHO,
 * ISIG). In raw mode, the line editor's, every byte is readable at once.
 *
 * What is shown goes straight to serial_write(). The thread reads even while nobody waits for a
 * byte, because Ctrl-C must be noticed just then.
 *
 * Locks: `lock` (RANK_FILE) guards the ring.
 * Invariant: tail <= edit <= head, head - tail <= RING (counted without wrapping).
 */
#include "file/tty.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/lock.h"
#include "kern/serial.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/wait.h"

#define RING 1024U
#define CTRL_D 0x04

/* Flags of struct termios, Linux's. */
#define ICRNL 0000400u
#define ISIG 0000001u
#define ECHO 0000010u

static const struct termios_abi sane = {
    .iflag = 0x500,  /* ICRNL IXON */
    .oflag = 0x5,    /* OPOST ONLCR */
    .cflag = 0xbf,   /* 38400 baud, 8 bits */
    .lflag = 0x8a3b, /* ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN */
    .cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

static struct {
    struct spinlock lock;
    struct wait_queue readers;
    enum tty_mode mode;        /* l: under lock */
    struct termios_abi set;    /* l: what a guest wants of cooked mode */
    unsigned head, edit, tail; /* l */
    char ring[RING];           /* l */
    uint32_t pgrp;             /* whose the terminal is; 0: nobody's */
    void (*interrupt)(int sig);
} tty = {
    .lock = SPINLOCK_INIT("tty", RANK_FILE),
    .readers = WAIT_QUEUE_INIT(tty.readers),
    .mode = TTY_COOKED,
};

void tty_set_mode(enum tty_mode mode)
{
    spin_lock(&tty.lock);
    tty.mode = mode;
    tty.set = sane;
    tty.edit = tty.head; /* what was typed ahead belongs to the next reader */
    spin_unlock(&tty.lock);
    wake_up_all(&tty.readers);
}

void tty_get_termios(struct termios_abi *t)
{
    spin_lock(&tty.lock);
    *t = tty.set;
    spin_unlock(&tty.lock);
}

void tty_set_termios(const struct termios_abi *t, bool flush)
{
    spin_lock(&tty.lock);
    tty.set = *t;
    if (flush)
        tty.tail = tty.head;
    tty.edit = tty.head;
    spin_unlock(&tty.lock);
    wake_up_all(&tty.readers);
}

void tty_set_interrupt(void (*fn)(int sig))
{
    tty.interrupt = fn;
}

void tty_set_pgrp(uint32_t pgid)
{
    store_relaxed(&tty.pgrp, pgid);
}

uint32_t tty_pgrp(void)
{
    return load_relaxed(&tty.pgrp);
}

/* --- typing ---------------------------------------------------------------------------------- */

static bool put_locked(char c)
{
    assert_locked(&tty.lock);
    if (tty.head - tty.tail == RING)
        return false;
    tty.ring[tty.head++ % RING] = c;
    return true;
}

/* Take one byte of a line that can be mended. Returns what to echo, or NULL. */
static const char *cook_locked(char c, char echo[2])
{
    assert_locked(&tty.lock);
    if (c == '\b' || c == (char)tty.set.cc[VERASE]) {
        if (tty.head == tty.edit)
            return NULL;
        tty.head--;
        return "\b \b";
    }
    if (c == (char)tty.set.cc[VKILL]) {
        tty.head = tty.edit;
        return "^U\n";
    }
    if (!put_locked(c))
        return "\a";
    if (c == '\n' || c == CTRL_D)
        tty.edit = tty.head;
    echo[0] = c;
    echo[1] = '\0';
    return c == CTRL_D ? NULL : echo;
}

/* The signal that a key means, or 0. */
static int signal_of_locked(char c)
{
    assert_locked(&tty.lock);
    if (tty.mode == TTY_RAW || !(tty.set.lflag & ISIG))
        return 0;
    return c == (char)tty.set.cc[VINTR]   ? TTY_SIGINT
           : c == (char)tty.set.cc[VQUIT] ? TTY_SIGQUIT
           : c == (char)tty.set.cc[VSUSP] ? TTY_SIGTSTP
                                          : 0;
}

/* Take one byte as it is. */
static const char *raw_locked(char c, char echo[2])
{
    assert_locked(&tty.lock);
    if (!put_locked(c))
        return NULL;
    tty.edit = tty.head;
    echo[0] = c;
    echo[1] = '\0';
    return echo;
}

void tty_input(char c)
{
    char echo[2];
    const char *shown = NULL;
    spin_lock(&tty.lock);
    int sig = signal_of_locked(c);
    if (tty.mode == TTY_COOKED && c == '\r' && (tty.set.iflag & ICRNL))
        c = '\n';
    if (sig) {
        tty.head = tty.edit; /* the line that was begun is forgotten */
        shown = sig == TTY_SIGINT ? "^C\n" : sig == TTY_SIGTSTP ? "^Z\n" : "^\\\n";
    } else if (tty.mode == TTY_COOKED && (tty.set.lflag & TTY_ICANON)) {
        shown = cook_locked(c, echo);
    } else {
        shown = raw_locked(c, echo);
    }
    if (tty.mode == TTY_RAW || !(tty.set.lflag & ECHO))
        shown = NULL;
    if (shown) /* under the lock: a reader that changes the mode shows nothing before it */
        serial_write(shown, strlen(shown));
    spin_unlock(&tty.lock);
    wake_up_all(&tty.readers);
    if (sig && tty.interrupt)
        tty.interrupt(sig);
}

static void tty_thread(void *arg)
{
    (void)arg;
    for (;;) {
        char bytes[16];
        int64_t n = serial_read(bytes, sizeof(bytes));
        for (int64_t i = 0; i < n; i++)
            tty_input(bytes[i]);
    }
}

void tty_init(void)
{
    BUG_ON(!kthread_run("tty", tty_thread, NULL, NO_NODE));
}

/* --- reading --------------------------------------------------------------------------------- */

static int take(void)
{
    int c = -EAGAIN;
    spin_lock(&tty.lock);
    if (tty.tail != tty.edit)
        c = (unsigned char)tty.ring[tty.tail++ % RING];
    spin_unlock(&tty.lock);
    return c;
}

int tty_getc(void)
{
    int c = take();
    while (c == -EAGAIN) {
        if (wait_event_killable(&tty.readers, tty.tail != tty.edit))
            return -EINTR;
        c = take();
    }
    return c;
}

int tty_getc_timeout(uint64_t ns)
{
    int c = take();
    if (c != -EAGAIN)
        return c;
    if (wait_event_killable_timeout(&tty.readers, tty.tail != tty.edit, ns) == -EINTR)
        return -EINTR;
    return take();
}

bool tty_readable(void)
{
    spin_lock(&tty.lock);
    bool ready = tty.tail != tty.edit;
    spin_unlock(&tty.lock);
    return ready;
}

struct wait_queue *tty_readers(void)
{
    return &tty.readers;
}

/* A line, or what is left of it. */
static pagoda_ssize_t read_line(char *buf, size_t n)
{
    size_t got = 0;
    while (got < n) {
        int c = tty_getc();
        if (c < 0)
            return got ? (pagoda_ssize_t)got : c;
        if (c == CTRL_D)
            break;
        buf[got++] = (char)c;
        if (c == '\n')
            break;
    }
    return (pagoda_ssize_t)got;
}

/* Bytes as they come: the first after VMIN and VTIME, and those that are there already. */
static pagoda_ssize_t read_bytes(char *buf, size_t n, uint8_t min, uint8_t time)
{
    size_t got = 0;
    int c = min ? tty_getc() : time ? tty_getc_timeout(time * (NSEC_PER_SEC / 10)) : take();
    if (c == -EAGAIN)
        return 0;
    for (; c >= 0; c = got < n ? take() : -EAGAIN)
        buf[got++] = (char)c;
    return got ? (pagoda_ssize_t)got : c;
}

pagoda_ssize_t tty_read(char *buf, size_t n)
{
    struct termios_abi t;
    tty_get_termios(&t);
    if (!n)
        return 0;
    return t.lflag & TTY_ICANON ? read_line(buf, n) : read_bytes(buf, n, t.cc[VMIN], t.cc[VTIME]);
}
