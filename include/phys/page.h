/* SPDX-License-Identifier: MIT */
/*
 * page.h - struct page: what the monitor knows of one frame of memory.
 *
 *      mem_map, at VMEMMAP_BASE:     one struct page of 64 bytes for each frame
 *
 *      frame   0x80200  0x80201  0x80202 ...
 *      page   [  64 B ][  64 B ][  64 B ]...      on the node whose memory it describes
 *
 * Each frame is in exactly one state, its type. A block of 2^n frames is described by its first
 * page, the head; the others are PAGE_TAIL, whether the block is free or in use:
 *
 *      BUDDY order 2                 KERNEL order 1     ANON     ANON
 *      [ head ][tail][tail][tail]    [ head ][tail]     [ head ] [ head ]
 *
 * Locks: a letter beside each field. (z) zone->lock; (o) whoever owns the page, by its type;
 * (a) atomic; (b) written at boot only; (p) the page lock, PG_locked; (n) the slab node's lock.
 * Invariant: sizeof(struct page) == 64; a free page has refcount 0 and mapcount 0.
 * Linux's counterpart: struct page, page_type, struct folio.
 */
#ifndef PAGODA_PHYS_PAGE_H
#define PAGODA_PHYS_PAGE_H

#include "arch/layout.h"
#include "base/atomic.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/types.h"

/** What a frame is used for. Printed by page_type_name(). */
enum page_type {
    PAGE_RESERVED = 0, /* never given to the allocator: image, firmware, mem_map, initrd */
    PAGE_BUDDY,        /* head of a free block on a freelist of its zone */
    PAGE_PCP,          /* head of a free block on a hart's pageset */
    PAGE_ISOLATED,     /* head of a free block taken off the freelists by compaction */
    PAGE_KERNEL,       /* allocated, and the owner did not say for what */
    PAGE_SLAB,         /* objects of a kmem_cache */
    PAGE_TABLE,        /* a page table */
    PAGE_VMALLOC,      /* behind a vmalloc area, kernel stacks among them */
    PAGE_ANON,         /* private memory of guests; mapping is an anon_vma */
    PAGE_FILE,         /* bytes of a file; mapping is an address_space */
    PAGE_ZERO,         /* the page of zeros that all guests share */
    PAGE_TAIL,         /* not the first of its block: look at the head */
    NR_PAGE_TYPES
};

/** Bits of page->flags, changed atomically. */
enum page_flag {
    PG_locked,     /* someone works on the page; wait with lock_page() */
    PG_waiters,    /* someone waits for the lock */
    PG_lru,        /* on an LRU list of its node */
    PG_active,     /* on the active one; of a slab: a hart's */
    PG_referenced, /* touched since last looked at */
    PG_dirty,      /* differs from what is on disk */
    PG_writeback,
    PG_uptodate, /* holds its file's bytes */
    PG_unevictable,
    PG_mlocked,
    PG_swapbacked,
    PG_poisoned, /* debug: filled with the free pattern */
    NR_PAGE_FLAGS
};

struct kmem_cache;

struct page {
    uint32_t flags;   /* (a) bits of enum page_flag */
    uint8_t type;     /* (z) while free, else (o): enum page_type */
    uint8_t order;    /* (z) (o) of the block, in its head; 0 in a single page */
    uint8_t nid;      /* (b) node */
    uint8_t zone_id;  /* (b) index in zones[], the populated zones of all nodes */
    int32_t refcount; /* (a) users; 0 is free */
    int32_t mapcount; /* (a) page-table entries of guests that map it */
    union {
        struct list_head lru;        /* (o) anon, file: LRU list, or a list of isolated pages */
        struct list_head buddy_list; /* (z) buddy: freelist */
        struct page *pcp_next;       /* pcp: the next on the hart's stack */
        struct list_head slab_list;  /* (n) slab: partial slabs of a node */
    };
    union {
        void *mapping;                 /* (p) anon_vma, address_space, or NULL */
        struct kmem_cache *slab_cache; /* slab: whose objects */
    };
    union {
        uint64_t index;  /* (p) page offset in mapping */
        void *slab_free; /* (n) slab: first object that is free and in nobody's stock */
    };
    uint64_t private;                 /* (o) slab: objects in use; free: unused */
    uint32_t alloc_stack, free_stack; /* debug: who allocated it, who freed it (page_debug.h) */
};

_Static_assert(sizeof(struct page) == 64, "a struct page is 64 bytes");

/* --- frames, pages, addresses ----------------------------------------------------------------- */

#define MEMORY_BASE_PFN (MEMORY_BASE >> PAGE_SHIFT)

