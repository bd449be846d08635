/* SPDX-License-Identifier: MIT */
/*
 * test_lab_migrate.c - pages are moved under whole spaces.
 *
 *      around_...     nothing is moved: what becomes of the page?
 *      exchange_...   one page takes the place of another
 */
#include <pthread.h>

#include "labs/09-rmap/host/moving.h"

/* --- step 5: around --------------------------------------------------------------------------- */

static void around_a_locked_page_is_skipped(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 1);
    uint64_t free = pages_free();
    expect_true(trylock_page(page), "the page lock is free");
    migrate(page, on_node_1, MIGRATE_ASYNC, 1, 0);
    expect_true(page_flag(page, PG_locked), "the lock is still that of who had it");
    unlock_page(page);
    expect_at_rest(page);
    expect_equal(pages_free(), free, "free pages, as before");
    expect_word(1, 3, 7);
}

static void around_no_page_is_to_be_had(void **state)
{
    (void)state;
    LIST_HEAD(list);
    unsigned moved = 0;
    begin(0);
    for (unsigned i = 0; i < 3; i++) {
        store(0, i, i);
        isolate(page_at(0, i));
        list_add(&page_at(0, i)->lru, &list);
    }
    expect_equal(migrate_pages(&list, nowhere, NULL, MIGRATE_SYNC, &moved), 3,
                 "pages that were not moved, as there was no new page");
    expect_equal(asked, 1, "after -ENOMEM nobody asks again");
    expect_equal(moved, 0, "pages that were moved");
    for (unsigned i = 0; i < 3; i++) {
        expect_at_rest(page_at(0, i));
        expect_word(0, i, i);
        expect_equal(page_count(page_at(0, i)), 1, "references: the entry's");
    }
}

static void around_a_page_that_was_freed(void **state)
{
    (void)state;
    LIST_HEAD(list);
    unsigned moved = 0;
    struct page *page = shared_page(7, 0);
    isolate(page);
    list_add(&page->lru, &list);
    uint64_t free = pages_free();
    expect_equal(do_munmap(mm[0], addr_of(3), PAGE_SIZE), 0, "munmap");
    expect_equal(migrate_pages(&list, on_node_1, NULL, MIGRATE_SYNC, &moved), 0,
                 "pages that were not moved: a page that its guest has freed is none");
    expect_equal(moved, 0, "and it was not moved either");
    expect_equal(pages_free(), free + 1, "free pages: it has gone");
    expect_node(NR_ISOLATED_ANON, 0, 0, "NR_ISOLATED_ANON");
}

/* --- step 6: exchange ------------------------------------------------------------------------- */

static void exchange_moves_all_that_a_page_is(void **state)
{
    (void)state;
    struct page *old = shared_page(7, 2);
    page_set_flag(old, PG_active); /* it is on no list yet */
    page_set_flag(old, PG_referenced);
    page_set_flag(old, PG_uptodate);
    uint64_t free = pages_free(), index = old->index;
    void *mapping = old->mapping;
    for (unsigned i = 1; i < PAGE_SIZE / sizeof(uint64_t); i++)
        ((uint64_t *)page_address(old))[i] = i * i;
    migrate(old, on_node_1, MIGRATE_SYNC, 0, 1);
    struct page *new = page_at(0, 3);
    expect_equal(new->nid, 1, "the node of the page");
    expect_at_rest(new);
    expect_equal(new->type, PAGE_ANON, "type");
    expect_true(new->mapping == mapping &&new->index == index, "mapping and index");
    expect_equal(new->mapcount, 3, "mapcount");
    expect_equal(page_count(new), 3, "references: one an entry");
    expect_true(page_flag(new, PG_active) && page_flag(new, PG_referenced) &&
                    page_flag(new, PG_uptodate) && page_flag(new, PG_dirty),
                "the flags of KEPT_FLAGS, and PG_dirty, as the entry was dirty");
    expect_true(!page_flag(new, PG_waiters), "no flag of who was at work on the old page");
    expect_equal(pages_free(), free, "free pages: one used, one free");
    expect_equal(page_count(old), 0, "references of the old page");
    for (unsigned i = 1; i < PAGE_SIZE / sizeof(uint64_t); i++)
        expect_equal(((uint64_t *)page_address(new))[i], i * i, "word %u of the page", i);
    for (unsigned s = 0; s < 3; s++)
        expect_word(s, 3, 7);
}

