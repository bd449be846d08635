/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - pages for everyone.
 *
 *      alloc_pages(gfp, order)
 *        |  pageset of this hart has one  -----------------------------> done (the fast path)
 *        v
 *      zonelist: first zone above its low watermark -> freelists ------> done
 *        v
 *      wake the background helpers; min watermark; reserves for the privileged
 *        v
 *      the ladder of relief (pressure.h), a bounded number of times ---> done, or NULL
 *
 * Locks: callers need none; with __GFP_DIRECT_RECLAIM they must be able to block.
 * Linux's counterpart: mm/page_alloc.c.
 */
#ifndef PAGODA_PHYS_ALLOC_H
#define PAGODA_PHYS_ALLOC_H

#include "phys/node.h"

/** 2^order pages near node @nid (any online one, with memory or without), see alloc_pages(). */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned order) must_check;

/** The same from the nodes in @nodes only (NULL: all), nearest to @nid first. */
struct page *alloc_pages_mask(int nid, gfp_t gfp, unsigned order,
                              const nodemask_t *nodes) must_check;

/** One page near this hart: the shortest way. */
struct page *alloc_page(gfp_t gfp) must_check;

/** 2^order pages near this hart, PAGE_KERNEL, refcount 1; NULL when there are none. */
static inline must_check struct page *alloc_pages(gfp_t gfp, unsigned order)
{
    if (__builtin_constant_p(order) && order == 0)
        return alloc_page(gfp);
    return alloc_pages_mask(numa_node_id(), gfp, order, NULL);
}

/** The address of 2^order pages in the linear map, or NULL. */
void *get_free_pages(gfp_t gfp, unsigned order) must_check;
void free_pages(void *address, unsigned order);

/** Give up the last or only reference of one page, or of a block of 2^order pages. Any context. */
void __free_page(struct page *page);
void __free_block(struct page *page, unsigned order);

static inline void __free_pages(struct page *page, unsigned order)
{
    if (__builtin_constant_p(order) && order == 0)
        __free_page(page);
    else
        __free_block(page, order);
}

/** Up to @n single pages into @pages; returns how many there were. Fails rather than waits. */
unsigned alloc_pages_bulk(int nid, gfp_t gfp, unsigned n, struct page **pages);

/** Free a list (page->lru) of single pages whose references are gone. */
void free_page_list(struct list_head *pages);

/** Make 2^order single pages, one reference each, of an allocated block. */
void split_page(struct page *page, unsigned order);

/** A block for who knows its exact size: the tail pages beyond @size are given back. */
void *alloc_pages_exact(size_t size, gfp_t gfp) must_check;
void free_pages_exact(void *address, size_t size);

/** Would an allocation of 2^order pages from this zone succeed above the mark? */
bool zone_watermark_ok(const struct zone *zone, unsigned order, uint64_t mark,
                       enum zone_type highest, unsigned alloc_flags);

#define ALLOC_WMARK_MIN WMARK_MIN
#define ALLOC_WMARK_LOW WMARK_LOW
#define ALLOC_WMARK_HIGH WMARK_HIGH
#define ALLOC_WMARK_MASK 0x03u
#define ALLOC_NO_WATERMARKS 0x04u /* the last pages: for freeing memory and for the dying */
#define ALLOC_OOM 0x08u           /* the allocating guest is being killed */
#define ALLOC_NON_BLOCK 0x10u     /* cannot wait: with MIN_RESERVE a quarter more of it */
#define ALLOC_MIN_RESERVE 0x20u   /* __GFP_HIGH: half of the min watermark */
#define ALLOC_HIGHATOMIC 0x200u   /* may use the highatomic reserve */

/** Is the running thread on the ladder, or known to free memory? */
bool thread_on_ladder(void);

/** From now on this thread may take the last reserves (the dying); returns the old value. */
bool thread_set_memalloc(bool yes);

/* --- boot ------------------------------------------------------------------------------------- */

/** Nodes, zones, mem_map, zonelists, pagesets: everything but the free pages. Boot hart alone. */
void phys_init(const struct machine *m);

/** Map mem_map's backing; the floor that owns page tables tells how, before phys_init(). */
void phys_set_vmemmap_map(int (*map)(vaddr_t va, paddr_t pa, uint64_t size));

/** Free all of memblock's free memory to the buddy lists, and retire memblock. */
void mem_init(void);

/** Give reserved pages to the allocator late (the initrd's rest). Page-aligned. Returns pages. */
uint64_t free_reserved_range(paddr_t start, paddr_t end);

#endif
