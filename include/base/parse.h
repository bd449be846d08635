/* SPDX-License-Identifier: MIT */
/*
 * parse.h - numbers and words out of text.
 */
#ifndef PAGODA_BASE_PARSE_H
#define PAGODA_BASE_PARSE_H

#include "base/types.h"

/**
 * The whole of @s as a number in @base (10, 16, 8, or 0 for C's prefixes); one final newline is
 * allowed. 0, -EINVAL (no number, or something behind it), -ERANGE.
 */
int parse_u64(const char *s, unsigned base, uint64_t *out) must_check;

/** The same with a sign. */
int parse_s64(const char *s, unsigned base, int64_t *out) must_check;

/** Bytes with an optional suffix K, M, G or T (either case): "64M". 0, -EINVAL, -ERANGE. */
int parse_size(const char *s, uint64_t *out) must_check;

/**
 * Split @line in place at blanks; '..' and ".." quote. Fills argv and returns argc, -E2BIG when
 * there are more than @max words, -EINVAL when a quote is not closed.
 */
int split_words(char *line, char **argv, int max) must_check;

#endif
