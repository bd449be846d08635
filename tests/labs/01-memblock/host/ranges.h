/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - memblock's ranges as text, to compare them.
 *
 *      "1+3@0 8+2@1"       pages 1, 2, 3 on node 0; pages 8 and 9 on node 1
 *
 * Pages are counted from MEMORY_BASE; a reservation lies on node -1.
 */
#ifndef LAB_MEMBLOCK_RANGES_H
#define LAB_MEMBLOCK_RANGES_H

#include "labs/wire/expect.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "base/string.h"
#include "phys/memblock.h"

#define ANY MEMBLOCK_ANY_NODE

static inline int fresh(void **state)
{
    (void)state;
    memblock_init();
    return 0;
}

static inline uint64_t address(uint64_t page)
{
    return MEMORY_BASE + page * PAGE_SIZE;
}

static inline size_t write_range(char *text, size_t size, const struct memblock_region *r)
{
    return (size_t)snprintf(text, size, "%ld+%ld@%d", (long)(r->base.v - MEMORY_BASE) / PAGE_SIZE,
                            (long)(r->size / PAGE_SIZE), r->nid);
}

/* An array as text; and each size whole pages, `total` their sum. */
static inline const char *text_of(const struct memblock_type *type)
{
    static char text[8192];
    uint64_t total = 0;
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < type->count; i++) {
        const struct memblock_region *r = &type->regions[i];
        expect_true(((r->base.v | r->size) & (PAGE_SIZE - 1)) == 0,
                    "range %u of %s is made of whole pages", i, type->name);
        total += r->size;
        if (n)
            text[n++] = ' ';
        n += write_range(text + n, sizeof(text) - n, r);
    }
    expect_equal(type->total, total, "total of %s: the sum of its sizes", type->name);
    return text;
}

static inline void expect_text(const char *got, const char *want, const char *what)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s != %s\n%s", got, want, what);
}

static inline void expect_ranges(const char *want, const char *what)
{
    expect_text(text_of(&memblock.memory), want, what);
}

static inline void expect_reserved(const char *want, const char *what)
{
    expect_text(text_of(&memblock.reserved), want, what);
}

#endif
