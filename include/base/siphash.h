/* SPDX-License-Identifier: MIT */
/*
 * siphash.h - a keyed hash of bytes: who has not the key cannot make it.
 *
 * Used to sign what a graded run says. SipHash-2-4 of Aumasson and Bernstein, 2012.
 */
#ifndef PAGODA_BASE_SIPHASH_H
#define PAGODA_BASE_SIPHASH_H

#include "base/types.h"

/** A hash in the making. */
struct siphash {
    uint64_t v[4];
    uint64_t word;  /* bytes that make no whole word yet, the first one lowest */
    uint64_t bytes; /* taken so far */
};

/** Begin, with a key of 16 bytes. */
void siphash_init(struct siphash *s, const uint64_t key[2]);

/** Take @n bytes more. */
void siphash_add(struct siphash *s, const void *bytes, size_t n);

/** The hash of all that was taken. @s is used up. */
must_check uint64_t siphash_end(struct siphash *s);

#endif
