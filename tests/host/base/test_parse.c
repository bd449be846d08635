/* SPDX-License-Identifier: MIT */
/*
 * test_parse.c - numbers and words out of text: what is taken, and what is refused and how.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/errno.h"
#include "base/parse.h"
#include "base/random.h"

#define UNTOUCHED 0x5a5a5a5aUL

/* --- numbers ---------------------------------------------------------------------------------- */

static void unsigned_numbers(void **state)
{
    static const struct {
        const char *text;
        unsigned base;
        int error;
        uint64_t value;
    } cases[] = {
        {"0", 10, 0, 0},
        {"42", 10, 0, 42},
        {"42\n", 10, 0, 42},
        {"007", 10, 0, 7},
        {"18446744073709551615", 10, 0, UINT64_MAX},
        {"18446744073709551616", 10, -ERANGE, 0},
        {"99999999999999999999999", 10, -ERANGE, 0},
        {"ffffffffffffffff", 16, 0, UINT64_MAX},
        {"0xFfFfFfFfFfFfFfFf", 16, 0, UINT64_MAX},
        {"10000000000000000", 16, -ERANGE, 0},
        {"0x10", 0, 0, 16},
        {"0X1f", 0, 0, 31},
        {"010", 0, 0, 8},
        {"10", 0, 0, 10},
        {"1777777777777777777777", 8, 0, UINT64_MAX},
        {"2000000000000000000000", 8, -ERANGE, 0},
        {"", 10, -EINVAL, 0},
        {"\n", 10, -EINVAL, 0},
        {"-1", 10, -EINVAL, 0},
        {"+1", 10, -EINVAL, 0},
        {" 1", 10, -EINVAL, 0},
        {"1 ", 10, -EINVAL, 0},
        {"1\n\n", 10, -EINVAL, 0},
        {"1\n2", 10, -EINVAL, 0},
        {"12a", 10, -EINVAL, 0},
        {"0x", 0, -EINVAL, 0},
        {"0xg", 16, -EINVAL, 0},
        {"0x10", 10, -EINVAL, 0},
        {"08", 0, -EINVAL, 0},
        {"8", 8, -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t v = UNTOUCHED;
        if (parse_u64(cases[i].text, cases[i].base, &v) != cases[i].error)
            fail_msg("\"%s\" in base %u", cases[i].text, cases[i].base);
        assert_true(v == (cases[i].error ? UNTOUCHED : cases[i].value));
    }
}

static void what_is_printed_is_read(void **state)
{
    static const char *const formats[] = {"%lu", "%lx", "%#lx", "%lo", "%#lo", "%lX\n"};
    static const unsigned bases[] = {10, 16, 0, 8, 0, 16};
    struct rng r;
    char text[32];
    (void)state;
    rng_seed(&r, 31);
    for (int i = 0; i < 20000; i++) {
        size_t kind = rng_below(&r, ARRAY_SIZE(formats));
        uint64_t v = rng_next(&r) >> rng_below(&r, 64), read = 0;
        int64_t s = (int64_t)rng_next(&r) >> rng_below(&r, 64), signed_read = 0;
        snprintf(text, sizeof(text), formats[kind], v);
        assert_int_equal(parse_u64(text, bases[kind], &read), 0);
        assert_true(read == v);
        snprintf(text, sizeof(text), i % 2 ? "%+ld" : "%ld", s);
        assert_int_equal(parse_s64(text, 10, &signed_read), 0);
        assert_true(signed_read == s);
    }
}

static void signed_numbers(void **state)
{
    int64_t v = UNTOUCHED;
    (void)state;
    assert_int_equal(parse_s64("9223372036854775807", 10, &v), 0);
    assert_true(v == INT64_MAX);
    assert_int_equal(parse_s64("-9223372036854775808", 10, &v), 0);
    assert_true(v == INT64_MIN);
    v = UNTOUCHED;
    assert_int_equal(parse_s64("9223372036854775808", 10, &v), -ERANGE);
    assert_int_equal(parse_s64("-9223372036854775809", 10, &v), -ERANGE);
    assert_int_equal(parse_s64("--1", 10, &v), -EINVAL);
    assert_int_equal(parse_s64("-", 10, &v), -EINVAL);
    assert_int_equal(parse_s64("", 10, &v), -EINVAL);
    assert_true(v == UNTOUCHED);
    assert_int_equal(parse_s64("-0x10", 0, &v), 0);
    assert_true(v == -16);
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int error;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"1k", 0, 1024},
        {"64M", 0, MIB(64)},
        {"64m\n", 0, MIB(64)},
        {"3G", 0, GIB(3)},
        {"2T", 0, GIB(2048)},
        {"0x10K", 0, KIB(16)},
        {"16777215T", 0, 16777215UL << 40},
        {"16777216T", -ERANGE, 0},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551615k", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"M", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"1MB", -EINVAL, 0},
        {"1 M", -EINVAL, 0},
        {"1P", -EINVAL, 0},
        {"-1M", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t v = UNTOUCHED;
        if (parse_size(cases[i].text, &v) != cases[i].error)
            fail_msg("\"%s\"", cases[i].text);
        assert_true(v == (cases[i].error ? UNTOUCHED : cases[i].value));
    }
}

