/* SPDX-License-Identifier: MIT */
/*
 * console/cmd_guest.h - starting guests from a line, for whoever runs lines.
 */
#ifndef PAGODA_CONSOLE_CMD_GUEST_H
#define PAGODA_CONSOLE_CMD_GUEST_H

#include "console/console.h"

/** argv[0] is no command: start the guest of that name and wait until it ends or stops. */
int guest_run_words(struct console *con, int argc, char **argv);

/** Ctrl-C and the like: the signal to the guests that have the terminal, if any. */
void guest_interrupt_foreground(int sig);

#endif
