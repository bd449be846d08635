/* SPDX-License-Identifier: MIT */
/*
 * test_machine_repair.c - trees that are well formed and say wrong things: what is repaired, with
 * which warning, and what is refused.
 *
 * Each test writes its own tree around the parts below, which are good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "machine_builder.h"

/* --- harts ------------------------------------------------------------------------------------ */

static void leaves_unusable_harts_out(void **state)
{
    (void)state;
    begin_root();
    begin_cpus();
    cpu(0, "rv64gc", NULL);
    cpu(7, "rv64imac_sstc", "riscv,sv57");
    cpu(1, "rv64imac", "riscv,none");
    cpu(2, "rv32imac", "riscv,sv39");
    cpu(3, "rv64ima", "riscv,sv39"); /* we use compressed instructions */
    cpu(4, NULL, "riscv,sv39");
    cpu(7, "rv64imac", "riscv,sv39");
    cpu(0, "rv64imac", "riscv,sv39");
    begin_cpu(5, "rv64imac", "riscv,sv39");
    build_str(&b, "status", "disabled");
    build_end(&b);
    build_begin(&b, "cpu@nowhere");
    build_str(&b, "device_type", "cpu");
    build_end(&b);
    build_begin(&b, "cpu-map");
    build_end(&b);
    build_end(&b);
    memory(0x80000000, 0x1000000, -1);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_harts, 2);
    assert_int_equal(m.nr_disabled, 1);
    assert_int_equal(m.harts[0].sv, 39);
    assert_int_equal(m.harts[0].isa, ISA_F | ISA_D | ISA_C);
    assert_int_equal(m.harts[1].hartid, 7);
    assert_int_equal(m.harts[1].sv, 57);
    assert_int_equal(m.harts[1].isa, ISA_C | ISA_SSTC);
    assert_int_equal(m.harts[1].intc_phandle, 107);
    expect_warning("hart 1: has no Sv39, left out\n");
    expect_warning("hart 2: is not rv64imac, left out\n");
    expect_warning("hart 3: is not rv64imac, left out\n");
    expect_warning("hart 4: is not rv64imac, left out\n");
    expect_warning("hart 7: occurs twice, left out\n");
    expect_warning("hart 0: occurs twice, left out\n");
    expect_warning("cpu@nowhere: no hart id, left out\n");
    assert_int_equal(m.nr_warnings, 7);
}

/* With room for 64, the boot hart has its place even if it comes last. */
static void keeps_room_for_the_boot_hart(void **state)
{
    (void)state;
    begin_root();
    begin_cpus();
    for (uint32_t i = MAX_HARTS + 1; i > 0; i--)
        cpu(i, "rv64imac", "riscv,sv39");
    cpu(0, "rv64imac", "riscv,sv39");
    build_end(&b);
    memory(0x80000000, 0x1000000, -1);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_harts, MAX_HARTS);
    assert_int_equal(m.harts[0].hartid, 0);
    for (uint32_t i = 2; i < m.nr_harts; i++)
        assert_true(m.harts[i - 1].hartid < m.harts[i].hartid);
    expect_warning("hart 1: is one too many, left out\n");
    assert_int_equal(m.nr_warnings, 2);
}

static void reads_the_newer_isa_properties(void **state)
{
    char many[600];

    (void)state;
    memset(many, 'z', sizeof(many));
    for (size_t i = 9; i < sizeof(many); i += 10)
        many[i] = '\0';
    begin_root();
    begin_cpus();
    begin_cpu(0, NULL, "riscv,sv48");
    build_str(&b, "riscv,isa-base", "rv64i");
    build_prop(&b, "riscv,isa-extensions", "i\0m\0a\0c\0zicboz\0svpbmt", 22);
    build_cells(&b, "riscv,cboz-block-size", 1, 64);
    build_end(&b);
    begin_cpu(1, NULL, "riscv,sv48");
    build_str(&b, "riscv,isa-base", "rv64i");
    build_prop(&b, "riscv,isa-extensions", many, sizeof(many));
    build_end(&b);
    build_end(&b);
    memory(0x80000000, 0x1000000, -1);
    assert_int_equal(finish(), 0);
    assert_string_equal(m.harts[0].isa_string, "rv64imac_zicboz_svpbmt");
    assert_int_equal(m.harts[0].isa, ISA_C | ISA_ZICBOZ | ISA_SVPBMT);
    assert_int_equal(m.harts[0].cboz_size, 64);
    expect_warning("hart 1: is not rv64imac, left out\n");
}

