/* SPDX-License-Identifier: MIT */
/*
 * lab.c - a place was reached that a student has still to write.
 *
 * The machine ends as it does after a broken invariant: the other harts stand still, the message
 * and the way that led here are printed, and it powers off as failed. So a run that meets a stub
 * is over at once and says why; it is never a hang.
 *
 * Locks: none. Linux's counterpart: none.
 */
#include "kern/lab.h"

#include "kern/panic.h"

void lab_missing_at(const char *lab, int step, const char *file, int line, const char *function,
                    ...)
{
    panic("lab %s, step %d is missing: %s(), %s:%d; 'make todo' lists what is", lab, step, function,
          file, line);
}
