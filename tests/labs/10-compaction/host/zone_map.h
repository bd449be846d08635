/* SPDX-License-Identifier: MIT */
/*
 * zone_map.h - zones whose frames the test lays one by one, a mover that it leads by the hand, and
 * an account of every frame afterwards.
 *
 *      lay()  asks draw(pfn) for each frame that the allocator has:
 *
 *      '.' free    'a' 'f' anonymous, file, on an LRU list     'p' the same, but it cannot be moved
 *      'k' the monitor's     'x' anonymous, but isolated by somebody else
 *
 *      moves[] what the mover did          account()  looks where everybody is now
 *
 * The mover stands for pressure/migrate.c: no page tables, but the references and the LRU lists are
 * real. A page is known by its index, which it takes along.
 */
#ifndef LABS_COMPACTION_ZONE_MAP_H
#define LABS_COMPACTION_ZONE_MAP_H

#include "labs/wire/expect.h"

#include <string.h>

#include "base/errno.h"
#include "base/random.h"
#include "kern/thread.h"
#include "phys/buddy.h"
#include "phys/check.h"
#include "phys/fallback.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "pressure/compaction.h"
#include "support/fake_machine.h"
#include "support/host.h"
#include "virt/lru.h"

enum { MAP_FRAMES = MIB(128) / PAGE_SIZE };

/** The first frame of a pageblock, counted from where RAM begins. */
#define BLOCK(n) (MEMORY_BASE_PFN + (n)*PAGEBLOCK_PAGES)

typedef char draw_fn(uint64_t pfn);

static char map[MAP_FRAMES]; /* what was laid, by the frame; 0: not the allocator's */
static struct zone *zone;    /* the first one, if a test needs no other */

static inline uint64_t frame_pfn(uint64_t i)
{
    return MEMORY_BASE_PFN + i;
}

static inline struct page *page_at(uint64_t pfn)
{
    return pfn_to_page(mk_pfn(pfn));
}

static inline uint64_t pfn_of(const struct page *page)
{
    return page_to_pfn(page).v;
}

static inline char laid(uint64_t pfn)
{
    return map[pfn - MEMORY_BASE_PFN];
}

static inline bool is_movable(char kind)
{
    return kind == 'a' || kind == 'f' || kind == 'p';
}

/* Two nodes that lie in each other, with a hole, and ends that are odd. */
static inline void interleaved(void)
{
    fake_begin();
    fake_memory(0, KIB(12), MIB(8));
    fake_memory(1, MIB(8) + KIB(12), MIB(7) + KIB(20));
    fake_memory(0, MIB(17) + KIB(8), MIB(9) + KIB(508));
    fake_memory(1, MIB(27), MIB(5) + KIB(4));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
}

/* --- laying ----------------------------------------------------------------------------------- */

/* All that is free is taken off the freelists, page by page; its frames are '.' in the map. */
static inline void take_all(struct zone *z)
{
    for (uint64_t pfn = z->zone_start_pfn; pfn < zone_end_pfn(z); pfn++) {
        struct page *page = pfn_valid(mk_pfn(pfn)) ? page_at(pfn) : NULL;
        if (!page || page_zone(page) != z || page->type != PAGE_BUDDY)
            continue;
        unsigned order = buddy_isolate_locked(z, page);
        buddy_split_isolated(page, order);
        for (uint64_t i = 0; i < 1UL << order; i++)
            map[pfn + i - MEMORY_BASE_PFN] = '.';
    }
}

static inline void lay_used(struct page *page, char kind)
{
    if (kind == 'k')
        return;
    page_set_type(page, kind == 'f' ? PAGE_FILE : PAGE_ANON);
    page->index = pfn_of(page);
    lru_cache_add(page);
    lru_add_drain();
    if (kind == 'x' && lru_isolate(page))
        fail_msg("a page that was just listed cannot be isolated");
}

static inline void lay_zone(struct zone *z, draw_fn *draw)
{
    spin_lock(&z->lock);
    take_all(z);
    for (uint64_t i = 0; i < MAP_FRAMES; i++) {
        struct page *page = map[i] ? page_at(frame_pfn(i)) : NULL;
        if (!page || page_zone(page) != z)
            continue;
        map[i] = draw(frame_pfn(i));
        if (map[i] != '.')
            buddy_claim_isolated_locked(z, page, 0);
        else
            buddy_return_locked(z, page, 0);
    }
    spin_unlock(&z->lock);
    for (uint64_t i = 0; i < MAP_FRAMES; i++)
        if (map[i] && map[i] != '.' && page_zone(page_at(frame_pfn(i))) == z)
            lay_used(page_at(frame_pfn(i)), map[i]);
}

