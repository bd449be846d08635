/* SPDX-License-Identifier: MIT */
/*
 * sort.c - heapsort (Williams, 1964).
 *
 *      the array as a tree:  children of i are 2i+1 and 2i+2; every parent >= its children
 *      then: swap the root (largest) with the last, shrink, sift the new root down
 *
 * Locks: none. State: none.
 */
#include "base/sort.h"

static void swap_bytes(void *a, void *b, size_t size)
{
    char *x = a, *y = b;
    for (; size; size--, x++, y++) {
        char t = *x;
        *x = *y;
        *y = t;
    }
}

void sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *),
          void (*swap)(void *, void *, size_t))
{
    char *a = base;
    if (!swap)
        swap = swap_bytes;
    if (n < 2)
        return;
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start)
            start--; /* still building the heap */
        else
            swap(a, a + --end * size, size);
        size_t root = start, child;
        while ((child = 2 * root + 1) < end) {
            if (child + 1 < end && cmp(a + child * size, a + (child + 1) * size) < 0)
                child++;
            if (cmp(a + root * size, a + child * size) >= 0)
                break;
            swap(a + root * size, a + child * size, size);
            root = child;
        }
    }
}