static void refuses_machines_without_a_boot_hart(void **state)
{
    (void)state;
    begin_root();
    begin_cpus();
    cpu(1, "rv64imac", "riscv,sv39");
    build_end(&b);
    memory(0x80000000, 0x1000000, -1);
    assert_int_equal(finish(), -ENODEV);
    assert_non_null(strstr(m.reason, "boot hart"));
    assert_int_equal(m.nr_harts, 0);
}

static void wants_a_clock(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < 3; kind++) {
        begin_root();
        build_begin(&b, "cpus");
        build_cells(&b, "#address-cells", 1, 1);
        build_cells(&b, "#size-cells", 1, 0);
        if (kind == 1)
            build_cells(&b, "timebase-frequency", 1, 0);
        begin_cpu(0, "rv64imac", "riscv,sv39");
        if (kind == 2) /* where old trees have it */
            build_cells(&b, "timebase-frequency", 2, 0, 1234);
        build_end(&b);
        build_end(&b);
        memory(0x80000000, 0x1000000, -1);
        assert_int_equal(finish(), kind == 2 ? 0 : -ENODEV);
        if (kind == 2)
            assert_int_equal(m.timebase_hz, 1234);
        else
            assert_non_null(strstr(m.reason, "timebase-frequency"));
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

static void wants_memory(void **state)
{
    (void)state;
    begin_root();
    one_cpu();
    memory(0x80000000, 0, 0);
    begin_memory(0x90000000, 0x1000);
    build_str(&b, "status", "disabled");
    build_end(&b);
    assert_int_equal(finish(), -ENODEV);
    assert_non_null(strstr(m.reason, "no memory"));
}

static void sorts_and_merges(void **state)
{
    (void)state;
    begin_root();
    one_cpu();
    memory(0x90000000, 0x1000000, 0);
    memory(0x80000000, 0x1000000, 0);
    memory(0x81000000, 0x1000000, 0);
    memory(0x82000000, 0x1000000, 1);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_memory, 3);
    expect_range(0, 0x80000000, 0x2000000, 0);
    expect_range(1, 0x82000000, 0x1000000, 1);
    expect_range(2, 0x90000000, 0x1000000, 0);
    assert_int_equal(m.nr_warnings, 0);
}

/* The picture at the head of machine_memory.c. */
static void first_claim_holds(void **state)
{
    (void)state;
    begin_root();
    one_cpu();
    memory(0x80000000, 0x1000000, 0);
    memory(0x82000000, 0x1000000, 0);
    memory(0x80800000, 0x3000000, 1);
    memory(0x80000000, 0x1000, 2); /* nothing new at all */
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_memory, 4);
    expect_range(0, 0x80000000, 0x1000000, 0);
    expect_range(1, 0x81000000, 0x1000000, 1);
    expect_range(2, 0x82000000, 0x1000000, 0);
    expect_range(3, 0x83000000, 0x800000, 1);
    expect_warning("memory [0x80800000, 0x83800000) of node 1: overlaps, the first claim holds\n");
    assert_int_equal(m.nr_warnings, 2);
    assert_int_equal(m.nr_nodes, 3); /* node 2 exists; it has no memory */
}

static void several_ranges_good_and_bad(void **state)
{
    (void)state;
    begin_root();
    one_cpu();
    build_begin(&b, "memory@80000000");
    build_str(&b, "device_type", "memory");
    build_cells(&b, "reg", 14, 0, 0x80000000, 0, 0x1000000, ~0u, ~0u, 1, 0, 1, 0, 0, 0x4000, 7, 7);
    build_cells(&b, "numa-node-id", 1, 16);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_memory, 2);
    expect_range(1, 0x100000000, 0x4000, 0);
    expect_warning("memory@80000000: unusable numa-node-id, put on node 0\n");
    expect_warning("memory@80000000: range 1 is past 64 bits, left out\n");
    expect_warning("memory@80000000: reg is malformed, its rest is left out\n");
}

static void malformed_node_id(void **state)
{
    (void)state;
    begin_root();
    one_cpu();
    begin_memory(0x80000000, 0x1000000);
    build_cells(&b, "numa-node-id", 2, 0, 1);
    build_end(&b);
    assert_int_equal(finish(), 0);
    expect_warning("unusable numa-node-id, put on node 0\n");
    assert_int_equal(m.nodes.bits, 1);
}

