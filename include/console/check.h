/* SPDX-License-Identifier: MIT */
/*
 * console/check.h - the audit of everything.
 */
#ifndef PAGODA_CONSOLE_CHECK_H
#define PAGODA_CONSOLE_CHECK_H

#include "base/format.h"

/** Run every floor's check, print what is wrong and a summary line. Returns the faults found. */
unsigned long check_all(struct sink *out);

#endif
