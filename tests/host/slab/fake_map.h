/* SPDX-License-Identifier: MIT */
/*
 * fake_map.h - the page tables that vmalloc sees on this host: an array of physical addresses.
 */
#ifndef HOST_FAKE_MAP_H
#define HOST_FAKE_MAP_H

#include "base/errno.h"
#include "slab/slab_machine.h"
#include "slab/vmalloc.h"

static uint64_t *fake_map; /* by page of the region; 0: not mapped */
static uint64_t fake_mapped_pages, fake_fences, fake_maps_left = UINT64_MAX;

static uint64_t fake_slot(uint64_t va)
{
    assert_in_range(va, VMALLOC_BASE, VMALLOC_BASE + VMALLOC_SIZE - 1);
    return (va - VMALLOC_BASE) >> PAGE_SHIFT;
}

static int fake_map_page(vaddr_t va, paddr_t pa, uint64_t prot)
{
    (void)prot;
    if (!fake_maps_left)
        return -ENOMEM;
    fake_maps_left--;
    assert_int_equal(fake_map[fake_slot(va.v)], 0);
    fake_map[fake_slot(va.v)] = pa.v;
    fake_mapped_pages++;
    return 0;
}

static void fake_fence(vaddr_t va, uint64_t size)
{
    (void)va, (void)size;
    fake_fences++;
}

static void fake_unmap(vaddr_t va, uint64_t size)
{
    for (uint64_t at = va.v; at < va.v + size; at += PAGE_SIZE) {
        fake_mapped_pages -= fake_map[fake_slot(at)] != 0;
        fake_map[fake_slot(at)] = 0;
    }
    fake_fences++;
}

/** The frame behind an address of the region, or 0. */
static inline uint64_t fake_frame(const void *va)
{
    return fake_map[fake_slot((uint64_t)va)];
}

static inline int vmalloc_machine(void **state)
{
    static const struct vmalloc_ops ops = {fake_map_page, fake_fence, fake_unmap};
    fake_map = calloc(VMALLOC_SIZE >> PAGE_SHIFT, sizeof(*fake_map));
    slab_machine(state);
    vmalloc_set_ops(&ops);
    vmalloc_init();
    return fake_map ? 0 : -1;
}

static inline int vmalloc_machine_end(void **state)
{
    (void)state;
    free(fake_map);
    return 0;
}

static inline void vmalloc_audit(void)
{
    static char text[4096];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    if (vmalloc_check(&out.sink))
        fail_msg("%s", text);
    slab_audit();
}

#endif
