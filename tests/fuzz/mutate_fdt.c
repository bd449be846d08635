/* SPDX-License-Identifier: MIT */
/*
 * mutate_fdt.c - changes to a device tree after which it is still a device tree.
 *
 * Blind mutation of a tree mostly breaks its structure, and the reader refuses it at the door. To
 * get further, most mutations here are made inside the structure, all of them in place:
 *
 *      PROP len name [ cell | cell | cell ]      a cell gets another value
 *      PROP len name [.....................]  -> NOP NOP NOP NOP ...    the property is gone
 *      PROP len name                          -> PROP len other-name
 *      BEGIN ... END                          -> NOP NOP ... NOP        the node is gone
 *
 * One mutation in four is libFuzzer's own, so that the door stays tested too.
 */
#include <stdint.h>

#include "base/string.h"
#include "phys/fdt.h"
#include "phys/fdt_token.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

enum { CELL = 4, MAX_CHANGES = 4, BLIND_ONE_IN = 4 };

static uint32_t state;

static uint32_t below(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return n ? (uint32_t)((uint64_t)state * n >> 32) : 0;
}

static void put_cell(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < CELL; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t interesting(void)
{
    static const uint32_t values[] = {
        0,  1,      2,          3,          4,         9,          11,         15,         16,
        63, 0x1000, 0x80000000, 0x7fffffff, 0xfffffff, 0xffffffff, 0xfffff000, 0x10000000, 0x3c};

    switch (below(3)) {
    case 0:
        return below(~0u);
    case 1:
        return below(256);
    default:
        return values[below(sizeof(values) / sizeof(values[0]))];
    }
}

/* A random token of the kind, or false. Two walks: to count, and to take. */
static bool pick(const struct fdt *fdt, uint32_t tag, struct fdt_token *out)
{
    uint32_t count = 0;
    uint32_t chosen = 0;

    for (int walk = 0; walk < 2; walk++) {
        uint32_t seen = 0;
        for (uint32_t at = 0; !fdt_token(fdt, at, out) && out->tag != FDT_END; at = out->next) {
            if (out->tag != tag)
                continue;
            if (walk == 1 && seen == chosen)
                return true;
            seen++;
        }
        count = seen;
        chosen = below(count);
        if (count == 0)
            break;
    }
    return false;
}

static void erase(uint8_t *structs, uint32_t from, uint32_t to)
{
    for (; from < to; from += CELL)
        put_cell(structs + from, FDT_NOP);
}

static void erase_node(const struct fdt *fdt, uint8_t *structs)
{
    struct fdt_token token;
    uint32_t depth = 0;

    if (!pick(fdt, FDT_BEGIN_NODE, &token) || token.name_len == 0) /* the root stays */
        return;
    uint32_t from = token.at;
    do {
        depth += token.tag == FDT_BEGIN_NODE;
        depth -= token.tag == FDT_END_NODE;
        if (depth == 0)
            break;
    } while (!fdt_token(fdt, token.next, &token));
    erase(structs, from, token.next);
}

static void change(const struct fdt *fdt, uint8_t *structs)
{
    enum { ERASE_NODE, ERASE_PROP, RENAME, OTHER_CELLS = 10 };
    uint32_t what = below(OTHER_CELLS);
    struct fdt_token prop, other;

    if (what == ERASE_NODE)
        erase_node(fdt, structs);
    if (what == ERASE_NODE || !pick(fdt, FDT_PROP, &prop))
        return;
    if (what == ERASE_PROP)
        erase(structs, prop.at, prop.next);
    else if (what == RENAME && pick(fdt, FDT_PROP, &other))
        put_cell(structs + prop.at + 2 * CELL, (uint32_t)(other.name - fdt->strings));
    else if (prop.len >= CELL)
        put_cell(structs + prop.at + (3 + below(prop.len / CELL)) * CELL, interesting());
    else if (prop.len)
        structs[prop.at + 3 * CELL] = (uint8_t)interesting();
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
    struct fdt fdt;

    state = seed;
    if (below(BLIND_ONE_IN) == 0)
        return LLVMFuzzerMutate(bytes, size, max_size);
    for (uint32_t i = 1 + below(MAX_CHANGES); i > 0; i--) {
        if (fdt_open(bytes, size, &fdt))
            return LLVMFuzzerMutate(bytes, size, max_size);
        change(&fdt, bytes + (fdt.structs - fdt.blob));
    }
    return size;
}
