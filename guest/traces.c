/* SPDX-License-Identifier: MIT */
/*
 * traces.c - a malloc of our own beside glibc's, on the same traces.
 *
 *      traces               all kinds: instructions an operation, memory at most, fragmentation
 *      traces churn         one kind
 *      traces --check       ours alone, each block looked at; no figures
 *
 * Fragmentation is the most memory that was held divided by the most that was in use. Under
 * `-icount shift=0` the times are instructions, those of page faults and calls included. The traces
 * are in guest/replay, our malloc in guest/malloc.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "replay/replay.h"

static const struct guest_help help = {
    "traces [KIND] [--seed N] [--check]",
    "Replays traces of malloc with glibc's and with ours: instructions an operation, memory at\n"
    "most, memory held to memory in use. --check: ours alone, each block looked at.\n"
    "Kinds: lifo fifo churn sizes grow large holes drawn.\n",
};

/* Of all traces: ours in percent of glibc's. */
struct summary {
    unsigned n;
    double instructions; /* added up */
    double memory;       /* the worst */
};

static bool check_kind(const struct trace *trace, const struct kind *kind)
{
    struct figures figures;
    if (!replay(trace, &ours, true, &figures))
        return false;
    printf("%-6s %6u operations, %6zu KiB live, %6zu KiB held at most: ok\n", kind->name, trace->n,
           trace->peak_live / KIB, figures.peak_held / KIB);
    return true;
}

/* Both figures of one allocator. */
static bool look_at(const struct trace *trace, const struct allocator *allocator, double idle,
                    struct figures *figures)
{
    struct figures timed;
    if (!replay(trace, allocator, false, &timed) || !replay(trace, allocator, true, figures))
        return false;
    figures->instructions = timed.instructions - idle;
    return true;
}

static bool compare(const struct trace *trace, const struct kind *kind, struct summary *sum)
{
    struct figures idle, theirs, mine;
    if (!replay(trace, &nothing, false, &idle) ||
        !look_at(trace, &glibc, idle.instructions, &theirs) ||
        !look_at(trace, &ours, idle.instructions, &mine))
        return false;
    double live = (double)trace->peak_live;
    double time = 100 * mine.instructions / theirs.instructions;
    double memory = 100 * (double)mine.peak_held / (double)theirs.peak_held;
    printf("%-6s %6u | %7.0f %7.0f %5.0f%% | %6zu %6zu %5.0f%% | %5.2f %5.2f\n", kind->name,
           trace->n, theirs.instructions, mine.instructions, time, theirs.peak_held / KIB,
           mine.peak_held / KIB, memory, (double)theirs.peak_held / live,
           (double)mine.peak_held / live);
    sum->n++;
    sum->instructions += time;
    if (memory > sum->memory)
        sum->memory = memory;
    return true;
}

static bool run_kind(struct trace *trace, const struct kind *kind, uint64_t seed, bool check,
                     struct summary *sum)
{
    draw_trace(trace, kind, seed);
    if (check ? check_kind(trace, kind) : compare(trace, kind, sum))
        return true;
    fprintf(stderr, "traces: %s (%s), seed %lu: failed\n", kind->name, kind->what, seed);
    return false;
}

int main(int argc, char **argv)
{
    static char out[BUFSIZ];
    struct summary sum = {0, 0, 0};
    bool found = false;
    setvbuf(stdout, out, _IOLBF, sizeof(out)); /* so that printf allocates nothing */
    guest_help_wanted(argc, argv, &help);
    const char *text = guest_option(argc, argv, "--seed");
    uint64_t seed = text ? guest_number(&help, text, ~0UL) : 1;
    bool check = guest_flag(argc, argv, "--check");
    const char *name = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    struct trace *trace = (void *)guest_map("traces", sizeof(*trace));
    trace->ops = (void *)guest_map("traces", OPS_MOST * sizeof(struct op));
    if (!check)
        printf("              | instructions each     | KiB at most          | held / live\n"
               "trace     ops |   glibc    ours       |  glibc   ours        | glibc  ours\n");
    for (const struct kind *kind = kinds; kind->name; kind++) {
        if (name && strcmp(name, kind->name))
            continue;
        found = true;
        if (!run_kind(trace, kind, seed, check, &sum))
            return 1;
    }
    if (!found)
        guest_usage(&help, "traces: no such kind");
    if (sum.n) {
        printf("bench malloc-instructions %.0f percent of glibc's, the mean\n",
               sum.instructions / sum.n);
        printf("bench malloc-memory %.0f percent of glibc's, the worst\n", sum.memory);
    }
    return 0;
}
