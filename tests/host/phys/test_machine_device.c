/* SPDX-License-Identifier: MIT */
/*
 * test_machine_device.c - /chosen, distances and devices: what is read, what is repaired.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "machine_builder.h"

/* --- chosen ---------------------------------------------------------------------------------- */

static void begin_chosen(void)
{
    begin_good();
    build_begin(&b, "chosen");
}

static void cuts_long_bootargs(void **state)
{
    static char args[MACHINE_BOOTARGS_MAX + 10];

    (void)state;
    memset(args, 'x', sizeof(args));
    begin_chosen();
    build_prop(&b, "bootargs", args, sizeof(args)); /* nor is it terminated */
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(strlen(m.bootargs), MACHINE_BOOTARGS_MAX - 1);
    expect_warning("bootargs: cut to 2047 bytes\n");

    begin_chosen();
    build_prop(&b, "bootargs", "mem=64M", 7);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_string_equal(m.bootargs, "mem=64M");
}

static void cuts_long_seeds(void **state)
{
    uint8_t seed[MACHINE_SEED_MAX + 5] = {1, 2, 3};

    (void)state;
    begin_chosen();
    build_prop(&b, "rng-seed", seed, sizeof(seed));
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.rng_seed_len, MACHINE_SEED_MAX);
    assert_memory_equal(m.rng_seed, seed, MACHINE_SEED_MAX);
}

/* Bounds of one or of two cells; RAM is [0x80000000, 0x81000000). */
static void initrd(bool wide, uint32_t start, uint32_t end)
{
    begin_chosen();
    if (wide) {
        build_cells(&b, "linux,initrd-start", 2, 0, start);
        build_cells(&b, "linux,initrd-end", 2, 0, end);
    } else {
        build_cells(&b, "linux,initrd-start", 1, start);
        build_cells(&b, "linux,initrd-end", 1, end);
    }
    build_end(&b);
    assert_int_equal(finish(), 0);
}

static void judges_the_initrd(void **state)
{
    (void)state;
    initrd(false, 0x80800000, 0x80812345);
    assert_int_equal(m.initrd.v, 0x80800000);
    assert_int_equal(m.initrd_size, 0x12345);
    initrd(true, 0x80800000, 0x81000000);
    assert_int_equal(m.initrd_size, 0x800000);
    assert_int_equal(m.nr_warnings, 0);
    initrd(true, 0x80800000, 0x81000001);
    assert_int_equal(m.initrd_size, 0);
    expect_warning("initrd: [0x80800000, 0x81000001) is not all in memory, ignored\n");
    initrd(false, 0x80800000, 0x80700000);
    assert_int_equal(m.initrd_size, 0);
    expect_warning("initrd: malformed bounds, ignored\n");

    begin_chosen();
    build_cells(&b, "linux,initrd-start", 1, 0x80800000); /* and no end */
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.initrd_size, 0);
}

/* Where nobody could read it: past the linear map, or where nothing may be mapped. */
static void drops_an_unreadable_initrd(void **state)
{
    (void)state;
    begin_good();
    build_begin(&b, "memory@high");
    build_str(&b, "device_type", "memory");
    build_cells(&b, "reg", 4, 0x40, 0, 0, 0x10000);
    build_end(&b);
    build_begin(&b, "chosen");
    build_cells(&b, "linux,initrd-start", 2, 0x40, 0x1000);
    build_cells(&b, "linux,initrd-end", 2, 0x40, 0x2000);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.initrd_size, 0);
    expect_warning("is not in the linear map, ignored\n");

    begin_good();
    build_begin(&b, "reserved-memory");
    build_cells(&b, "#size-cells", 1, 2);
    build_begin(&b, "firmware");
    build_cells(&b, "reg", 4, 0, 0x80001000, 0, 0x1000);
    build_prop(&b, "no-map", "", 0);
    build_end(&b);
    build_end(&b);
    build_begin(&b, "chosen");
    build_cells(&b, "linux,initrd-start", 1, 0x80000000);
    build_cells(&b, "linux,initrd-end", 1, 0x80001001);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.initrd_size, 0);
    expect_warning("is in memory that must not be mapped, ignored\n");
}

