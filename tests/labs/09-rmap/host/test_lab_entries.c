/* SPDX-License-Identifier: MIT */
/*
 * test_lab_entries.c - the entries of a page go away, and come back.
 *
 *      away_...       try_to_migrate()
 *      back_...       remove_migration_ptes()
 */
#include "labs/09-rmap/host/moving.h"

#include "base/string.h"

/* --- step 3: away ----------------------------------------------------------------------------- */

static void expect_migration(unsigned s, unsigned i, struct page *page, enum pte_type type)
{
    pte_t e = pte_load(entry(s, i));
    expect_true(pte_is_migration(e), "the entry of space %u is a migration entry", s);
    expect_equal(pte_offset(e), page_to_pfn(page).v, "the frame that the entry of space %u names",
                 s);
    expect_equal(pte_type(e), type, "its type: could it be written to?");
}

static void away_every_entry_is_replaced(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 3);
    take(page);
    expect_true(try_to_migrate(page), "try_to_migrate(): nothing maps the page any more");
    for (unsigned s = 0; s < 4; s++)
        expect_migration(s, 3, page, PTE_TYPE_MIGRATION_READ);
    expect_equal(page->mapcount, 0, "mapcount");
    expect_equal(page_count(page), 1, "references: only the one of who isolated it");
    expect_node(NR_ANON_MAPPED, 0, 0, "NR_ANON_MAPPED");
    for (unsigned s = 0; s < 4; s++)
        expect_equal(mm[s]->rss[MM_ANONPAGES], 1, "resident pages of space %u, as before", s);
}

static void away_the_right_to_write_is_kept(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 0), *other;
    store(0, 4, 8);
    other = page_at(0, 4);
    expect_equal(do_mprotect(mm[0], addr_of(4), PAGE_SIZE, PROT_NONE), 0, "mprotect");
    take(page);
    take(other);
    expect_true(try_to_migrate(page) && try_to_migrate(other), "try_to_migrate()");
    expect_migration(0, 3, page, PTE_TYPE_MIGRATION_WRITE);
    expect_migration(0, 4, other, PTE_TYPE_MIGRATION_READ);
    expect_equal(page_count(other), 1, "references of a page that was PROT_NONE");
    expect_equal(other->mapcount, 0, "mapcount of a page that was PROT_NONE");
}

static void away_what_was_written_is_dirty(void **state)
{
    (void)state;
    uint64_t value;
    begin(0);
    begin(1);
    expect_equal(space_load(mm[0], addr_of(FILE_AT), &value), FAULT_DONE, "a load");
    expect_equal(space_load(mm[0], addr_of(FILE_AT + 1), &value), FAULT_DONE, "a load");
    expect_equal(space_load(mm[1], addr_of(FILE_AT), &value), FAULT_DONE, "a load");
    struct page *page = page_at(0, FILE_AT), *clean = page_at(0, FILE_AT + 1);
    pte_store(entry(1, FILE_AT), pte_mkdirty(pte_load(entry(1, FILE_AT))));
    pte_store(entry(0, FILE_AT + 1), pte_mkclean(pte_load(entry(0, FILE_AT + 1))));
    page_clear_flag(page, PG_dirty);
    page_clear_flag(clean, PG_dirty);
    take(page);
    take(clean);
    expect_true(try_to_migrate(page) && try_to_migrate(clean), "try_to_migrate() of files' pages");
    expect_true(page_flag(page, PG_dirty), "PG_dirty of a page that one entry was dirty of");
    expect_true(!page_flag(clean, PG_dirty), "PG_dirty of a page that nobody has written to");
    expect_node(NR_FILE_MAPPED, 0, 0, "NR_FILE_MAPPED");
    expect_equal(page->mapcount, 0, "mapcount");
    expect_equal(page_count(page), 2, "references: the file's and that of who isolated it");
}

static void away_every_hart_is_told(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 2);
    take(page);
    watch(page, 3);
    expect_true(try_to_migrate(page), "try_to_migrate()");
    for (unsigned s = 0; s < 3; s++)
        expect_true(told[s],
                    "harts of space %u were told (tlb_flush_page()) that the entry is no "
                    "longer what they read, after it was changed",
                    s);
}

/* A fork may have copied a migration entry: there is nothing to be taken away then. */
static void away_a_migration_entry_is_left(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 2);
    take(page);
    pte_t there = pte_make_absent(PTE_TYPE_MIGRATION_WRITE, page_to_pfn(page).v, 0);
    pte_store(entry(1, 3), there);
    page_remove_rmap(page);
    put_page(page);
    expect_true(try_to_migrate(page), "try_to_migrate()");
    expect_migration(0, 3, page, PTE_TYPE_MIGRATION_READ);
    expect_migration(1, 3, page, PTE_TYPE_MIGRATION_WRITE);
    expect_migration(2, 3, page, PTE_TYPE_MIGRATION_READ);
    expect_equal(page->mapcount, 0, "mapcount");
    expect_equal(page_count(page), 1, "references");
}

/* --- step 4: back ----------------------------------------------------------------------------- */

/* A page on node 1 that is in everything what @old is. */
static struct page *twin(struct page *old)
{
    struct page *new = on_node_1(old, NULL);
    page_set_type(new, page_type(old));
    new->mapping = old->mapping;
    new->index = old->index;
    (void)trylock_page(new);
    copy_page(page_address(new), page_address(old));
    return new;
}

