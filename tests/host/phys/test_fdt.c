/* SPDX-License-Identifier: MIT */
/*
 * test_fdt.c - the reader of device trees: walking and looking up in a good tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "fdt_example.h"

/* --- what is accepted ------------------------------------------------------------------------- */

static void reads_header_and_reservations(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    uint64_t base, size;

    (void)state;
    assert_int_equal(fdt.version, 17);
    assert_int_equal(fdt.boot_cpuid, 3);
    assert_int_equal(fdt.nr_nodes, 7);
    assert_int_equal(fdt.rsv_count, 2);
    fdt_reservation(&fdt, 1, &base, &size);
    assert_int_equal(base, 0x123456789abc);
    assert_int_equal(size, 0x20);
    assert_int_equal(fdt_claimed_size(b.blob), b.size);
    build_patch(&b, AT_TOTAL_SIZE, 20);
    assert_int_equal(fdt_claimed_size(b.blob), 0);
    build_patch(&b, AT_TOTAL_SIZE, FDT_MAX_SIZE + 1);
    assert_int_equal(fdt_claimed_size(b.blob), 0);
    build_patch(&b, AT_MAGIC, 0);
    assert_int_equal(fdt_claimed_size(b.blob), 0);
    build_free(&b);
}

static void reads_version_16(void **state)
{
    struct builder b;
    struct fdt fdt;

    (void)state;
    tree(&b);
    build_finish(&b);
    build_patch(&b, AT_VERSION, 16);
    build_patch(&b, AT_SIZE_STRUCT, 0xffffffff); /* that field does not exist yet */
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), 0);
    assert_int_equal(fdt.struct_size, b.nr_structs);
    build_free(&b);
}

/* Nothing says that firmware aligns the blob. */
static void reads_at_any_alignment(void **state)
{
    struct builder b;
    struct fdt fdt;

    (void)state;
    tree(&b);
    build_finish(&b);
    for (uint32_t shift = 1; shift < 8; shift++) {
        uint8_t *moved = malloc(b.size + shift);
        memcpy(moved + shift, b.blob, b.size);
        assert_int_equal(fdt_open(moved + shift, b.size, &fdt), 0);
        assert_true(fdt_valid(node_of(&fdt, "/soc/uart@200")));
        free(moved);
    }
    build_free(&b);
}

static void walks_all_nodes(void **state)
{
    static const char *const names[] = {"", "aliases", "soc", "uart@100", "uart@200", "pic", "gic"};
    struct builder b;
    struct fdt fdt = good(&b);
    uint32_t i = 0;

    (void)state;
    fdt_for_each_node(&fdt, node)
        assert_string_equal(fdt_name(&fdt, node), names[i++]);
    assert_int_equal(i, ARRAY_SIZE(names));

    i = 0;
    fdt_for_each_child(&fdt, fdt_root(&fdt), child) {
        i++;
        assert_int_equal(fdt_parent(&fdt, child).at, fdt_root(&fdt).at);
    }
    assert_int_equal(i, 4);
    assert_false(fdt_valid(fdt_parent(&fdt, fdt_root(&fdt))));
    assert_false(fdt_valid(fdt_next_sibling(&fdt, fdt_root(&fdt))));
    assert_string_equal(fdt_name(&fdt, fdt_parent(&fdt, node_of(&fdt, "/soc/uart@200"))), "soc");
    build_free(&b);
}

/* Handles that name nothing are harmless everywhere. */
static void tolerates_bad_handles(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    const fdt_node_t bad[] = {FDT_NO_NODE, {0x7ffffffc}, {4}};
    struct fdt_prop prop = {0};
    uint64_t base, size;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_false(fdt_valid(fdt_next(&fdt, bad[i])));
        assert_false(fdt_valid(fdt_first_child(&fdt, bad[i])));
        assert_false(fdt_valid(fdt_next_sibling(&fdt, bad[i])));
        assert_false(fdt_valid(fdt_parent(&fdt, bad[i])));
        assert_string_equal(fdt_name(&fdt, bad[i]), "");
        assert_false(fdt_next_prop(&fdt, bad[i], &prop));
        assert_int_equal(fdt_reg(&fdt, bad[i], FDT_NO_NODE, 0, &base, &size), -ENOENT);
    }
    assert_false(fdt_valid(fdt_parent(&fdt, bad[2]))); /* inside of a token */
    build_free(&b);
}