/** mem_map begins here: the page of frame MEMORY_BASE_PFN. */
#define mem_map ((struct page *)VMEMMAP_BASE)

/** The page of a frame. The frame must be pfn_valid(). */
static inline struct page *pfn_to_page(pfn_t pfn)
{
    return mem_map + (pfn.v - MEMORY_BASE_PFN);
}

static inline pfn_t page_to_pfn(const struct page *page)
{
    return mk_pfn((uint64_t)(page - mem_map) + MEMORY_BASE_PFN);
}

static inline paddr_t page_to_paddr(const struct page *page)
{
    return pfn_to_paddr(page_to_pfn(page));
}

static inline struct page *paddr_to_page(paddr_t pa)
{
    return pfn_to_page(paddr_to_pfn(pa));
}

/** Where the monitor sees the frame: in the linear map. */
static inline void *page_address(const struct page *page)
{
    return phys_to_virt(page_to_paddr(page));
}

/** The page of an address in the linear map or the image. */
static inline struct page *virt_to_page(const void *va)
{
    return paddr_to_page(virt_to_phys(va));
}

/** Is there RAM behind the frame number, and so a struct page? */
bool pfn_valid(pfn_t pfn);

/** One past the highest frame of RAM. */
extern pfn_t max_pfn;

/** "buddy", "anon", ... */
const char *page_type_name(enum page_type type);

/** The head of the block that @page belongs to; itself when it is no tail. Zone lock or owner. */
struct page *page_head(struct page *page);

/* --- flags ------------------------------------------------------------------------------------ */

static inline bool page_flag(const struct page *page, enum page_flag flag)
{
    return (load_relaxed(&page->flags) >> flag) & 1;
}

static inline void page_set_flag(struct page *page, enum page_flag flag)
{
    fetch_or(&page->flags, 1u << flag);
}

static inline void page_clear_flag(struct page *page, enum page_flag flag)
{
    fetch_and(&page->flags, ~(1u << flag));
}

/** Set it; was it clear before, so that the caller is the one who set it? */
static inline bool page_test_and_set_flag(struct page *page, enum page_flag flag)
{
    return fetch_or(&page->flags, 1u << flag) & (1u << flag);
}

static inline bool page_test_and_clear_flag(struct page *page, enum page_flag flag)
{
    return fetch_and(&page->flags, ~(1u << flag)) & (1u << flag);
}

/**
 * Say what a page is for, right after its allocation. The block's owner only. A neighbour that
 * looks for its buddy may read the type meanwhile; only under the zone's lock does it become or
 * cease to be PAGE_BUDDY, so whatever else that one sees is as good.
 */
static inline void page_set_type(struct page *page, enum page_type type)
{
    store_relaxed(&page->type, (uint8_t)type);
}

static inline enum page_type page_type(const struct page *page)
{
    return (enum page_type)load_relaxed(&page->type);
}

static inline bool page_is_free(const struct page *page)
{
    enum page_type type = page_type(page);
    return type == PAGE_BUDDY || type == PAGE_PCP || type == PAGE_ISOLATED;
}

/* --- references ------------------------------------------------------------------------------- */

static inline int page_count(const struct page *page)
{
    return load_relaxed(&page->refcount);
}

/** One more user. The caller has a reference already. */
static inline void get_page(struct page *page)
{
    fetch_add_relaxed(&page->refcount, 1);
}

/** One more user, unless the page is free by now. For those who only have its number. */
static inline bool get_page_unless_zero(struct page *page)
{
    int32_t n = load_relaxed(&page->refcount);
    while (n > 0)
        if (cmpxchg(&page->refcount, &n, n + 1))
            return true;
    return false;
}

/** Called with the last reference gone; frees the block. (alloc.c) */
void page_release(struct page *page);

/** Called there for pages of type ANON and FILE: the virt floor takes them off its LRU lists. */
void page_set_release_hook(void (*fn)(struct page *page));

/** One user less; the last one frees the page (with its whole block). */
static inline void put_page(struct page *page)
{
    if (fetch_sub(&page->refcount, 1) == 1)
        page_release(page);
}

/** Make the wait queues that the page locks share (boot). */
void page_wait_init(void);

/* --- the page lock (pagewait.c) --------------------------------------------------------------- */

static inline bool trylock_page(struct page *page)
{
    return !page_test_and_set_flag(page, PG_locked);
}

/** Wait for the lock. Thread context, no spinlock held. Not killable: holders are quick. */
void lock_page(struct page *page);

/** Let go and wake who waits. Any context. */
void unlock_page(struct page *page);

/** Wait until the page is not locked, without taking the lock. The caller holds a reference. */
void wait_on_page_locked(struct page *page);

#endif
