/* SPDX-License-Identifier: MIT */
/*
 * churn - blocks of random sizes and lifetimes, through malloc.
 *
 *      slot:   0    1    2    3   ...  N-1         each step picks a slot:
 *            [##] [  ] [####] [#]     [###]        full -> check it, free it;  empty -> fill it
 *
 * Small blocks grow the heap by brk, large ones come and go by mmap; both leave holes behind.
 */
#include "lib/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct guest_help help = {
    "churn [--steps N] [--slots N] [--max SIZE] [--seed N]",
    "Allocates and frees blocks of random sizes, and checks their content when they go.\n"
    "  --steps N   how many allocations and frees (default 20000)\n"
    "  --slots N   how many blocks may live at once (default 256)\n"
    "  --max SIZE  the largest block (default 256K)\n"
    "  --seed N    another sequence (default 1)\n",
};

struct slot {
    unsigned char *block;
    size_t size;
    unsigned char mark;
};

/* Sizes are log-uniform, as real programs' are: most are small, a few are large. */
static size_t random_size(uint64_t *state, size_t max)
{
    size_t limit = 16;
    while (limit < max && (guest_random(state) & 3))
        limit <<= 1;
    if (limit > max)
        limit = max;
    return 1 + (size_t)(guest_random(state) % limit);
}

static bool intact(const struct slot *s)
{
    return s->block[0] == s->mark && s->block[s->size / 2] == s->mark &&
           s->block[s->size - 1] == s->mark;
}

static void fill(struct slot *s, uint64_t *state, size_t max)
{
    s->size = random_size(state, max);
    s->mark = (unsigned char)guest_random(state);
    s->block = malloc(s->size);
    if (!s->block) {
        fprintf(stderr, "churn: malloc(%zu) failed\n", s->size);
        exit(1);
    }
    memset(s->block, s->mark, s->size);
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *steps_arg = guest_option(argc, argv, "--steps");
    const char *slots_arg = guest_option(argc, argv, "--slots");
    const char *max_arg = guest_option(argc, argv, "--max");
    const char *seed_arg = guest_option(argc, argv, "--seed");
    guest_no_more(&help, argc, argv);
    unsigned long steps = steps_arg ? guest_number(&help, steps_arg, 1UL << 40) : 20000;
    unsigned long slots = slots_arg ? guest_number(&help, slots_arg, 1UL << 20) : 256;
    size_t max = max_arg ? guest_size(&help, max_arg) : 256 << 10;
    uint64_t state = seed_arg ? guest_number(&help, seed_arg, ~0UL) : 1;
    if (!slots || !max)
        guest_usage(&help, "churn: --slots and --max must be at least 1");

    struct slot *table = calloc(slots, sizeof(*table));
    if (!table) {
        fprintf(stderr, "churn: no memory for %lu slots\n", slots);
        return 1;
    }
    unsigned long allocated = 0;
    for (unsigned long i = 0; i < steps; i++) {
        struct slot *s = &table[guest_random(&state) % slots];
        if (!s->block) {
            fill(s, &state, max);
            allocated++;
            continue;
        }
        if (!intact(s)) {
            fprintf(stderr, "churn: a block of %zu bytes lost its content\n", s->size);
            return 1;
        }
        free(s->block);
        s->block = NULL;
    }
    printf("churn: %lu steps, %lu blocks allocated, all intact\n", steps, allocated);
    return 0;
}
