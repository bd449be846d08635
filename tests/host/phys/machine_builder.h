/* SPDX-License-Identifier: MIT */
/*
 * machine_builder.h - well-formed trees that say what a test wants, around parts that are good.
 *
 *      begin_good();  ... more nodes ...  finish() -> what machine_from_fdt() says; facts in m
 *
 * Included after cmocka.h.
 */
#ifndef PAGODA_TEST_MACHINE_BUILDER_H
#define PAGODA_TEST_MACHINE_BUILDER_H

#include "fdt_builder.h"
#include "phys/machine.h"

static struct machine m;
static struct builder b;

static inline void begin_root(void)
{
    build_init(&b);
    build_begin(&b, "");
    build_cells(&b, "#address-cells", 1, 2);
    build_cells(&b, "#size-cells", 1, 2);
}

static inline void begin_cpus(void)
{
    build_begin(&b, "cpus");
    build_cells(&b, "#address-cells", 1, 1);
    build_cells(&b, "#size-cells", 1, 0);
    build_cells(&b, "timebase-frequency", 1, 10000000);
}

/* A hart that is left open, for more properties; NULL leaves one out. */
static inline void begin_cpu(uint32_t hartid, const char *isa, const char *mmu)
{
    char name[16];

    snprintf(name, sizeof(name), "cpu@%x", hartid);
    build_begin(&b, name);
    build_str(&b, "device_type", "cpu");
    build_cells(&b, "reg", 1, hartid);
    if (isa)
        build_str(&b, "riscv,isa", isa);
    if (mmu)
        build_str(&b, "mmu-type", mmu);
}

static inline void cpu(uint32_t hartid, const char *isa, const char *mmu)
{
    begin_cpu(hartid, isa, mmu);
    build_begin(&b, "interrupt-controller");
    build_str(&b, "compatible", "riscv,cpu-intc");
    build_cells(&b, "phandle", 1, hartid + 100);
    build_end(&b);
    build_end(&b);
}

static inline void one_cpu(void)
{
    begin_cpus();
    cpu(0, "rv64imac", "riscv,sv39");
    build_end(&b);
}

static inline void begin_memory(uint32_t base, uint32_t size)
{
    char name[32];

    snprintf(name, sizeof(name), "memory@%x", base);
    build_begin(&b, name);
    build_str(&b, "device_type", "memory");
    build_cells(&b, "reg", 4, 0, base, 0, size);
}

static inline void memory(uint32_t base, uint32_t size, int nid)
{
    begin_memory(base, size);
    if (nid >= 0)
        build_cells(&b, "numa-node-id", 1, nid);
    build_end(&b);
}

/* Root, one hart, 16 MiB; the caller adds nodes and calls finish(). */
static inline void begin_good(void)
{
    begin_root();
    one_cpu();
    memory(0x80000000, 0x1000000, -1);
}

static inline int finish(void)
{
    struct fdt fdt;

    build_end(&b);
    build_finish(&b);
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
    int error = machine_from_fdt(&m, &fdt, 0);
    build_free(&b);
    return error;
}

static inline void expect_warning(const char *text)
{
    if (!strstr(m.warnings, text))
        fail_msg("no warning \"%s\" in:\n%s", text, m.warnings);
}

static inline void expect_range(uint32_t i, uint64_t base, uint64_t size, uint32_t nid)
{
    assert_int_equal(m.memory[i].base.v, base);
    assert_int_equal(m.memory[i].size, size);
    assert_int_equal(m.memory[i].nid, nid);
}

#endif
