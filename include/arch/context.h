/* SPDX-License-Identifier: MIT */
/*
 * context.h - the registers to go on with, when a thread leaves its hart in a function call.
 *
 *      ra  sp  s0 ... s11      what the calling convention keeps; the rest is on the stack
 *
 * Locks: none here. Linux's counterpart: struct thread_struct, __switch_to().
 */
#ifndef PAGODA_ARCH_CONTEXT_H
#define PAGODA_ARCH_CONTEXT_H

#include "base/types.h"

struct context {
    uint64_t ra;
    uint64_t sp;
    uint64_t s[12];
};

/** Save the caller into prev, go on as next. Returns when someone switches back to prev. */
void context_switch(struct context *prev, struct context *next);

/** The first switch to c calls fn(arg) on the stack that ends at top (16-aligned). */
void context_init(struct context *c, void *top, void (*fn)(void *), void *arg);

#endif
