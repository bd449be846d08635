/* SPDX-License-Identifier: MIT */
/*
 * test_memblock_machine.c - from the facts to memblock: what is used, taken, left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/layout.h"
#include "base/errno.h"
#include "phys/memblock.h"

#define BASE MEMORY_BASE

static struct machine m;

static void expect_sound(void)
{
    static char text[4096];
    struct buffer_sink out;

    buffer_sink_init(&out, text, sizeof(text));
    if (memblock_check(&out.sink))
        fail_msg("%s", text);
}

/* Two nodes of 64 MiB, with a hole of 64 MiB between. */
static int two_nodes(void **state)
{
    (void)state;
    m = (struct machine){.nr_memory = 2};
    m.memory[0] = (struct machine_range){mk_paddr(BASE), MIB(64), 0};
    m.memory[1] = (struct machine_range){mk_paddr(BASE + MIB(128)), MIB(64), 1};
    return 0;
}

static void fills(uint64_t limit)
{
    assert_int_equal(memblock_from_machine(&m, limit), 0);
    expect_sound();
}

static void takes_all(void **state)
{
    (void)state;
    fills(0);
    assert_int_equal(memblock.memory.total, MIB(128));
    assert_int_equal(memblock_nid(mk_paddr(BASE + MIB(150))), 1);
    assert_int_equal(memblock.reserved.count, 0);
    assert_int_equal(memblock.left_out, 0);
}

static void caps_the_amount_not_the_address(void **state)
{
    (void)state;
    fills(MIB(80) + 100);
    assert_int_equal(memblock.memory.total, MIB(80));
    assert_int_equal(memblock_end().v, BASE + MIB(128) + MIB(16));
    assert_int_equal(memblock.left_out, MIB(48));
    fills(MIB(64)); /* exactly the first node */
    assert_int_equal(memblock_end().v, BASE + MIB(64));
    fills(GIB(64)); /* more than there is */
    assert_int_equal(memblock.memory.total, MIB(128));
    assert_int_equal(memblock.left_out, 0);
}

static void leaves_out_what_linear_cannot_map(void **state)
{
    (void)state;
    m.memory[1] = (struct machine_range){mk_paddr(BASE + LINEAR_SIZE - MIB(1)), MIB(64), 1};
    m.memory[2] = (struct machine_range){mk_paddr(MIB(1)), MIB(2), 0};
    m.nr_memory = 3;
    fills(0);
    assert_int_equal(memblock_start().v, BASE);
    assert_int_equal(memblock_end().v, BASE + LINEAR_SIZE);
    assert_int_equal(memblock.left_out, MIB(63) + MIB(2));
}

static void honours_reservations(void **state)
{
    (void)state;
    m.nr_reserved = 2;
    m.reserved[0] = (struct machine_reserved){.base = mk_paddr(BASE), .size = 0x80000};
    m.reserved[0].no_map = true;
    m.reserved[1] = (struct machine_reserved){.base = mk_paddr(BASE + MIB(1) + 5), .size = 10};
    fills(0);
    assert_false(memblock_is_memory(mk_paddr(BASE)));
    assert_int_equal(memblock_start().v, BASE + 0x80000);
    assert_true(memblock_is_memory(mk_paddr(BASE + MIB(1))));
    assert_true(memblock_is_reserved(mk_paddr(BASE + MIB(1))));
    assert_int_equal(memblock.reserved.total, PAGE_SIZE);
}

static void keeps_the_initrd(void **state)
{
    (void)state;
    m.initrd = mk_paddr(BASE + MIB(130) + 3);
    m.initrd_size = 5000;
    fills(0);
    assert_int_equal(memblock.reserved.total, 2 * PAGE_SIZE);
    fills(MIB(16)); /* comes back, on its node */
    assert_int_equal(memblock.memory.total, MIB(16) + 2 * PAGE_SIZE);
    assert_int_equal(memblock_nid(m.initrd), 1);
    assert_true(memblock_is_reserved(m.initrd));
    m.initrd = mk_paddr(BASE + MIB(100)); /* in no RAM */
    fills(0);
    assert_int_equal(memblock_nid(m.initrd), 0);
}

/* machine_from_fdt() lets none of these through. */
static void passes_errors_on(void **state)
{
    (void)state;
    m.memory[0].size = ~0UL;
    assert_int_equal(memblock_from_machine(&m, 0), -EINVAL);
    two_nodes(NULL);
    m.nr_reserved = 1;
    m.reserved[0] = (struct machine_reserved){.base = mk_paddr(BASE), .size = ~0UL};
    assert_int_equal(memblock_from_machine(&m, 0), -EINVAL);
    two_nodes(NULL);
    m.initrd = mk_paddr(~0UL - 5000);
    m.initrd_size = 4096;
    assert_int_equal(memblock_from_machine(&m, 0), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_all, two_nodes),
        cmocka_unit_test_setup(caps_the_amount_not_the_address, two_nodes),
        cmocka_unit_test_setup(leaves_out_what_linear_cannot_map, two_nodes),
        cmocka_unit_test_setup(honours_reservations, two_nodes),
        cmocka_unit_test_setup(keeps_the_initrd, two_nodes),
        cmocka_unit_test_setup(passes_errors_on, two_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
