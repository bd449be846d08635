/* SPDX-License-Identifier: MIT */
/*
 * console/filter.h - what may stand behind a `|`: grep, head, tail and wc.
 */
#ifndef PAGODA_CONSOLE_FILTER_H
#define PAGODA_CONSOLE_FILTER_H

#include "base/format.h"
#include "base/types.h"

#define FILTER_LINE 256 /* a longer line is passed on in pieces of this size */
#define FILTER_TAIL 64  /* the most lines that tail keeps */

struct filter;

/** A kind of filter: what it does with each line, and at the end. */
struct filter_kind {
    const char *name, *usage;
    int (*options)(struct filter *f, int argc, char **argv);
    void (*line)(struct filter *f, const char *text, size_t n);
    int (*finish)(struct filter *f); /* the status of the filter */
};

/** A sink that cuts what it is given into lines and hands them to its kind. */
struct filter {
    struct sink sink;
    const struct filter_kind *kind;
    struct sink *next;
    size_t used;
    uint64_t seen, limit; /* lines met; lines wanted (head, tail) */
    const char *pattern;  /* grep */
    bool invert, fold, count;
    char (*kept)[FILTER_LINE]; /* tail: a ring of the last lines, kmalloc'ed */
    char text[FILTER_LINE];
};

/** True when @name is a filter. */
bool filter_exists(const char *name);

/**
 * Make @f the filter that argv names, printing to @next. Returns 0, or -EINVAL for wrong words and
 * -ENOMEM; then nothing is to be finished.
 */
int filter_start(struct filter *f, struct sink *next, int argc, char **argv) must_check;

/** The words filter @name takes, for messages. */
const char *filter_usage(const char *name);

/** Flush the last line, release everything, and return the filter's status (grep: 1 for none). */
int filter_finish(struct filter *f);

#endif