static void too_many_ranges(void **state)
{
    (void)state;
    for (int gap = 0; gap < 2; gap++) {
        begin_root();
        one_cpu();
        for (uint32_t i = 0; i <= MACHINE_MAX_MEMORY - (uint32_t)gap; i++)
            memory(0x80000000 + i * 0x20000, 0x10000, 0);
        if (gap) /* spans all gaps */
            memory(0x80000000, 0x10000000, 1);
        assert_int_equal(finish(), 0);
        assert_int_equal(m.nr_memory, MACHINE_MAX_MEMORY);
        expect_warning("more than 64 ranges, left out\n");
    }
}

/* A reg of more entries than anybody needs is read up to a bound. */
static void too_many_entries(void **state)
{
    static uint8_t reg[(FDT_MAX_ENTRIES + 1) * 16];

    (void)state;
    put_be32(reg + FDT_MAX_ENTRIES * 16 + 12, 0x1000); /* the last one alone is not empty */
    begin_good();
    build_begin(&b, "memory@0");
    build_str(&b, "device_type", "memory");
    build_prop(&b, "reg", reg, sizeof(reg));
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_memory, 1);
    expect_warning("memory@0: reg is malformed, its rest is left out\n");
}

/* --- reservations ----------------------------------------------------------------------------- */

static void reads_reservations(void **state)
{
    (void)state;
    begin_good();
    build_reserve(&b, 0x80100000, 0x1234);
    build_reserve(&b, ~0UL, 2);
    build_begin(&b, "reserved-memory");
    build_cells(&b, "#address-cells", 1, 2);
    build_cells(&b, "#size-cells", 1, 2);
    build_begin(&b, "mmode_resv0@80000000");
    build_cells(&b, "reg", 4, 0, 0x80000000, 0, 0x80000);
    build_prop(&b, "no-map", "", 0);
    build_end(&b);
    build_begin(&b, "two");
    build_cells(&b, "reg", 14, 0, 0x80200000, 0, 0x1000, ~0u, ~0u, 0, 2, 0, 0x80300000, 0, 0, 1, 2);
    build_end(&b);
    build_begin(&b, "dynamic");
    build_cells(&b, "size", 2, 0, 0x1000);
    build_end(&b);
    build_begin(&b, "off");
    build_cells(&b, "reg", 4, 0, 0x80400000, 0, 0x80000);
    build_str(&b, "status", "disabled");
    build_end(&b);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_reserved, 3);
    assert_int_equal(m.reserved[0].size, 0x1234);
    assert_false(m.reserved[0].no_map);
    assert_string_equal(m.reserved[1].name, "mmode_resv0@80000000");
    assert_true(m.reserved[1].no_map);
    assert_string_equal(m.reserved[2].name, "two");
    expect_warning("reservation 1 is past 64 bits, ignored\n");
    expect_warning("two: range 1 is past 64 bits, ignored\n");
    expect_warning("two: reg is malformed, its rest is ignored\n");
    assert_int_equal(m.nr_warnings, 3);
}

static void refuses_too_many_reservations(void **state)
{
    (void)state;
    begin_good();
    for (uint32_t i = 0; i <= MACHINE_MAX_RESERVED; i++)
        build_reserve(&b, 0x80000000 + i * 0x2000, 0x1000);
    assert_int_equal(finish(), -EINVAL);
    assert_non_null(strstr(m.reason, "more than 64 reservations"));

    begin_good();
    for (uint32_t i = 0; i < MACHINE_MAX_RESERVED; i++)
        build_reserve(&b, 0x80000000 + i * 0x2000, 0x1000);
    build_begin(&b, "reserved-memory");
    build_cells(&b, "#size-cells", 1, 2);
    build_begin(&b, "one-more");
    build_cells(&b, "reg", 4, 0, 0x80400000, 0, 0x80000);
    build_end(&b);
    build_end(&b);
    assert_int_equal(finish(), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_unusable_harts_out),
        cmocka_unit_test(keeps_room_for_the_boot_hart),
        cmocka_unit_test(reads_the_newer_isa_properties),
        cmocka_unit_test(refuses_machines_without_a_boot_hart),
        cmocka_unit_test(wants_a_clock),
        cmocka_unit_test(wants_memory),
        cmocka_unit_test(sorts_and_merges),
        cmocka_unit_test(first_claim_holds),
        cmocka_unit_test(several_ranges_good_and_bad),
        cmocka_unit_test(malformed_node_id),
        cmocka_unit_test(too_many_ranges),
        cmocka_unit_test(too_many_entries),
        cmocka_unit_test(reads_reservations),
        cmocka_unit_test(refuses_too_many_reservations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
