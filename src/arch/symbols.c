/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - from an address of code to a name.
 *
 *      symbols_start [ offset, name ][ offset, name ] ... symbols_end     ascending by offset
 *      symbol_names  "_start\0secondary_entry\0..."  <---- name is an offset in here
 *
 * In the first link of the image the table is empty, and nothing has a name.
 *
 * Locks: none; constant. Linux's counterpart: kernel/kallsyms.c.
 */
#include "arch/symbols.h"

#include "arch/layout.h"

struct symbol {
    uint32_t offset; /* from text_start, in bytes */
    uint32_t name;   /* from symbol_names, in bytes */
};

extern const struct symbol symbols_start[], symbols_end[];
extern const char symbol_names[];

const char *symbol_of(uint64_t pc, uint64_t *offset)
{
    const struct symbol *low = symbols_start, *high = symbols_end;
    uint64_t wanted = pc - (uint64_t)text_start;
    if (!vaddr_is_text(pc))
        return NULL;
    /* low: the first symbol behind pc */
    while (low < high) {
        const struct symbol *mid = low + (high - low) / 2;
        if (mid->offset <= wanted)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == symbols_start)
        return NULL;
    low--;
    *offset = wanted - low->offset;
    return symbol_names + low->name;
}
