/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the terminal: what happens between a key and its reader.
 *
 *      serial line --thread "tty"--> [ ring of typed bytes ] --tty_getc(), tty_read()--> reader
 *                          |             head ^     ^ tail
 *                          `-- cooked: echo, erase, Ctrl-C -> interrupt function
 *
 * In cooked mode a line can be mended until Enter: `edit` marks where the unfinished line begins,
 * and readers see only what lies before it. In raw mode every byte is readable at once.
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
#include "kern/wait.h"

#define RING 1024U
#define CTRL_D 0x04
#define ERASE 0x7f

static struct {
    struct spinlock lock;
    struct wait_queue readers;
    enum tty_mode mode;        /* l: under lock */
    unsigned head, edit, tail; /* l */
    char ring[RING];           /* l */
    void (*interrupt)(void);
} tty = {
    .lock = SPINLOCK_INIT("tty", RANK_FILE),
    .readers = WAIT_QUEUE_INIT(tty.readers),
    .mode = TTY_COOKED,
};

void tty_set_mode(enum tty_mode mode)
{
    spin_lock(&tty.lock);
    tty.mode = mode;
    tty.edit = tty.head; /* what was typed ahead belongs to the next reader */
    spin_unlock(&tty.lock);
    wake_up_all(&tty.readers);
}

void tty_set_interrupt(void (*fn)(void))
{
    tty.interrupt = fn;
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

/* Take one byte in cooked mode. Returns what to echo, or NULL. */
static const char *cook_locked(char c, char echo[2])
{
    assert_locked(&tty.lock);
    if (c == '\b' || c == ERASE) {
        if (tty.head == tty.edit)
            return NULL;
        tty.head--;
        return "\b \b";
    }
    if (c == '\r')
        c = '\n';
    if (!put_locked(c))
        return "\a";
    if (c == '\n' || c == CTRL_D)
        tty.edit = tty.head;
    echo[0] = c;
    echo[1] = '\0';
    return c == CTRL_D ? NULL : echo;
}

void tty_input(char c)
{
    const char *shown = NULL;
    char echo[2];
    if (tty.mode == TTY_COOKED && c == TTY_CTRL_C) {
        serial_write("^C\n", 3);
        if (tty.interrupt)
            tty.interrupt();
        return;
    }
    spin_lock(&tty.lock);
    if (tty.mode == TTY_COOKED)
        shown = cook_locked(c, echo);
    else if (put_locked(c))
        tty.edit = tty.head;
    if (shown) /* under the lock: a reader that changes the mode shows nothing before it */
        serial_write(shown, strlen(shown));
    spin_unlock(&tty.lock);
    wake_up_all(&tty.readers);
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

pagoda_ssize_t tty_read(char *buf, size_t n)
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
