/* SPDX-License-Identifier: MIT */
/*
 * pagewait.c - waiting for a locked page.
 *
 *      page --hash--> one of 64 wait queues <-- waiters of all pages with this hash
 *
 * A wait queue in every struct page would cost as much as the page's lists; so pages share a few,
 * and who wakes up looks again whether it was his page.
 *
 * Locks: the wait queues' own. Linux's counterpart: folio_wait_table, mm/filemap.c.
 */
#include "base/hash.h"
#include "kern/wait.h"
#include "phys/page.h"

#define TABLE_BITS 6

static struct wait_queue table[1 << TABLE_BITS];

void page_wait_init(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        wait_queue_init(&table[i]);
}

static struct wait_queue *queue_of(const struct page *page)
{
    return &table[hash_ptr(page, TABLE_BITS)];
}

/* Announce the waiter in the page's flags first: the one who unlocks looks there. */
static bool try_or_announce(struct page *page)
{
    page_set_flag(page, PG_waiters);
    return trylock_page(page);
}

void lock_page(struct page *page)
{
    if (trylock_page(page))
        return;
    wait_event(queue_of(page), try_or_announce(page));
}

void unlock_page(struct page *page)
{
    uint32_t old = fetch_and(&page->flags, ~((1u << PG_locked) | (1u << PG_waiters)));
    if (old & (1u << PG_waiters))
        wake_up_all(queue_of(page));
}

static bool unlocked_or_announce(struct page *page)
{
    page_set_flag(page, PG_waiters);
    return !page_flag(page, PG_locked);
}

void wait_on_page_locked(struct page *page)
{
    if (page_flag(page, PG_locked))
        wait_event(queue_of(page), unlocked_or_announce(page));
}
