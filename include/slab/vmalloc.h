/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - areas that are contiguous only to the eye: pages from anywhere, mapped in a row.
 */
#ifndef PAGODA_SLAB_VMALLOC_H
#define PAGODA_SLAB_VMALLOC_H

#include "base/format.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "phys/gfp.h"

/** The floor that owns page tables tells how to map (prot as in arch/pte.h). */
struct vmalloc_ops {
    int (*map)(vaddr_t va, paddr_t pa, uint64_t prot); /* one page; 0 or -ENOMEM */
    void (*mapped)(vaddr_t va, uint64_t size);         /* all is mapped: harts may look now */
    void (*unmap)(vaddr_t va, uint64_t size);          /* with the fence on all harts */
};
void vmalloc_set_ops(const struct vmalloc_ops *ops);

/** @size bytes in whole pages, RW, a guard page on either side. May block. NULL: none. */
void *vmalloc(size_t size) must_check;
void *vzalloc(size_t size) must_check;
void *vmalloc_node(size_t size, int nid) must_check;

/** Unmap, fence, free. NULL is ignored. No spinlock held. */
void vfree(const void *p);

/** Device registers at @pa, any alignment; NULL: no room. */
void *ioremap(paddr_t pa, uint64_t size) must_check;
void iounmap(void *va);

/** A kernel stack of THREAD_STACK_SIZE bytes on a node (-1: any), guard page below. */
void *stack_alloc(int nid);
void stack_free(void *stack);

/** Make the registry; thread_set_stack_ops() is called here. After slab_init(). */
void vmalloc_init(void);

struct vmalloc_area {
    struct rb_node node;       /* by address */
    uint64_t gap, subtree_gap; /* free bytes before it; the most of its subtree */
    uint64_t start, size;      /* without the guard page behind */
    uint32_t nr_pages;         /* 0: device registers */
    uint32_t kind;             /* enum vmalloc_kind */
    struct page **pages;
};
enum vmalloc_kind { VMALLOC_MEMORY, VMALLOC_DEVICE, VMALLOC_STACK };

/** Each area in order of addresses; @fn must not block or call back here. */
void vmalloc_each(void (*fn)(const struct vmalloc_area *area, void *arg), void *arg);

/** Is @va in an area? For reports. */
bool vmalloc_contains(uint64_t va);

/** Order, overlaps, gaps, page states. Prints faults, returns their number. */
unsigned vmalloc_check(struct sink *out);

#endif
