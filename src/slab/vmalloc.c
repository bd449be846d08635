/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c - areas that are contiguous only to the eye.
 *
 *      VMALLOC:  |guard|  area A: 3 pages  |guard| area B |guard| ......... |guard| area C |
 *                         |   |     |
 *      frames            0x812 0x9f3 0x80b       from anywhere, any node
 *
 * The page before and behind each area is never mapped, so that running over an end faults at once.
 * Areas are kept in a list by address; a new one goes into the first hole that is big enough,
 * looking from where the last one was put.
 *
 * Locks: `lock` (RANK_VMALLOC) for the list; an area's pages belong to who made it. Mapping and
 * unmapping are done by the floor that owns page tables (vmalloc_ops), outside of the lock.
 * Linux's counterpart: mm/vmalloc.c.
 */
#include "slab/vmalloc.h"

#include "arch/layout.h"
#include "arch/pte.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/lock.h"
#include "kern/panic.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "slab/vmalloc_area.h"

static LIST_HEAD(areas);
static struct spinlock lock = SPINLOCK_INIT("vmalloc", RANK_VMALLOC);
static struct vmalloc_area *last_put; /* under lock: the search begins behind it */
static const struct vmalloc_ops *ops;

void vmalloc_set_ops(const struct vmalloc_ops *new_ops)
{
    ops = new_ops;
}

/* --- addresses -------------------------------------------------------------------------------- */

static uint64_t area_end(const struct vmalloc_area *a)
{
    return a->start + a->size + PAGE_SIZE; /* with its guard */
}

/* Link @area into the first hole from @after (NULL: the start) on. False: none is big enough. */
static bool place_locked(struct vmalloc_area *area, struct vmalloc_area *after)
{
    struct list_head *prev = after ? &after->node : &areas;
    for (;;) {
        uint64_t low = prev == &areas ? VMALLOC_BASE + PAGE_SIZE
                                      : area_end(list_entry(prev, struct vmalloc_area, node));
        uint64_t high = prev->next == &areas
                            ? VMALLOC_BASE + (VMALLOC_SIZE - PAGE_SIZE)
                            : list_entry(prev->next, struct vmalloc_area, node)->start;
        if (high > low && high - low >= area->size + PAGE_SIZE) {
            area->start = low;
            list_add(&area->node, prev);
            return true;
        }
        prev = prev->next;
        if (prev == &areas)
            return false;
    }
}

struct vmalloc_area *vmalloc_area_create(uint64_t size, enum vmalloc_kind kind, gfp_t gfp)
{
    struct vmalloc_area *area = kzalloc(sizeof(*area), gfp);
    if (!area)
        return NULL;
    area->size = ALIGN_UP(size, PAGE_SIZE);
    area->kind = kind;
    spin_lock(&lock);
    bool placed = place_locked(area, last_put) || place_locked(area, NULL);
    if (placed)
        last_put = area;
    spin_unlock(&lock);
    if (placed)
        return area;
    kfree(area);
    return NULL;
}

static struct vmalloc_area *find_locked(uint64_t start)
{
    struct vmalloc_area *area;
    list_for_each_entry(area, &areas, node) {
        if (area->start == start)
            return area;
    }
    return NULL;
}

struct vmalloc_area *vmalloc_area_find(const void *va)
{
    spin_lock(&lock);
    struct vmalloc_area *area = find_locked((uint64_t)va);
    spin_unlock(&lock);
    return area;
}

/* --- pages ------------------------------------------------------------------------------------ */

int vmalloc_area_fill(struct vmalloc_area *area, gfp_t gfp, int nid)
{
    uint64_t n = area->size >> PAGE_SHIFT;
    area->pages = kcalloc(n, sizeof(*area->pages), gfp & ~__GFP_ZERO);
    if (!area->pages)
        return -ENOMEM;
    for (uint64_t i = 0; i < n; i++) {
        struct page *page = alloc_pages_node(nid < 0 ? numa_node_id() : nid, gfp, 0);
        if (!page)
            return -ENOMEM;
        page_set_type(page, PAGE_VMALLOC);
        mod_node_state(page_pgdat(page), NR_VMALLOC, 1);
        area->pages[area->nr_pages++] = page;
        int err =
            ops->map(mk_vaddr(area->start + i * PAGE_SIZE), page_to_paddr(page), PTE_KERNEL_RW);
        if (err)
            return err;
    }
    return 0;
}

void vmalloc_area_destroy(struct vmalloc_area *area)
{
    ops->unmap(mk_vaddr(area->start), area->size);
    for (uint32_t i = 0; i < area->nr_pages; i++) {
        mod_node_state(page_pgdat(area->pages[i]), NR_VMALLOC, -1);
        __free_page(area->pages[i]);
    }
    spin_lock(&lock);
    if (last_put == area)
        last_put = NULL;
    list_del(&area->node);
    spin_unlock(&lock);
    kfree(area->pages);
    kfree(area);
}

static void *make(size_t size, gfp_t gfp, int nid)
{
    struct vmalloc_area *area =
        size && size < VMALLOC_SIZE ? vmalloc_area_create(size, VMALLOC_MEMORY, GFP_KERNEL) : NULL;
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
    struct vmalloc_area *area = vmalloc_area_create(size + offset, VMALLOC_DEVICE, GFP_KERNEL);
    if (!area)
        return NULL;
    for (uint64_t at = 0; at < area->size; at += PAGE_SIZE) {
        if (ops->map(mk_vaddr(area->start + at), mk_paddr(first + at), PTE_KERNEL_RW)) {
            vmalloc_area_destroy(area);
            return NULL;
        }
    }
    return (void *)(area->start + offset);
}

void iounmap(void *va)
{
    vfree((void *)ALIGN_DOWN((uint64_t)va, PAGE_SIZE));
}

/* --- seeing ----------------------------------------------------------------------------------- */

void vmalloc_each(void (*fn)(const struct vmalloc_area *area, void *arg), void *arg)
{
    struct vmalloc_area *area;
    spin_lock(&lock);
    list_for_each_entry(area, &areas, node) {
        fn(area, arg);
    }
    spin_unlock(&lock);
}

bool vmalloc_contains(uint64_t va)
{
    struct vmalloc_area *area;
    bool found = false;
    spin_lock(&lock);
    list_for_each_entry(area, &areas, node) {
        found |= va - area->start < area->size;
    }
    spin_unlock(&lock);
    return found;
}

unsigned vmalloc_check(struct sink *out)
{
    struct vmalloc_area *area;
    uint64_t end = VMALLOC_BASE;
    unsigned faults = 0;
    spin_lock(&lock);
    list_for_each_entry(area, &areas, node) {
        bool bad = area->start < end;
        for (uint32_t i = 0; i < area->nr_pages; i++)
            bad |= area->pages[i]->type != PAGE_VMALLOC;
        if (bad) {
            print(out, "vmalloc: area 0x%lx of %lu bytes overlaps or has lost a page\n",
                  area->start, area->size);
            faults++;
        }
        end = area_end(area);
    }
    spin_unlock(&lock);
    return faults;
}
