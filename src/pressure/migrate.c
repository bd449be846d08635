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

/* lab rmap: begin 6 */
/* The new page takes over what the old one is. Both are locked, nothing maps either. */
static void copy_identity(struct page *new, const struct page *old)
{
    page_set_type(new, (enum page_type)old->type);
    new->mapping = old->mapping;
    new->index = old->index;
    fetch_or(&new->flags, load_relaxed(&old->flags) & KEPT_FLAGS);
    copy_page(page_address(new), page_address(old));
}

/* References are ours alone: give @old's place to @new. -EBUSY if someone else still looks. */
static int exchange(struct page *old, struct page *new)
{
    struct address_space *mapping = old->type == PAGE_FILE ? old->mapping : NULL;
    if (!mapping) {
        if (page_count(old) != 1)
            return -EBUSY;
        copy_identity(new, old);
        return 0;
    }
    if (!mapping->ops->replace_page)
        return -EBUSY;
    copy_identity(new, old);
    int err = mapping->ops->replace_page(mapping, old, new);
    if (err)
        return err;
    mod_node_state(page_pgdat(old), NR_FILE_PAGES, -1);
    mod_node_state(page_pgdat(new), NR_FILE_PAGES, 1);
    return 0;
}
/* lab rmap: end */

/* What @new was given is taken back: it goes to the allocator. */
static void forget_identity(struct page *new)
{
    page_set_type(new, PAGE_KERNEL);
    new->mapping = NULL;
    fetch_and(&new->flags, ~KEPT_FLAGS);
}

/* Steps 2 to 5 of the picture, both pages locked: 0, or -EBUSY and all is as it was. */
static int move_locked(struct page *old, struct page *new)
{
    /* lab rmap: begin 6 */
    struct anon_vma *anon = old->type == PAGE_ANON ? page_get_anon_vma(old) : NULL;
    int err = -EBUSY;
    if (old->type == PAGE_ANON && !anon)
        return -EBUSY; /* its last mapping is just going away */
    if (try_to_migrate(old))
        err = exchange(old, new);
    remove_migration_ptes(old, err ? old : new);
    if (anon)
        put_anon_vma(anon);
    if (err)
        forget_identity(new);
    return err;
    /* lab rmap: stub lab_missing("rmap", 6, old, new, forget_identity); */
    /* lab rmap: end */
}

/* lab rmap: begin 5 */
/* Lock it, find a place for it, move it there. */
static int lock_and_move(struct page *old, new_page_fn *get_new, void *ctx, enum migrate_mode mode)
{
    if (page_count(old) == 1 && old->type == PAGE_ANON)
        return -ENOENT; /* its guest has freed it: only our reference is left */
    if (!trylock_page(old)) {
        if (mode == MIGRATE_ASYNC)
            return -EBUSY;
        lock_page(old);
    }
    struct page *new = get_new(old, ctx);
    if (!new) {
        unlock_page(old);
        return -ENOMEM;
    }
    bool locked = trylock_page(new); /* nobody else knows it */
    ASSERT(locked);
    (void)locked;
    int err = move_locked(old, new);
    unlock_page(new);
    unlock_page(old);
    if (!err)
        lru_cache_add(new);
    put_page(new); /* its mappings and the LRU keep it; if nothing does, it is freed */
    return err;
}
/* lab rmap: end */

/*
 * Move one page that was isolated. 0; -EBUSY; -ENOMEM, when there is no new page; -ENOENT, when its
 * guest has freed it meanwhile. Whatever it is, the page is no longer isolated, and what was locked
 * here is unlocked.
 */
static int move_page(struct page *old, new_page_fn *get_new, void *ctx, enum migrate_mode mode)
{
    /* lab rmap: begin 5 */
    int err = lock_and_move(old, get_new, ctx, mode);
    lru_putback(old); /* back to its list, or, when it was moved, freed */
    return err;
    /* lab rmap: stub lab_missing("rmap", 5, old, get_new, ctx, mode, move_locked); */
    /* lab rmap: end */
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
