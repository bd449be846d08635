/* SPDX-License-Identifier: MIT */
/*
 * alloc_more.c - what is made of single allocations: many pages, exact sizes, addresses.
 *
 *      alloc_pages_exact(5 pages):   [ 8 pages, order 3 ........ ]
 *                                    [ 5 single pages ][ 3 freed ]
 *
 * Locks: none here.
 */
#include "phys/alloc.h"
#include "phys/page_debug.h"

void *get_free_pages(gfp_t gfp, unsigned order)
{
    struct page *page = alloc_pages(gfp, order);
    return page ? page_address(page) : NULL;
}

void free_pages(void *address, unsigned order)
{
    if (address)
        __free_pages(virt_to_page(address), order);
}

unsigned alloc_pages_bulk(int nid, gfp_t gfp, unsigned n, struct page **pages)
{
    unsigned got = 0;
    while (got < n) {
        struct page *page = alloc_pages_node(nid, gfp & ~__GFP_DIRECT_RECLAIM, 0);
        if (!page)
            break;
        pages[got++] = page;
    }
    return got;
}

void split_page(struct page *page, unsigned order)
{
    ASSERT(page->order == order && page_count(page) == 1);
    for (unsigned i = 1; i < 1U << order; i++) {
        page[i].type = page->type;
        page[i].flags = page->flags;
        page[i].order = 0;
        page[i].refcount = 1;
        page[i].alloc_stack = page->alloc_stack;
    }
    page->order = 0;
}

static unsigned order_of(size_t pages)
{
    unsigned order = 0;
    while ((1UL << order) < pages)
        order++;
    return order;
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
    size_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    unsigned order = order_of(pages);
    if (!pages || order > MAX_ORDER)
        return NULL;
    struct page *page = alloc_pages(gfp, order);
    if (!page)
        return NULL;
    split_page(page, order);
    for (size_t i = pages; i < 1UL << order; i++)
        __free_page(page + i);
    return page_address(page);
}

void free_pages_exact(void *address, size_t size)
{
    size_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    for (size_t i = 0; address && i < pages; i++)
        __free_page(virt_to_page(address) + i);
}
