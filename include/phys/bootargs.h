/* SPDX-License-Identifier: MIT */
/*
 * bootargs.h - the kernel command line: `mem=256M numa=off loglevel=7`.
 *
 *      "mem=256M  numa=off name=\"two words\" quiet"
 *       key value key value key   value       key, value ""
 *
 * Words are separated by blanks; double quotes keep blanks inside a value. As in Linux '-' and '_'
 * are the same in a key, and of two words with the same key the last counts.
 *
 * Locks: none; set once at boot, constant afterwards.
 * Linux's counterpart: kernel/params.c, parse_args().
 */
#ifndef PAGODA_PHYS_BOOTARGS_H
#define PAGODA_PHYS_BOOTARGS_H

#include "base/types.h"

/** Take a copy of the command line (cut at MACHINE_BOOTARGS_MAX) and split it. */
void bootargs_init(const char *text);

/** Value of `key`; "" for a word without '='; NULL if the key does not occur. */
const char *bootarg_get(const char *key);

/** A size with Linux's suffixes (`64M`, `0x1000`, `2G`); `otherwise` if absent or malformed. */
uint64_t bootarg_size(const char *key, uint64_t otherwise);

/** A number; `otherwise` if absent or malformed. */
uint64_t bootarg_u64(const char *key, uint64_t otherwise);

/** True for `key`, `key=1`, `key=on`, `key=y`, `key=yes`; false for the opposites or if absent. */
bool bootarg_flag(const char *key);

/** Number of words, and word `i` of them (key and value), to list what nobody asked for. */
uint32_t bootargs_count(void);
void bootarg_at(uint32_t i, const char **key, const char **value);

#endif
