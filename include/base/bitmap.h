/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h - sets of small numbers.
 *
 *      bits:   word 0: 63 ... 2 1 0     word 1: 127 ... 65 64
 *
 * Long sets are arrays of words; sets of harts and of nodes fit one word and have types of their
 * own, so that one is not taken for the other. None of the operations is atomic.
 */
#ifndef PAGODA_BASE_BITMAP_H
#define PAGODA_BASE_BITMAP_H

#include "base/format.h"
#include "base/types.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline void set_bit(size_t n, uint64_t *map)
{
    map[n / 64] |= 1UL << (n % 64);
}

static inline void clear_bit(size_t n, uint64_t *map)
{
    map[n / 64] &= ~(1UL << (n % 64));
}

static inline bool test_bit(size_t n, const uint64_t *map)
{
    return (map[n / 64] >> (n % 64)) & 1;
}

/** Set or clear @n bits from @first. */
void bitmap_set(uint64_t *map, size_t first, size_t n);
void bitmap_clear(uint64_t *map, size_t first, size_t n);

/** The first set (clear) bit at or after @from, or @size when there is none below it. */
size_t find_next_bit(const uint64_t *map, size_t size, size_t from);
size_t find_next_zero_bit(const uint64_t *map, size_t size, size_t from);

/** How many of the first @size bits are set. */
size_t bitmap_weight(const uint64_t *map, size_t size);

/** "0-3,5" sets bits 0 1 2 3 5 of a cleared map. 0, -EINVAL, -ERANGE (a bit >= size). */
int bitmap_parse_list(const char *text, uint64_t *map, size_t size) must_check;

/** The reverse; prints nothing for an empty set. */
void bitmap_print_list(struct sink *out, const uint64_t *map, size_t size);

typedef struct {
    uint64_t bits;
} hartmask_t;
typedef struct {
    uint64_t bits;
} nodemask_t;

/* For both kinds of mask: m is an lvalue of hartmask_t or nodemask_t. */
#define mask_set(m, i) ((m)->bits |= 1UL << (i))
#define mask_clear(m, i) ((m)->bits &= ~(1UL << (i)))
#define mask_test(m, i) (((m)->bits >> (i)) & 1)
#define mask_empty(m) ((m)->bits == 0)
#define mask_weight(m) ((unsigned)__builtin_popcountll((m)->bits))

/** The lowest member, or 64 when empty; and the lowest above i. */
#define mask_first(m) ((m)->bits ? (unsigned)__builtin_ctzll((m)->bits) : 64u)
#define mask_next(m, i) mask_next_bit((m)->bits, (unsigned)(i))

static inline unsigned mask_next_bit(uint64_t bits, unsigned i)
{
    uint64_t above = i >= 63 ? 0 : bits & ~((2UL << i) - 1);
    return above ? (unsigned)__builtin_ctzll(above) : 64u;
}

#define for_each_in_mask(i, m) \
    for ((i) = mask_first(m); (unsigned)(i) < 64; (i) = mask_next((m), (i)))

#endif
