/* SPDX-License-Identifier: MIT */
/*
 * mempolicy.h - on which nodes a guest wants its memory.
 *
 *      DEFAULT, LOCAL      the node of the hart that faults
 *      BIND {0,2}          only these, nearest first
 *      PREFERRED {2}       this one, others when it is full
 *      INTERLEAVE {0,1}    by page number in turn: spreads the traffic
 *
 * A policy is never changed once it is in use, only replaced: so readers need no lock but that of
 * the pointer to it.
 *
 * Linux's counterpart: mm/mempolicy.c, with its numbers.
 */
#ifndef PAGODA_VIRT_MEMPOLICY_H
#define PAGODA_VIRT_MEMPOLICY_H

#include "base/bitmap.h"
#include "base/format.h"
#include "base/types.h"
#include "phys/gfp.h"

enum mpol_mode {
    MPOL_DEFAULT = 0,
    MPOL_PREFERRED = 1,
    MPOL_BIND = 2,
    MPOL_INTERLEAVE = 3,
    MPOL_LOCAL = 4,
    MPOL_PREFERRED_MANY = 5,
    NR_MPOL_MODES
};

struct mempolicy {
    uint32_t count; /* (a) holders */
    uint8_t mode;   /* enum mpol_mode */
    int8_t home;    /* BIND, PREFERRED_MANY: the node to be near to, or NO_NODE: the hart's */
    nodemask_t nodes;
};

struct page;
struct vm_area_struct;

void mempolicy_init(void);

/** The policy that everyone has who asked for none. Lives for ever. */
extern struct mempolicy default_policy;

/** A policy; nodes without memory are left out. NULL with *err -EINVAL or -ENOMEM. */
struct mempolicy *mpol_new(enum mpol_mode mode, nodemask_t nodes, int *err);
void mpol_get(struct mempolicy *pol);
void mpol_put(struct mempolicy *pol);
bool mpol_equal(const struct mempolicy *a, const struct mempolicy *b);

/** "default", "bind:0-1", ...: the second word of a line of numa_maps. */
void mpol_print(const struct mempolicy *pol, struct sink *out);

#endif
