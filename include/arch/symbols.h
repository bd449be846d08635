/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - the names of the monitor's own functions, so that a panic can say who called whom.
 *
 *      offset from text_start   name                 scripts/symbols makes the table from a first
 *      0x0000                   _start               link of the image; the second link has it
 *      0x00a4                   secondary_entry
 *      ...
 *
 * Locks: none; constant. Linux's counterpart: kallsyms.
 */
#ifndef PAGODA_ARCH_SYMBOLS_H
#define PAGODA_ARCH_SYMBOLS_H

#include "base/types.h"

/** The function that pc lies in, and how far behind its start; NULL if there is none. */
const char *symbol_of(uint64_t pc, uint64_t *offset);

#endif
