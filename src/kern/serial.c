/* SPDX-License-Identifier: MIT */
/*
 * serial.c - one line out, one line in.
 *
 *      input ring:   [ . . h e l l o . . ]
 *                        ^ taken       ^ filled
 *                        readers       interrupt or poll
 *
 * Locks: out_lock (RANK_SERIAL) while the driver writes; input_lock (RANK_IRQ) over the ring.
 * Invariants: filled - taken <= INPUT_SIZE.
 * Linux's counterpart: tty_flip_buffer_push(), n_tty_read() without the line discipline.
 */
#include "kern/serial.h"

#include "base/errno.h"
#include "kern/lock.h"
#include "kern/wait.h"

#define INPUT_SIZE 1024u
#define POLL_NS (5 * NSEC_PER_MSEC)

static struct spinlock out_lock = SPINLOCK_INIT("serial", RANK_SERIAL);
static const struct serial_driver *driver;

static struct wait_queue input_wait = WAIT_QUEUE_INIT(input_wait);
static struct spinlock input_lock = SPINLOCK_INIT("serial input", RANK_IRQ);
static char input[INPUT_SIZE];
static uint32_t filled, taken;
static bool irq_driven;

/* --- out ------------------------------------------------------------------------------------- */

void serial_set_driver(const struct serial_driver *new_driver)
{
    spin_lock(&out_lock);
    if (driver && driver->flush)
        driver->flush();
    driver = new_driver;
    spin_unlock(&out_lock);
}

void serial_write(const char *buf, size_t n)
{
    spin_lock(&out_lock);
    size_t start = 0;
    for (size_t i = 0; i < n && driver; i++) {
        if (buf[i] != '\n')
            continue;
        driver->write(buf + start, i - start);
        driver->write("\r\n", 2);
        start = i + 1;
    }
    if (driver && start < n)
        driver->write(buf + start, n - start);
    spin_unlock(&out_lock);
}

void serial_write_raw(const char *buf, size_t n)
{
    spin_lock(&out_lock);
    if (driver)
        driver->write(buf, n);
    spin_unlock(&out_lock);
}

void serial_flush(void)
{
    spin_lock(&out_lock);
    if (driver && driver->flush)
        driver->flush();
    spin_unlock(&out_lock);
}

void serial_panic(void)
{
    if (driver && driver->panic)
        driver->panic();
}

static void serial_sink_write(struct sink *sink, const char *text, size_t n)
{
    (void)sink;
    serial_write(text, n);
}

struct sink *serial_sink(void)
{
    static struct sink sink = {.write = serial_sink_write};
    return &sink;
}

/* --- in -------------------------------------------------------------------------------------- */

void serial_input(const char *buf, size_t n)
{
    spin_lock(&input_lock);
    for (size_t i = 0; i < n && filled - taken < INPUT_SIZE; i++)
        input[filled++ % INPUT_SIZE] = buf[i];
    spin_unlock(&input_lock);
    wake_up_all(&input_wait);
}

static void poll_driver(void)
{
    if (irq_driven || !driver || !driver->poll)
        return;
    for (int c = driver->poll(); c >= 0; c = driver->poll()) {
        char byte = (char)c;
        serial_input(&byte, 1);
    }
}

static bool input_waiting(void)
{
    poll_driver();
    return __atomic_load_n(&filled, __ATOMIC_ACQUIRE) != taken;
}

static int64_t take_input(char *buf, size_t n)
{
    size_t got = 0;
    spin_lock(&input_lock);
    while (got < n && taken != filled)
        buf[got++] = input[taken++ % INPUT_SIZE];
    spin_unlock(&input_lock);
    return (int64_t)got;
}

int64_t serial_read_timeout(char *buf, size_t n, uint64_t ns)
{
    uint64_t end = now_ns() + ns;
    while (!input_waiting()) {
        uint64_t now = now_ns();
        if (now >= end)
            return 0;
        uint64_t nap = irq_driven ? end - now : MIN(end - now, POLL_NS);
        if (wait_event_killable_timeout(&input_wait, input_waiting(), nap) == -EINTR)
            return -EINTR;
    }
    return take_input(buf, n);
}

int64_t serial_read(char *buf, size_t n)
{
    for (;;) {
        int err = 0;
        if (irq_driven)
            err = wait_event_killable(&input_wait, input_waiting());
        else
            err = wait_event_killable_timeout(&input_wait, input_waiting(), POLL_NS);
        if (err == -EINTR)
            return err;
        int64_t got = take_input(buf, n);
        if (got > 0)
            return got;
    }
}

void serial_set_irq_driven(void)
{
    irq_driven = true;
}