static void exchange_counts_for_the_right_node(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 2);
    store(0, FILE_AT, 9);
    lru_add_drain();
    expect_node(NR_FILE_PAGES, 1, 0, "NR_FILE_PAGES, before");
    migrate(page, on_node_1, MIGRATE_SYNC, 0, 1);
    migrate(page_at(0, FILE_AT), on_node_1, MIGRATE_SYNC, 0, 1);
    lru_add_drain();
    expect_node(NR_ANON_MAPPED, 0, 1, "NR_ANON_MAPPED");
    expect_node(NR_FILE_MAPPED, 0, 1, "NR_FILE_MAPPED");
    expect_node(NR_FILE_PAGES, 0, 1, "NR_FILE_PAGES");
    expect_node(NR_ISOLATED_ANON, 0, 0, "NR_ISOLATED_ANON");
    expect_node(NR_ISOLATED_FILE, 0, 0, "NR_ISOLATED_FILE");
    expect_equal(lru_check(&stderr_sink), 0, "faults that lru_check() finds");
}

static void exchange_keeps_the_last_write(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 2);
    watch(page, 3);
    writes = true;
    migrate(page, on_node_1, MIGRATE_SYNC, 0, 1);
    writes = false;
    const uint64_t *words = page_address(page_at(0, 3));
    for (unsigned s = 0; s < 3; s++) {
        expect_true(told[s], "harts of space %u were told", s);
        expect_equal(words[8 + s], 1000 + s,
                     "what a hart of space %u wrote just before it was told", s);
    }
}

/* Somebody reads or writes the page by its frame: it stays, and nothing has happened. */
static void expect_stays(struct page *page, unsigned i)
{
    pte_t before = pte_load(entry(0, i));
    uint64_t free = pages_free();
    int32_t users = page_count(page), mappers = page->mapcount;
    migrate(page, on_node_1, MIGRATE_SYNC, 1, 0);
    expect_true(page_at(0, i) == page, "the entry maps the old page again");
    expect_equal(pte_load(entry(0, i)).v & PTE_PROT_MASK, before.v & PTE_PROT_MASK,
                 "protection of the entry, as before");
    expect_at_rest(page);
    expect_equal(page_count(page), users, "references, as before");
    expect_equal(page->mapcount, mappers, "mapcount, as before");
    expect_equal(pages_free(), free, "free pages: the new one was given back");
}

static void exchange_leaves_a_pinned_page(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 1);
    get_page(page);
    expect_stays(page, 3);
    expect_node(NR_ANON_MAPPED, 1, 0, "NR_ANON_MAPPED");
    put_page(page);
    store(0, 3, 8);
    expect_word(0, 3, 8);
    expect_word(1, 3, 7);
    migrate(page, on_node_1, MIGRATE_SYNC, 0, 1); /* now it can go */
    expect_word(1, 3, 7);
}

static void exchange_leaves_a_pinned_page_of_a_file(void **state)
{
    (void)state;
    begin(0);
    store(0, FILE_AT, 9);
    struct page *page = page_at(0, FILE_AT);
    get_page(page);
    expect_stays(page, FILE_AT);
    expect_node(NR_FILE_PAGES, 1, 0, "NR_FILE_PAGES");
    put_page(page);
    expect_word(0, FILE_AT, 9);
}

