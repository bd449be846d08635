/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - memory of any size, physically contiguous, in the linear map.
 */
#ifndef PAGODA_SLAB_KMALLOC_H
#define PAGODA_SLAB_KMALLOC_H

#include "base/types.h"
#include "phys/gfp.h"

#define KMALLOC_MAX_CACHE 8192 /* above this whole pages are taken */

/** At least @size bytes, 8-aligned (powers of two: to themselves, at most 64). NULL: none, or 0. */
void *kmalloc(size_t size, gfp_t gfp) must_check;
void *kmalloc_node(size_t size, gfp_t gfp, int nid) must_check;
void *kzalloc(size_t size, gfp_t gfp) must_check;

/** n elements of @size bytes, zeroed; NULL when the product overflows. */
void *kcalloc(size_t n, size_t size, gfp_t gfp) must_check;

/** Grow or shrink, keeping the content; NULL leaves the old block as it is. */
void *krealloc(void *p, size_t size, gfp_t gfp) must_check;

/** A copy of a string. */
char *kstrdup(const char *s, gfp_t gfp) must_check;

/** Give back; NULL is ignored. */
void kfree(const void *p);

/** How many bytes the block really has. */
size_t ksize(const void *p);

/** Make the size classes. slab_init() does. */
void kmalloc_init(void);

#endif
