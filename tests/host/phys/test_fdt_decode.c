/* SPDX-License-Identifier: MIT */
/*
 * test_fdt_decode.c - what properties mean: addresses through buses, interrupts of devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "fdt_example.h"

/* --- reg and ranges --------------------------------------------------------------------------- */

static void translates_through_ranges(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    fdt_node_t uart = node_of(&fdt, "/soc/uart@100");
    uint64_t base, size;

    (void)state;
    assert_int_equal(fdt_reg(&fdt, uart, FDT_NO_NODE, 0, &base, &size), 0);
    assert_int_equal(base, 0x10000100);
    assert_int_equal(size, 0x20);
    assert_int_equal(fdt_reg(&fdt, uart, node_of(&fdt, "/soc"), 1, &base, &size), 0);
    assert_int_equal(base, 0x100000100);
    assert_int_equal(fdt_reg(&fdt, uart, FDT_NO_NODE, 2, &base, &size), -ENOENT);
    assert_int_equal(fdt_reg(&fdt, node_of(&fdt, "/soc/uart@200"), FDT_NO_NODE, 0, &base, &size),
                     -ERANGE);
    assert_int_equal(fdt_bus_reg(&fdt, uart, node_of(&fdt, "/soc"), 0, &base, &size), 0);
    assert_int_equal(base, 0x100);
    build_free(&b);
}

/* One bus with one device, the bus described by the arguments. */
struct bus {
    uint32_t address_cells, size_cells;
    int nr_ranges; /* cells of ranges, -1: no such property */
    uint32_t ranges[6];
    uint32_t nr_reg;
    uint32_t reg[5];
};

static int reg_on(const struct bus *bus, uint64_t *base)
{
    uint8_t value[64];
    struct builder b;
    struct fdt fdt;
    uint64_t size;

    build_init(&b);
    build_begin(&b, "");
    build_cells(&b, "#size-cells", 1, 2); /* #address-cells: the default, 2 */
    build_begin(&b, "bus");
    build_cells(&b, "#address-cells", 1, bus->address_cells);
    build_cells(&b, "#size-cells", 1, bus->size_cells);
    for (int i = 0; i < bus->nr_ranges; i++)
        put_be32(value + i * 4, bus->ranges[i]);
    if (bus->nr_ranges >= 0)
        build_prop(&b, "ranges", value, (uint32_t)bus->nr_ranges * 4);
    build_begin(&b, "device");
    for (uint32_t i = 0; i < bus->nr_reg; i++)
        put_be32(value + i * 4, bus->reg[i]);
    build_prop(&b, "reg", value, bus->nr_reg * 4);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    build_finish(&b);
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
    int error = fdt_reg(&fdt, node_of(&fdt, "/bus/device"), FDT_NO_NODE, 0, base, &size);
    build_free(&b);
    return error;
}

static void judges_buses(void **state)
{
    static const struct {
        struct bus bus;
        int error;
        uint64_t base;
    } cases[] = {
        {{1, 1, 0, {0}, 2, {0x40, 4}}, 0, 0x40},          /* 1:1 */
        {{1, 1, -1, {0}, 2, {0x40, 4}}, -ERANGE, 0},      /* passes nothing on */
        {{1, 1, 3, {0, 0, 0}, 2, {0x40, 4}}, -EINVAL, 0}, /* ranges too short */
        {{5, 1, 0, {0}, 2, {0x40, 4}}, -EINVAL, 0},       /* absurd cells */
        {{1, 5, 0, {0}, 2, {0x40, 4}}, -EINVAL, 0},
        {{0, 0, 0, {0}, 2, {0x40, 4}}, -EINVAL, 0},               /* entries of no bytes */
        {{2, 1, 0, {0}, 2, {0x40, 4}}, -EINVAL, 0},               /* reg too short */
        {{2, 2, 0, {0}, 4, {~0u, ~0u, 0, 1}}, -ERANGE, 0},        /* wraps */
        {{3, 1, 0, {0}, 4, {1, 0, 0, 1}}, -ERANGE, 0},            /* more than 64 bits */
        {{1, 1, 4, {0, ~0u, ~0u, 0x100}, 2, {1, 4}}, -ERANGE, 0}, /* wraps when translated */
        {{1, 1, 4, {0, ~0u, 0xfffffff0, 0x100}, 2, {4, 0x20}}, -ERANGE, 0},
        {{1, 1, 4, {0, 1, 2, 0x100}, 2, {0xff, 1}}, 0, 0x100000101},
        {{1, 1, 4, {0, 1, 2, 0x100}, 2, {0x100, 0}}, -ERANGE, 0},
        {{3, 1, 6, {1, 0, 0, 0, 0, 1}, 4, {0, 0, 0, 1}}, -ERANGE, 0}, /* PCI's flags */
    };
    uint64_t base = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(reg_on(&cases[i].bus, &base), cases[i].error);
        if (cases[i].error == 0)
            assert_int_equal(base, cases[i].base);
    }
}

