/* SPDX-License-Identifier: MIT */
/*
 * bitmap.c - sets of small numbers, in whole words where that pays.
 *
 *      find_next_bit from 70:   word 1, the bits below 70 masked off --> lowest one, or word 2 ...
 *
 * Locks: the caller's. State: none.
 */
#include "base/bitmap.h"

#include "base/errno.h"
#include "base/string.h"

/* The bits of the word at @at that belong to [at, at + n). */
static uint64_t word_mask(size_t at, size_t n)
{
    uint64_t mask = n >= 64 ? ~0UL : (1UL << n) - 1;
    return mask << (at % 64);
}

void bitmap_set(uint64_t *map, size_t first, size_t n)
{
    while (n) {
        size_t step = MIN(n, 64 - first % 64);
        map[first / 64] |= word_mask(first, step);
        first += step;
        n -= step;
    }
}

void bitmap_clear(uint64_t *map, size_t first, size_t n)
{
    while (n) {
        size_t step = MIN(n, 64 - first % 64);
        map[first / 64] &= ~word_mask(first, step);
        first += step;
        n -= step;
    }
}

/* @flip 0 looks for ones, ~0 for zeros. */
static size_t find_next(const uint64_t *map, size_t size, size_t from, uint64_t flip)
{
    while (from < size) {
        uint64_t word = (map[from / 64] ^ flip) >> (from % 64);
        if (word)
            return MIN(size, from + (size_t)__builtin_ctzll(word));
        from = (from / 64 + 1) * 64;
    }
    return size;
}

size_t find_next_bit(const uint64_t *map, size_t size, size_t from)
{
    return find_next(map, size, from, 0);
}

size_t find_next_zero_bit(const uint64_t *map, size_t size, size_t from)
{
    return find_next(map, size, from, ~0UL);
}

size_t bitmap_weight(const uint64_t *map, size_t size)
{
    size_t n = 0;
    for (size_t at = 0; at < size; at += 64)
        n += (size_t)__builtin_popcountll(map[at / 64] & word_mask(0, size - at));
    return n;
}

static int take_index(const char **s, size_t *out)
{
    size_t n = 0;
    if (**s < '0' || **s > '9')
        return -EINVAL;
    for (; **s >= '0' && **s <= '9'; (*s)++)
        n = MIN(n * 10 + (size_t)(**s - '0'), (size_t)1 << 40);
    *out = n;
    return 0;
}

int bitmap_parse_list(const char *text, uint64_t *map, size_t size)
{
    memset(map, 0, BITMAP_WORDS(size) * sizeof(*map));
    while (*text && *text != '\n') {
        size_t first, last;
        if (take_index(&text, &first))
            return -EINVAL;
        last = first;
        if (*text == '-') {
            text++;
            if (take_index(&text, &last) || last < first)
                return -EINVAL;
        }
        if (last >= size)
            return -ERANGE;
        bitmap_set(map, first, last - first + 1);
        if (*text == ',')
            text++;
        else if (*text && *text != '\n')
            return -EINVAL;
    }
    return 0;
}

void bitmap_print_list(struct sink *out, const uint64_t *map, size_t size)
{
    const char *comma = "";
    for (size_t first = find_next_bit(map, size, 0); first < size;) {
        size_t end = find_next_zero_bit(map, size, first);
        print(out, "%s%zu", comma, first);
        if (end - first > 1)
            print(out, "-%zu", end - 1);
        comma = ",";
        first = find_next_bit(map, size, end);
    }
}
