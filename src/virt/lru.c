/* SPDX-License-Identifier: MIT */
/*
 * lru.c - onto the lists, off the lists.
 *
 *      first touch --> hart's batch [p p p . . .] --full, or drained--> pgdat->lru[]
 *
 *      refcount of a page:  mapped once and in a batch: 2     mapped once and on a list: 1
 *
 * Counters are brought up to date once for a run of pages of the same zone and list, not page by
 * page. A page whose only reference is its batch's was freed by its guest meanwhile: it never gets
 * on a list.
 *
 * Locks: pgdat->lru_lock; pages are freed after it was released, since freeing takes it again.
 * Linux's counterpart: mm/swap.c.
 */
#include "virt/lru.h"

#include "base/errno.h"
#include "kern/ipi.h"
#include "phys/alloc.h"

struct lru_batch lru_batches[MAX_HARTS];

/* --- counting in runs ------------------------------------------------------------------------- */

/* A run of changes: its node is locked while it lasts. */
struct run {
    pg_data_t *pgdat;
    struct zone *zone;
    struct list_head *head;
    enum lru_list list;
    uint8_t zone_id; /* of the zone, as pages have it */
    int64_t delta;
};

static void run_count(struct run *r)
{
    if (!r->delta)
        return;
    mod_node_state(r->pgdat, (enum node_stat)(NR_INACTIVE_ANON + r->list), r->delta);
    mod_zone_state(r->zone, (enum zone_stat)(NR_ZONE_INACTIVE_ANON + r->list), r->delta);
    r->delta = 0;
}

static void run_end(struct run *r)
{
    run_count(r);
    if (r->pgdat)
        spin_unlock(&r->pgdat->lru_lock);
    r->pgdat = NULL;
}

static inline enum lru_list list_of(const struct page *page)
{
    uint32_t flags = load_relaxed(&page->flags);
    if (unlikely(flags & (1u << PG_unevictable)))
        return LRU_UNEVICTABLE;
    enum lru_list list = page->type == PAGE_FILE ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
    return list + ((flags >> PG_active) & 1);
}

enum lru_list page_lru(const struct page *page)
{
    return list_of(page);
}

/* The page is of another kind than those before: count them, and lock its node. */
static noinline void run_change(struct run *r, const struct page *page, enum lru_list list)
{
    struct zone *zone = page_zone(page);
    if (r->pgdat != zone->zone_pgdat) {
        run_end(r);
        r->pgdat = zone->zone_pgdat;
        spin_lock(&r->pgdat->lru_lock);
    } else {
        run_count(r);
    }
    r->zone = zone;
    r->zone_id = page->zone_id;
    r->list = list;
    r->head = &r->pgdat->lru[list];
}

/* Now the page's node is locked, and r is about its zone and list. */
static inline void run_enter(struct run *r, const struct page *page)
{
    enum lru_list list = list_of(page);
    if (unlikely(!r->pgdat || page->zone_id != r->zone_id || list != r->list))
        run_change(r, page, list);
}

static inline void list_page(struct run *r, struct page *page)
{
    run_enter(r, page);
    page_set_flag(page, PG_lru);
    list_add(&page->lru, r->head);
    r->delta++;
}

static inline void unlist_page(struct run *r, struct page *page)
{
    run_enter(r, page);
    page->lru.next->prev = page->lru.prev;
    page->lru.prev->next = page->lru.next;
    r->delta--;
}

/* --- batches ---------------------------------------------------------------------------------- */

void lru_batch_drain(struct lru_batch *b)
{
    struct run r = {0};
    struct page **end = b->pages + b->n;
    for (struct page **p = b->pages; p < end; p++) {
        if (likely(page_count(*p) > 1))
            list_page(&r, *p);
    }
    run_end(&r);
    for (struct page **p = b->pages; p < end; p++)
        put_page(*p);
    b->n = 0;
}

void lru_add_drain(void)
{
    lru_batch_drain(&lru_batches[hart_index()]);
}

static void drain_here(void *arg)
{
    (void)arg;
    lru_add_drain();
}

