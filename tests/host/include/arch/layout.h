/* SPDX-License-Identifier: MIT */
/*
 * layout.h of the host: where the monitor's ranges lie in an ordinary process.
 *
 *      sanitizer      RAM (linear map)    mem_map
 *      ASan, none     0x2000_0000_0000    0x3000_0000_0000     above ASan's shadow
 *      TSan           0x0010_0000_0000    0x0060_0000_0000     in TSan's low range
 *
 * Shadows include/arch/layout.h. support/ram.c maps both, and pages of them exist once touched.
 */
#ifndef PAGODA_ARCH_LAYOUT_H
#define PAGODA_ARCH_LAYOUT_H

#include "base/types.h"

#define MEMORY_BASE 0x80000000
#define USER_TOP 0x0000004000000000UL
#define LINEAR_SIZE 0x0000003c00000000UL
#define VMEMMAP_SIZE 0x0000000100000000UL
#ifdef __SANITIZE_THREAD__
#define LINEAR_BASE 0x0000001000000000UL
#define VMEMMAP_BASE 0x0000006000000000UL
#else
#define LINEAR_BASE 0x0000200000000000UL
#define VMEMMAP_BASE 0x0000300000000000UL
#endif
#define LINEAR_ROOT_FIRST 256 /* as on Sv39: what lies above is the monitor's in every root */
#define VMALLOC_BASE 0x0000310000000000UL
#define VMALLOC_SIZE 0x0000000100000000UL

static inline void *phys_to_virt(paddr_t p)
{
    return (void *)(p.v - MEMORY_BASE + LINEAR_BASE);
}

static inline paddr_t virt_to_phys(const void *va)
{
    return mk_paddr((uint64_t)va - LINEAR_BASE + MEMORY_BASE);
}

static inline bool user_range_ok(vaddr_t start, uint64_t size)
{
    return size <= USER_TOP && start.v <= USER_TOP - size;
}

static inline bool paddr_is_linear(paddr_t p)
{
    return p.v >= MEMORY_BASE && p.v - MEMORY_BASE < LINEAR_SIZE;
}

static inline bool vaddr_is_linear(const void *va)
{
    return (uint64_t)va - LINEAR_BASE < LINEAR_SIZE;
}

#endif
