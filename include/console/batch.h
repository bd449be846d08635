/* SPDX-License-Identifier: MIT */
/*
 * console/batch.h - commands that came with the guest archive, run without a person.
 */
#ifndef PAGODA_CONSOLE_BATCH_H
#define PAGODA_CONSOLE_BATCH_H

#include "console/console.h"

#define BATCH_FILE "/etc/pagoda.batch"

/**
 * Run each line of BATCH_FILE on @con, with the records that docs/console.md describes. Returns
 * false when there is no such file; else the caller switches the machine off.
 */
bool batch_run(struct console *con, const char *prompt);

#endif
