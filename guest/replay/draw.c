/* SPDX-License-Identifier: MIT */
/*
 * draw.c - traces of several kinds of programs, drawn from a seed.
 *
 *      lifo     calls that return: what was taken last is freed first
 *      fifo     a queue of messages: what was taken first is freed first
 *      churn    small objects that live for a random time
 *      sizes    all sizes from 16 bytes to 64 KiB, as many small as large ones
 *      grow     texts that grow by realloc, among small objects that stay
 *      large    images of 100 KiB to 3 MiB that come and go
 *      holes    every other small object is freed, then larger ones are wanted
 *      drawn    sizes, lifetimes and the share of realloc are drawn too
 */
#include "replay.h"

static uint32_t below(uint64_t *random, uint32_t n)
{
    return (uint32_t)(guest_random(random) % n);
}

/* From @least to @most; a size of twice as many bytes is as likely as one of half as many. */
static uint32_t any_size(uint64_t *random, uint32_t least, uint32_t most)
{
    unsigned doublings = 0;
    while (least << (doublings + 1) <= most)
        doublings++;
    uint32_t base = least << below(random, doublings + 1);
    uint32_t size = base + below(random, base);
    return size < most ? size : most;
}

static void add(struct trace *t, uint16_t slot, enum op_kind kind, uint32_t size)
{
    if (t->n == OPS_MOST)
        return;
    t->ops[t->n++] = (struct op){slot, (uint16_t)kind, size};
    t->live += (size_t)size - t->size[slot];
    t->size[slot] = size;
    if (t->live > t->peak_live)
        t->peak_live = t->live;
    if (size > t->largest)
        t->largest = size;
}

static void take(struct trace *t, uint32_t slot, uint32_t size)
{
    add(t, (uint16_t)slot, OP_MALLOC, size);
}

static void give(struct trace *t, uint32_t slot)
{
    if (t->size[slot])
        add(t, (uint16_t)slot, OP_FREE, 0);
}

/* A block if the slot has none, else none: half of the slots are full after a while. */
static void turn_over(struct trace *t, uint32_t slot, uint32_t size)
{
    if (t->size[slot])
        give(t, slot);
    else
        take(t, slot, size);
}

static void lifo(struct trace *t, uint64_t *random)
{
    for (unsigned round = 0; round < 40; round++) {
        unsigned depth = 100 + below(random, 300);
        for (unsigned i = 0; i < depth; i++)
            take(t, i, 16 + below(random, 400));
        while (depth-- > 0)
            give(t, depth);
    }
}

static void fifo(struct trace *t, uint64_t *random)
{
    enum { WINDOW = 1000 };
    for (unsigned i = 0; i < 10000; i++) {
        give(t, i % WINDOW);
        take(t, i % WINDOW, 16 + below(random, 500));
    }
}

static void churn(struct trace *t, uint64_t *random)
{
    for (unsigned i = 0; i < 24000; i++)
        turn_over(t, below(random, 2000), any_size(random, 16, 1024));
}

static void sizes(struct trace *t, uint64_t *random)
{
    for (unsigned i = 0; i < 12000; i++)
        turn_over(t, below(random, 200), any_size(random, 16, 64 * KIB));
}

static void grow(struct trace *t, uint64_t *random)
{
    enum { TEXTS = 8 };
    unsigned small = TEXTS;
    for (unsigned i = 0; i < 8000; i++) {
        unsigned slot = below(random, TEXTS);
        uint32_t size = t->size[slot];
        if (i % 4 == 0 && small < SLOTS_MOST)
            take(t, small++, 16 + below(random, 100));
        else if (!size)
            take(t, slot, 64);
        else if (size < 256 * KIB)
            add(t, (uint16_t)slot, OP_REALLOC, size + size / 8 + below(random, 64));
        else
            give(t, slot);
    }
}

static void large(struct trace *t, uint64_t *random)
{
    for (unsigned i = 0; i < 400; i++)
        turn_over(t, below(random, 12), any_size(random, 100 * KIB, 3000 * KIB));
}

static void holes(struct trace *t, uint64_t *random)
{
    enum { SMALL = 3000, LARGER = 800 };
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SMALL; i++)
            take(t, i, 100 + below(random, 100));
        for (unsigned i = 0; i < SMALL; i += 2)
            give(t, i);
        for (unsigned i = 0; i < LARGER; i++)
            take(t, SMALL + i, 500 + below(random, 1500));
        for (unsigned i = 0; i < 4 * SMALL; i++)
            give(t, below(random, SMALL + LARGER));
        for (unsigned i = 0; i < SMALL + LARGER; i++)
            give(t, i);
    }
}

static void drawn(struct trace *t, uint64_t *random)
{
    unsigned slots = 50 + below(random, 1500), share = below(random, 40);
    uint32_t least = 16U << below(random, 4), most = least << (3 + below(random, 8));
    for (unsigned i = 0; i < 16000; i++) {
        unsigned slot = below(random, slots);
        if (t->size[slot] && below(random, 100) < share)
            add(t, (uint16_t)slot, OP_REALLOC, any_size(random, least, most));
        else
            turn_over(t, slot, any_size(random, least, most));
    }
}

const struct kind kinds[] = {
    {"lifo", "what was taken last is freed first", lifo},
    {"fifo", "what was taken first is freed first", fifo},
    {"churn", "small objects that live for a random time", churn},
    {"sizes", "16 bytes to 64 KiB, as many small as large ones", sizes},
    {"grow", "texts that grow by realloc", grow},
    {"large", "100 KiB to 3 MiB, coming and going", large},
    {"holes", "every other one is freed, then larger ones are wanted", holes},
    {"drawn", "sizes, lifetimes and more are drawn from the seed", drawn},
    {NULL, NULL, NULL},
};

void draw_trace(struct trace *trace, const struct kind *kind, uint64_t seed)
{
    trace->n = 0;
    trace->live = trace->peak_live = trace->largest = 0;
    kind->draw(trace, &seed);
    for (unsigned i = 0; i < SLOTS_MOST; i++)
        give(trace, i);
}
