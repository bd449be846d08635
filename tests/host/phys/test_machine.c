/* SPDX-License-Identifier: MIT */
/*
 * test_machine.c - the facts out of real trees: QEMU's own, and those that the launcher rewrites.
 *
 * Run from the top of the repository: the trees are the fuzzer's corpus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "fdt_builder.h"
#include "phys/machine.h"

static struct machine m;

static void load(const char *name, uint64_t boot_hartid)
{
    struct fdt fdt;
    size_t size;
    uint8_t *blob = read_corpus(name, &size);

    assert_non_null(blob);
    assert_int_equal(fdt_open(blob, size, &fdt), 0);
    assert_int_equal(machine_from_fdt(&m, &fdt, boot_hartid), 0);
    assert_null(m.reason);
    free(blob); /* struct machine keeps nothing of it */
}

static void expect_range(uint32_t i, uint64_t base, uint64_t size, uint32_t nid)
{
    assert_int_equal(m.memory[i].base.v, base);
    assert_int_equal(m.memory[i].size, size);
    assert_int_equal(m.memory[i].nid, nid);
}

static void one_hart(void **state)
{
    (void)state;
    load("qemu-1hart.dtb", 0);
    assert_string_equal(m.model, "riscv-virtio,qemu");
    assert_int_equal(m.nr_harts, 1);
    assert_int_equal(m.harts[0].sv, 48);
    assert_true(m.harts[0].isa & ISA_SSTC);
    assert_true(m.harts[0].isa & ISA_D);
    assert_false(m.harts[0].isa & ISA_V);
    assert_int_equal(m.timebase_hz, 10000000);
    assert_int_equal(m.nr_memory, 1);
    expect_range(0, 0x80000000, MIB(128), 0);
    assert_false(m.numa);
    assert_int_equal(m.nr_nodes, 1);
    assert_int_equal(m.distance[0][0], LOCAL_DISTANCE);
    assert_int_equal(m.distance[3][5], REMOTE_DISTANCE);
    assert_int_equal(m.rng_seed_len, 32);
    assert_int_equal(m.initrd_size, 0);
    assert_true(m.uart.present);
    assert_int_equal(m.uart.base.v, 0x10000000);
    assert_int_equal(m.uart.irq, 10);
    assert_int_equal(m.uart.plic, 0);
    assert_int_equal(m.uart.clock_hz, 3686400);
    assert_int_equal(m.nr_plics, 1);
    assert_int_equal(m.plics[0].base.v, 0xc000000);
    assert_int_equal(m.plics[0].nr_sources, 96);
    assert_int_equal(m.plics[0].context[0], 1);
    assert_int_equal(m.nr_virtio, 8);
    assert_int_equal(m.virtio[0].irq, 8);
    assert_int_equal(m.nr_warnings, 0);
}

/* Two sockets have two PLICs, and the devices' interrupts are divided among them. */
static void two_sockets(void **state)
{
    (void)state;
    load("qemu-2sockets.dtb", 2);
    assert_int_equal(m.nr_harts, 4);
    assert_int_equal(m.harts[0].hartid, 2); /* the boot hart first, the others in order */
    assert_int_equal(m.harts[1].hartid, 0);
    assert_int_equal(m.harts[3].hartid, 3);
    assert_int_equal(machine_hart_index(&m, 3), 3);
    assert_int_equal(machine_hart_index(&m, 9), -1);
    assert_true(m.numa);
    assert_int_equal(m.nr_nodes, 2);
    assert_int_equal(m.harts[0].nid, 1);
    expect_range(0, 0x80000000, MIB(256), 0);
    expect_range(1, 0x90000000, MIB(256), 1);
    assert_int_equal(m.nr_plics, 2);
    assert_int_equal(m.uart.plic, 0);
    assert_int_equal(m.virtio[0].plic, 1);
    assert_int_equal(m.plics[1].nid, 1);
    assert_int_equal(m.plics[1].context[0], 1); /* hart 2 */
    assert_int_equal(m.plics[0].context[0], MACHINE_NO_CONTEXT);
    assert_int_equal(m.plics[0].context[2], 3); /* hart 1 */
    assert_string_equal(m.bootargs, "mem=256M console=ttyS0");
    assert_int_equal(m.initrd.v, 0x88200000);
    assert_int_equal(m.initrd_size, 5000000);
}

static void memoryless_node(void **state)
{
    (void)state;
    load("qemu-memoryless.dtb", 0);
    assert_int_equal(m.nr_memory, 1);
    assert_int_equal(m.nr_nodes, 2);
    assert_true(mask_test(&m.nodes, 1));
    assert_int_equal(m.harts[2].nid, 1);
    assert_int_equal(m.nr_warnings, 0);
}