static void finds_by_path_and_alias(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    fdt_node_t uart = node_of(&fdt, "/soc/uart@100");

    (void)state;
    assert_string_equal(fdt_name(&fdt, uart), "uart@100");
    assert_int_equal(node_of(&fdt, "/soc/uart").at, uart.at);
    assert_int_equal(node_of(&fdt, "//soc//uart/").at, uart.at);
    assert_int_equal(node_of(&fdt, "serial0").at, uart.at);
    assert_int_equal(node_of(&fdt, "/").at, fdt_root(&fdt).at);
    assert_int_equal(node_of(&fdt, "open").at, node_of(&fdt, "/soc").at);
    assert_int_equal(node_of(&fdt, "open/uart@200").at, node_of(&fdt, "/soc/uart@200").at);
    static const char *const nowhere[] = {
        "", "/so", "/soc/uart@1", "/socs", "/soc/uart@1000", "loop", "serial", "serial01"};
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++)
        assert_false(fdt_valid(node_of(&fdt, nowhere[i])));
    assert_false(fdt_valid(fdt_path(&fdt, "soc", 3)));
    assert_int_equal(fdt_child(&fdt, node_of(&fdt, "/soc"), "uart").at, uart.at);
    assert_true(fdt_name_is(&fdt, uart, "uart"));
    assert_false(fdt_name_is(&fdt, uart, "uar"));
    build_free(&b);
}

static void finds_by_phandle(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);

    (void)state;
    assert_string_equal(fdt_name(&fdt, fdt_phandle(&fdt, 6)), "gic");
    assert_false(fdt_valid(fdt_phandle(&fdt, 7)));
    assert_false(fdt_valid(fdt_phandle(&fdt, 0)));
    assert_false(fdt_valid(fdt_phandle(&fdt, 0xffffffff)));
    build_free(&b);
}

static void compares_compatible_and_status(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);
    fdt_node_t soc = node_of(&fdt, "/soc");

    (void)state;
    assert_true(fdt_compatible(&fdt, soc, "simple-bus"));
    assert_true(fdt_compatible(&fdt, soc, "other"));
    assert_false(fdt_compatible(&fdt, soc, "simple"));
    assert_false(fdt_compatible(&fdt, fdt_root(&fdt), "simple-bus"));
    assert_true(fdt_enabled(&fdt, soc));
    assert_true(fdt_enabled(&fdt, node_of(&fdt, "/soc/uart@100")));
    assert_false(fdt_enabled(&fdt, node_of(&fdt, "/soc/uart@200")));
    build_free(&b);
}

static void decodes_numbers_and_strings(void **state)
{
    static const uint8_t cells[] = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
    struct builder b;
    struct fdt fdt = good(&b);
    fdt_node_t aliases = node_of(&fdt, "/aliases");
    fdt_node_t uart = node_of(&fdt, "/soc/uart@100");
    uint64_t wide;
    uint32_t narrow;

    (void)state;
    assert_int_equal(fdt_cells(cells, 0, &wide), 0);
    assert_int_equal(wide, 0);
    assert_int_equal(fdt_cells(cells, 2, &wide), 0);
    assert_int_equal(wide, 0x100000002);
    assert_int_equal(fdt_cells(cells, 3, &wide), -ERANGE);
    assert_int_equal(fdt_cells(cells, 5, &wide), -EINVAL);
    assert_int_equal(fdt_u32(&fdt, uart, "interrupts", &narrow), -EINVAL);
    assert_int_equal(fdt_u32(&fdt, uart, "nothing", &narrow), -ENOENT);
    assert_int_equal(fdt_u64(&fdt, uart, "interrupts", &wide), 0);
    assert_int_equal(wide, 10UL << 32 | 11);
    assert_int_equal(fdt_u64(&fdt, uart, "reg", &wide), -EINVAL);
    assert_int_equal(fdt_u64(&fdt, uart, "nothing", &wide), -ENOENT);
    assert_string_equal(fdt_string(&fdt, fdt_root(&fdt), "model"), "test");
    assert_null(fdt_string(&fdt, aliases, "open"));
    assert_null(fdt_string(&fdt, aliases, "nothing"));
    build_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_header_and_reservations),
        cmocka_unit_test(reads_version_16),
        cmocka_unit_test(reads_at_any_alignment),
        cmocka_unit_test(walks_all_nodes),
        cmocka_unit_test(tolerates_bad_handles),
        cmocka_unit_test(finds_by_path_and_alias),
        cmocka_unit_test(finds_by_phandle),
        cmocka_unit_test(compares_compatible_and_status),
        cmocka_unit_test(decodes_numbers_and_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