void lru_add_drain_all(void)
{
    hartmask_t filled = {0};
    for (uint32_t i = 0; i < nr_harts; i++) {
        if (load_relaxed(&lru_batches[i].n))
            mask_set(&filled, i);
    }
    if (!mask_empty(&filled))
        ipi_call(filled, drain_here, NULL, IPI_WAIT);
}

/* --- off the lists ---------------------------------------------------------------------------- */

int lru_isolate(struct page *page)
{
    if (!page_flag(page, PG_lru) || !get_page_unless_zero(page))
        return -EBUSY;
    if (!page_test_and_clear_flag(page, PG_lru)) {
        put_page(page);
        return -EBUSY;
    }
    struct run r = {0};
    unlist_page(&r, page);
    mod_node_state(r.pgdat, page->type == PAGE_FILE ? NR_ISOLATED_FILE : NR_ISOLATED_ANON, 1);
    run_end(&r);
    return 0;
}

void lru_putback(struct page *page)
{
    struct run r = {0};
    mod_node_state(page_pgdat(page), page->type == PAGE_FILE ? NR_ISOLATED_FILE : NR_ISOLATED_ANON,
                   -1);
    if (page_count(page) > 1)
        list_page(&r, page);
    run_end(&r);
    put_page(page);
}

void mark_page_accessed(struct page *page)
{
    if (!page_test_and_set_flag(page, PG_referenced) || page_flag(page, PG_active) ||
        lru_isolate(page))
        return;
    /* used again: off one list, back on the other */
    page_set_flag(page, PG_active);
    page_clear_flag(page, PG_referenced);
    lru_putback(page);
}

/* The last reference of a page is gone. From page_release(), with any lock below RANK_LRU held. */
static void lru_page_release(struct page *page)
{
    if (page_test_and_clear_flag(page, PG_lru)) {
        struct run r = {0};
        unlist_page(&r, page);
        run_end(&r);
    }
    page->mapping = NULL;
}

void release_pages(struct page **pages, unsigned n)
{
    struct run r = {0};
    LIST_HEAD(gone);
    for (unsigned i = 0; i < n; i++) {
        struct page *page = pages[i];
        if (fetch_sub(&page->refcount, 1) != 1)
            continue;
        if (page_flag(page, PG_lru)) {
            unlist_page(&r, page);
            page_clear_flag(page, PG_lru);
        }
        page->mapping = NULL;
        list_add(&page->lru, &gone);
    }
    run_end(&r);
    free_page_list(&gone);
}

void lru_init(void)
{
    page_set_release_hook(lru_page_release);
}

/* --- the check -------------------------------------------------------------------------------- */

static unsigned check_list(pg_data_t *pgdat, enum lru_list list, struct sink *out)
{
    struct page *page;
    uint64_t n = 0;
    unsigned faults = 0;
    if (!list_check(&pgdat->lru[list], pgdat->node_present_pages)) {
        print(out, "lru list %u of node %d is broken\n", list, pgdat->node_id);
        return 1;
    }
    list_for_each_entry(page, &pgdat->lru[list], lru) {
        n++;
        bool right = (page->type == PAGE_ANON || page->type == PAGE_FILE) &&
                     page_flag(page, PG_lru) && page_lru(page) == list && page_count(page) > 0 &&
                     page->nid == (uint32_t)pgdat->node_id;
        if (!right) {
            print(out, "lru list %u of node %d: pfn %#lx (%s) does not belong there\n", list,
                  pgdat->node_id, page_to_pfn(page).v, page_type_name(page->type));
            faults++;
        }
    }
    uint64_t counted = node_state(pgdat, (enum node_stat)(NR_INACTIVE_ANON + list));
    if (n != counted) {
        print(out, "lru list %u of node %d has %lu pages, %lu are counted\n", list, pgdat->node_id,
              n, counted);
        faults++;
    }
    return faults;
}

unsigned lru_check(struct sink *out)
{
    unsigned faults = 0;
    int nid;
    lru_add_drain_all();
    for_each_node(nid) {
        pg_data_t *pgdat = NODE_DATA(nid);
        spin_lock(&pgdat->lru_lock);
        for (unsigned list = 0; list < NR_LRU_LISTS; list++)
            faults += check_list(pgdat, (enum lru_list)list, out);
        spin_unlock(&pgdat->lru_lock);
    }
    return faults;
}
