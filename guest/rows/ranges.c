/* SPDX-License-Identifier: MIT */
/*
 * ranges.c - bench's rows of ranges: what a call costs that changes the map of an address space.
 */
#define _GNU_SOURCE /* mremap() */
#include "../lib/guest.h"
#include "rows.h"

#include <sys/mman.h>

#define AREA (16 * MIB)
#define SMALL (64UL << 10)

static double map_unmap(void)
{
    enum { N = 1000 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++)
        munmap(guest_map("bench", SMALL), SMALL);
    return since(start, N);
}

/*
 * The same among thousands of ranges, where the highest hole that is large enough lies in their
 * middle:
 *
 *      [none] . [none] . [none] . . [none] . [none] .
 */
static double map_among(void)
{
    enum { N = 1000, RANGES = 2000 };
    size_t wanted = 2 * GUEST_PAGE, size = (2 * RANGES + 1) * GUEST_PAGE;
    char *area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return -1;
    char *at = area, *found;
    for (int i = 0; i < RANGES; i++) {
        size_t hole = i == RANGES / 2 ? wanted : GUEST_PAGE;
        if (munmap(at + GUEST_PAGE, hole))
            return -1;
        at += GUEST_PAGE + hole;
    }
    do /* fill what there is above */
        found = guest_map("bench", wanted);
    while (found >= area + size);
    munmap(found, wanted);
    uint64_t start = ticks();
    for (int i = 0; i < N; i++)
        munmap(guest_map("bench", wanted), wanted);
    double ns = since(start, N);
    munmap(area, size);
    return ns;
}

/* A page in the middle loses its right to be written and gets it back: two splits, two joins. */
static double mprotect_flip(void)
{
    enum { N = 500 };
    char *area = guest_map("bench", AREA);
    char *page = area + AREA / 2;
    touch_pages(area, AREA);
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        if (mprotect(page, GUEST_PAGE, PROT_READ) ||
            mprotect(page, GUEST_PAGE, PROT_READ | PROT_WRITE))
            return -1;
    }
    double ns = since(start, N);
    munmap(area, AREA);
    return ns;
}

/* Two places change which of them is mapped. */
static double mremap_mib(void)
{
    enum { N = 100 };
    char *place = guest_map("bench", 2 * MIB);
    char *from = place, *to = place + MIB;
    touch_pages(from, MIB);
    munmap(to, MIB);
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        if (mremap(from, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
            return -1;
        char *swap = from;
        from = to;
        to = swap;
    }
    double ns = since(start, N);
    munmap(from, MIB);
    return ns;
}

const struct row rows_of_ranges[] = {
    {"map-unmap-64k", map_unmap},
    {"map-among-2000", map_among},
    {"mprotect-flip", mprotect_flip},
    {"mremap-1m", mremap_mib},
    {NULL, NULL},
};