static void refuses_translation_by_a_bus_of_absurd_cells(void **state)
{
    struct builder b;
    struct fdt fdt;
    uint64_t base, size;

    (void)state;
    build_init(&b);
    build_begin(&b, "");
    build_prop(&b, "#address-cells", "xyz", 3);
    build_begin(&b, "bus");
    build_cells(&b, "ranges", 1, 0);
    build_begin(&b, "device");
    build_cells(&b, "reg", 3, 0, 1, 2);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    build_finish(&b);
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
    assert_int_equal(fdt_reg(&fdt, node_of(&fdt, "/bus/device"), FDT_NO_NODE, 0, &base, &size),
                     -EINVAL);
    build_free(&b);
}

/* --- interrupts ------------------------------------------------------------------------------- */

static void finds_interrupts(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    fdt_node_t plain = node_of(&fdt, "/soc/uart@100");
    fdt_node_t extended = node_of(&fdt, "/soc/uart@200");
    struct fdt_irq irq;

    (void)state;
    assert_int_equal(fdt_irq(&fdt, plain, 0, &irq), 0); /* interrupt-parent of the root */
    assert_int_equal(irq.phandle, 5);
    assert_int_equal(irq.irq, 10);
    assert_int_equal(fdt_irq(&fdt, plain, 1, &irq), 0);
    assert_int_equal(irq.irq, 11);
    assert_int_equal(fdt_irq(&fdt, plain, 2, &irq), -ENOENT);
    assert_int_equal(fdt_irq(&fdt, extended, 1, &irq), 0); /* its two cells are skipped over */
    assert_string_equal(fdt_name(&fdt, irq.controller), "gic");
    assert_int_equal(irq.irq, 4);
    assert_int_equal(fdt_irq(&fdt, extended, 2, &irq), -ENOENT);
    assert_int_equal(fdt_irq(&fdt, node_of(&fdt, "/pic"), 0, &irq), -ENOENT);
    build_free(&b);
}

/* A device whose interrupts are broken in one of several ways: always -EINVAL. */
static void refuses_broken_interrupts(void **state)
{
    enum { NO_PARENT, NO_SUCH, NO_CELLS, ZERO_CELLS, SHORT, EXT_ODD, EXT_SHORT, EXT_NO_SUCH, NR };

    (void)state;
    for (int kind = 0; kind < NR; kind++) {
        struct builder b;
        struct fdt fdt;
        struct fdt_irq irq;

        build_init(&b);
        build_begin(&b, "");
        if (kind != NO_PARENT)
            build_cells(&b, "interrupt-parent", 1, kind == NO_SUCH ? 9 : 1);
        build_begin(&b, "pic");
        build_cells(&b, "phandle", 1, 1);
        if (kind != NO_CELLS)
            build_cells(&b, "#interrupt-cells", 1, kind == ZERO_CELLS ? 0 : 2);
        build_end(&b);
        build_begin(&b, "device");
        if (kind == EXT_ODD)
            build_prop(&b, "interrupts-extended", "abc", 3);
        else if (kind == EXT_SHORT)
            build_cells(&b, "interrupts-extended", 2, 1, 7);
        else if (kind == EXT_NO_SUCH)
            build_cells(&b, "interrupts-extended", 2, 8, 7);
        else
            build_cells(&b, "interrupts", kind == SHORT ? 1 : 2, 7, 8);
        build_end(&b);
        build_end(&b);
        build_finish(&b);
        assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
        assert_int_equal(fdt_irq(&fdt, node_of(&fdt, "/device"), 0, &irq), -EINVAL);
        build_free(&b);
    }
}

/* The second of two specifiers is cut: the first is good. */
static void refuses_half_a_specifier(void **state)
{
    struct builder b;
    struct fdt fdt;
    struct fdt_irq irq;

    (void)state;
    build_init(&b);
    build_begin(&b, "");
    build_cells(&b, "interrupt-parent", 1, 1);
    build_cells(&b, "phandle", 1, 1);
    build_cells(&b, "#interrupt-cells", 1, 2);
    build_cells(&b, "interrupts", 3, 7, 8, 9);
    build_end(&b);
    build_finish(&b);
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
    assert_int_equal(fdt_irq(&fdt, fdt_root(&fdt), 0, &irq), 0);
    assert_int_equal(fdt_irq(&fdt, fdt_root(&fdt), 1, &irq), -EINVAL);
    build_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(translates_through_ranges),
        cmocka_unit_test(judges_buses),
        cmocka_unit_test(refuses_translation_by_a_bus_of_absurd_cells),
        cmocka_unit_test(finds_interrupts),
        cmocka_unit_test(refuses_broken_interrupts),
        cmocka_unit_test(refuses_half_a_specifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
