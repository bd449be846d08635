/* SPDX-License-Identifier: MIT */
/*
 * test_machine_chosen.c - /chosen and the distances: what is read, what is repaired.
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
