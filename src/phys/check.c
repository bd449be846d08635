/* SPDX-License-Identifier: MIT */
/*
 * check.c - the audit of physical memory: does everything add up?
 *
 *      every list     well linked, each entry a head of the right state, order, zone and type
 *      every frame    walked by heads: each belongs to exactly one block of one state
 *      every counter  nr_free, nr_free_pages, pageset counts = what was found
 *      every buddy    no two free buddies of one order that should have merged
 *
 * Locks: each zone's lock while its lists are walked; pagesets are looked at from outside, so the
 * harts should be idle or the caller's own.
 */
#include "phys/check.h"

#include "base/string.h"
#include "phys/memblock.h"
#include "phys/node.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"

struct audit {
    struct sink *out;
    unsigned long faults;
};

static void fault(struct audit *a, const struct page *page, const char *what)
{
    if (a->faults++ < 20)
        print(a->out, "check: pfn 0x%llx (node %u, type %s, order %u): %s\n",
              (unsigned long long)page_to_pfn(page).v, page->nid,
              page_type_name((enum page_type)page->type), page->order, what);
}

static void wrong_sum(struct audit *a, const struct zone *zone, const char *what, uint64_t counter,
                      uint64_t found)
{
    if (counter == found)
        return;
    if (a->faults++ < 20)
        print(a->out, "check: node %u zone %s: %s says %llu, found %llu\n", zone->nid, zone->name,
              what, (unsigned long long)counter, (unsigned long long)found);
}

/* --- lists ------------------------------------------------------------------------------------ */

static bool pageblock_is_shared(const struct zone *zone, const struct page *page)
{
    uint64_t start = ALIGN_DOWN(page_to_pfn(page).v, PAGEBLOCK_PAGES);
    return !zone_spans_pfn(zone, start) || !zone_spans_pfn(zone, start + PAGEBLOCK_PAGES - 1);
}

static void check_free_head(struct audit *a, struct zone *zone, struct page *page, unsigned order,
                            unsigned mt)
{
    if (page->type != PAGE_BUDDY || page->order != order)
        fault(a, page, "is on a freelist of another order, or is not free");
    if (page_zone(page) != zone)
        fault(a, page, "is on a freelist of another zone");
    if (!IS_ALIGNED(page_to_pfn(page).v, 1UL << order))
        fault(a, page, "is not aligned to its order");
    if (page->refcount || page->mapcount)
        fault(a, page, "is free and in use");
    if (pageblock_type(page) != mt && !pageblock_is_shared(zone, page))
        fault(a, page, "is on the list of another migratetype than its pageblock's");
}

static void check_freelists(struct audit *a, struct zone *zone)
{
    uint64_t pages = 0;
    for (unsigned order = 0; order < NR_ORDERS; order++) {
        uint64_t blocks = 0;
        for (unsigned mt = 0; mt < MIGRATE_TYPES; mt++) {
            struct list_head *list = &zone->free_area[order].free_list[mt];
            struct page *page;
            if (!list_check(list, zone->spanned_pages)) {
                a->faults++;
                print(a->out, "check: node %u zone %s: freelist of order %u %s is broken\n",
                      zone->nid, zone->name, order, migratetype_name((enum migratetype)mt));
                continue;
            }
            list_for_each_entry(page, list, buddy_list) {
                check_free_head(a, zone, page, order, mt);
                blocks++;
            }
        }
        wrong_sum(a, zone, "nr_free", zone->free_area[order].nr_free, blocks);
        pages += blocks << order;
    }
    wrong_sum(a, zone, "nr_free_pages", zone->nr_free_pages, pages);
}

