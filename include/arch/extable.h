/* SPDX-License-Identifier: MIT */
/*
 * extable.h - where to go on after a fault that was to be expected.
 */
#ifndef PAGODA_ARCH_EXTABLE_H
#define PAGODA_ARCH_EXTABLE_H

#include "base/types.h"

/** The fixup of the instruction at pc, 0 if it must not fault. */
uint64_t extable_fixup(uint64_t pc);

/** Is the table in order, as the search needs it? */
bool extable_check(void);

#endif
