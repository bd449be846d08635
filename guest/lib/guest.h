/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what the demo guests share: options, sizes, patterns, a seeded random sequence.
 *
 * The guests are ordinary C programs; each of them also runs on any Linux. They use nothing but
 * the C library, so that what they show on Pagoda can be compared with what they show there.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What `--help` prints: a usage line, then a paragraph. */
struct guest_help {
    const char *usage;
    const char *text;
};

/** Print @help and exit 0 when one of the arguments is --help or -h. */
void guest_help_wanted(int argc, char **argv, const struct guest_help *help);

/** Complain about @why, point at --help, exit 2. */
void guest_usage(const struct guest_help *help, const char *why) __attribute__((noreturn));

/** "64M", "4K", "1G" or plain bytes; exits 2 with a message when @text is no size. */
size_t guest_size(const struct guest_help *help, const char *text);

/** A plain decimal number up to @max; exits 2 with a message when @text is none. */
unsigned long guest_number(const struct guest_help *help, const char *text, unsigned long max);

/** The value of option @name (`--name VALUE` or `--name=VALUE`), or NULL. Marks it as used. */
const char *guest_option(int argc, char **argv, const char *name);

/** True when the bare flag @name is among the arguments. Marks it as used. */
bool guest_flag(int argc, char **argv, const char *name);

/** The next argument that no option has used, or NULL. */
const char *guest_operand(int argc, char **argv);

/** After all options are taken: complain about the first argument that nobody used. */
void guest_no_more(const struct guest_help *help, int argc, char **argv);

/** Fresh anonymous memory of @size bytes, or exit 1 with the reason. */
char *guest_map(const char *who, size_t size);

/** Fill a page with a pattern that names the page, and check it again later. */
void guest_stamp(void *page, uint64_t tag);
bool guest_stamp_ok(const void *page, uint64_t tag);

/** A small seeded generator (splitmix64): the same seed gives the same run. */
uint64_t guest_random(uint64_t *state);

/** Seconds since some fixed moment. */
double guest_seconds(void);

#define GUEST_PAGE 4096UL

#endif
