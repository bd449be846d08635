/* SPDX-License-Identifier: MIT */
/*
 * test_bootargs.c - the command line, as Linux reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/string.h"
#include "base/types.h"
#include "phys/bootargs.h"
#include "phys/machine.h"

static void finds_values(void **state)
{
    (void)state;
    bootargs_init("  mem=256M quiet\tnuma=off \n name=\"two words\" empty= x=a=b");
    assert_int_equal(bootargs_count(), 6);
    assert_string_equal(bootarg_get("mem"), "256M");
    assert_string_equal(bootarg_get("quiet"), "");
    assert_string_equal(bootarg_get("numa"), "off");
    assert_string_equal(bootarg_get("name"), "two words");
    assert_string_equal(bootarg_get("empty"), "");
    assert_string_equal(bootarg_get("x"), "a=b");
    assert_null(bootarg_get("me"));
    assert_null(bootarg_get("memo"));
    assert_null(bootarg_get(""));
}

static void quotes_around_the_whole_word(void **state)
{
    (void)state;
    bootargs_init("\"key=a b\" open=\"to the end");
    assert_string_equal(bootarg_get("key"), "a b");
    assert_string_equal(bootarg_get("open"), "to the end");
}

static void last_one_counts_and_dashes_are_underscores(void **state)
{
    (void)state;
    bootargs_init("mem=1G min-free_kbytes=7 mem=2G");
    assert_string_equal(bootarg_get("mem"), "2G");
    assert_string_equal(bootarg_get("min_free-kbytes"), "7");
}

static void decodes_numbers(void **state)
{
    (void)state;
    bootargs_init("mem=64M hex=0x10 bad=12monkeys huge=99999999999999999999 none=");
    assert_int_equal(bootarg_size("mem", 1), MIB(64));
    assert_int_equal(bootarg_size("absent", 5), 5);
    assert_int_equal(bootarg_size("bad", 5), 5);
    assert_int_equal(bootarg_u64("hex", 1), 16);
    assert_int_equal(bootarg_u64("huge", 9), 9);
    assert_int_equal(bootarg_u64("none", 9), 9);
    assert_int_equal(bootarg_u64("absent", 9), 9);
}

static void decodes_flags(void **state)
{
    (void)state;
    bootargs_init("a b=1 c=on d=y e=0 f=off g=no h=yes i=2");
    assert_true(bootarg_flag("a"));
    assert_true(bootarg_flag("b"));
    assert_true(bootarg_flag("c"));
    assert_true(bootarg_flag("d"));
    assert_true(bootarg_flag("h"));
    assert_false(bootarg_flag("e"));
    assert_false(bootarg_flag("f"));
    assert_false(bootarg_flag("g"));
    assert_false(bootarg_flag("i"));
    assert_false(bootarg_flag("absent"));
}

static void lists_words(void **state)
{
    const char *key, *value;

    (void)state;
    bootargs_init("one=1 two");
    bootarg_at(1, &key, &value);
    assert_string_equal(key, "two");
    assert_string_equal(value, "");
    bootargs_init("");
    assert_int_equal(bootargs_count(), 0);
    assert_null(bootarg_get("one"));
}

static void survives_too_much(void **state)
{
    static char text[2 * MACHINE_BOOTARGS_MAX];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    bootargs_init(text);
    assert_int_equal(bootargs_count(), 1);
    for (size_t i = 1; i < sizeof(text) - 1; i += 2)
        text[i] = ' ';
    bootargs_init(text);
    assert_int_equal(bootargs_count(), 128);
    assert_string_equal(bootarg_get("x"), "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_values),
        cmocka_unit_test(quotes_around_the_whole_word),
        cmocka_unit_test(last_one_counts_and_dashes_are_underscores),
        cmocka_unit_test(decodes_numbers),
        cmocka_unit_test(decodes_flags),
        cmocka_unit_test(lists_words),
        cmocka_unit_test(survives_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
