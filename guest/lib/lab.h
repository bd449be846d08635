/* SPDX-License-Identifier: MIT */
/*
 * lab.h - what stands in a guest where a student's code is not written yet.
 *
 * The same words as in the monitor's kern/lab.h, and made by the same `scripts/lab export`; but a
 * guest that reaches such a place says so and ends, and the machine goes on.
 */
#ifndef GUEST_LAB_H
#define GUEST_LAB_H

/** Say which lab and which step of it is missing, and end the program as failed. */
#define lab_missing(lab, step, ...) \
    lab_missing_at((lab), (step), __FILE__, __LINE__, __func__, ##__VA_ARGS__)

/** Where lab_missing() ends; what follows @function only keeps it from being unused. */
void lab_missing_at(const char *lab, int step, const char *file, int line, const char *function,
                    ...) __attribute__((noreturn));

#endif