/** Lay all zones of the machine that was booted. */
static inline void lay(draw_fn *draw)
{
    struct zone *z;
    lru_init();
    memset(lru_batches, 0, sizeof(lru_batches));
    memset(map, 0, sizeof(map));
    drain_all_pages(NULL);
    for_each_populated_zone(z) lay_zone(z, draw);
    zone = zones[0];
}

/** The pageblock at @pfn, whose free pages lie on the lists of its type, is of this one now. */
static inline void retype(uint64_t pfn, enum migratetype mt)
{
    struct page *page = page_at(pfn);
    struct zone *z = page_zone(page);
    spin_lock(&z->lock);
    buddy_move_pageblock_locked(z, page, mt);
    pageblock_set_type(page, mt);
    spin_unlock(&z->lock);
}

/* --- a run's control -------------------------------------------------------------------------- */

/** Scanners at these frames, lists empty; as compact_zone() would set it up. */
static inline struct compact_control *control(struct zone *z, uint64_t migrate_pfn,
                                              uint64_t free_pfn)
{
    static struct compact_control cc;
    cc = (struct compact_control){.zone = z,
                                  .order = COMPACT_ALL,
                                  .migratetype = MIGRATE_MOVABLE,
                                  .mode = MIGRATE_SYNC,
                                  .migrate_pfn = migrate_pfn,
                                  .free_pfn = free_pfn};
    INIT_LIST_HEAD(&cc.migrate_list);
    INIT_LIST_HEAD(&cc.free_list);
    return &cc;
}

static inline uint64_t list_length(const struct list_head *head)
{
    struct list_head *pos;
    uint64_t n = 0;
    list_for_each(pos, head)
    {
        n++;
        expect_true(n <= MAP_FRAMES, "the list has an end");
    }
    return n;
}

/* --- the mover -------------------------------------------------------------------------------- */

struct move {
    uint64_t from, to;
};
static struct move moves[MAP_FRAMES];
static unsigned nr_moves, nr_calls;
static uint8_t tried[MAP_FRAMES]; /* how often a page was handed to the mover, by its index */
static int (*mover_says)(struct page *page); /* an error for this page; NULL: none */

static inline void mover_forget(void)
{
    nr_moves = nr_calls = 0;
    memset(tried, 0, sizeof(tried));
    mover_says = NULL;
}

static inline void look_at_old(const struct page *page)
{
    unsigned long pfn = (unsigned long)pfn_of(page);
    expect_true(page->type == PAGE_ANON || page->type == PAGE_FILE,
                "what is to be moved is a guest's page; pfn 0x%lx is of type %s", pfn,
                page_type_name((enum page_type)page->type));
    expect_true(laid(pfn) != 'x', "pfn 0x%lx was isolated by somebody else and is to be moved",
                pfn);
    expect_true(!page_flag(page, PG_lru), "a page that is to be moved is off its LRU list");
    expect_true(page_count(page) >= 1, "a page that is to be moved has lru_isolate()'s reference");
}

static inline void look_at_new(const struct page *old, const struct page *new)
{
    expect_equal(new->type, PAGE_KERNEL, "type of the page to move to");
    expect_equal(page_count(new), 1, "references of the page to move to");
    expect_equal(new->order, 0, "order of the page to move to");
    expect_true(page_zone(new) == page_zone(old), "pages move inside of their zone");
    expect_true(pfn_of(new) >> PAGEBLOCK_ORDER > pfn_of(old) >> PAGEBLOCK_ORDER,
                "pages move to a higher pageblock; one went from pfn 0x%lx to 0x%lx",
                (unsigned long)pfn_of(old), (unsigned long)pfn_of(new));
}

static inline int move_one(struct page *old, new_page_fn *get_new, void *ctx)
{
    look_at_old(old);
    uint64_t id = old->index - MEMORY_BASE_PFN;
    tried[id]++;
    int err = map[id] == 'p' ? -EBUSY : mover_says ? mover_says(old) : 0;
    if (err)
        return err;
    struct page *new = get_new(old, ctx);
    if (!new)
        return -ENOMEM;
    look_at_new(old, new);
    page_set_type(new, (enum page_type)old->type);
    new->index = old->index;
    moves[nr_moves++] = (struct move){pfn_of(old), pfn_of(new)};
    lru_cache_add(new);
    put_page(old); /* its guest uses the other one now */
    return 0;
}

