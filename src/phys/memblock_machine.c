/* SPDX-License-Identifier: MIT */
/*
 * memblock_machine.c - from what the machine has to what we may use of it.
 *
 *      memory[] of the machine            [============== node 0 =====][==== node 1 ===...=====]
 *      clip to what LINEAR can map                                                  |  left out
 *      mem=  keeps the lowest bytes                               |    left out
 *      no-map: no RAM at all             [x]
 *      reserved, initrd: RAM, but taken      [##]      [##]
 *
 * An initrd above mem= comes back, RAM and all, as on arm64: who names an archive wants it read.
 *
 * Locks: none; the boot hart is alone.
 * Linux's counterpart: setup_bootmem() of arch/riscv, memblock_enforce_memory_limit().
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "kern/log.h"
#include "phys/memblock.h"

uint64_t memblock_clip(paddr_t base, paddr_t end)
{
    uint64_t before = memblock.memory.total;

    /* Cutting at the ends splits nothing, so there is always room. */
    if (memblock_remove(mk_paddr(0), ALIGN_UP(base.v, PAGE_SIZE)) ||
        memblock_remove(end, UINT64_MAX - end.v))
        return 0;
    memblock.left_out += before - memblock.memory.total;
    return before - memblock.memory.total;
}

uint64_t memblock_cap(uint64_t limit)
{
    struct memblock_region r;
    uint64_t left = ALIGN_DOWN(limit, PAGE_SIZE);

    for_each_memory_range(MEMBLOCK_ANY_NODE, &r) {
        if (r.size > left)
            return memblock_clip(mk_paddr(0), mk_paddr(r.base.v + left));
        left -= r.size;
    }
    return 0;
}

static int add_all(const struct machine *m)
{
    for (uint32_t i = 0; i < m->nr_memory; i++) {
        const struct machine_range *r = &m->memory[i];
        int error = memblock_add(r->base, r->size, (int)r->nid);
        if (error)
            return error;
    }
    return 0;
}

static int take_reserved(const struct machine *m)
{
    for (uint32_t i = 0; i < m->nr_reserved; i++) {
        const struct machine_reserved *r = &m->reserved[i];
        int error =
            r->no_map ? memblock_remove(r->base, r->size) : memblock_reserve(r->base, r->size);
        if (error)
            return error;
    }
    return 0;
}

/* The node of the machine's memory at an address, whether or not memblock still has it. */
static int machine_nid(const struct machine *m, uint64_t addr)
{
    for (uint32_t i = 0; i < m->nr_memory; i++)
        if (addr - m->memory[i].base.v < m->memory[i].size)
            return (int)m->memory[i].nid;
    return 0;
}

static int take_initrd(const struct machine *m)
{
    if (m->initrd_size == 0)
        return 0;
    uint64_t start = ALIGN_DOWN(m->initrd.v, PAGE_SIZE);
    uint64_t size = ALIGN_UP(m->initrd.v + m->initrd_size, PAGE_SIZE) - start;
    int error = memblock_add(mk_paddr(start), size, machine_nid(m, m->initrd.v));

    return error ? error : memblock_reserve(mk_paddr(start), size);
}

int memblock_from_machine(const struct machine *m, uint64_t mem_limit)
{
    int error;

    memblock_init();
    if ((error = add_all(m)) != 0)
        return error;
    uint64_t beyond = memblock_clip(mk_paddr(MEMORY_BASE), mk_paddr(MEMORY_BASE + LINEAR_SIZE));
    if (beyond)
        pr_warn("memblock: %lu KiB lie outside of the linear map and are left out", beyond >> 10);
    if (mem_limit) {
        uint64_t capped = memblock_cap(mem_limit);
        if (capped)
            pr_info("memblock: mem= leaves out %lu KiB", capped >> 10);
    }
    if ((error = take_initrd(m)) != 0)
        return error;
    return take_reserved(m);
}
