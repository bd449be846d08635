/* SPDX-License-Identifier: MIT */
/*
 * fdt_example.h - a good device tree with one of everything that the reader can be asked for.
 *
 * Included after cmocka.h.
 */
#ifndef PAGODA_TEST_FDT_EXAMPLE_H
#define PAGODA_TEST_FDT_EXAMPLE_H

#include "fdt_builder.h"

static inline void tree(struct builder *b)
{
    build_init(b);
    build_reserve(b, 0x80000000, 0x1000);
    build_reserve(b, 0x123456789abc, 0x20);
    build_begin(b, "");
    build_cells(b, "#address-cells", 1, 2);
    build_cells(b, "#size-cells", 1, 2);
    build_str(b, "model", "test");
    build_cells(b, "interrupt-parent", 1, 5);
    build_begin(b, "aliases");
    build_str(b, "serial0", "/soc/uart@100");
    build_str(b, "loop", "loop");
    build_prop(b, "open", "/soc", 4); /* not terminated */
    build_end(b);
    build_word(b, FDT_NOP);
    build_begin(b, "soc");
    build_cells(b, "#address-cells", 1, 1);
    build_cells(b, "#size-cells", 1, 1);
    build_cells(b, "ranges", 8, 0, 0, 0x10000000, 0x1000, 0x8000, 1, 0, 0x1000);
    build_prop(b, "compatible", "simple-bus\0other", 17);
    build_begin(b, "uart@100");
    build_cells(b, "reg", 4, 0x100, 0x20, 0x8100, 0x10);
    build_cells(b, "interrupts", 2, 10, 11);
    build_str(b, "status", "okay");
    build_word(b, FDT_NOP);
    build_str(b, "compatible", "ns16550a");
    build_end(b);
    build_begin(b, "uart@200");
    build_cells(b, "reg", 2, 0xff0, 0x20); /* leaves the first range */
    build_cells(b, "interrupts-extended", 5, 5, 3, 6, 4, 9);
    build_str(b, "status", "disabled");
    build_end(b);
    build_end(b);
    build_begin(b, "pic");
    build_cells(b, "phandle", 1, 5);
    build_cells(b, "#interrupt-cells", 1, 1);
    build_end(b);
    build_begin(b, "gic");
    build_cells(b, "phandle", 1, 6);
    build_cells(b, "#interrupt-cells", 1, 2);
    build_end(b);
    build_end(b);
}

static inline struct fdt good(struct builder *b)
{
    struct fdt fdt;

    tree(b);
    build_finish(b);
    assert_int_equal(fdt_open(b->blob, b->size, &fdt), 0);
    assert_null(fdt.reason);
    return fdt;
}

static inline fdt_node_t node_of(const struct fdt *fdt, const char *path)
{
    return fdt_alias_path(fdt, path, strlen(path));
}

#endif
