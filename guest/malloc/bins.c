/* SPDX-License-Identifier: MIT */
/*
 * bins.c - free chunks, kept in lists by their size.
 *
 *      bins[2]    32 bytes       --> [32] <-> [32] <-> [32]
 *      bins[3]    48 bytes
 *      ...                                                    one size each, up to 1008 bytes
 *      bins[64]   1024 to 1136   --> [1040] <-> [1120]
 *      bins[65]   1152 to 1264
 *      ...                                                    eight for each doubling
 *      bins[72]   2048 to 2288   --> [2064]
 *      ...
 *
 *      nonempty   one bit a bin, so that the next one that has something is found at once
 *
 * A chunk that fits is nearly always the first of its bin, or of the next that is not empty; only
 * inside of a bin of several sizes one has to look for the smallest. That is *best fit*, in a few
 * steps.
 *
 * Invariants:
 *   1. Each list is linked both ways; the first chunk's prev and the last one's next are NULL.
 *   2. A chunk is on the list bin_of() its size.
 *   3. The bit of a bin is set when its list is not empty, and only then.
 *
 * Locks: none, the heap belongs to one thread. glibc's counterpart: malloc/malloc.c, smallbins and
 * largebins, binmap; the lists for the smallest and latest chunks (fastbins, tcache) we do not
 * have.
 */
#include "malloc/bins.h"

#define BINS 256U
#define SMALL_BINS 64U /* of one size each */
#define SMALL_SIZE (SMALL_BINS * CHUNK_ALIGN)
#define SMALL_SHIFT 10    /* 1 << SMALL_SHIFT is SMALL_SIZE */
#define DOUBLING_SHIFT 3U /* 1 << DOUBLING_SHIFT bins for each doubling above it */
#define WORD_BITS 64U

static struct chunk *bins[BINS];
static uint64_t nonempty[BINS / WORD_BITS];

/* Which bin is for chunks of this size. The last one is for all that are larger, too. */
static unsigned bin_of(size_t size)
{
    /* lab malloc: begin 1 */
    if (size < SMALL_SIZE)
        return (unsigned)(size / CHUNK_ALIGN);
    unsigned bin = SMALL_BINS; /* of the doubling that begins with SMALL_SIZE */
    size >>= SMALL_SHIFT - DOUBLING_SHIFT;
    for (; size >> (DOUBLING_SHIFT + 1); size >>= 1)
        bin += 1U << DOUBLING_SHIFT;
    bin += (unsigned)size & ((1U << DOUBLING_SHIFT) - 1);
    return bin < BINS ? bin : BINS - 1;
    /* lab malloc: stub lab_missing("malloc", 1, size); */
    /* lab malloc: end */
}

/* The first bin from @bin on that is not empty; BINS if all are. */
static unsigned next_nonempty(unsigned bin)
{
    unsigned word = bin / WORD_BITS;
    if (bin >= BINS)
        return BINS;
    uint64_t bits = nonempty[word] & ~0UL << bin % WORD_BITS;
    while (!bits && ++word < BINS / WORD_BITS)
        bits = nonempty[word];
    return bits ? word * WORD_BITS + (unsigned)__builtin_ctzl(bits) : BINS;
}

void bins_begin(void)
{
    for (unsigned i = 0; i < BINS; i++)
        bins[i] = NULL;
    for (unsigned i = 0; i < BINS / WORD_BITS; i++)
        nonempty[i] = 0;
}

void bins_put(struct chunk *c)
{
    /* lab malloc: begin 1 */
    unsigned bin = bin_of(chunk_size(c));
    c->prev = NULL;
    c->next = bins[bin];
    if (c->next)
        c->next->prev = c;
    bins[bin] = c;
    nonempty[bin / WORD_BITS] |= 1UL << bin % WORD_BITS;
    /* lab malloc: stub lab_missing("malloc", 1, c, bin_of); */
    /* lab malloc: end */
}

void bins_remove(struct chunk *c)
{
    /* lab malloc: begin 1 */
    if (c->next)
        c->next->prev = c->prev;
    if (c->prev) {
        c->prev->next = c->next;
        return;
    }
    unsigned bin = bin_of(chunk_size(c));
    bins[bin] = c->next;
    if (!c->next)
        nonempty[bin / WORD_BITS] &= ~(1UL << bin % WORD_BITS);
    /* lab malloc: stub lab_missing("malloc", 1, c, bin_of); */
    /* lab malloc: end */
}

/* lab malloc: begin 2 */
/* The smallest chunk of at least @size bytes of one list, or NULL. */
static struct chunk *best_of(struct chunk *list, size_t size)
{
    struct chunk *best = NULL;
    for (struct chunk *c = list; c; c = c->next) {
        if (chunk_size(c) < size || (best && chunk_size(c) >= chunk_size(best)))
            continue;
        best = c;
        if (chunk_size(c) == size)
            break;
    }
    return best;
}
/* lab malloc: end */

struct chunk *bins_take(size_t size)
{
    /* lab malloc: begin 2 */
    unsigned bin = bin_of(size);
    struct chunk *best = best_of(bins[bin], size);
    if (!best) {
        bin = next_nonempty(bin + 1);
        if (bin == BINS)
            return NULL;
        best = bin < SMALL_BINS ? bins[bin] : best_of(bins[bin], size);
    }
    bins_remove(best);
    return best;
    /* lab malloc: stub lab_missing("malloc", 2, size, bin_of, next_nonempty); */
    /* lab malloc: end */
}

void bins_each(void (*visit)(struct chunk *c, void *context), void *context)
{
    for (unsigned i = 0; i < BINS; i++) {
        for (struct chunk *c = bins[i]; c; c = c->next)
            visit(c, context);
    }
}
