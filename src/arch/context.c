/* SPDX-License-Identifier: MIT */
/*
 * context.c - what a context looks like that has never run.
 *
 *      ra = context_begin    sp = top    s0 = 0    s1 = fn    s2 = arg
 *
 * Locks: none. Linux's counterpart: copy_thread().
 */
#include "arch/context.h"

void context_begin(void); /* context_switch.S */

_Static_assert(offsetof(struct context, ra) == 0, "context_switch.S");
_Static_assert(offsetof(struct context, sp) == 8, "context_switch.S");
_Static_assert(offsetof(struct context, s) == 16, "context_switch.S");

void context_init(struct context *c, void *top, void (*fn)(void *), void *arg)
{
    *c = (struct context){.ra = (uint64_t)context_begin, .sp = (uint64_t)top};
    c->s[1] = (uint64_t)fn;
    c->s[2] = (uint64_t)arg;
}
