/* SPDX-License-Identifier: MIT */
/*
 * alloc_slow.h - what alloc.c and slowpath.c say to each other.
 */
#ifndef PAGODA_PHYS_ALLOC_SLOW_H
#define PAGODA_PHYS_ALLOC_SLOW_H

#include "phys/alloc.h"
#include "phys/pressure.h"

/** One allocation under way. */
struct alloc_context {
    struct relief_request request;
    enum migratetype migratetype;
};

/** The first zone of the list that is above its mark gives the block; NULL when none is. */
struct page *alloc_from_zonelist(struct alloc_context *ac, unsigned alloc_flags);

/** Nothing above the low mark: helpers, reserves, the ladder. NULL when all is in vain. */
struct page *alloc_slowly(struct alloc_context *ac);

#endif
