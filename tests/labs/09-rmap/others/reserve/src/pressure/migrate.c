/* SPDX-License-Identifier: MIT */
/*
 * migrate.c - moving pages under the feet of those who use them.
 *
 *      1. lock the page               nobody else moves it, or takes its last mapping's anon_vma
 *      2. try_to_migrate              each PTE becomes a migration entry: guests that touch it wait
 *      3. count references            only ours (and a file's) may be left: nobody is reading it
 *      4. copy content and identity   new page: same type, mapping, index, flags
 *      5. remove_migration_ptes       each migration entry becomes a PTE of the new page: go on
 *
 *      old  [ data ] <-- PTE           old  [ data ] <-- (migration)         old  [ free ]
 *                            ==>                                  ==>
 *      new  [      ]                   new  [ data ]                         new  [ data ] <-- PTE
 *
 * If a step fails, step 5 is done with the old page in place of the new one, and nothing happened.
 *
 * Locks: the page lock of old and new; below it what rmap takes.
 * Linux's counterpart: migrate_pages(), mm/migrate.c.
 */
#include "pressure/migrate.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "virt/lru.h"
#include "virt/mapping.h"
#include "virt/rmap.h"

/* What goes along with the page; the others say who is at work on it, and on which list it is. */
#define KEPT_FLAGS                                                                        \
    ((1u << PG_referenced) | (1u << PG_dirty) | (1u << PG_active) | (1u << PG_uptodate) | \
     (1u << PG_swapbacked) | (1u << PG_unevictable) | (1u << PG_mlocked))

static int exchange_anon(struct page *old, struct page *new)
{
    (void)new;
    return page_count(old) == 1 ? 0 : -EBUSY;
}

static int exchange_file(struct page *old, struct page *new)
{
    struct address_space *m = old->mapping;
    int err = m->ops->replace_page(m, old, new);
    if (!err) {
        mod_node_state(page_pgdat(new), NR_FILE_PAGES, 1);
        mod_node_state(page_pgdat(old), NR_FILE_PAGES, -1);
    }
    return err;
}

/* Nothing maps the old page: make the new one its twin, and ask whether it may take its place. */
static int exchange(struct page *old, struct page *new)
{
    bool of_file = old->type == PAGE_FILE && old->mapping;
    if (of_file && !((struct address_space *)old->mapping)->ops->replace_page)
        return -EBUSY;
    copy_page(page_address(new), page_address(old));
    new->index = old->index;
    new->mapping = old->mapping;
    page_set_type(new, page_type(old));
    for (unsigned flag = 0; flag < NR_PAGE_FLAGS; flag++)
        if ((KEPT_FLAGS >> flag & 1) && page_flag(old, flag))
            page_set_flag(new, flag);
    return of_file ? exchange_file(old, new) : exchange_anon(old, new);
}

/* What @new was given is taken back: it goes to the allocator. */
static void forget_identity(struct page *new)
{
    page_set_type(new, PAGE_KERNEL);
    new->mapping = NULL;
    fetch_and(&new->flags, ~KEPT_FLAGS);
}

/* With the anon_vma, if it has one, kept. */
static int move_kept(struct page *old, struct page *new)
{
    int err = try_to_migrate(old) ? exchange(old, new) : -EBUSY;
    if (!err) {
        remove_migration_ptes(old, new);
        return 0;
    }
    remove_migration_ptes(old, old);
    forget_identity(new);
    return err;
}

static int move_locked(struct page *old, struct page *new)
{
    if (old->type != PAGE_ANON)
        return move_kept(old, new);
    struct anon_vma *av = page_get_anon_vma(old);
    if (!av)
        return -EBUSY;
    int err = move_kept(old, new);
    put_anon_vma(av);
    return err;
}

/* The new page is there before the old one is locked, so nobody waits for the allocator. */
static int move_page(struct page *old, new_page_fn *get_new, void *ctx, enum migrate_mode mode)
{
    struct page *new = NULL;
    int err = -ENOENT;
    if (page_count(old) == 1 && old->type == PAGE_ANON)
        goto put_back;
    err = -ENOMEM;
    new = get_new(old, ctx);
    if (!new)
        goto put_back;
    err = -EBUSY;
    if (mode == MIGRATE_SYNC)
        lock_page(old);
    else if (!trylock_page(old))
        goto put_new;
    if (trylock_page(new)) {
        err = move_locked(old, new);
        unlock_page(new);
    }
    unlock_page(old);
    if (!err)
        lru_cache_add(new);
put_new:
    put_page(new);
put_back:
    lru_putback(old);
    return err;
}

unsigned migrate_pages(struct list_head *from, new_page_fn *get_new, void *ctx,
                       enum migrate_mode mode, unsigned *moved)
{
    unsigned failed = 0;
    int err = 0;
    while (!list_empty(from) && err != -ENOMEM) {
        struct page *page = list_first_entry(from, struct page, lru);
        list_del(&page->lru);
        err = move_page(page, get_new, ctx, mode);
        if (!err) {
            (*moved)++;
            count_vm_event(PGMIGRATE_SUCCESS);
        } else if (err != -ENOENT) {
            failed++;
            count_vm_event(PGMIGRATE_FAIL);
        }
        cond_resched();
    }
    return failed + putback_pages(from); /* where there was no page for one, there is for none */
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