unsigned migrate_pages(struct list_head *from, new_page_fn *get_new, void *ctx,
                       enum migrate_mode mode, unsigned *moved)
{
    unsigned failed = 0;
    (void)mode;
    nr_calls++;
    expect_true(list_length(from) <= COMPACT_CLUSTER_MAX, "%lu pages are moved at once",
                (unsigned long)list_length(from));
    while (!list_empty(from)) {
        struct page *page = list_first_entry(from, struct page, lru);
        list_del(&page->lru);
        int err = move_one(page, get_new, ctx);
        *moved += !err;
        failed += err && err != -ENOENT;
        lru_putback(page);
        if (err == -ENOMEM)
            break;
    }
    return failed + putback_pages(from);
}

unsigned putback_pages(struct list_head *from)
{
    unsigned n = 0;
    for (; !list_empty(from); n++) {
        struct page *page = list_first_entry(from, struct page, lru);
        list_del(&page->lru);
        lru_putback(page);
    }
    return n;
}

/* --- the account ------------------------------------------------------------------------------ */

static bool found[MAP_FRAMES];

/* A guest's page lies here: which one, and is it as it should be? */
static inline void account_guest(const struct page *page)
{
    unsigned long pfn = (unsigned long)pfn_of(page);
    uint64_t id = page->index - MEMORY_BASE_PFN;
    expect_true(id < MAP_FRAMES && map[id] && map[id] != '.' && map[id] != 'k' && !found[id],
                "the page at pfn 0x%lx is none of those that were laid", pfn);
    found[id] = true;
    if (map[id] == 'x' || map[id] == 'p')
        expect_equal(pfn, frame_pfn(id), "a page that could not be moved is where it was");
    expect_equal(page->type, map[id] == 'f' ? PAGE_FILE : PAGE_ANON, "type of the page at 0x%lx",
                 pfn);
    expect_equal(page_count(page), map[id] == 'x' ? 2 : 1, "references of the page at pfn 0x%lx",
                 pfn);
    expect_equal(page_flag(page, PG_lru), map[id] != 'x', "is the page at pfn 0x%lx on a list?",
                 pfn);
}

static inline void account_isolated(void)
{
    long n = 0, pages = 0;
    for (uint64_t i = 0; i < MAP_FRAMES; i++)
        n += map[i] == 'x';
    for (int nid = 0; nid < MAX_NODES; nid++)
        if (NODE_DATA(nid))
            pages += node_state(NODE_DATA(nid), NR_ISOLATED_ANON) +
                     node_state(NODE_DATA(nid), NR_ISOLATED_FILE);
    expect_equal(pages, n, "pages that are still isolated from the LRU lists");
}

static inline void account_audits(void)
{
    static char text[4096];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    if (lru_check(&out.sink) + phys_check(&out.sink))
        fail_msg("the audit found:\n%s", text);
}

/**
 * Every page that was laid is there once, whole and listed; every other frame is free again, but
 * for a captured block of so many pages.
 */
static inline void account(uint64_t captured)
{
    uint64_t isolated = 0;
    struct zone *z;
    memset(found, 0, sizeof(found));
    lru_add_drain_all();
    drain_all_pages(NULL);
    for_each_populated_zone(z)
    {
        isolated += z->nr_isolated_free;
        expect_true(!z->capture, "zone->capture is NULL after the run");
    }
    expect_equal(isolated, captured, "free pages that are isolated after the run");
    for (uint64_t i = 0; i < MAP_FRAMES; i++) {
        struct page *page = map[i] ? page_at(frame_pfn(i)) : NULL;
        if (page && (page->type == PAGE_ANON || page->type == PAGE_FILE))
            account_guest(page);
        else if (page && map[i] == 'k')
            expect_equal(page->type, PAGE_KERNEL, "type of the monitor's page at pfn 0x%lx",
                         (unsigned long)frame_pfn(i));
        else if (page && !captured)
            expect_true(page_is_free(page) || page->type == PAGE_TAIL,
                        "the frame at pfn 0x%lx is free; it is of type %s",
                        (unsigned long)frame_pfn(i), page_type_name(page_type(page)));
    }
    for (uint64_t i = 0; i < MAP_FRAMES; i++)
        if (map[i] && map[i] != '.' && map[i] != 'k')
            expect_true(found[i], "the page that was laid at pfn 0x%lx is gone",
                        (unsigned long)frame_pfn(i));
    account_isolated();
    account_audits();
}

#endif
