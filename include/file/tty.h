/* SPDX-License-Identifier: MIT */
/*
 * file/tty.h - the terminal: bytes that are typed, bytes that are shown.
 */
#ifndef PAGODA_FILE_TTY_H
#define PAGODA_FILE_TTY_H

#include "base/format.h"
#include "base/types.h"

struct wait_queue;

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

/** What a guest asks of cooked mode: the kernel's struct termios, 36 bytes. */
struct termios_abi {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
};
_Static_assert(sizeof(struct termios_abi) == 36, "Linux's struct termios");

#define TTY_ICANON 2u /* in lflag: lines; without it bytes */

/** Places in cc. */
enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSUSP = 10 };

/** In force until the mode is set again. @flush: what was typed and not read yet is dropped. */
void tty_get_termios(struct termios_abi *t);
void tty_set_termios(const struct termios_abi *t, bool flush);

#define TTY_SIGINT 2 /* numbers of signals that keys mean */
#define TTY_SIGQUIT 3
#define TTY_SIGTSTP 20

/** Called, by the terminal's thread, for Ctrl-C, Ctrl-Z and Ctrl-\ in cooked mode. */
void tty_set_interrupt(void (*fn)(int sig));

/** The process group that the terminal belongs to, 0: none. Any context. */
void tty_set_pgrp(uint32_t pgid);
uint32_t tty_pgrp(void);

/** The next byte; waits for it. Thread context. -EINTR when the waiting thread is killed. */
int tty_getc(void);

/** The same, for @ns at most: then -EAGAIN. */
int tty_getc_timeout(uint64_t ns);

#define TTY_CTRL_C 0x03 /* as a byte: in raw mode */

/** Is there something to read? Who waits for it sleeps on tty_readers(). */
bool tty_readable(void);
struct wait_queue *tty_readers(void);

/**
 * What a guest's read(0) gets: at most @n bytes of one line with its newline, 0 for Ctrl-D at the
 * start of a line; without ICANON bytes as they come, by VMIN and VTIME. Waits. Thread context.
 * -EINTR when the waiting thread is killed.
 */
pagoda_ssize_t tty_read(char *buf, size_t n);

#endif
