/* SPDX-License-Identifier: MIT */
/*
 * test_lab_guests.c - spaces that read, write, fork and exit while their pages are moved at random.
 *
 *      model: what each space should read from each page; pages of a file are one for all
 */
#include "labs/09-rmap/host/moving.h"

#include "base/random.h"

/* --- all of it, at random --------------------------------------------------------------------- */

static struct rng rng;
static uint64_t model[SPACES][PAGES], in_file[PAGES];

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static uint64_t *model_of(unsigned s, unsigned i)
{
    return i < PRIVATE ? &model[s][i] : &in_file[i];
}

static void random_access(unsigned s, unsigned i)
{
    if (below(2)) {
        *model_of(s, i) = rng_next(&rng);
        store(s, i, *model_of(s, i));
    } else {
        expect_word(s, i, *model_of(s, i));
    }
}

static void random_fork(unsigned s)
{
    unsigned child = (s + 1 + below(SPACES - 1)) % SPACES;
    mmput(mm[child]);
    fork_into(child, s);
    memcpy(model[child], model[s], sizeof(model[s]));
}

static void random_exit(unsigned s)
{
    mmput(mm[s]);
    begin(s);
    memset(model[s], 0, sizeof(model[s]));
}

static struct page *on_any_node(struct page *old, void *ctx)
{
    (void)old, (void)ctx;
    return below(12) ? alloc_pages_node((int)below(2), GFP_HIGHUSER_MOVABLE, 0) : NULL;
}

/* Up to four pages at once, some of them in somebody's use. */
static void random_migrate(void)
{
    LIST_HEAD(list);
    struct page *pinned[4];
    unsigned n = 1 + below(4), taken = 0, pins = 0, moved = 0;
    lru_add_drain();
    for (unsigned k = 0; k < n; k++) {
        struct page *page = page_at(below(SPACES), below(PAGES));
        if (!page || lru_isolate(page))
            continue;
        list_add(&page->lru, &list);
        taken++;
        if (below(4) == 0) {
            get_page(page);
            pinned[pins++] = page;
        }
    }
    unsigned failed = migrate_pages(&list, on_any_node, NULL, MIGRATE_SYNC, &moved);
    expect_equal(failed + moved, taken, "pages that were moved or not moved");
    expect_true(failed >= pins, "%u pages in use, only %u were not moved", pins, failed);
    while (pins)
        put_page(pinned[--pins]);
}

static void random_audit(void)
{
    long mapped[2] = {0, 0};
    for (unsigned s = 0; s < SPACES; s++) {
        expect_equal(mm_check(mm[s], &stderr_sink), 0, "faults that mm_check() finds");
        for (unsigned i = 0; i < PRIVATE; i++) {
            struct page *page = page_at(s, i);
            bool seen = !page || page->type != PAGE_ANON;
            for (unsigned t = 0; t < s && !seen; t++)
                seen = page_at(t, i) == page;
            mapped[page ? page->nid : 0] += !seen;
            expect_true(!page || !page_flag(page, PG_locked), "no page is locked");
        }
    }
    expect_equal(lru_check(&stderr_sink), 0, "faults that lru_check() finds");
    expect_node(NR_ANON_MAPPED, mapped[0], mapped[1], "NR_ANON_MAPPED");
    expect_node(NR_ISOLATED_ANON, 0, 0, "NR_ISOLATED_ANON");
    expect_node(NR_ISOLATED_FILE, 0, 0, "NR_ISOLATED_FILE");
    fake_check();
}

static void random_guests_notice_nothing(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned s = 0; s < SPACES; s++)
        begin(s);
    for (unsigned n = 0; n < 4000; n++) {
        unsigned s = below(SPACES), what = below(100);
        if (what < 4)
            random_fork(s);
        else if (what < 5)
            random_exit(s);
        else if (what < 25)
            random_migrate();
        else
            random_access(s, below(PAGES));
        if (n % 64 == 0)
            random_audit();
    }
    for (unsigned s = 0; s < SPACES; s++)
        mmput(mm[s]);
    shmem_drop_pages(&file, 0, UINT64_MAX);
    page_tree_destroy(&file.pages);
    lru_add_drain();
    expect_equal(objects_out, 0, "objects that are left when all have exited");
    expect_node(NR_FILE_PAGES, 0, 0, "NR_FILE_PAGES");
    fake_check();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_guests_notice_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
