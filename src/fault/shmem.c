/* SPDX-License-Identifier: MIT */
/*
 * shmem.c - shared anonymous memory: an object that has pages by number.
 *
 *      struct shmem                chunks, a page each        pages, made by the first touch
 *      chunks[] -----------------> [512 pointers] ----------> [ ][ ][ ]
 *                `---------------> (none yet)
 *
 * A parent maps it, forks, and the child's VMA maps the same object: both find the same pages by
 * the same numbers. The last VMA that goes takes the object and its pages along.
 *
 * Locks: shmem->lock (RANK_INODE) for the pointers. Linux's counterpart: mm/shmem.c.
 */
#include "fault/shmem.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "virt/lru.h"

#define CHUNK_PAGES (PAGE_SIZE / sizeof(struct page *))

struct shmem {
    struct address_space mapping;
    uint32_t count; /* (a) VMAs, and who has just made it */
    struct spinlock lock;
    uint64_t nr_chunks;
    struct page **chunks[]; /* (lock) */
};

static struct shmem *shmem_of(struct address_space *m)
{
    return container_of(m, struct shmem, mapping);
}

/* Where the pointer of a page is; NULL when its chunk is missing. */
static struct page **slot_locked(struct shmem *s, uint64_t index)
{
    assert_locked(&s->lock);
    struct page **chunk = s->chunks[index / CHUNK_PAGES];
    return chunk ? &chunk[index % CHUNK_PAGES] : NULL;
}

/* The page with a reference, or NULL. */
static struct page *look_up(struct shmem *s, uint64_t index)
{
    spin_lock(&s->lock);
    struct page **slot = slot_locked(s, index), *page = slot ? *slot : NULL;
    if (page)
        get_page(page);
    spin_unlock(&s->lock);
    return page;
}

static bool make_chunk(struct shmem *s, uint64_t index)
{
    struct page **chunk = get_free_pages(GFP_KERNEL | __GFP_ZERO, 0);
    if (!chunk)
        return false;
    spin_lock(&s->lock);
    struct page ***place = &s->chunks[index / CHUNK_PAGES];
    if (!*place) {
        *place = chunk;
        chunk = NULL;
    }
    spin_unlock(&s->lock);
    if (chunk) /* another thread was faster */
        free_pages(chunk, 0);
    return true;
}

/* Enter a new page, unless another thread was faster. The page that is there, referenced. */
static struct page *enter(struct shmem *s, uint64_t index, struct page *page)
{
    page_set_type(page, PAGE_FILE);
    page->mapping = &s->mapping;
    page->index = index;
    page_set_flag(page, PG_swapbacked);
    page_set_flag(page, PG_uptodate);
    spin_lock(&s->lock);
    struct page **slot = slot_locked(s, index), *there = *slot;
    if (!there)
        *slot = page;
    get_page(there ? there : page);
    spin_unlock(&s->lock);
    if (there) {
        put_page(page);
        return there;
    }
    mod_node_state(page_pgdat(page), NR_FILE_PAGES, 1);
    mod_node_state(page_pgdat(page), NR_SHMEM, 1);
    lru_cache_add(page);
    return page;
}

static struct page *shmem_get_page(struct address_space *m, uint64_t index, int *err)
{
    struct shmem *s = shmem_of(m);
    struct page *page = look_up(s, index);
    *err = 0;
    if (page)
        return page;
    *err = -ENOMEM;
    if (!s->chunks[index / CHUNK_PAGES] && !make_chunk(s, index))
        return NULL;
    page = alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0);
    if (!page)
        return NULL;
    *err = 0;
    return enter(s, index, page);
}

static int shmem_replace_page(struct address_space *m, struct page *old, struct page *new)
{
    struct shmem *s = shmem_of(m);
    int err = -EBUSY;
    spin_lock(&s->lock);
    struct page **slot = slot_locked(s, old->index);
    if (slot && *slot == old && page_count(old) == 2) { /* ours and the mover's */
        get_page(new);
        page_set_flag(new, PG_swapbacked);
        *slot = new;
        err = 0;
    }
    spin_unlock(&s->lock);
    if (err)
        return err;
    mod_node_state(page_pgdat(old), NR_SHMEM, -1);
    mod_node_state(page_pgdat(new), NR_SHMEM, 1);
    put_page(old);
    return 0;
}

static void shmem_get(struct address_space *m)
{
    fetch_add_relaxed(&shmem_of(m)->count, 1);
}

static void forget_page(struct shmem *s, struct page *page)
{
    /* the mover may be at it: then it holds the lock, and finds the page gone from here after */
    lock_page(page);
    spin_lock(&s->lock);
    struct page **slot = slot_locked(s, page->index), *now = *slot;
    *slot = NULL;
    spin_unlock(&s->lock);
    mod_node_state(page_pgdat(now), NR_FILE_PAGES, -1);
    mod_node_state(page_pgdat(now), NR_SHMEM, -1);
    now->mapping = NULL;
    unlock_page(page);
    put_page(now);
    put_page(page);
}

static void shmem_put(struct address_space *m)
{
    struct shmem *s = shmem_of(m);
    if (fetch_sub(&s->count, 1) != 1)
        return;
    for (uint64_t i = 0; i < s->nr_chunks * CHUNK_PAGES; i++) {
        struct page *page = s->chunks[i / CHUNK_PAGES] ? look_up(s, i) : NULL;
        if (page)
            forget_page(s, page);
    }
    for (uint64_t c = 0; c < s->nr_chunks; c++) {
        if (s->chunks[c])
            free_pages(s->chunks[c], 0);
    }
    kfree(s);
}

static void print_name(const struct address_space *m, struct sink *out)
{
    (void)m;
    print(out, "/dev/zero (deleted)");
}

static const struct address_space_ops shmem_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
    .get = shmem_get,
    .put = shmem_put,
    .print_name = print_name,
};

struct address_space *shmem_create(uint64_t size)
{
    uint64_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    uint64_t chunks = (pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
    struct shmem *s =
        kzalloc(sizeof(*s) + chunks * sizeof(s->chunks[0]), GFP_KERNEL | __GFP_NOWARN);
    if (!s)
        return NULL;
    address_space_init(&s->mapping, &shmem_ops, s, size);
    s->mapping.dev = 1; /* as Linux's internal tmpfs: 00:01 */
    s->count = 1;
    s->nr_chunks = chunks;
    spin_init(&s->lock, "shmem", RANK_INODE);
    return &s->mapping;
}
