/* SPDX-License-Identifier: MIT */
/*
 * run.c - replays a trace with an allocator, in a child: each begins with a fresh heap.
 *
 *      measured   a write to the ends of a block and to each of its pages, as its user would
 *      checked    marks all over a block, found again when it is freed; the heap is walked now and
 *                 then; and after each operation, how much memory is held
 *
 * The child hands its figures back through a pipe. One that finds a fault says so and fails.
 */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows/rows.h"

#define WALK_EVERY 256
#define MAYBE_MAPPED (64 * KIB) /* smaller blocks have no mapping of their own */

static char *block[SLOTS_MOST];
static uint32_t block_size[SLOTS_MOST];

/* --- measured --------------------------------------------------------------------------------- */

static inline void use_block(volatile char *mem, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at += GUEST_PAGE)
        mem[at] = 1;
    mem[to - 1] = 1;
}

static double measure(const struct trace *t, const struct allocator *a)
{
    uint64_t start = ticks();
    for (const struct op *op = t->ops; op < t->ops + t->n; op++) {
        char **mem = &block[op->slot];
        if (op->kind == OP_FREE) {
            a->free(*mem);
            continue;
        }
        if (op->kind == OP_MALLOC)
            *mem = a->malloc(op->size);
        else
            *mem = a->realloc(*mem, op->size);
        if (!*mem)
            return -1;
        use_block(*mem, 0, op->size);
    }
    return since(start, t->n);
}

/* --- checked ---------------------------------------------------------------------------------- */

static uint32_t mark_step(uint32_t size)
{
    return size > GUEST_PAGE ? 512 : 8;
}

static void mark(char *mem, uint32_t size, unsigned slot)
{
    for (uint32_t at = 0; at < size; at += mark_step(size))
        mem[at] = (char)(slot + at / 8);
    mem[size - 1] = (char)~slot;
}

/* Are the marks of a block of @size bytes there, as far as @kept bytes of it are? */
static bool is_marked(const char *mem, uint32_t size, uint32_t kept, unsigned slot)
{
    for (uint32_t at = 0; at < kept && at < size - 1; at += mark_step(size)) {
        if (mem[at] != (char)(slot + at / 8))
            return false;
    }
    return kept < size || mem[size - 1] == (char)~slot;
}

static const char *check_op(const struct allocator *a, const struct op *op)
{
    unsigned slot = op->slot;
    uint32_t had = block_size[slot], kept = op->size < had ? op->size : had;
    if (op->kind != OP_MALLOC && !is_marked(block[slot], had, had, slot))
        return "what a block held was changed";
    block_size[slot] = op->size;
    if (op->kind == OP_FREE) {
        a->free(block[slot]);
        return NULL;
    }
    block[slot] = op->kind == OP_MALLOC ? a->malloc(op->size) : a->realloc(block[slot], op->size);
    if (!block[slot])
        return "there was no memory";
    if ((uintptr_t)block[slot] % 16)
        return "an address is no multiple of 16";
    if (op->kind == OP_REALLOC && !is_marked(block[slot], had, kept, slot))
        return "realloc did not keep what the block held";
    mark(block[slot], op->size, slot);
    return NULL;
}

/* The most that is held from @start on and in mappings; a fault ends the process. */
static size_t check(const struct trace *t, const struct allocator *a, const char *start)
{
    size_t peak = 0, mapped = 0;
    for (unsigned i = 0; i < t->n; i++) {
        const struct op *op = &t->ops[i];
        bool maybe_mapped = op->size >= MAYBE_MAPPED || block_size[op->slot] >= MAYBE_MAPPED;
        const char *wrong = check_op(a, op);
        if (!wrong && (i % WALK_EVERY == 0 || i + 1 == t->n))
            wrong = a->check();
        if (wrong) {
            fprintf(stderr, "traces: %s, operation %u: %s\n", a->name, i, wrong);
            _exit(1);
        }
        if (maybe_mapped)
            mapped = a->mapped();
        size_t held = (size_t)((const char *)sbrk(0) - start) + mapped;
        peak = held > peak ? held : peak;
    }
    return peak;
}

/* --- in a child ------------------------------------------------------------------------------- */

bool replay(const struct trace *trace, const struct allocator *allocator, bool checked,
            struct figures *figures)
{
    int ends[2], status;
    if (pipe(ends))
        return false;
    pid_t child = fork();
    if (child == 0) {
        struct figures mine = {0, 0};
        const char *start = allocator->begin(trace);
        if (checked)
            mine.peak_held = check(trace, allocator, start);
        else
            mine.instructions = measure(trace, allocator);
        _exit(write(ends[1], &mine, sizeof(mine)) != (ssize_t)sizeof(mine));
    }
    close(ends[1]);
    bool whole = read(ends[0], figures, sizeof(*figures)) == (ssize_t)sizeof(*figures);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status))
        fprintf(stderr, "traces: %s: ended by signal %d\n", allocator->name, WTERMSIG(status));
    return whole && !status && figures->instructions >= 0;
}