static void uneven_nodes(void **state)
{
    (void)state;
    load("uneven.dtb", 0);
    assert_int_equal(m.nr_nodes, 3);
    assert_int_equal(m.nr_memory, 2);
    expect_range(1, 0x90000000, MIB(64), 1);
    assert_int_equal(m.harts[3].nid, 2);
    assert_int_equal(m.nr_warnings, 0);

    machine_numa_off(&m);
    assert_false(m.numa);
    assert_int_equal(m.nr_nodes, 1);
    assert_int_equal(m.memory[1].nid, 0);
    assert_int_equal(m.harts[3].nid, 0);
}

static void many_nodes_any_boot_hart(void **state)
{
    (void)state;
    load("eight-nodes.dtb", 5);
    assert_int_equal(m.nr_nodes, 8);
    assert_int_equal(m.harts[0].nid, 5);
    assert_int_equal(m.rng_seed_len, 32);
    load("sixteen-nodes.dtb", 15);
    assert_int_equal(m.nr_nodes, 16);
    assert_int_equal(m.nr_memory, 16);
    assert_int_equal(m.distance[0][1], 15);
    assert_int_equal(m.distance[2][0], 30);
    load("four-distances.dtb", 0);
    assert_int_equal(m.distance[3][0], 40);
    assert_int_equal(m.distance[2][3], 12);
    assert_int_equal(m.nr_warnings, 0);
}

static void sixty_four_harts(void **state)
{
    (void)state;
    load("64-harts.dtb", 63);
    assert_int_equal(m.nr_harts, MAX_HARTS);
    assert_int_equal(m.harts[0].hartid, 63);
    assert_int_equal(m.harts[63].hartid, 62);
    assert_int_equal(m.plics[0].context[0], 127);
    assert_int_equal(m.nr_warnings, 0);
}

static void odd_size(void **state)
{
    (void)state;
    load("odd-size.dtb", 0);
    expect_range(0, 0x80000000, MIB(100) + KIB(4), 0);
    load("qemu-16g.dtb", 0);
    expect_range(0, 0x80000000, GIB(16), 0);
}

/* With the newer interrupt controllers we poll, and say so. */
static void no_plic(void **state)
{
    (void)state;
    load("qemu-aia.dtb", 0);
    assert_int_equal(m.nr_plics, 0);
    assert_true(m.uart.present);
    assert_int_equal(m.uart.irq, MACHINE_NO_IRQ);
    assert_int_equal(m.uart.plic, -1);
    assert_int_equal(m.nr_warnings, 9);
    assert_non_null(strstr(m.warnings, "serial@10000000: its interrupt leads nowhere\n"));
}

static void prints_all(void **state)
{
    enum { TEXT = 1 << 16 };
    static char text[TEXT];
    struct buffer_sink out;

    (void)state;
    load("uneven.dtb", 0);
    m.nr_reserved = 1;
    m.reserved[0] =
        (struct machine_reserved){.base = mk_paddr(0x80000000), .size = 0x1000, .no_map = true};
    m.nr_disabled = 1;
    buffer_sink_init(&out, text, sizeof(text));
    machine_dump(&m, &out.sink);
    static const char *const lines[] = {"4 harts, 3 nodes, clock of 10000000 Hz\n",
                                        "hart 0: node 0, sv48, rv64imafd",
                                        "(boot)\n",
                                        "1 more harts are disabled\n",
                                        "memory [0x90000000, 0x94000000): 65536 KiB, node 1\n",
                                        "reserved [0x80000000, 0x80001000): , no-map\n",
                                        "initrd [0x84000000, 0x84123456)\n",
                                        "node 2: distances 20 20 10\n",
                                        "uart 0x10000000: shift 0, irq 10 of plic 0\n",
                                        "plic 0 at 0xc000000: node 0, 96 sources\n",
                                        "virtio: 8 slots\n",
                                        "bootargs: numa=off\n"};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("no line \"%s\" in:\n%s", lines[i], text);
}

/* Warnings past the buffer are counted, and what is kept stays whole lines. */
static void keeps_whole_warnings(void **state)
{
    (void)state;
    memset(&m, 0, sizeof(m));
    for (int i = 0; i < 1000; i++)
        machine_warn(&m, "warning number %d", i);
    assert_int_equal(m.nr_warnings, 1000);
    assert_int_equal(m.warnings_len, strlen(m.warnings));
    assert_true(m.warnings_len < MACHINE_WARNINGS_MAX);
    assert_int_equal(m.warnings[m.warnings_len - 1], '\n');
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hart),
        cmocka_unit_test(two_sockets),
        cmocka_unit_test(memoryless_node),
        cmocka_unit_test(uneven_nodes),
        cmocka_unit_test(many_nodes_any_boot_hart),
        cmocka_unit_test(sixty_four_harts),
        cmocka_unit_test(odd_size),
        cmocka_unit_test(no_plic),
        cmocka_unit_test(prints_all),
        cmocka_unit_test(keeps_whole_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
