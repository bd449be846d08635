/* SPDX-License-Identifier: MIT */
/*
 * test_machine_device.c - interrupt controllers, serial port, virtio: what is read and repaired.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "machine_builder.h"

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
    expect_warning("plic@c0000010: one PLIC too many, the rest is left out\n");
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
    expect_warning("virtio_mmio@20: one virtio slot too many, the rest is left out\n");

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