/* --- words ------------------------------------------------------------------------------------ */

/* Split @line and compare with @words, which end with NULL. */
static void expect_words(const char *line, const char *const *words)
{
    char copy[128], *argv[8];
    int n = 0;
    strcpy(copy, line);
    while (words[n])
        n++;
    assert_int_equal(split_words(copy, argv, ARRAY_SIZE(argv)), n);
    for (int i = 0; i < n; i++)
        assert_string_equal(argv[i], words[i]);
}

static void words(void **state)
{
    (void)state;
    expect_words("", (const char *[]){NULL});
    expect_words(" \t\r\n ", (const char *[]){NULL});
    expect_words("check", (const char *[]){"check", NULL});
    expect_words("  alloc\t9  movable \n", (const char *[]){"alloc", "9", "movable", NULL});
    expect_words("echo 'a  b' \"c 'd\"", (const char *[]){"echo", "a  b", "c 'd", NULL});
    expect_words("a'b c'd\"e f\"", (const char *[]){"ab cde f", NULL});
    expect_words("'' x \"\"", (const char *[]){"", "x", "", NULL});
}

static void words_that_are_refused(void **state)
{
    char *argv[3], three[] = "a b c", four[] = "a b c d", open[] = "a 'b c", other[] = "\"a' b";
    (void)state;
    assert_int_equal(split_words(three, argv, 3), 3);
    assert_int_equal(split_words(four, argv, 3), -E2BIG);
    assert_int_equal(split_words(open, argv, 3), -EINVAL);
    assert_int_equal(split_words(other, argv, 3), -EINVAL);
    assert_int_equal(split_words((char[]){""}, argv, 0), 0);
}

/* Any bytes at all: never past the end (the sanitizer looks), never more than there is room for. */
static void words_of_noise(void **state)
{
    static const char letters[] = "ab '\"\t\n";
    char line[24], *argv[4];
    struct rng r;
    (void)state;
    rng_seed(&r, 32);
    for (int i = 0; i < 20000; i++) {
        size_t n = rng_below(&r, sizeof(line));
        for (size_t k = 0; k < n; k++)
            line[k] = letters[rng_below(&r, sizeof(letters) - 1)];
        line[n] = '\0';
        int argc = split_words(line, argv, ARRAY_SIZE(argv));
        assert_true(argc == -E2BIG || argc == -EINVAL || (argc >= 0 && argc <= 4));
        for (int k = 0; k < argc; k++)
            assert_true(argv[k] >= line && argv[k] + strlen(argv[k]) <= line + n);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(what_is_printed_is_read),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(words),
        cmocka_unit_test(words_that_are_refused),
        cmocka_unit_test(words_of_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
