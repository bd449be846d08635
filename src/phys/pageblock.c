/* SPDX-License-Identifier: MIT */
/*
 * pageblock.c - 2 MiB of frames that are used for one kind of thing.
 *
 *      frames   |.... pageblock 0 ....|.... pageblock 1 ....|.... pageblock 2 ....|
 *      flags    |      MOVABLE        |     UNMOVABLE       | MOVABLE | PARTIAL   |
 *
 * Locks: the type under the zone's lock, the bytes atomic; see pageblock.h.
 */
#include "phys/pageblock.h"

#include "base/string.h"
#include "kern/panic.h"
#include "phys/memblock.h"

uint8_t *pageblock_flags;
uint64_t nr_pageblocks;
uint64_t pageblock_bias;
pfn_t max_pfn;

void pageblock_set_type(struct page *page, enum migratetype mt)
{
    uint8_t *flags = &pageblock_flags[pageblock_index(page)];
    struct zone *zone = page_zone(page);
    assert_locked(&zone->lock);
    if ((*flags & PAGEBLOCK_TYPE) == MIGRATE_ISOLATE)
        zone->nr_isolate_pageblock--;
    if (mt == MIGRATE_ISOLATE)
        zone->nr_isolate_pageblock++;
    fetch_and(flags, (uint8_t)~PAGEBLOCK_TYPE);
    fetch_or(flags, (uint8_t)mt);
}

void pageblock_set_skip(struct page *page, uint8_t bit)
{
    fetch_or(&pageblock_flags[pageblock_index(page)], bit);
}

/* The pageblocks that a zone touches. */
static uint64_t first_block(const struct zone *zone)
{
    return (zone->zone_start_pfn - MEMORY_BASE_PFN) >> PAGEBLOCK_ORDER;
}

static uint64_t last_block(const struct zone *zone)
{
    return (zone_end_pfn(zone) - 1 - MEMORY_BASE_PFN) >> PAGEBLOCK_ORDER;
}

void pageblock_clear_skips(const struct zone *zone)
{
    for (uint64_t i = first_block(zone); i <= last_block(zone); i++)
        fetch_and(&pageblock_flags[i], (uint8_t) ~(PAGEBLOCK_SKIP_MIGRATE | PAGEBLOCK_SKIP_FREE));
}

void pageblock_count(const struct zone *zone, uint64_t counts[MIGRATE_TYPES])
{
    memset(counts, 0, sizeof(uint64_t) * MIGRATE_TYPES);
    for (uint64_t i = first_block(zone); i <= last_block(zone); i++) {
        uint64_t pfn = MAX((i << PAGEBLOCK_ORDER) + MEMORY_BASE_PFN, zone->zone_start_pfn);
        uint64_t end = MIN(((i + 1) << PAGEBLOCK_ORDER) + MEMORY_BASE_PFN, zone_end_pfn(zone));
        while (pfn < end && !pfn_valid(mk_pfn(pfn)))
            pfn++;
        /* as in Linux a block that two zones share counts for the zone of its first frame */
        if (pfn < end && page_zone(pfn_to_page(mk_pfn(pfn))) == zone)
            counts[pageblock_type(pfn_to_page(mk_pfn(pfn)))]++;
    }
}

bool pfn_valid(pfn_t pfn)
{
    if (pfn.v < MEMORY_BASE_PFN || pfn.v >= max_pfn.v)
        return false;
    uint8_t flags = pageblock_flags[(pfn.v - MEMORY_BASE_PFN) >> PAGEBLOCK_ORDER];
    if (likely(!(flags & (PAGEBLOCK_HOLE | PAGEBLOCK_PARTIAL))))
        return true;
    return !(flags & PAGEBLOCK_HOLE) && memblock_is_memory(pfn_to_paddr(pfn));
}

/* Frames of RAM in each pageblock, added up range by range; a block with all of them is whole. */
static void mark_range(uint64_t start, uint64_t end)
{
    for (uint64_t pfn = start; pfn < end;) {
        uint64_t i = (pfn - MEMORY_BASE_PFN) >> PAGEBLOCK_ORDER;
        uint64_t next = MIN(end, ((i + 1) << PAGEBLOCK_ORDER) + MEMORY_BASE_PFN);
        bool whole = next - pfn == PAGEBLOCK_PAGES;
        pageblock_flags[i] = (uint8_t)(MIGRATE_MOVABLE | (whole ? 0 : PAGEBLOCK_PARTIAL));
        pfn = next;
    }
}

void pageblocks_init(void)
{
    struct memblock_region r;
    max_pfn = paddr_to_pfn(memblock_end());
    nr_pageblocks = (ALIGN_UP(max_pfn.v - MEMORY_BASE_PFN, PAGEBLOCK_PAGES)) >> PAGEBLOCK_ORDER;
    pageblock_flags = memblock_alloc(nr_pageblocks, 64, MEMBLOCK_ANY_NODE);
    if (!pageblock_flags)
        panic("no memory for %llu pageblock flags", (unsigned long long)nr_pageblocks);
    pageblock_bias = (uint64_t)pageblock_flags - ((uint64_t)mem_map >> PAGEBLOCK_SHIFT);
    memset(pageblock_flags, PAGEBLOCK_HOLE | MIGRATE_MOVABLE, nr_pageblocks);
    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        mark_range(paddr_to_pfn(r.base).v, (r.base.v + r.size) >> PAGE_SHIFT);
    }
}
