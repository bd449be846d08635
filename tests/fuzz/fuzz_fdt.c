/* SPDX-License-Identifier: MIT */
/*
 * fuzz_fdt.c - arbitrary bytes as a device tree, all the way to memblock.
 *
 *      bytes -> fdt_open -> every node, property, reg, interrupt
 *                        -> machine_from_fdt -> the promises of machine.h
 *                        -> memblock_from_machine -> memblock_check, a few allocations
 *
 * The sanitizers watch the reads; what they cannot see, a wrong fact, is asserted here: these are
 * the promises that the rest of the monitor relies on without looking again.
 *
 *      make fuzz-short         a fixed number of runs from the corpus, for every test run
 *      make fuzz               goes on until stopped; new inputs go to the build folder
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/layout.h"
#include "kern/log.h"
#include "phys/bootargs.h"
#include "phys/machine.h"
#include "phys/memblock.h"

enum {
    WALK_NODES = 32,  /* nodes of one tree that are asked everything: some answers cost a walk */
    WALK_ENTRIES = 8, /* entries of one reg, interrupts of one device */
};

/* A promise that is not kept ends the fuzzer, with the input saved. */
#define PROMISE(x)                                                          \
    do {                                                                    \
        if (!(x)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                        \
        }                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

void log_print(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static void drop(struct sink *self, const char *bytes, size_t n)
{
    (void)self;
    (void)bytes;
    (void)n;
}

static void complain(struct sink *self, const char *bytes, size_t n)
{
    (void)self;
    fwrite(bytes, 1, n, stderr);
}

static void ask_node(const struct fdt *fdt, fdt_node_t node)
{
    fdt_node_t parent = fdt_parent(fdt, node);
    fdt_node_t child = fdt_first_child(fdt, node);
    struct fdt_prop prop = {0};
    struct fdt_irq irq;
    uint64_t base, size;
    uint32_t cell;

    PROMISE(fdt_valid(parent) == (node.at != fdt_root(fdt).at));
    PROMISE(!fdt_valid(child) || fdt_parent(fdt, child).at == node.at);
    while (fdt_next_prop(fdt, node, &prop)) {
        struct fdt_prop first;
        PROMISE(prop.value + prop.len <= fdt->structs + fdt->struct_size);
        PROMISE(fdt_prop(fdt, node, prop.name, &first));
        (void)fdt_string(fdt, node, prop.name);
    }
    for (uint32_t i = 0, error = 0; i < WALK_ENTRIES && !error; i++) {
        error = fdt_reg(fdt, node, i & 1 ? parent : FDT_NO_NODE, i, &base, &size) != 0;
        PROMISE(error || base + size >= base);
    }
    for (uint32_t i = 0; i < WALK_ENTRIES && fdt_irq(fdt, node, i, &irq) == 0; i++)
        PROMISE(fdt_valid(irq.controller));
    if (fdt_u32(fdt, node, "phandle", &cell) == 0)
        (void)fdt_phandle(fdt, cell);
    (void)fdt_enabled(fdt, node);
    (void)fdt_compatible(fdt, node, "simple-bus");
}

static void ask_tree(const struct fdt *fdt)
{
    uint32_t nodes = 0;
    uint64_t base, size;

    fdt_for_each_node(fdt, node) {
        if (nodes++ < WALK_NODES)
            ask_node(fdt, node);
    }
    PROMISE(nodes == fdt->nr_nodes);
    for (uint32_t i = 0; i < fdt->rsv_count; i++) {
        fdt_reservation(fdt, i, &base, &size);
        PROMISE(size > 0);
    }
}

static void check_harts(const struct machine *m)
{
    PROMISE(m->nr_harts >= 1 && m->nr_harts <= MAX_HARTS);
    PROMISE(m->harts[0].hartid == m->boot_hartid);
    PROMISE(m->timebase_hz > 0);
    for (uint32_t i = 0; i < m->nr_harts; i++) {
        PROMISE(m->harts[i].sv >= 39);
        PROMISE(mask_test(&m->nodes, m->harts[i].nid));
        PROMISE(machine_hart_index(m, m->harts[i].hartid) == (int)i);
        PROMISE(i < 2 || m->harts[i - 1].hartid < m->harts[i].hartid);
    }
}

static void check_memory(const struct machine *m)
{
    PROMISE(m->nr_memory >= 1 && m->nr_memory <= MACHINE_MAX_MEMORY);
    PROMISE(m->nr_nodes == mask_weight(&m->nodes) && m->nodes.bits < 1UL << MAX_NODES);
    for (uint32_t i = 0; i < m->nr_memory; i++) {
        const struct machine_range *r = &m->memory[i];
        PROMISE(r->size > 0 && r->base.v + r->size > r->base.v);
        PROMISE(mask_test(&m->nodes, r->nid));
        PROMISE(i == 0 || r[-1].base.v + r[-1].size <= r->base.v);
    }
    for (uint32_t from = 0; from < MAX_NODES; from++)
        for (uint32_t to = 0; to < MAX_NODES; to++)
            PROMISE((m->distance[from][to] == LOCAL_DISTANCE) == (from == to) &&
                    m->distance[from][to] >= LOCAL_DISTANCE);
}

static void check_devices(const struct machine *m)
{
    PROMISE(m->nr_plics <= MACHINE_MAX_PLICS && m->nr_virtio <= MACHINE_MAX_VIRTIO);
    PROMISE(m->uart.plic < (int)m->nr_plics && (m->uart.plic < 0) == (m->uart.irq == 0));
    for (uint32_t i = 0; i < m->nr_plics; i++)
        PROMISE(mask_test(&m->nodes, m->plics[i].nid));
    for (uint32_t i = 0; i < m->nr_virtio; i++)
        PROMISE(m->virtio[i].plic < (int)m->nr_plics);
}

static void check_memblock(const struct machine *m, uint64_t limit)
{
    struct sink out = {complain};
    struct sink nowhere = {drop};

    if (memblock_from_machine(m, limit))
        return;
    PROMISE(memblock_check(&out) == 0);
    PROMISE(m->initrd_size == 0 || (memblock_is_memory(m->initrd) && paddr_is_linear(m->initrd)));
    for (int nid = -1; nid < 3; nid++) {
        paddr_t at = memblock_alloc_phys(MIB(1), MIB(1), MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST, nid);
        PROMISE(at.v == 0 || (memblock_is_memory(at) && memblock_is_reserved(at)));
        PROMISE(memblock_check(&out) == 0);
    }
    memblock_dump(&nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct machine m;
    struct sink nowhere = {drop};
    struct fdt fdt;

    if (fdt_open(bytes, size, &fdt)) {
        PROMISE(fdt.reason);
        return 0;
    }
    PROMISE(!fdt.reason && fdt.total_size <= size);
    ask_tree(&fdt);
    if (machine_from_fdt(&m, &fdt, fdt.boot_cpuid)) {
        PROMISE(m.reason);
        return 0;
    }
    check_harts(&m);
    check_memory(&m);
    check_devices(&m);
    bootargs_init(m.bootargs);
    check_memblock(&m, bootarg_size("mem", 0));
    machine_dump(&m, &nowhere);
    machine_numa_off(&m);
    check_memory(&m);
    check_memblock(&m, 0);
    return 0;
}
