/* SPDX-License-Identifier: MIT */
/*
 * memblock_dump.c - memblock for the eye, and its audit.
 *
 *      MEMBLOCK configuration:
 *       memory size = 0x20000000 reserved size = 0x482000
 *       memory.cnt  = 0x2
 *       memory[0x0]     [0x0000000080000000-0x000000008fffffff], 0x0000000010000000 bytes on node 0
 *
 * Locks: none. Linux's counterpart: __memblock_dump_all(), `memblock=debug`.
 */
#include "phys/memblock.h"

static void dump_type(const struct memblock_type *type, struct sink *out)
{
    print(out, " %s.cnt  = 0x%x\n", type->name, type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct memblock_region *r = &type->regions[i];
        print(out, " %s[0x%x]\t[0x%016lx-0x%016lx], 0x%016lx bytes", type->name, i, r->base.v,
              r->base.v + r->size - 1, r->size);
        if (r->nid != MEMBLOCK_ANY_NODE)
            print(out, " on node %d", r->nid);
        print(out, "\n");
    }
}

void memblock_dump(struct sink *out)
{
    print(out, "MEMBLOCK configuration:\n memory size = 0x%lx reserved size = 0x%lx\n",
          memblock.memory.total, memblock.reserved.total);
    dump_type(&memblock.memory, out);
    dump_type(&memblock.reserved, out);
}

static uint32_t breach(struct sink *out, const struct memblock_type *type, uint32_t i,
                       const char *what)
{
    print(out, "memblock: %s[%u] [0x%lx, 0x%lx): %s\n", type->name, i, type->regions[i].base.v,
          type->regions[i].base.v + type->regions[i].size, what);
    return 1;
}

static uint32_t check_type(const struct memblock_type *type, struct sink *out)
{
    uint32_t faults = 0;
    uint64_t total = 0;

    for (uint32_t i = 0; i < type->count; i++) {
        const struct memblock_region *r = &type->regions[i];
        const struct memblock_region *next = i + 1 < type->count ? r + 1 : NULL;
        uint64_t end = r->base.v + r->size;

        total += r->size;
        if (r->size == 0 || end < r->base.v)
            faults += breach(out, type, i, "is empty or wraps");
        if (!IS_ALIGNED(r->base.v | r->size, PAGE_SIZE))
            faults += breach(out, type, i, "is not made of whole pages");
        if (next && end > next->base.v)
            faults += breach(out, type, i, "overlaps its successor or is out of order");
        if (next && end == next->base.v && r->nid == next->nid)
            faults += breach(out, type, i, "should be one with its successor");
    }
    if (total != type->total) {
        print(out, "memblock: %s: total is 0x%lx, its regions have 0x%lx\n", type->name,
              type->total, total);
        faults++;
    }
    return faults;
}

uint32_t memblock_check(struct sink *out)
{
    return check_type(&memblock.memory, out) + check_type(&memblock.reserved, out);
}