/* Take all entries of the page away and have them come back for a twin, which is returned. */
static struct page *there_and_back(struct page *old)
{
    struct page *new = twin(old);
    take(old);
    expect_true(try_to_migrate(old), "try_to_migrate()");
    remove_migration_ptes(old, new);
    return new;
}

static void expect_mapped(unsigned s, unsigned i, struct page *page, uint64_t prot)
{
    pte_t e = pte_load(entry(s, i));
    expect_true(pte_present(e), "the entry of space %u is present again", s);
    expect_equal(pte_pfn(e).v, page_to_pfn(page).v, "the frame that space %u maps", s);
    expect_equal(e.v & PTE_PROT_MASK, prot | PTE_U, "protection of the entry of space %u", s);
    expect_true(pte_young(e) && pte_dirty(e), "A and D of the entry of space %u", s);
}

static void back_to_the_new_page(void **state)
{
    (void)state;
    struct page *old = shared_page(7, 3), *new = there_and_back(old);
    for (unsigned s = 0; s < 4; s++)
        expect_mapped(s, 3, new, PTE_R);
    expect_equal(new->mapcount, 4, "mapcount of the new page");
    expect_equal(page_count(new), 5, "references of the new page: ours and four entries'");
    expect_equal(old->mapcount, 0, "mapcount of the old page");
    expect_equal(page_count(old), 1, "references of the old page");
    expect_node(NR_ANON_MAPPED, 0, 1, "NR_ANON_MAPPED");
    for (unsigned s = 0; s < 4; s++) {
        expect_equal(mm[s]->rss[MM_ANONPAGES], 1, "resident pages of space %u", s);
        expect_word(s, 3, 7);
    }
}

static void back_who_could_write_can(void **state)
{
    (void)state;
    struct page *new = there_and_back(shared_page(7, 0));
    expect_mapped(0, 3, new, PTE_R | PTE_W);
}

static void back_to_the_old_page(void **state)
{
    (void)state;
    struct page *page = shared_page(7, 1);
    take(page);
    expect_true(try_to_migrate(page), "try_to_migrate()");
    remove_migration_ptes(page, page);
    expect_mapped(0, 3, page, PTE_R);
    expect_mapped(1, 3, page, PTE_R);
    expect_equal(page->mapcount, 2, "mapcount");
    expect_equal(page_count(page), 3, "references");
    expect_node(NR_ANON_MAPPED, 1, 0, "NR_ANON_MAPPED");
}

static void back_to_a_files_page(void **state)
{
    (void)state;
    begin(0);
    begin(1);
    store(0, FILE_AT + 2, 5);
    expect_word(1, FILE_AT + 2, 5);
    struct page *new = there_and_back(page_at(0, FILE_AT + 2));
    expect_equal(new->mapcount, 2, "mapcount of the new page");
    expect_node(NR_FILE_MAPPED, 0, 1, "NR_FILE_MAPPED");
    expect_node(NR_ANON_MAPPED, 0, 0, "NR_ANON_MAPPED");
}

/* Rights that were taken away meanwhile do not come back. */
static void back_with_the_rights_of_today(void **state)
{
    (void)state;
    struct page *old = shared_page(7, 0), *new = twin(old);
    store(0, 4, 8);
    struct page *old_4 = page_at(0, 4), *new_4 = twin(old_4);
    take(old);
    take(old_4);
    expect_true(try_to_migrate(old) && try_to_migrate(old_4), "try_to_migrate()");
    vma_lookup(mm[0], addr_of(3))->vm_prot &= ~PTE_W;
    remove_migration_ptes(old, new);
    expect_mapped(0, 3, new, PTE_R);
    vma_lookup(mm[0], addr_of(3))->vm_prot = 0; /* mprotect(PROT_NONE) */
    remove_migration_ptes(old_4, new_4);
    pte_t e = pte_load(entry(0, 4));
    expect_true(pte_is_prot_none(e), "where nothing is allowed the entry is a PROT_NONE one");
    expect_equal(pte_pfn(e).v, page_to_pfn(new_4).v, "the frame that it names");
    expect_equal(new_4->mapcount, 1, "mapcount of a page that is PROT_NONE");
    expect_equal(page_count(new_4), 2, "references of a page that is PROT_NONE");
}

static void back_for_a_child_born_meanwhile(void **state)
{
    (void)state;
    struct page *old = shared_page(7, 0), *new = twin(old);
    take(old);
    expect_true(try_to_migrate(old), "try_to_migrate()");
    fork_into(1, 0);
    remove_migration_ptes(old, new);
    expect_mapped(0, 3, new, PTE_R);
    expect_mapped(1, 3, new, PTE_R);
    expect_equal(new->mapcount, 2, "mapcount");
}

static void back_and_whoever_waits_is_woken(void **state)
{
    (void)state;
    struct page *old = shared_page(7, 0), *new = twin(old);
    take(old);
    expect_true(try_to_migrate(old), "try_to_migrate()");
    uint64_t before = host_wakeups;
    remove_migration_ptes(old, new);
    expect_true(host_wakeups > before, "wake_up_all() was called for those who wait");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(away_every_entry_is_replaced),
        TEST(away_the_right_to_write_is_kept),
        TEST(away_what_was_written_is_dirty),
        TEST(away_every_hart_is_told),
        TEST(away_a_migration_entry_is_left),
        TEST(back_to_the_new_page),
        TEST(back_who_could_write_can),
        TEST(back_to_the_old_page),
        TEST(back_to_a_files_page),
        TEST(back_with_the_rights_of_today),
        TEST(back_for_a_child_born_meanwhile),
        TEST(back_and_whoever_waits_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
