/* SPDX-License-Identifier: MIT */
/*
 * console/ps.h - the guests as a table.
 */
#ifndef PAGODA_CONSOLE_PS_H
#define PAGODA_CONSOLE_PS_H

#include "console/console.h"

int cmd_ps(struct console *con, int argc, char **argv);
int cmd_top(struct console *con, int argc, char **argv);

#endif
