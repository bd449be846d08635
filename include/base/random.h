/* SPDX-License-Identifier: MIT */
/*
 * random.h - a seeded sequence: the same seed gives the same run.
 *
 * splitmix64 (Steele, Lea and Flood, 2014). Not for secrets.
 */
#ifndef PAGODA_BASE_RANDOM_H
#define PAGODA_BASE_RANDOM_H

#include "base/types.h"

struct rng {
    uint64_t state;
};

static inline void rng_seed(struct rng *r, uint64_t seed)
{
    r->state = seed;
}

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/** A number from 0 to n - 1; n > 0. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return rng_next(r) % n;
}

#endif
