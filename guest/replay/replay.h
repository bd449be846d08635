/* SPDX-License-Identifier: MIT */
/*
 * replay.h - traces of malloc: drawn once, then replayed with one allocator after another.
 *
 *      draw.c         seed --> trace: malloc 3 100, malloc 4 64, realloc 3 150, free 4, ...
 *      allocators.c   glibc's malloc, ours, one that does nothing
 *      run.c          a trace with an allocator, in a process of its own --> figures
 *
 * A trace names its blocks by slots, so that all allocators do the very same.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "lib/guest.h"

#define SLOTS_MOST 4096U
#define OPS_MOST 40000U
#define KIB 1024UL

enum op_kind { OP_MALLOC, OP_REALLOC, OP_FREE };

struct op {
    uint16_t slot;
    uint16_t kind;
    uint32_t size; /* bytes from now on; 0 for OP_FREE */
};

struct trace {
    struct op *ops;
    unsigned n;
    uint32_t size[SLOTS_MOST]; /* of each slot's block, while the trace is drawn */
    size_t live, peak_live;    /* bytes that were asked for and not given back */
    size_t largest;
};

/** A kind of program: what it does with malloc. The last one has no name. */
struct kind {
    const char *name, *what;
    void (*draw)(struct trace *trace, uint64_t *random);
};

extern const struct kind kinds[];

/** Draw a trace of @kind from @seed, the same each time. Its blocks are all freed at its end. */
void draw_trace(struct trace *trace, const struct kind *kind, uint64_t seed);

struct allocator {
    const char *name;
    const char *(*begin)(const struct trace *trace); /* where its heap begins */
    void *(*malloc)(size_t size);
    void *(*realloc)(void *mem, size_t size);
    void (*free)(void *mem);
    size_t (*mapped)(void);     /* bytes in mappings of their own, now */
    const char *(*check)(void); /* NULL, or what is wrong with its heap */
};

extern const struct allocator glibc, ours, nothing;

struct figures {
    double instructions; /* of an operation, what replaying itself takes included */
    size_t peak_held;    /* the most that the heap and its mappings took */
};

/**
 * Replay in a process of its own. With @check each block is looked at when it is freed, and the
 * figure is memory; without it, instructions. False when the process did not end well.
 */
bool replay(const struct trace *trace, const struct allocator *allocator, bool check,
            struct figures *figures);

#endif
