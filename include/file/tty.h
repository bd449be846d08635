/* SPDX-License-Identifier: MIT */
/*
 * file/tty.h - the terminal: bytes that are typed, bytes that are shown.
 */
#ifndef PAGODA_FILE_TTY_H
#define PAGODA_FILE_TTY_H

#include "base/format.h"
#include "base/types.h"

enum tty_mode {
    TTY_COOKED, /* lines, echoed; Ctrl-C interrupts: while a command or a guest runs */
    TTY_RAW,    /* every byte as typed: for the line editor, which echoes itself */
};

/** Start the thread that takes bytes from the serial line. Boot only; needs threads. */
void tty_init(void);

/** A byte was typed. Thread context. When nobody reads for long, the newest bytes are lost. */
void tty_input(char c);

/** How bytes that arrive from now on are treated. */
void tty_set_mode(enum tty_mode mode);

/** Called, by the terminal's thread, for each Ctrl-C in cooked mode; NULL for nobody. */
void tty_set_interrupt(void (*fn)(void));

/** The next byte; waits for it. Thread context. -EINTR when the waiting thread is killed. */
int tty_getc(void);

/** The same, for @ns at most: then -EAGAIN. */
int tty_getc_timeout(uint64_t ns);

#define TTY_CTRL_C 0x03 /* as a byte: in raw mode */

/**
 * What a guest's read(0) gets: at most @n bytes of one line with its newline; 0 for Ctrl-D at the
 * start of a line. Waits. Thread context. -EINTR when the waiting thread is killed.
 */
pagoda_ssize_t tty_read(char *buf, size_t n);

#endif
