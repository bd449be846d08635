/* SPDX-License-Identifier: MIT */
/*
 * page.c - names of page states, and from a tail to its head.
 *
 *      BUDDY order 2:   [ head ][ tail ][ tail ][ tail ]
 *                           ^______________/  clear the low bits of the frame number, order by
 *                                             order, until a head is met that reaches this far
 *
 * A tail does not point to its head: blocks are split and merged too often for that.
 */
#include "phys/page.h"

static const char *const type_names[NR_PAGE_TYPES] = {
    [PAGE_RESERVED] = "reserved", [PAGE_BUDDY] = "buddy",     [PAGE_PCP] = "pcp",
    [PAGE_ISOLATED] = "isolated", [PAGE_KERNEL] = "kernel",   [PAGE_SLAB] = "slab",
    [PAGE_TABLE] = "table",       [PAGE_VMALLOC] = "vmalloc", [PAGE_ANON] = "anon",
    [PAGE_FILE] = "file",         [PAGE_ZERO] = "zero",       [PAGE_TAIL] = "tail",
};

const char *page_type_name(enum page_type type)
{
    return type < NR_PAGE_TYPES ? type_names[type] : "?";
}

struct page *page_head(struct page *page)
{
    uint64_t pfn = page_to_pfn(page).v;
    if (page->type != PAGE_TAIL)
        return page;
    for (unsigned order = 1; order < NR_ORDERS; order++) {
        pfn_t head_pfn = mk_pfn(ALIGN_DOWN(pfn, 1UL << order));
        if (!pfn_valid(head_pfn))
            break;
        struct page *head = pfn_to_page(head_pfn);
        if (head->type != PAGE_TAIL && head->type != PAGE_RESERVED && head->order >= order)
            return head;
    }
    return page;
}
