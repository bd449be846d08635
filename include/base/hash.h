/* SPDX-License-Identifier: MIT */
/*
 * hash.h - a number to a bucket: Fibonacci hashing (Knuth, vol. 3, 6.4).
 */
#ifndef PAGODA_BASE_HASH_H
#define PAGODA_BASE_HASH_H

#include "base/types.h"

/** The top @bits bits (1..64) of @v times 2^64 / phi. */
static inline uint64_t hash_64(uint64_t v, unsigned bits)
{
    return (v * 0x9e3779b97f4a7c15ULL) >> (64 - bits);
}

static inline uint64_t hash_ptr(const void *p, unsigned bits)
{
    return hash_64((uint64_t)(uintptr_t)p, bits);
}

#endif
