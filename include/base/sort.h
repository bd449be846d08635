/* SPDX-License-Identifier: MIT */
/*
 * sort.h - heapsort: in place, no recursion, no bad case.
 */
#ifndef PAGODA_BASE_SORT_H
#define PAGODA_BASE_SORT_H

#include "base/types.h"

/** Sort @n elements of @size bytes by @cmp (negative, 0, positive). @swap may be NULL. */
void sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *),
          void (*swap)(void *, void *, size_t));

#endif