static void exchange_asks_the_file(void **state)
{
    (void)state;
    static const struct address_space_ops fixed_ops = {.get_page = shmem_get_page};
    begin(0);
    begin(1);
    store(0, FILE_AT, 9);
    expect_word(1, FILE_AT, 9);
    struct page *page = page_at(0, FILE_AT);
    file.ops = &fixed_ops;
    expect_stays(page, FILE_AT);
    file.ops = &file_ops;
    migrate(page, on_node_1, MIGRATE_SYNC, 0, 1);
    struct page *new = page_tree_get(&file.pages, 0);
    expect_true(new == page_at(0, FILE_AT) && new == page_at(1, FILE_AT) && new != page,
                "the file has the page that both spaces map");
    expect_equal(page_count(new), 5, "references: two entries, the file, a batch of the LRU, ours");
    put_page(new);
    store(1, FILE_AT, 10);
    expect_word(0, FILE_AT, 10);
}

/* Its last entry goes while a new page is looked for. */
static struct page *after_munmap(struct page *old, void *ctx)
{
    expect_equal(do_munmap(mm[0], addr_of(3), PAGE_SIZE), 0, "munmap");
    return on_node_1(old, ctx);
}

static void exchange_of_a_page_that_goes_away(void **state)
{
    (void)state;
    LIST_HEAD(list);
    unsigned moved = 0;
    struct page *page = shared_page(7, 0);
    uint64_t free = pages_free();
    isolate(page);
    list_add(&page->lru, &list);
    (void)migrate_pages(&list, after_munmap, NULL, MIGRATE_SYNC, &moved);
    expect_equal(moved, 0, "pages that were moved: it was unmapped meanwhile");
    expect_equal(pages_free(), free + 1, "free pages: it has gone, and so has the new one");
    expect_node(NR_ISOLATED_ANON, 0, 0, "NR_ISOLATED_ANON");
}

static uint32_t kept_meanwhile;

static void on_flush_count(struct tlb_space *space, uint64_t start, uint64_t end)
{
    (void)space, (void)start, (void)end;
    kept_meanwhile = vma_lookup(mm[0], addr_of(3))->anon_vma->refcount;
}

static void exchange_keeps_the_anon_vma(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 0);
    const struct anon_vma *av = page->mapping;
    uint32_t before = av->refcount;
    space_flushed = on_flush_count;
    migrate(page, on_node_1, MIGRATE_SYNC, 0, 1);
    expect_equal(kept_meanwhile, before + 1,
                 "references of the anon_vma while nothing maps the "
                 "page: its VMAs may go meanwhile");
    expect_equal(av->refcount, before, "references of the anon_vma afterwards");
    page = page_at(0, 3);
    get_page(page);
    migrate(page, on_node_1, MIGRATE_SYNC, 1, 0);
    expect_equal(av->refcount, before, "references of the anon_vma after a page that stayed");
}

static struct page *locked_page;

static void *unlock_soon(void *arg)
{
    host_run_as(1);
    for (unsigned i = 0; i < 2000; i++)
        sched_yield();
    *(bool *)arg = true;
    unlock_page(locked_page);
    host_leave();
    return NULL;
}

static void exchange_waits_for_the_page_lock(void **state)
{
    (void)state;
    pthread_t thread;
    bool unlocked = false;
    locked_page = shared_page(7, 0);
    expect_true(trylock_page(locked_page), "the page lock is free");
    expect_equal(pthread_create(&thread, NULL, unlock_soon, &unlocked), 0, "a thread");
    migrate(locked_page, on_node_1, MIGRATE_SYNC, 0, 1);
    expect_true(unlocked, "MIGRATE_SYNC waits until the page is unlocked");
    pthread_join(thread, NULL);
    expect_at_rest(page_at(0, 3));
    expect_word(0, 3, 7);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(around_a_locked_page_is_skipped),
        TEST(around_no_page_is_to_be_had),
        TEST(around_a_page_that_was_freed),
        TEST(exchange_moves_all_that_a_page_is),
        TEST(exchange_counts_for_the_right_node),
        TEST(exchange_keeps_the_last_write),
        TEST(exchange_leaves_a_pinned_page),
        TEST(exchange_leaves_a_pinned_page_of_a_file),
        TEST(exchange_asks_the_file),
        TEST(exchange_of_a_page_that_goes_away),
        TEST(exchange_keeps_the_anon_vma),
        TEST(exchange_waits_for_the_page_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
