/* SPDX-License-Identifier: MIT */
/*
 * interleave.h - another hart comes in between, at every instruction there is.
 *
 *      mine:    | i0 | i1 | i2 | ... one instruction at a time
 *                         ^
 *                         n = 2: other() as a whole, as if another hart had been quick
 *
 *      for (unsigned n = 0; interleave(mine, other, &x, n); n++)
 *          look at x, begin anew
 *
 * A race that needs the other one at one certain place is found each time. @other may not wait for
 * what @mine holds. x86's trap flag does it; on another processor only n = 0 is tried.
 */
#ifndef HOST_INTERLEAVE_H
#define HOST_INTERLEAVE_H

#include <stdbool.h>

/**
 * Run @mine, and @other before its nth instruction; with n = 0 before it begins. False when it had
 * fewer instructions: then @other has not run.
 */
bool interleave(void (*mine)(void *), void (*other)(void *), void *arg, unsigned n);

#endif