static void check_pagesets(struct audit *a, struct zone *zone)
{
    for (uint32_t hart = 0; hart < nr_harts; hart++) {
        struct per_cpu_pages *pcp = pageset_of(hart, zone);
        uint64_t pages = 0;
        for (unsigned i = 0; i < (PCP_MAX_ORDER + 1) * PCP_TYPES; i++) {
            unsigned order = i / PCP_TYPES;
            struct page *page = pcp->stacks[order][i % PCP_TYPES];
            for (; page && pages <= zone->present_pages; page = page->pcp_next) {
                if (page->type != PAGE_PCP || page->order != order || page_zone(page) != zone)
                    fault(a, page, "is on a pageset and not marked so");
                pages += 1UL << order;
            }
        }
        wrong_sum(a, zone, "a pageset's count", (uint64_t)pcp_count(pcp), pages);
    }
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Pages of the block that begins at @page. */
static uint64_t block_pages(const struct page *page)
{
    return page->type == PAGE_RESERVED ? 1 : 1UL << page->order;
}

static void check_merged(struct audit *a, struct zone *zone, struct page *page)
{
    uint64_t buddy_pfn = page_to_pfn(page).v ^ (1UL << page->order);
    if (page->order >= MAX_ORDER || !zone_spans_pfn(zone, buddy_pfn) ||
        !pfn_valid(mk_pfn(buddy_pfn)))
        return;
    struct page *buddy = pfn_to_page(mk_pfn(buddy_pfn));
    enum migratetype mine = pageblock_type(page), its = pageblock_type(buddy);
    if (buddy->type == PAGE_BUDDY && buddy->order == page->order && page_zone(buddy) == zone &&
        (mine == its || (mine < MIGRATE_PCPTYPES && its < MIGRATE_PCPTYPES)))
        fault(a, page, "and its buddy are free and not merged");
}

static void check_block(struct audit *a, struct zone *zone, struct page *page)
{
    uint64_t n = block_pages(page);
    if (page->type == PAGE_TAIL) {
        fault(a, page, "is a tail without a head");
        return;
    }
    if (page->type == PAGE_BUDDY)
        check_merged(a, zone, page);
    if (page_is_free(page) ? page->refcount != 0
                           : page->type != PAGE_RESERVED && page->refcount <= 0)
        fault(a, page, "has a reference count that does not fit its state");
    for (uint64_t i = 1; i < n; i++) {
        if (page[i].type != PAGE_TAIL) {
            fault(a, page + i, "lies inside a block and has a state of its own");
            return;
        }
    }
}

static void check_frames(struct audit *a, struct zone *zone)
{
    uint64_t found[NR_PAGE_TYPES] = {0}, present = 0;
    for (uint64_t pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone);) {
        struct page *page = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
        if (!page || page_zone(page) != zone) {
            pfn++;
            continue;
        }
        check_block(a, zone, page);
        uint64_t n = page->type == PAGE_TAIL ? 1 : block_pages(page);
        found[page->type < NR_PAGE_TYPES ? page->type : PAGE_TAIL] += n;
        present += n;
        pfn += n;
    }
    wrong_sum(a, zone, "nr_free_pages (by frames)", zone->nr_free_pages, found[PAGE_BUDDY]);
    wrong_sum(a, zone, "isolated free pages", zone->nr_isolated_free, found[PAGE_ISOLATED]);
    wrong_sum(a, zone, "present_pages", zone->present_pages, present);
    wrong_sum(a, zone, "managed_pages", zone->managed_pages, present - found[PAGE_RESERVED]);
}

unsigned long phys_check(struct sink *out)
{
    struct audit a = {.out = out};
    struct zone *zone;
    a.faults += memblock_check(out);
    drain_all_pages(NULL);
    for_each_populated_zone(zone)
    {
        check_pagesets(&a, zone);
        spin_lock(&zone->lock);
        check_freelists(&a, zone);
        check_frames(&a, zone);
        spin_unlock(&zone->lock);
        cond_resched();
    }
    return a.faults;
}

/* --- census ----------------------------------------------------------------------------------- */

static void census_zone(const struct zone *zone, struct page_census *out)
{
    for (uint64_t pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone);) {
        struct page *page = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
        uint64_t n = 1;
        if (page && page_zone(page) == zone) {
            uint8_t type = load_relaxed(&page->type);
            n = type == PAGE_TAIL || type == PAGE_RESERVED ? 1 : 1UL << page->order;
            n = MIN(n, zone_end_pfn(zone) - pfn);
            out->pages[MIN(type, (uint8_t)PAGE_TAIL)] += n;
        }
        pfn += n;
    }
}

void page_census(int nid, struct page_census *out)
{
    struct zone *zone;
    memset(out, 0, sizeof(*out));
    for_each_populated_zone(zone)
    {
        if (nid < 0 || zone->nid == nid)
            census_zone(zone, out);
        cond_resched();
    }
}
