/* SPDX-License-Identifier: MIT */
/*
 * serial.h - the one serial line, shared by the log, the console and the guests.
 *
 *      log line ----.                                   .--- UART interrupt: serial_input()
 *      console -----+--> serial_write --> driver        |
 *      guest fd 1 --'    (one lock: a write is whole)   v
 *                                               [ input ring ] --> serial_read (sleeps)
 *
 * The driver is SBI's console from the first instruction on and the UART later; it may be replaced
 * at any time. '\n' goes out as "\r\n".
 *
 * Locks: RANK_SERIAL inside. serial_write from anywhere; serial_read from a thread.
 * Linux's counterpart: struct console and the tty layer, as far as one needs them.
 */
#ifndef PAGODA_KERN_SERIAL_H
#define PAGODA_KERN_SERIAL_H

#include "base/format.h"
#include "base/types.h"

struct serial_driver {
    const char *name;
    void (*write)(const char *buf, size_t n); /* under RANK_SERIAL; may spin, never sleeps */
    void (*flush)(void);                      /* until all is out, polled; may be NULL */
    int (*poll)(void);                        /* a byte that has come in, or -1; may be NULL */
    void (*panic)(void);                      /* no interrupts, no locks any more; may be NULL */
};

void serial_set_driver(const struct serial_driver *driver);

/** All of buf, not mixed with other writers. Any context. */
void serial_write(const char *buf, size_t n);

/** The same, but '\n' stays '\n': for records that a program reads. */
void serial_write_raw(const char *buf, size_t n);

/** Wait until every byte is out. For panic and power-off. */
void serial_flush(void);

/** Only this hart still runs: the driver is told. */
void serial_panic(void);

/** A sink that writes to the line, for whoever prints views. */
struct sink *serial_sink(void);

/** Called by the driver's interrupt with bytes that came in; drops what does not fit. */
void serial_input(const char *buf, size_t n);

/**
 * Up to n bytes of input; sleeps until there is one. Without input interrupts the driver is polled
 * every few milliseconds. Returns the count, or -EINTR when the thread was killed.
 */
int64_t serial_read(char *buf, size_t n);

/** The same, but at most so long: 0 when nothing came. ns 0 only looks. */
int64_t serial_read_timeout(char *buf, size_t n, uint64_t ns);

/** Input comes by interrupts from now on. */
void serial_set_irq_driven(void);

#endif
