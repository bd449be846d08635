/* SPDX-License-Identifier: MIT */
/*
 * test_gfp.c - GFP flags as words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/errno.h"
#include "base/format.h"
#include "phys/gfp.h"

static const char *text_of(gfp_t gfp)
{
    static char text[512];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    gfp_print(&out.sink, gfp);
    return text;
}

static void prints_as_linux_does(void **state)
{
    (void)state;
    assert_string_equal(text_of(0), "0");
    assert_string_equal(text_of(GFP_KERNEL), "GFP_KERNEL");
    assert_string_equal(text_of(GFP_KERNEL | __GFP_ZERO), "GFP_KERNEL|__GFP_ZERO");
    assert_string_equal(text_of(GFP_HIGHUSER_MOVABLE), "GFP_HIGHUSER_MOVABLE");
    assert_string_equal(text_of(GFP_ATOMIC), "GFP_ATOMIC");
    assert_string_equal(text_of(__GFP_HIGH), "__GFP_HIGH");
    assert_string_equal(text_of(GFP_KERNEL | 1u << 31), "GFP_KERNEL|0x80000000");
}

static void reads_both_spellings(void **state)
{
    gfp_t gfp = 0;
    (void)state;
    assert_int_equal(gfp_parse("GFP_KERNEL", &gfp), 0);
    assert_int_equal(gfp, GFP_KERNEL);
    assert_int_equal(gfp_parse("atomic|zero", &gfp), 0);
    assert_int_equal(gfp, GFP_ATOMIC | __GFP_ZERO);
    assert_int_equal(gfp_parse("movable", &gfp), 0);
    assert_int_equal(gfp, GFP_HIGHUSER_MOVABLE);
}

static void what_is_printed_can_be_read(void **state)
{
    (void)state;
    for (unsigned bit = 2; bit < 23; bit++) {
        gfp_t gfp = 1u << bit, read = 0;
        if (bit == 9 || bit == 12) /* not used */
            continue;
        assert_int_equal(gfp_parse(text_of(gfp), &read), 0);
        assert_int_equal(read, gfp);
    }
}

static void nonsense_changes_nothing(void **state)
{
    static const char *const nonsense[] = {"",
                                           "kernel|",
                                           "|kernel",
                                           "KERNEL",
                                           "kerne",
                                           "kernell",
                                           "kernel||zero",
                                           "kernel zero",
                                           "movable|reclaimable"};
    gfp_t gfp = 42;
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(nonsense); i++)
        assert_int_equal(gfp_parse(nonsense[i], &gfp), -EINVAL);
    assert_int_equal(gfp, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_linux_does),
        cmocka_unit_test(reads_both_spellings),
        cmocka_unit_test(what_is_printed_can_be_read),
        cmocka_unit_test(nonsense_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