/* An initrd may lie across two nodes, if there is no hole. */
static void follows_the_initrd_over_nodes(void **state)
{
    (void)state;
    begin_good();
    memory(0x81000000, 0x1000000, 1);
    build_begin(&b, "chosen");
    build_cells(&b, "linux,initrd-start", 1, 0x80800000);
    build_cells(&b, "linux,initrd-end", 1, 0x81800000);
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.initrd_size, 0x1000000);
}

/* --- distances ------------------------------------------------------------------------------- */

static void distances(const uint32_t *cells, uint32_t n)
{
    uint8_t value[64];

    begin_good();
    memory(0x90000000, 0x1000, 1);
    build_begin(&b, "distance-map");
    build_str(&b, "compatible", "numa-distance-map-v1");
    for (uint32_t i = 0; i < n; i++)
        put_be32(value + i * 4, cells[i]);
    if (n)
        build_prop(&b, "distance-matrix", value, n * 4);
    build_end(&b);
    assert_int_equal(finish(), 0);
}

static void believes_good_distances(void **state)
{
    static const uint32_t one_way[] = {0, 1, 35};
    static const uint32_t both[] = {0, 1, 35, 1, 0, 15};

    (void)state;
    distances(one_way, 3);
    assert_int_equal(m.distance[0][1], 35);
    assert_int_equal(m.distance[1][0], 35);
    distances(both, 6);
    assert_int_equal(m.distance[0][1], 35);
    assert_int_equal(m.distance[1][0], 15);
    assert_int_equal(m.nr_warnings, 0);
}

static void replaces_bad_distances(void **state)
{
    static const struct {
        uint32_t n;
        uint32_t cells[6];
        const char *warning;
    } bad[] = {
        {0, {0}, "distance-matrix is missing"},
        {4, {0, 1, 35, 1}, "is no list of triples"},
        {6, {0, 1, 35, 16, 0, 15}, "names a node that cannot be"},
        {6, {0, 1, 35, 0, 16, 15}, "names a node that cannot be"},
        {6, {0, 1, 35, 1, 1, 11}, "is not 10 from itself"},
        {6, {0, 1, 35, 1, 0, 10}, "outside of 11 to 255"},
        {6, {0, 1, 35, 1, 0, 256}, "outside of 11 to 255"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        distances(bad[i].cells, bad[i].n);
        expect_warning(bad[i].warning);
        assert_int_equal(m.distance[0][1], REMOTE_DISTANCE);
        assert_int_equal(m.distance[1][1], LOCAL_DISTANCE);
    }
}

/* --- interrupt controllers ------------------------------------------------------------------- */

static void begin_plic(uint32_t index)
{
    char name[32];

    snprintf(name, sizeof(name), "plic@c00000%x", index);
    build_begin(&b, name);
    build_str(&b, "compatible", "riscv,plic0");
    build_cells(&b, "#interrupt-cells", 1, 1);
}

static void plic(uint32_t index, uint32_t size, uint32_t sources)
{
    begin_plic(index);
    build_cells(&b, "phandle", 1, 200 + index);
    build_cells(&b, "reg", 4, 0, 0xc000000, 0, size);
    build_cells(&b, "riscv,ndev", 1, sources);
    build_cells(&b, "numa-node-id", 1, 7); /* nobody else names node 7 */
    build_cells(&b, "interrupts-extended", 6, 99, 9, 100, 11, 100, 9);
    build_end(&b);
}

static void reads_plics(void **state)
{
    (void)state;
    begin_good();
    plic(0, 0x600000, 2000);
    begin_plic(1); /* no reg */
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_plics, 1);
    assert_int_equal(m.plics[0].nr_sources, 1023);
    assert_int_equal(m.plics[0].nid, 0);
    assert_int_equal(m.plics[0].context[0], 2);
    assert_int_equal(m.plics[0].context[1], MACHINE_NO_CONTEXT);
    assert_int_equal(machine_plic_index(&m, 200), 0);
    assert_int_equal(machine_plic_index(&m, 201), -1);
    assert_int_equal(m.nodes.bits, 1);
    expect_warning("2000 sources, a PLIC has at most 1023\n");
    expect_warning("plic@c000001: lacks reg, phandle or riscv,ndev, left out\n");
}

