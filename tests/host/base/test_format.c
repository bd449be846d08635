/* SPDX-License-Identifier: MIT */
/*
 * test_format.c - printf's words: as the C library prints them, for whatever is asked.
 *
 *      random flags, width, precision, length, value  -->  ours and the library's snprintf
 *      a random size of buffer                             must agree in text and length
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/format.h"
#include "base/random.h"

int pagoda_snprintf(char *buf, size_t size, const char *fmt, ...);
int pagoda_vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

enum { ROUNDS = 20000, ROOM = 160 };

static struct rng rng;

static int begin(void **state)
{
    (void)state;
    rng_seed(&rng, 41);
    return 0;
}

/* The same call of both; the buffers begin with the same rubbish. */
static void compare(const char *fmt, ...)
{
    char want[ROOM], got[ROOM];
    size_t size = rng_below(&rng, 4) ? ROOM : rng_below(&rng, 30);
    va_list args;
    memset(want, '#', sizeof(want));
    memset(got, '#', sizeof(got));
    va_start(args, fmt);
    int wanted = vsnprintf(want, size, fmt, args);
    va_end(args);
    va_start(args, fmt);
    int len = pagoda_vsnprintf(got, size, fmt, args);
    va_end(args);
    if (len != wanted || (size && strcmp(got, want)))
        fail_msg("\"%s\" size %zu: \"%.*s\" (%d), not \"%.*s\" (%d)", fmt, size, (int)size, got,
                 len, (int)size, want, wanted);
    for (size_t i = size; i < ROOM; i++)
        assert_int_equal(got[i], '#');
}

/* Append a random choice of the flags, then a width and a precision, each perhaps none. */
static char *add_spec(char *p, const char *flags)
{
    *p++ = '%';
    for (; *flags; flags++)
        if (!rng_below(&rng, 3))
            *p++ = *flags;
    if (rng_below(&rng, 2))
        p += sprintf(p, "%d", 1 + (int)rng_below(&rng, 40));
    if (!rng_below(&rng, 3))
        p += sprintf(p, rng_below(&rng, 4) ? ".%d" : ".", (int)rng_below(&rng, 30));
    return p;
}

/* Values of every magnitude, and zero more often than chance would have it. */
static uint64_t value(void)
{
    return rng_below(&rng, 8) ? rng_next(&rng) >> rng_below(&rng, 64) : 0;
}

static void compare_number(const char *flags, char conversion)
{
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "t", "j"};
    char fmt[64] = "[";
    size_t length = rng_below(&rng, ARRAY_SIZE(lengths));
    sprintf(add_spec(fmt + 1, flags), "%s%c]", lengths[length], conversion);
    uint64_t v = value() * (rng_below(&rng, 2) ? 1 : -1UL);
    if (length < 3)
        compare(fmt, (int)v);
    else
        compare(fmt, v);
}

static void signed_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        compare_number("-0+ ", i % 2 ? 'd' : 'i');
}

static void unsigned_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        compare_number("-0", 'u');
}

static void hexadecimal_and_octal(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        compare_number("-0#", "xXo"[i % 3]);
}

static void words_and_letters(void **state)
{
    static const char *const words[] = {"", "a", "pagoda", "Normal", "a longer piece of text"};
    char fmt[64];
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        strcpy(add_spec(fmt, "-"), "s|");
        compare(fmt, words[rng_below(&rng, ARRAY_SIZE(words))]);
        sprintf(fmt, "%%%s%dc|", i % 2 ? "-" : "", 1 + (int)rng_below(&rng, 9));
        compare(fmt, (int)('!' + rng_below(&rng, 90)));
        sprintf(fmt, "%%%s%dp", i % 2 ? "-" : "", 1 + (int)rng_below(&rng, 30));
        compare(fmt, (void *)(uintptr_t)(value() + 1));
    }
}

static void widths_from_arguments(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int width = (int)rng_below(&rng, 40) - 20, precision = (int)rng_below(&rng, 30) - 10;
        compare("%*d|", width, (int)value());
        compare("%0*.*lx|", width, precision, value());
        compare("%*.*s|", width, precision, "neither short nor long");
    }
}

static void several_in_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        compare("Node %d, zone %8s %6lu pages %#lx at %p, 100%%%c", (int)rng_below(&rng, 16),
                "Normal", value(), value(), (void *)&rng, '\n');
}

static void what_only_we_promise(void **state)
{
    char buf[32];
    (void)state;
    assert_int_equal(pagoda_snprintf(buf, sizeof(buf), "%s", (char *)NULL), 6);
    assert_string_equal(buf, "(null)");
    assert_int_equal(pagoda_snprintf(buf, sizeof(buf), "%p", NULL), 3);
    assert_string_equal(buf, "0x0");
    assert_int_equal(pagoda_snprintf(buf, sizeof(buf), "100%"), 3); /* a % at the very end */
    assert_string_equal(buf, "100");
    assert_int_equal(pagoda_snprintf(buf, sizeof(buf), "%y!"), 2);
    assert_string_equal(buf, "y!");
    assert_int_equal(pagoda_snprintf(buf, sizeof(buf), "%.3s", "not ended" + 0), 3);
    assert_string_equal(buf, "not");
}

/* --- sinks ------------------------------------------------------------------------------------ */

struct counting_sink {
    struct sink sink;
    unsigned writes;
    size_t len;
    char text[2048];
};

static void counting_write(struct sink *sink, const char *bytes, size_t n)
{
    struct counting_sink *c = container_of(sink, struct counting_sink, sink);
    assert_true(n > 0 && c->len + n < sizeof(c->text));
    memcpy(c->text + c->len, bytes, n);
    c->len += n;
    c->writes++;
}

static void a_line_comes_in_one_piece(void **state)
{
    struct counting_sink c = {.sink = {counting_write}};
    (void)state;
    print(&c.sink, "%-8s|%06lx|%c%d%%\n", "zone", 0xabcUL, 'x', -7);
    assert_int_equal(c.writes, 1);
    assert_string_equal(c.text, "zone    |000abc|x-7%\n");
    print(&c.sink, "%s", "");
    assert_int_equal(c.writes, 1);
}

static void long_text_comes_whole(void **state)
{
    char big[1024], want[1200];
    (void)state;
    for (size_t n = 0; n < sizeof(big); n += 31) {
        struct counting_sink c = {.sink = {counting_write}};
        memset(big, 'b', n);
        big[n] = '\0';
        int len = snprintf(want, sizeof(want), "before %s after %100d", big, 5);
        print(&c.sink, "before %s after %100d", big, 5);
        assert_int_equal(c.len, len);
        assert_memory_equal(c.text, want, c.len);
    }
}

static void buffers_count_what_they_cut(void **state)
{
    char buf[8];
    struct buffer_sink b;
    (void)state;
    buffer_sink_init(&b, buf, sizeof(buf));
    assert_string_equal(buf, "");
    print(&b.sink, "%s", "12345");
    assert_int_equal(b.len, 5);
    print(&b.sink, "%d", 6789);
    assert_int_equal(b.len, 9);
    assert_string_equal(buf, "1234567");
    print(&b.sink, "more");
    assert_int_equal(b.len, 13);
    assert_string_equal(buf, "1234567");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_numbers),        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(hexadecimal_and_octal), cmocka_unit_test(words_and_letters),
        cmocka_unit_test(widths_from_arguments), cmocka_unit_test(several_in_a_row),
        cmocka_unit_test(what_only_we_promise),  cmocka_unit_test(a_line_comes_in_one_piece),
        cmocka_unit_test(long_text_comes_whole), cmocka_unit_test(buffers_count_what_they_cut),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
