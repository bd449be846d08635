/* SPDX-License-Identifier: MIT */
/*
 * memmap.c - backing mem_map with memory, and filling it in.
 *
 *      RAM       [ node 0: 256 MiB ....... ][ node 1: 256 MiB ....... ]
 *                       |  64 bytes a frame         |
 *      VMEMMAP   [ 4 MiB of struct page    ][ 4 MiB of struct page    ]
 *      backed by   4 MiB taken of node 0      4 MiB taken of node 1
 *
 * Looking at a page must not cross the machine, so each node pays for the pages that describe it.
 * mem_map is one array to the eye (VMEMMAP_BASE); the holes between ranges are simply not mapped.
 *
 * This is the only work at boot that grows with memory, so it is counted in instructions: eight
 * stores a page and a quarter of a loop.
 *
 * Locks: boot only. Linux's counterpart: mm/sparse-vmemmap.c, memmap_init_range().
 */
#include "phys/alloc.h"

#include "kern/log.h"
#include "kern/panic.h"
#include "phys/memblock.h"
#include "phys/pageblock.h"
#include "phys/zone_init.h"

static int (*vmemmap_map)(vaddr_t va, paddr_t pa, uint64_t size);

void phys_set_vmemmap_map(int (*map)(vaddr_t va, paddr_t pa, uint64_t size))
{
    vmemmap_map = map;
}

/*
 * Back [va, va + size) of mem_map from node @nid. The frames lie like the addresses within 2 MiB,
 * so that the map can use big leaves.
 */
static void back_range(uint64_t va, uint64_t size, int nid)
{
    uint64_t skew = size >= MIB(2) ? va & (MIB(2) - 1) : 0;
    uint64_t align = size >= MIB(2) ? MIB(2) : PAGE_SIZE;
    paddr_t pa = memblock_alloc_phys(size + skew, align, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);
    if (!pa.v && skew) { /* too tight for the alignment: small leaves will do */
        skew = 0;
        pa = memblock_alloc_phys(size, PAGE_SIZE, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);
    }
    if (!pa.v)
        panic("no memory for %llu KiB of mem_map of node %d; the machine is too small",
              (unsigned long long)(size >> 10), nid);
    if (skew && memblock_free(pa, skew))
        pr_warn("mem_map: %llu bytes of padding stay reserved\n", (unsigned long long)skew);
    if (vmemmap_map && vmemmap_map(mk_vaddr(va), mk_paddr(pa.v + skew), size))
        panic("mem_map of node %d cannot be mapped at 0x%llx", nid, (unsigned long long)va);
}

/* The pages [start, end) of one zone. Four at a time: 32 stores and two more instructions. */
static void init_pages(struct page *page, struct page *end, const struct zone *zone)
{
    struct page model = {.type = PAGE_TAIL, .nid = zone->nid, .zone_id = zone->id};
    uint64_t first;
    __builtin_memcpy(&first, &model, sizeof(first));
#define INIT_PAGE(p)                                               \
    do {                                                           \
        uint64_t *w_ = (uint64_t *)(void *)(p);                    \
        w_[0] = first;                                             \
        w_[1] = w_[2] = w_[3] = w_[4] = w_[5] = w_[6] = w_[7] = 0; \
    } while (0)
    for (; page + 4 <= end; page += 4) {
        INIT_PAGE(page);
        INIT_PAGE(page + 1);
        INIT_PAGE(page + 2);
        INIT_PAGE(page + 3);
        __asm__ volatile("" ::: "memory"); /* or it would become calls of memset */
    }
    for (; page < end; page++)
        INIT_PAGE(page);
#undef INIT_PAGE
}

/* A range of RAM may cross zones. */
static void init_range(uint64_t start, uint64_t end, int nid)
{
    for (unsigned i = 0; i < MAX_NR_ZONES; i++) {
        struct zone *zone = &NODE_DATA(nid)->node_zones[i];
        uint64_t from = MAX(start, zone->zone_start_pfn), to = MIN(end, zone_end_pfn(zone));
        if (from < to)
            init_pages(pfn_to_page(mk_pfn(from)), pfn_to_page(mk_pfn(to - 1)) + 1, zone);
    }
}

void mem_map_init(void)
{
    struct memblock_region r;
    uint64_t backed = 0; /* mem_map below this is mapped already: ranges may share a page of it */
    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        uint64_t start = paddr_to_pfn(r.base).v, end = (r.base.v + r.size) >> PAGE_SHIFT;
        uint64_t va = ALIGN_DOWN((uint64_t)pfn_to_page(mk_pfn(start)), PAGE_SIZE);
        uint64_t va_end = ALIGN_UP((uint64_t)(pfn_to_page(mk_pfn(end - 1)) + 1), PAGE_SIZE);
        va = MAX(va, backed);
        if (va < va_end)
            back_range(va, va_end - va, r.nid);
        backed = MAX(backed, va_end);
        init_range(start, end, r.nid);
    }
}