/* Found by the fuzzer: where there is no node 0, a stray PLIC may not be put there. */
static void puts_stray_plics_on_a_node_that_exists(void **state)
{
    (void)state;
    begin_root();
    begin_cpus();
    begin_cpu(0, "rv64imac", "riscv,sv39");
    build_cells(&b, "numa-node-id", 1, 3);
    build_end(&b);
    build_end(&b);
    memory(0x80000000, 0x1000, 3);
    plic(0, 0x600000, 8);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nodes.bits, 1 << 3);
    assert_int_equal(m.plics[0].nid, 3);
}

static void repairs_plics(void **state)
{
    (void)state;
    begin_good();
    plic(0, 0x202000, 8); /* registers for contexts 0 and 1 */
    plic(1, 0x1000, 8);   /* for none */
    begin_plic(2);
    build_cells(&b, "phandle", 1, 202);
    build_cells(&b, "reg", 4, 0, 0xc000000, 0, 0x600000);
    build_cells(&b, "riscv,ndev", 1, 8);
    build_cells(&b, "interrupts-extended", 3, 100, 9, 100);
    build_end(&b);
    for (uint32_t i = 3; i <= MACHINE_MAX_PLICS; i++)
        plic(i, 0x600000, 8);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_plics, MACHINE_MAX_PLICS);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(m.plics[i].context[0], MACHINE_NO_CONTEXT);
    expect_warning("plic@c000000: context 2 is past its registers\n");
    expect_warning("plic@c000001: context 2 is past its registers\n");
    expect_warning("plic@c000002: malformed interrupts-extended\n");
    expect_warning("plic@c0000010: one PLIC too many, left out\n");
}

/* --- the serial port ------------------------------------------------------------------------- */

static void begin_uart(const char *name, const char *compatible, uint32_t base)
{
    build_begin(&b, name);
    build_str(&b, "compatible", compatible);
    build_cells(&b, "reg", 4, 0, base, 0, 0x100);
}

static int with_stdout(const char *name, const char *path)
{
    begin_good();
    plic(0, 0x600000, 16);
    build_begin(&b, "aliases");
    build_str(&b, "serial0", "/uart@20000");
    build_end(&b);
    build_begin(&b, "chosen");
    build_str(&b, name, path);
    build_end(&b);
    begin_uart("uart@10000", "ns16550a", 0x10000);
    build_end(&b);
    begin_uart("uart@20000", "ns16550", 0x20000);
    build_cells(&b, "reg-shift", 1, 2);
    build_cells(&b, "reg-io-width", 1, 4);
    build_cells(&b, "interrupts-extended", 2, 200, 16);
    build_end(&b);
    begin_uart("pl011@30000", "arm,pl011", 0x30000);
    build_end(&b);
    return finish();
}

static void follows_stdout_path(void **state)
{
    (void)state;
    assert_int_equal(with_stdout("stdout-path", "serial0:115200n8"), 0);
    assert_true(m.uart.present);
    assert_int_equal(m.uart.base.v, 0x20000);
    assert_int_equal(m.uart.baud, 115200);
    assert_int_equal(m.uart.reg_shift, 2);
    assert_int_equal(m.uart.io_width, 4);
    assert_int_equal(m.uart.irq, 16);
    assert_int_equal(m.uart.plic, 0);
    assert_int_equal(with_stdout("linux,stdout-path", "/uart@20000:99999999"), 0);
    assert_int_equal(m.uart.base.v, 0x20000);
    assert_int_equal(m.uart.baud, 0);
    assert_int_equal(m.nr_warnings, 0);
}

