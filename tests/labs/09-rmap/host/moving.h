/* SPDX-License-Identifier: MIT */
/*
 * moving.h - a family of whole spaces on two nodes, and pages of theirs to be moved.
 *
 *      addresses:   page 0 .. 15 private          page 16 .. 23 of a file, shared
 *      node 0:      everything, at first          node 1: where pages go
 */
#ifndef MOVING_H
#define MOVING_H

#include "labs/wire/expect.h"

#include "virt/space.h"

#include "phys/pcp.h"
#include "pressure/migrate.h"

#define SPACES 5u
#define PRIVATE 16u
#define PAGES 24u
#define FILE_AT PRIVATE
#define BASE GIB(1)
#define TOP GIB(2)
#define RW (PROT_READ | PROT_WRITE)

static struct mm_struct *mm[SPACES];
static struct address_space file;

static const struct address_space_ops file_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
};

static inline uint64_t addr_of(unsigned i)
{
    return BASE + i * PAGE_SIZE;
}

static inline void boot(void)
{
    memset(mm, 0, sizeof(mm));
    memset(lru_batches, 0, sizeof(lru_batches));
    objects_out = 0;
    space_flushed = NULL;
    space_boot_nodes(2, 2);
    address_space_init(&file, &file_ops, NULL, (PAGES - PRIVATE) * PAGE_SIZE);
}

/* A space with both ranges mapped. */
static inline void begin(unsigned s)
{
    struct mmap_request own = {.addr = addr_of(0),
                               .len = PRIVATE * PAGE_SIZE,
                               .prot = RW,
                               .flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS};
    struct mmap_request shared = {.addr = addr_of(FILE_AT),
                                  .len = (PAGES - PRIVATE) * PAGE_SIZE,
                                  .prot = RW,
                                  .flags = MAP_FIXED | MAP_SHARED,
                                  .mapping = &file};
    mm[s] = space_new(TOP);
    expect_equal(do_mmap(mm[s], &own), addr_of(0), "mmap of private memory");
    expect_equal(do_mmap(mm[s], &shared), addr_of(FILE_AT), "mmap of a file");
}

static inline void fork_into(unsigned child, unsigned s)
{
    mm[child] = space_new(TOP);
    expect_equal(dup_mmap(mm[child], mm[s]), 0, "fork");
}

static inline void store(unsigned s, unsigned i, uint64_t value)
{
    expect_equal(space_store(mm[s], addr_of(i), value), FAULT_DONE, "a store of space %u", s);
}

static inline void expect_word(unsigned s, unsigned i, uint64_t want)
{
    uint64_t value = 0;
    expect_equal(space_load(mm[s], addr_of(i), &value), FAULT_DONE, "a load of space %u", s);
    expect_equal(value, want, "what space %u reads from its page %u", s, i);
}

static inline pte_t *entry(unsigned s, unsigned i)
{
    return mm_find_pte(mm[s], addr_of(i));
}

static inline struct page *page_at(unsigned s, unsigned i)
{
    pte_t *pte = entry(s, i);
    return pte && pte_maps_page(pte_load(pte)) ? pfn_to_page(pte_pfn(pte_load(pte))) : NULL;
}

/* --- counters --------------------------------------------------------------------------------- */

static inline uint64_t pages_free(void)
{
    struct zone *zone;
    uint64_t n = 0;
    lru_add_drain();
    drain_all_pages(NULL);
    for_each_populated_zone(zone) n += zone->nr_free_pages;
    return n;
}

static inline void expect_node(enum node_stat item, long on_0, long on_1, const char *name)
{
    expect_equal(node_state(NODE_DATA(0), item), on_0, "%s of node 0", name);
    expect_equal(node_state(NODE_DATA(1), item), on_1, "%s of node 1", name);
}

/* Nobody has it isolated or locked, and it is on its list. */
static inline void expect_at_rest(struct page *page)
{
    lru_add_drain();
    expect_true(!page_flag(page, PG_locked), "the page is not locked any more");
    expect_true(page_flag(page, PG_lru), "the page is on its LRU list");
    expect_node(NR_ISOLATED_ANON, 0, 0, "NR_ISOLATED_ANON");
    expect_node(NR_ISOLATED_FILE, 0, 0, "NR_ISOLATED_FILE");
    expect_equal(lru_check(&stderr_sink), 0, "faults that lru_check() finds");
}

/* --- moving ----------------------------------------------------------------------------------- */

static unsigned asked; /* how often for a new page */

static inline struct page *on_node_1(struct page *old, void *ctx)
{
    (void)old, (void)ctx;
    asked++;
    return alloc_pages_node(1, GFP_HIGHUSER_MOVABLE | __GFP_THISNODE, 0);
}

static inline struct page *nowhere(struct page *old, void *ctx)
{
    (void)old, (void)ctx;
    asked++;
    return NULL;
}

static inline void isolate(struct page *page)
{
    lru_add_drain();
    expect_equal(lru_isolate(page), 0, "lru_isolate()");
}

/* Migrate one page, and say what migrate_pages() should answer. */
static inline void migrate(struct page *page, new_page_fn *get_new, enum migrate_mode mode,
                           unsigned want_failed, unsigned want_moved)
{
    LIST_HEAD(list);
    unsigned moved = 0;
    isolate(page);
    list_add(&page->lru, &list);
    unsigned failed = migrate_pages(&list, get_new, NULL, mode, &moved);
    expect_equal(failed, want_failed, "pages that migrate_pages() could not move");
    expect_equal(moved, want_moved, "pages that migrate_pages() says it has moved");
    expect_equal(this_hart()->nr_held, 0, "spinlocks that are still held");
}

static inline int set_up(void **state)
{
    (void)state;
    boot();
    asked = 0;
    return 0;
}

/* Page 3 of space 0 with that value, and so many children that share it. */
static inline struct page *shared_page(uint64_t value, unsigned children)
{
    begin(0);
    store(0, 3, value);
    for (unsigned s = 1; s <= children; s++)
        fork_into(s, 0);
    return page_at(0, 3);
}

/* As migrate_pages() has it: isolated, which is a reference, and locked. */
static inline void take(struct page *page)
{
    isolate(page);
    expect_true(trylock_page(page), "the page lock is free");
}

/* --- the other harts -------------------------------------------------------------------------- */

static struct page *watched;
static unsigned watched_index;
static bool told[SPACES], writes;

/* A hart of that space runs until now with the entry that it once read, and writes through it. */
static inline void on_flush(struct tlb_space *space, uint64_t start, uint64_t end)
{
    uint64_t addr = addr_of(watched_index);
    for (unsigned s = 0; s < SPACES; s++) {
        if (!mm[s] || &mm[s]->tlb != space || addr < start || addr >= end)
            continue;
        if (pte_present(pte_load(entry(s, watched_index))) || told[s])
            continue; /* it would read the same entry again */
        told[s] = true;
        if (writes)
            ((uint64_t *)page_address(watched))[8 + s] = 1000 + s;
    }
}

static inline void watch(struct page *page, unsigned i)
{
    watched = page;
    watched_index = i;
    memset(told, 0, sizeof(told));
    space_flushed = on_flush;
}

#endif
