/* SPDX-License-Identifier: MIT */
/*
 * shmem.c - shared memory: an object that has pages by number, made when they are touched.
 *
 *      struct shmem / an inode of a tmpfs
 *        `-- mapping --> page_tree --> [page 0] [ - ] [page 2] ...      a hole reads as zeros
 *
 * A parent maps it, forks, and the child's VMA maps the same object: both find the same pages by
 * the same numbers. The last VMA that goes takes the object and its pages along.
 *
 * A page goes in three steps, with its lock held so that neither a fault nor the mover is at it:
 * out of all page tables, out of the tree, and its mapping is forgotten. Who waited for the lock
 * sees the last and looks again.
 *
 * Locks: page lock, then the tree's. Linux's counterpart: mm/shmem.c, mm/truncate.c.
 */
#include "fault/shmem.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "virt/commit.h"
#include "virt/lru.h"
#include "virt/rmap.h"

struct shmem {
    struct address_space mapping;
    uint32_t count;   /* (a) VMAs, and who has just made it */
    int64_t promised; /* pages that it counts for */
};

/* --- pages ------------------------------------------------------------------------------------ */

static bool charge(struct address_space *m)
{
    if (!m->quota)
        return true;
    if (fetch_add_relaxed(&m->quota->used, 1) < m->quota->max)
        return true;
    fetch_sub(&m->quota->used, 1);
    return false;
}

static void uncharge(struct address_space *m)
{
    if (m->quota)
        fetch_sub(&m->quota->used, 1);
}

static void count_page(const struct page *page, int delta)
{
    mod_node_state(page_pgdat(page), NR_FILE_PAGES, delta);
    if (page_flag(page, PG_swapbacked))
        mod_node_state(page_pgdat(page), NR_SHMEM, delta);
}

struct page *shmem_find_page(struct address_space *m, uint64_t index)
{
    return page_tree_get(&m->pages, index);
}

/* Make the page an object's; not seen by anyone before it is in the tree. */
static int enter(struct address_space *m, uint64_t index, struct page *page)
{
    page_set_type(page, PAGE_FILE);
    page->mapping = m;
    page->index = index;
    page_set_flag(page, PG_uptodate);
    count_page(page, 1);
    int err = page_tree_add(&m->pages, index, page);
    if (!err) {
        lru_cache_add(page);
        return 0;
    }
    count_page(page, -1);
    page->mapping = NULL;
    return err;
}

int shmem_adopt_page(struct address_space *m, uint64_t index, struct page *page)
{
    int err = enter(m, index, page);
    if (!err && m->quota)
        fetch_add_relaxed(&m->quota->used, 1);
    put_page(page);
    return err;
}

/* A new page, with the bytes at `from`; NULL: with zeros. */
static struct page *make_page(struct address_space *m, uint64_t index, const void *from, int *err)
{
    *err = -ENOSPC;
    if (!charge(m))
        return NULL;
    struct page *page = alloc_pages(GFP_HIGHUSER_MOVABLE | (from ? 0 : __GFP_ZERO), 0);
    *err = -ENOMEM;
    if (page) {
        if (from)
            copy_page(page_address(page), from);
        page_set_flag(page, PG_swapbacked);
        *err = enter(m, index, page);
    }
    if (!*err)
        return page;
    uncharge(m);
    if (page)
        put_page(page);
    return NULL;
}

/* Take a page out, unless that was done already. The caller has a reference. */
static void drop_page(struct address_space *m, struct page *page)
{
    lock_page(page);
    if (page->mapping == m) {
        try_to_unmap(page);
        bool there = page_tree_remove(&m->pages, page->index, page);
        ASSERT(there);
        (void)there;
        if (m->secret)
            clear_page(page_address(page));
        count_page(page, -1);
        uncharge(m);
        store_relaxed(&page->mapping, NULL);
        put_page(page); /* the tree's reference */
    }
    unlock_page(page);
}

struct page *shmem_get_page(struct address_space *m, uint64_t index, int *err)
{
    for (;;) {
        struct page *page = page_tree_get(&m->pages, index);
        if (!page)
            page = make_page(m, index, NULL, err);
        else
            *err = 0;
        if (!page && *err == -EEXIST) /* another thread was faster */
            continue;
        if (page && index >= mapping_pages(m)) { /* made while the object shrank */
            drop_page(m, page);
            put_page(page);
            *err = -EIO;
            return NULL;
        }
        return page;
    }
}

int shmem_fill_page(struct address_space *m, uint64_t index, const void *from)
{
    int err;
    struct page *page = make_page(m, index, from, &err);
    if (!page)
        return err;
    if (index >= mapping_pages(m)) { /* the object has shrunk meanwhile */
        drop_page(m, page);
        err = -EFAULT;
    }
    put_page(page);
    return err;
}

int shmem_replace_page(struct address_space *m, struct page *old, struct page *new)
{
    int err = m->secret ? -EBUSY : page_tree_replace(&m->pages, old->index, old, new);
    if (!err && page_flag(old, PG_swapbacked)) {
        mod_node_state(page_pgdat(old), NR_SHMEM, -1);
        mod_node_state(page_pgdat(new), NR_SHMEM, 1);
    }
    return err;
}

void shmem_drop_pages(struct address_space *m, uint64_t first, uint64_t end)
{
    struct page *page;
    while ((page = page_tree_next(&m->pages, &first, end)) != NULL) {
        drop_page(m, page);
        put_page(page);
        first++;
        cond_resched();
    }
}

/* --- objects without a name ------------------------------------------------------------------- */

static struct shmem *shmem_of(struct address_space *m)
{
    return container_of(m, struct shmem, mapping);
}

static void shmem_get(struct address_space *m)
{
    fetch_add_relaxed(&shmem_of(m)->count, 1);
}

static void shmem_put(struct address_space *m)
{
    if (fetch_sub(&shmem_of(m)->count, 1) != 1)
        return;
    shmem_drop_pages(m, 0, UINT64_MAX);
    page_tree_destroy(&m->pages);
    vm_acct_memory(-shmem_of(m)->promised);
    kfree(shmem_of(m));
}

int shmem_drop_range(struct address_space *m, uint64_t first, uint64_t end)
{
    shmem_drop_pages(m, first, end);
    return 0;
}

static void print_name(const struct address_space *m, struct sink *out)
{
    (void)m;
    print(out, "/dev/zero (deleted)");
}

static const struct address_space_ops shmem_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
    .drop_range = shmem_drop_range,
    .get = shmem_get,
    .put = shmem_put,
    .print_name = print_name,
};

struct address_space *shmem_create(uint64_t size, bool account)
{
    uint64_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (account && !vm_enough_memory(pages))
        return NULL;
    struct shmem *s = kzalloc(sizeof(*s), GFP_KERNEL);
    if (!s)
        return NULL;
    s->promised = account ? (int64_t)pages : 0;
    vm_acct_memory(s->promised);
    address_space_init(&s->mapping, &shmem_ops, s, size);
    s->mapping.dev = 1; /* as Linux's internal tmpfs: 00:01 */
    s->count = 1;
    return &s->mapping;
}
