/* SPDX-License-Identifier: MIT */
/*
 * layout.h - who lives where in the 512 GiB that Sv39 can name.
 *
 *      0x0000_0000_0000_0000  user                       256 GiB   root entries   0..255
 *      0x0000_0040_0000_0000  - not canonical -
 *      0xffff_ffc0_0000_0000  LINEAR   all RAM           240 GiB   root entries 256..495
 *      0xffff_fffc_0000_0000  VMEMMAP  struct page[pfn]    4 GiB   root entries 496..499
 *      0xffff_fffd_0000_0000  VMALLOC  stacks, ioremap     4 GiB   root entries 500..503
 *      0xffff_ffff_4000_0000  EARLY_MMIO  physical 0..1G   1 GiB   root entry   509, boot only
 *      0xffff_ffff_8000_0000  IMAGE    the monitor         1 GiB   root entry   510
 *
 * RAM has two names: its linear one, and for the frames of the image also the one it is linked at.
 * virt_to_phys() takes either, phys_to_virt() gives the linear one.
 *
 * Locks: none. Linux's counterpart: <asm/page.h>, Documentation/riscv/vm-layout.rst.
 */
#ifndef PAGODA_ARCH_LAYOUT_H
#define PAGODA_ARCH_LAYOUT_H

#define MEMORY_BASE 0x80000000
#define IMAGE_LOAD_OFFSET 0x200000 /* OpenSBI and its data lie below */

#ifdef __ASSEMBLER__
#define LAYOUT_UL(x) x
#else
#define LAYOUT_UL(x) x##UL
#endif

#define USER_TOP LAYOUT_UL(0x0000004000000000)
#define LINEAR_BASE LAYOUT_UL(0xffffffc000000000)
#define LINEAR_SIZE LAYOUT_UL(0x0000003c00000000) /* 240 GiB */
#define VMEMMAP_BASE LAYOUT_UL(0xfffffffc00000000)
#define VMEMMAP_SIZE LAYOUT_UL(0x0000000100000000)
#define VMALLOC_BASE LAYOUT_UL(0xfffffffd00000000)
#define VMALLOC_SIZE LAYOUT_UL(0x0000000100000000)
#define EARLY_MMIO_BASE LAYOUT_UL(0xffffffff40000000)
#define EARLY_MMIO_SIZE LAYOUT_UL(0x0000000040000000)
#define IMAGE_BASE LAYOUT_UL(0xffffffff80000000)
#define IMAGE_SIZE LAYOUT_UL(0x0000000040000000)

#define LINEAR_ROOT_FIRST 256
#define LINEAR_ROOT_COUNT 240
#define EARLY_MMIO_ROOT 509
#define IMAGE_ROOT 510

#ifndef __ASSEMBLER__
#include "base/types.h"

/* The image, as pagoda.lds lays it out; all page-aligned, addresses in IMAGE. */
extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char data_start[], data_end[]; /* .data, .bss and the boot stack */
extern char boot_stack_guard[];       /* one page inside data: to be left unmapped */
extern char boot_stack_low[], boot_stack_top[];

/** Where a byte of RAM is seen by the monitor. */
static inline void *phys_to_virt(paddr_t p)
{
    return (void *)(p.v - MEMORY_BASE + LINEAR_BASE);
}

/** The physical address of a byte of RAM, from its linear or its image address. */
static inline paddr_t virt_to_phys(const void *va)
{
    uint64_t v = (uint64_t)va;
    uint64_t base = v >= IMAGE_BASE ? IMAGE_BASE : LINEAR_BASE;
    return mk_paddr(v - base + MEMORY_BASE);
}

/** Is the range user's: wholly below USER_TOP? Empty ranges at valid addresses are. */
static inline bool user_range_ok(vaddr_t start, uint64_t size)
{
    return size <= USER_TOP && start.v <= USER_TOP - size;
}

/** Can phys_to_virt() name it? */
static inline bool paddr_is_linear(paddr_t p)
{
    return p.v >= MEMORY_BASE && p.v - MEMORY_BASE < LINEAR_SIZE;
}

/** Is the address in the linear map? */
static inline bool vaddr_is_linear(const void *va)
{
    return (uint64_t)va - LINEAR_BASE < LINEAR_SIZE;
}

/** Is the address code of the monitor? For backtraces and exception tables. */
static inline bool vaddr_is_text(uint64_t va)
{
    return va >= (uint64_t)text_start && va < (uint64_t)text_end;
}

/* --- W^X: what the final kernel map must say of the image ---------------------------------- */

struct image_section {
    const char *name;
    const char *start, *end; /* page-aligned; virt_to_phys() tells the frames */
    uint64_t prot;           /* PTE_R, PTE_W, PTE_X of arch/pte.h */
};

/** The image's parts in ascending order; between them only the boot stack's guard page. */
extern const struct image_section image_sections[];
extern const uint32_t nr_image_sections;

#endif
#endif
