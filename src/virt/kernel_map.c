/* SPDX-License-Identifier: MIT */
/*
 * kernel_map.c - the monitor's own half of the address space.
 *
 *      LINEAR    RAM   [1G leaf][1G leaf][2M][2M][4K]     RW, not executable; where the image lies
 *                                                         its text and constants are read-only
 *      VMEMMAP   mem_map, 2M leaves where it fits         RW
 *      VMALLOC   stacks with guard pages, devices         4K leaves, made and taken at run time
 *      IMAGE     text RX | rodata R | data RW | stack RW  4K leaves
 *
 * Everything is global: no guest's ASID matters here. W^X: there is no leaf with both W and X, and
 * none is executable but the image's text. What the firmware reserves with `no-map` has no leaf at
 * all, so that not even a wild read of the monitor can trap in M-mode.
 *
 * Level-1 tables of VMEMMAP and VMALLOC are made at boot, so the root never changes afterwards and
 * guests' roots can copy its upper half once.
 *
 * Locks: boot hart alone; later the VMALLOC entries belong to their areas (slab/vmalloc.c), each
 * touched by one owner, and tables are added by compare-and-exchange.
 * Linux's counterpart: arch/riscv/mm/init.c.
 */
#include "virt/kernel_map.h"

#include "arch/barrier.h"
#include "arch/csr.h"
#include "base/errno.h"
#include "kern/fence.h"
#include "kern/panic.h"
#include "kern/percpu.h"
#include "phys/alloc.h"
#include "phys/memblock.h"
#include "sbi/sbi.h"

static struct page *boot_alloc_table(struct pgtable *pt, int nid)
{
    void *table = memblock_alloc(PAGE_SIZE, PAGE_SIZE, nid);
    (void)pt;
    return table ? virt_to_page(table) : NULL; /* only its address: there is no mem_map yet */
}

static void boot_free_table(struct pgtable *pt, struct page *table)
{
    (void)pt;
    panic("a table of the boot map is never freed (pfn 0x%lx)", page_to_pfn(table).v);
}

static const struct pt_ops boot_ops = {boot_alloc_table, boot_free_table};

struct pgtable kernel_pgtable = {.format = &pt_sv39, .ops = &boot_ops, .nid = -1};

static void map(uint64_t va, paddr_t pa, uint64_t size, uint64_t prot, unsigned max_level)
{
    int err = pt_map_range(&kernel_pgtable, mk_vaddr(va), pa, size, prot, max_level);
    if (err)
        panic("kernel map: cannot map %lu KiB at 0x%lx: error %d", size >> 10, va, err);
}

/* All RAM; no-map ranges are not in memblock's memory. */
static void map_linear(void)
{
    struct memblock_region r;
    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        map((uint64_t)phys_to_virt(r.base), r.base, r.size, PTE_KERNEL_RW, PT_LEVELS - 1);
    }
}

static uint64_t section_prot(const struct image_section *s)
{
    return s->prot | PTE_G | PTE_A | (s->prot & PTE_W ? PTE_D : 0);
}

static void map_image(void)
{
    for (uint32_t i = 0; i < nr_image_sections; i++) {
        const struct image_section *s = &image_sections[i];
        uint64_t size = (uint64_t)(s->end - s->start);
        map((uint64_t)s->start, virt_to_phys(s->start), size, section_prot(s), 0);
        if (s->prot & PTE_W)
            continue;
        /* its other name must not be a way around */
        vaddr_t alias = mk_vaddr((uint64_t)phys_to_virt(virt_to_phys(s->start)));
        if (pt_protect_range(&kernel_pgtable, alias, size, PTE_R | PTE_G))
            panic("kernel map: no memory to protect %s", s->name);
    }
}

/* The level-1 tables under which everything later is mapped. */
static void make_tables(uint64_t start, uint64_t size)
{
    for (uint64_t va = start; va != start + size; va += pt_level_size(2))
        if (!pt_walk_alloc(&kernel_pgtable, mk_vaddr(va), 1))
            panic("kernel map: no memory for the tables at 0x%lx", va);
}

static uint64_t mem_map_bytes(void)
{
    return (memblock_end().v - MEMORY_BASE) / PAGE_SIZE * sizeof(struct page);
}

void kernel_map_init(void)
{
    kernel_pgtable.root = memblock_alloc(PAGE_SIZE, PAGE_SIZE, MEMBLOCK_ANY_NODE);
    if (!kernel_pgtable.root)
        panic("kernel map: no memory for the root");
    kernel_pgtable.nr_tables = 1;
    map_linear();
    map_image();
    make_tables(VMEMMAP_BASE, ALIGN_UP(mem_map_bytes(), pt_level_size(2)));
    make_tables(VMALLOC_BASE, VMALLOC_SIZE);
    boot_satp = satp_make(pt_root_paddr(&kernel_pgtable), 0);
    csr_write(satp, boot_satp);
    sfence_all();
}

int kernel_map_vmemmap(vaddr_t va, paddr_t pa, uint64_t size)
{
    return pt_map_range(&kernel_pgtable, va, pa, size, PTE_KERNEL_RW, 1);
}

void kernel_map_use_pages(void)
{
    kernel_pgtable.ops = &pt_page_ops;
}

int kernel_map_page(vaddr_t va, paddr_t pa, uint64_t prot)
{
    pte_t *entry = pt_walk_alloc(&kernel_pgtable, va, 0);
    if (!entry)
        return -ENOMEM;
    ASSERT(pte_none(*entry));
    pte_store(entry, pte_make(paddr_to_pfn(pa), prot));
    return 0;
}

void kernel_mapped(vaddr_t va, uint64_t size)
{
    hartmask_t others = {.bits = load_acquire(&harts_online.bits)};
    mask_clear(&others, hart_index());
    sfence_all(); /* also orders the stores of entries before what follows */
    if (!mask_empty(&others))
        fence_harts(others, 0, va, size);
}

void kernel_unmap_range(vaddr_t va, uint64_t size)
{
    if (pt_unmap_range(&kernel_pgtable, va, size))
        panic("kernel map: a leaf of VMALLOC was too large at 0x%lx", va.v);
    kernel_mapped(va, size);
}