static void falls_back_to_the_first_port(void **state)
{
    static const char *const paths[] = {"/nowhere", "serial1", "/pl011@30000", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_int_equal(with_stdout("stdout-path", paths[i]), 0);
        assert_int_equal(m.uart.base.v, 0x10000);
        assert_int_equal(m.uart.irq, MACHINE_NO_IRQ);
        expect_warning("stdout-path names no ns16550\n");
    }
    begin_good();
    assert_int_equal(finish(), 0);
    assert_false(m.uart.present);
    assert_int_equal(m.uart.plic, -1);
}

static void leaves_unusable_ports_out(void **state)
{
    enum { NO_REG, WIDTH, SHIFT, SMALL, NR };

    (void)state;
    for (int kind = 0; kind < NR; kind++) {
        begin_good();
        build_begin(&b, "uart");
        build_str(&b, "compatible", "ns16550a");
        if (kind != NO_REG)
            build_cells(&b, "reg", 4, 0, 0x10000, 0, kind == SMALL ? 7 : 0x100);
        if (kind == WIDTH)
            build_cells(&b, "reg-io-width", 1, 3);
        if (kind == SHIFT)
            build_cells(&b, "reg-shift", 1, 31);
        build_end(&b);
        assert_int_equal(finish(), 0);
        assert_false(m.uart.present);
        expect_warning("uart: unusable registers, left out\n");
    }
}

/* --- virtio ---------------------------------------------------------------------------------- */

static void reads_virtio_slots(void **state)
{
    (void)state;
    begin_good();
    plic(0, 0x600000, 8);
    for (uint32_t i = 0; i <= MACHINE_MAX_VIRTIO; i++) {
        char name[32];
        snprintf(name, sizeof(name), "virtio_mmio@%x", i);
        begin_uart(name, "virtio,mmio", 0x10000 + i * 0x1000);
        /* sources 0 and above 8 do not exist */
        build_cells(&b, "interrupts-extended", 2, 200, i);
        build_end(&b);
    }
    build_begin(&b, "virtio");
    build_str(&b, "compatible", "virtio,mmio");
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_virtio, MACHINE_MAX_VIRTIO);
    assert_int_equal(m.virtio[0].plic, -1);
    assert_int_equal(m.virtio[8].irq, 8);
    assert_int_equal(m.virtio[8].plic, 0);
    assert_int_equal(m.virtio[9].plic, -1);
    expect_warning("virtio_mmio@0: its interrupt leads nowhere\n");
    expect_warning("virtio_mmio@20: one slot too many, left out\n");

    begin_good();
    build_begin(&b, "virtio");
    build_str(&b, "compatible", "virtio,mmio");
    build_end(&b);
    assert_int_equal(finish(), 0);
    assert_int_equal(m.nr_virtio, 0);
    expect_warning("virtio: no usable reg, left out\n");
}

/* Text of the tree that would move the cursor, or worse, of a terminal. */
static void shows_no_control_characters(void **state)
{
    (void)state;
    begin_root();
    build_str(&b, "model", "\033[31mred\n");
    one_cpu();
    memory(0x80000000, 0x1000, -1);
    assert_int_equal(finish(), 0);
    assert_string_equal(m.model, "?[31mred?");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_long_bootargs),
        cmocka_unit_test(cuts_long_seeds),
        cmocka_unit_test(judges_the_initrd),
        cmocka_unit_test(drops_an_unreadable_initrd),
        cmocka_unit_test(follows_the_initrd_over_nodes),
        cmocka_unit_test(believes_good_distances),
        cmocka_unit_test(replaces_bad_distances),
        cmocka_unit_test(reads_plics),
        cmocka_unit_test(puts_stray_plics_on_a_node_that_exists),
        cmocka_unit_test(repairs_plics),
        cmocka_unit_test(follows_stdout_path),
        cmocka_unit_test(falls_back_to_the_first_port),
        cmocka_unit_test(leaves_unusable_ports_out),
        cmocka_unit_test(reads_virtio_slots),
        cmocka_unit_test(shows_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
