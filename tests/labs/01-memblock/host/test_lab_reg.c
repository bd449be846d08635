/* SPDX-License-Identifier: MIT */
/*
 * test_lab_reg.c - numbers of cells, and `reg` in the language of the parent: step 3.
 */
#include "blocks.h"

static void reg_of_big_endian_cells(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
    uint64_t value = 0;
    (void)state;
    expect_equal(fdt_cells(bytes, 1, &value), 0, "fdt_cells() of one cell");
    expect_equal(value, 1, "the number of one cell 00 00 00 01");
    expect_equal(fdt_cells(bytes, 2, &value), 0, "fdt_cells() of two cells");
    expect_equal(value, 0x112345678, "the number of two cells: the first is the upper half");
    expect_equal(fdt_cells(bytes + 5, 1, &value), 0, "fdt_cells() at an odd address");
    expect_equal(value, 0x3456789a, "one cell at an odd address");
}

static void reg_of_any_number_of_cells(void **state)
{
    static const uint8_t bytes[20] = {[11] = 7, [12] = 0xff, [15] = 5};
    static const uint8_t large[12] = {[3] = 1};
    uint64_t value = 99;
    (void)state;
    expect_equal(fdt_cells(bytes, 0, &value), 0, "no cells at all");
    expect_equal(value, 0, "the number of no cells");
    expect_equal(fdt_cells(bytes, 3, &value), 0, "three cells, the first of them 0");
    expect_equal(value, 7, "the number of 0 0 7");
    expect_equal(fdt_cells(bytes, 4, &value), 0, "four cells, two of them 0");
    expect_equal(value, 0x7ff000005, "the number of 0 0 7 0xff000005");
    expect_equal(fdt_cells(bytes, 5, &value), -EINVAL, "five cells are more than FDT_MAX_CELLS");
    expect_equal(fdt_cells(large, 3, &value), -ERANGE, "1 0 0 needs 65 bits");
}

static int32_t begin(const char *name, int address_cells, int size_cells)
{
    int32_t at = (int32_t)b.nr_structs;
    build_begin(&b, name);
    if (address_cells >= 0)
        build_cells(&b, "#address-cells", 1, address_cells);
    if (size_cells >= 0)
        build_cells(&b, "#size-cells", 1, size_cells);
    return at;
}

/* Entry @i of reg: 0, with base and size as they should be. */
static void expect_reg(const struct fdt *fdt, int32_t node, int32_t parent, uint32_t i,
                       uint64_t base, uint64_t size)
{
    uint64_t got_base = 0, got_size = 0;
    expect_equal(
        fdt_bus_reg(fdt, (fdt_node_t){node}, (fdt_node_t){parent}, i, &got_base, &got_size), 0,
        "fdt_bus_reg() of entry %u", i);
    expect_equal(got_base, base, "base of entry %u", i);
    expect_equal(got_size, size, "size of entry %u", i);
}

static int reg_error(const struct fdt *fdt, int32_t node, int32_t parent, uint32_t i)
{
    uint64_t base, size;
    return fdt_bus_reg(fdt, (fdt_node_t){node}, (fdt_node_t){parent}, i, &base, &size);
}

static void reg_in_the_language_of_the_parent(void **state)
{
    (void)state;
    begin("", 2, 2);
    int32_t parent = begin("soc", 1, 1), node = begin("uart", 2, 0);
    build_cells(&b, "reg", 4, 0x1000, 0x100, 0x2000, 0x200);
    struct fdt fdt = tree_of_all();
    expect_reg(&fdt, node, parent, 0, 0x1000, 0x100);
    expect_reg(&fdt, node, parent, 1, 0x2000, 0x200);
    expect_equal(reg_error(&fdt, node, parent, 2), -ENOENT, "past the last entry");
}

static void reg_of_a_silent_parent(void **state)
{
    (void)state;
    begin("", 1, 2);
    int32_t parent = begin("soc", -1, -1), node = begin("uart", -1, -1);
    build_cells(&b, "reg", 3, 1, 0x80000000, 0x1000);
    struct fdt fdt = tree_of_all();
    expect_reg(&fdt, node, parent, 0, 0x180000000, 0x1000); /* 2 and 1; nobody above is asked */
}

static void reg_without_a_size(void **state)
{
    (void)state;
    int32_t parent = begin("cpus", 1, 0), node = begin("cpu", -1, -1);
    build_cells(&b, "reg", 2, 3, 4);
    struct fdt fdt = tree_of_all();
    expect_reg(&fdt, node, parent, 1, 4, 0);
    expect_equal(reg_error(&fdt, node, parent, 2), -ENOENT, "past the last entry");
}

static void reg_that_ends_inside_of_an_entry(void **state)
{
    (void)state;
    int32_t parent = begin("", 2, 2), node = begin("memory", -1, -1);
    build_cells(&b, "reg", 7, 0, 0x80000000, 0, 0x1000, 0, 0x90000000, 0);
    struct fdt fdt = tree_of_all();
    expect_reg(&fdt, node, parent, 0, 0x80000000, 0x1000);
    expect_equal(reg_error(&fdt, node, parent, 1), -EINVAL, "three cells are no entry of four");
    expect_equal(reg_error(&fdt, node, parent, 2), -ENOENT, "behind what is left");
}

static void reg_past_64_bits(void **state)
{
    (void)state;
    int32_t parent = begin("", 2, 2), node = begin("memory", -1, -1);
    build_cells(&b, "reg", 12, 0, 0x80000000, 0, 0x1000, ~0u, 0xfffff000, 0, 0x2000, 1, 0, 0, 1);
    struct fdt fdt = tree_of_all();
    expect_reg(&fdt, node, parent, 0, 0x80000000, 0x1000);
    expect_equal(reg_error(&fdt, node, parent, 1), -ERANGE, "base + size wraps");
    expect_reg(&fdt, node, parent, 2, 0x100000000, 1);
    for (uint32_t far = 1u << 28; far; far <<= 1)
        expect_true(reg_error(&fdt, node, parent, far) != 0, "there is no entry %u", far);
}

static void reg_of_absurd_cells(void **state)
{
    uint8_t many[(FDT_MAX_ENTRIES + 1) * 4] = {0};
    (void)state;
    int32_t deep = begin("", 5, 1), empty = begin("none", 0, 0), cpus = begin("cpus", 1, 0);
    int32_t node = begin("memory", -1, -1);
    build_prop(&b, "reg", many, sizeof(many));
    int32_t bare = begin("bare", -1, -1);
    build_end(&b);
    struct fdt fdt = tree_of_all();
    expect_equal(reg_error(&fdt, node, deep, 0), -EINVAL, "5 address cells are too many");
    expect_equal(reg_error(&fdt, node, empty, 0), -EINVAL, "entries of no cells have no end");
    expect_reg(&fdt, node, cpus, FDT_MAX_ENTRIES - 1, 0, 0);
    expect_equal(reg_error(&fdt, node, cpus, FDT_MAX_ENTRIES), -EINVAL,
                 "the entry after FDT_MAX_ENTRIES, though it is there");
    expect_equal(reg_error(&fdt, bare, cpus, 0), -ENOENT, "a node that has no reg");
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reg_of_big_endian_cells),
        TEST(reg_of_any_number_of_cells),
        TEST(reg_in_the_language_of_the_parent),
        TEST(reg_of_a_silent_parent),
        TEST(reg_without_a_size),
        TEST(reg_that_ends_inside_of_an_entry),
        TEST(reg_past_64_bits),
        TEST(reg_of_absurd_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
