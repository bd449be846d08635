/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c - areas that are contiguous only to the eye.
 *
 *      VMALLOC:  |guard|  area A: 3 pages  |guard| area B |guard| ......... |guard| area C |
 *                         |   |     |
 *      frames            0x812 0x9f3 0x80b       from anywhere, any node
 *
 * The page before and behind each area is never mapped, so that running over an end faults at once.
 *
 *      make:     addresses -> pages, mapped one by one -> every hart forgets that nothing was there
 *      destroy:  unmap     -> every hart forgets       -> pages freed -> addresses freed
 *
 * The order matters: a page, or an address, that some hart could still reach by an old translation
 * must not get a new owner.
 *
 * Locks: an area's pages belong to who made it. Mapping is done by the floor that owns page tables
 * (vmalloc_ops), with no lock held. Linux's counterpart: mm/vmalloc.c.
 */
#include "slab/vmalloc.h"

#include "arch/pte.h"
#include "base/errno.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "slab/vmalloc_area.h"

static const struct vmalloc_ops *ops;

void vmalloc_set_ops(const struct vmalloc_ops *new_ops)
{
    ops = new_ops;
}

/* --- making and taking apart ------------------------------------------------------------------ */

/* One more page for the area, mapped behind those it has. */
static int add_page(struct vmalloc_area *area, gfp_t gfp, int nid)
{
    uint64_t va = area->start + area->nr_pages * PAGE_SIZE;
    struct page *page = alloc_pages_node(nid < 0 ? numa_node_id() : nid, gfp, 0);
    if (!page)
        return -ENOMEM;
    page_set_type(page, PAGE_VMALLOC);
    mod_node_state(page_pgdat(page), NR_VMALLOC, 1);
    area->pages[area->nr_pages++] = page;
    return ops->map(mk_vaddr(va), page_to_paddr(page), PTE_KERNEL_RW);
}

int vmalloc_area_fill(struct vmalloc_area *area, gfp_t gfp, int nid)
{
    uint64_t n = area->size >> PAGE_SHIFT;
    area->pages = kcalloc(n, sizeof(*area->pages), gfp);
    if (!area->pages)
        return -ENOMEM;
    while (area->nr_pages < n) {
        int err = add_page(area, gfp, nid);
        if (err)
            return err;
    }
    ops->mapped(mk_vaddr(area->start), area->size);
    return 0;
}

void vmalloc_area_destroy(struct vmalloc_area *area)
{
    ops->unmap(mk_vaddr(area->start), area->size);
    for (uint32_t i = 0; i < area->nr_pages; i++) {
        mod_node_state(page_pgdat(area->pages[i]), NR_VMALLOC, -1);
        __free_page(area->pages[i]);
    }
    kfree(area->pages);
    vmalloc_area_remove(area);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void *make(size_t size, gfp_t gfp, int nid)
{
    struct vmalloc_area *area = vmalloc_area_create(size, VMALLOC_MEMORY, GFP_KERNEL);
    if (!area)
        return NULL;
    if (vmalloc_area_fill(area, gfp, nid)) {
        vmalloc_area_destroy(area);
        return NULL;
    }
    return (void *)area->start;
}

void *vmalloc(size_t size)
{
    return make(size, GFP_KERNEL, -1);
}

void *vzalloc(size_t size)
{
    return make(size, GFP_KERNEL | __GFP_ZERO, -1);
}

void *vmalloc_node(size_t size, int nid)
{
    return make(size, GFP_KERNEL, nid);
}

void vfree(const void *p)
{
    if (!p)
        return;
    struct vmalloc_area *area = vmalloc_area_find(p);
    BUG_ON(!area);
    vmalloc_area_destroy(area);
}

/* --- devices ---------------------------------------------------------------------------------- */

void *ioremap(paddr_t pa, uint64_t size)
{
    uint64_t offset = pa.v & (PAGE_SIZE - 1), first = pa.v - offset;
    if (!size || size > VMALLOC_SIZE)
        return NULL;
    struct vmalloc_area *area = vmalloc_area_create(size + offset, VMALLOC_DEVICE, GFP_KERNEL);
    if (!area)
        return NULL;
    for (uint64_t at = 0; at < area->size; at += PAGE_SIZE) {
        if (ops->map(mk_vaddr(area->start + at), mk_paddr(first + at), PTE_KERNEL_RW)) {
            vmalloc_area_destroy(area);
            return NULL;
        }
    }
    ops->mapped(mk_vaddr(area->start), area->size);
    return (void *)(area->start + offset);
}

void iounmap(void *va)
{
    vfree((void *)ALIGN_DOWN((uint64_t)va, PAGE_SIZE));
}
