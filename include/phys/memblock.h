/* SPDX-License-Identifier: MIT */
/*
 * memblock.h - the first allocator: which memory is there, and which of it is taken.
 *
 * Before there is a buddy allocator something must find room for it. All that memblock knows is two
 * sorted arrays of ranges; what is free is the difference, and is never written down:
 *
 *      memory    [=========== node 0 ===========][====== node 1 ======]      [==]
 *      reserved  [sbi]  [image][dtb]     [initrd]                   [x]
 *      free           --       .    -----        ------------------- .        --
 *
 * To allocate is to find a free range that is large enough and to reserve a part of it. When
 * phys takes over, it frees every free range to the buddy lists, and memblock retires; its arrays
 * stay for /proc/iomem and for those who ask whether a frame is RAM at all.
 *
 * Invariants (memblock_check()): both arrays sorted, no two ranges overlap, two ranges that touch
 * differ in their node, every bound a multiple of PAGE_SIZE, `total` is the sum of the sizes.
 * Memory is trimmed inwards to whole pages, reservations outwards.
 *
 * Locks: none. The boot hart is alone until smp_start(); nothing is changed after that.
 * Linux's counterpart: mm/memblock.c.
 */
#ifndef PAGODA_PHYS_MEMBLOCK_H
#define PAGODA_PHYS_MEMBLOCK_H

#include "base/format.h"
#include "base/types.h"
#include "phys/machine.h"

#define MEMBLOCK_MAX_REGIONS 256
#define MEMBLOCK_ANY_NODE (-1)

/* Arguments for memblock_alloc_phys(): no bound. */
#define MEMBLOCK_LOWEST mk_paddr(0)
#define MEMBLOCK_HIGHEST mk_paddr(~0UL)

struct memblock_region {
    paddr_t base;
    uint64_t size; /* bytes */
    int nid;       /* MEMBLOCK_ANY_NODE in the reserved array */
};

struct memblock_type {
    const char *name;
    uint32_t count;
    uint64_t total; /* bytes */
    struct memblock_region regions[MEMBLOCK_MAX_REGIONS];
};

struct memblock {
    struct memblock_type memory;
    struct memblock_type reserved;
    bool bottom_up;    /* direction of allocation; top-down keeps low memory for DMA32 */
    uint64_t limit;    /* allocate below this address only; ~0: anywhere */
    uint64_t left_out; /* bytes of RAM that the linear window or mem= left out */
};

extern struct memblock memblock;

/* --- filling: 0, -EINVAL if the range wraps, -ENOSPC (nothing changed) if the array is full --- */

/** Forget everything. */
void memblock_init(void);

/** Here is RAM of node `nid`. What overlaps RAM that is already known stays with its first node. */
int memblock_add(paddr_t base, uint64_t size, int nid) must_check;

/** Here is no RAM (any more). */
int memblock_remove(paddr_t base, uint64_t size) must_check;

/** This range is taken. It need not be RAM. */
int memblock_reserve(paddr_t base, uint64_t size) must_check;

/** This range is not taken (any more). */
int memblock_free(paddr_t base, uint64_t size) must_check;

/** `mem=`: keep the lowest `limit` bytes of RAM, as Linux does; returns the bytes removed. */
uint64_t memblock_cap(uint64_t limit);

/** Remove RAM outside [base, end); returns the bytes removed. */
uint64_t memblock_clip(paddr_t base, paddr_t end);

/**
 * All of the machine: add its ranges, take out or reserve what it reserves (the initrd too),
 * leave out what the linear window cannot hold, then apply `mem_limit` (0: none).
 * The caller still reserves the image and the device tree. Logs what is left out.
 */
int memblock_from_machine(const struct machine *m, uint64_t mem_limit) must_check;

/* --- allocating ------------------------------------------------------------------------------ */

/**
 * Reserve `size` bytes (rounded up to pages) at a multiple of `align` (a power of two, at least a
 * page is used) inside [min, max) and below memblock.limit; from node `nid` if that has room, else
 * from any other. Never spans two ranges of memory.
 * Returns address 0 if there is no room. The memory is not touched.
 */
paddr_t memblock_alloc_phys(uint64_t size, uint64_t align, paddr_t min, paddr_t max, int nid);

/** The same, from exactly this node. */
paddr_t memblock_alloc_phys_exact(uint64_t size, uint64_t align, paddr_t min, paddr_t max, int nid);

/** Zeroed memory through the linear map; NULL if there is no room. */
void *memblock_alloc(uint64_t size, uint64_t align, int nid);

/* --- asking ---------------------------------------------------------------------------------- */

/** First byte of RAM, and the byte after the last; both 0 if there is none. */
paddr_t memblock_start(void);
paddr_t memblock_end(void);

bool memblock_is_memory(paddr_t addr);
bool memblock_is_reserved(paddr_t addr);

/** Node of the RAM at addr, or -1. */
int memblock_nid(paddr_t addr);

/** Bytes of RAM on a node (MEMBLOCK_ANY_NODE: of all). */
uint64_t memblock_node_size(int nid);

/* --- iterating ------------------------------------------------------------------------------- */

/**
 * Place in an iteration; start with {0}. It is an address, not an index, so memblock may change
 * in between: what lies below the place is never looked at again.
 */
struct memblock_cursor {
    uint64_t from;
};

/** Next range of RAM of `nid` (or MEMBLOCK_ANY_NODE), lowest first; false at the end. */
bool memblock_next_memory(struct memblock_cursor *c, int nid, struct memblock_region *out);

/**
 * Next free range: RAM without reservations, lowest first, each as large as it can be and in one
 * range of memory, so on one node. Reservations need not lie in RAM.
 */
bool memblock_next_free(struct memblock_cursor *c, int nid, struct memblock_region *out);

/** Next reserved range. */
bool memblock_next_reserved(struct memblock_cursor *c, struct memblock_region *out);

#define for_each_memory_range(nid, region) \
    for (struct memblock_cursor cursor_ = {0}; memblock_next_memory(&cursor_, (nid), (region));)

#define for_each_free_range(nid, region) \
    for (struct memblock_cursor cursor_ = {0}; memblock_next_free(&cursor_, (nid), (region));)

#define for_each_reserved_range(region) \
    for (struct memblock_cursor cursor_ = {0}; memblock_next_reserved(&cursor_, (region));)

/* --- seeing ---------------------------------------------------------------------------------- */

/** Verify the invariants; each breach is a line in `out`. Returns the number of breaches. */
uint32_t memblock_check(struct sink *out);

/** Both arrays, as Linux prints them with memblock=debug. */
void memblock_dump(struct sink *out);

#endif
