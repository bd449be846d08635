/* SPDX-License-Identifier: MIT */
/*
 * lab.h - what stands where a student's code is not written yet.
 *
 *      teacher's tree                            student's tree
 *      / * lab buddy: begin 1 * /                / * lab buddy: begin 1 * /
 *      the solution                              lab_missing("buddy", 1, page, order);
 *      / * lab buddy: stub lab_missing... * /    / * lab buddy: end * /
 *      / * lab buddy: end * /
 *
 * `scripts/lab export` makes the right column out of the left one (docs/labs/README.md). A marked
 * place without a stub is empty in the student's tree: helpers that need not be there.
 *
 * Locks: none; it may be reached with any of them held.
 */
#ifndef PAGODA_KERN_LAB_H
#define PAGODA_KERN_LAB_H

#include "base/types.h"

/** Say which lab and which step of it is missing, and stop the machine. Any context. */
#define lab_missing(lab, step, ...) \
    lab_missing_at((lab), (step), __FILE__, __LINE__, __func__, ##__VA_ARGS__)

/**
 * Where lab_missing() ends. What follows @function is not looked at: a stub hands over the
 * parameters and the helpers that its solution would use, so that no compiler finds them unused.
 */
noreturn void lab_missing_at(const char *lab, int step, const char *file, int line,
                             const char *function, ...);

#endif
