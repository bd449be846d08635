/* SPDX-License-Identifier: MIT */
/*
 * test_bitmap.c - sets of small numbers against a byte for each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "base/errno.h"
#include "base/random.h"

enum { BITS = 300, ROUNDS = 20000 };

static uint64_t map[BITMAP_WORDS(BITS)];
static uint8_t model[BITS];
static struct rng rng;

static int begin(void **state)
{
    (void)state;
    rng_seed(&rng, 71);
    memset(map, 0, sizeof(map));
    memset(model, 0, sizeof(model));
    return 0;
}

/* --- the map ---------------------------------------------------------------------------------- */

static void change(void)
{
    size_t at = rng_below(&rng, BITS), n = rng_below(&rng, BITS - at + 1);
    if (rng_below(&rng, 2))
        n = MIN(n, 10);
    switch (rng_below(&rng, 4)) {
    case 0:
        bitmap_set(map, at, n);
        memset(model + at, 1, n);
        break;
    case 1:
        bitmap_clear(map, at, n);
        memset(model + at, 0, n);
        break;
    case 2:
        set_bit(at, map);
        model[at] = 1;
        break;
    default:
        clear_bit(at, map);
        model[at] = 0;
        break;
    }
}

static size_t model_next(size_t size, size_t from, uint8_t wanted)
{
    while (from < size && model[from] != wanted)
        from++;
    return MIN(from, size);
}

static void compare(void)
{
    size_t size = rng_below(&rng, BITS + 1), from = rng_below(&rng, BITS + 1), weight = 0;
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(test_bit(i, map), model[i]);
        weight += model[i];
    }
    assert_int_equal(bitmap_weight(map, size), weight);
    if (from > size)
        from = size;
    assert_int_equal(find_next_bit(map, size, from), model_next(size, from, 1));
    assert_int_equal(find_next_zero_bit(map, size, from), model_next(size, from, 0));
}

static void as_bytes(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        change();
        compare();
    }
}

static void searching_beyond_the_end(void **state)
{
    (void)state;
    assert_int_equal(find_next_bit(map, BITS, BITS + 100), BITS);
    assert_int_equal(find_next_zero_bit(map, 0, 0), 0);
    bitmap_set(map, 0, BITS);
    assert_int_equal(find_next_zero_bit(map, BITS, 0), BITS);
    assert_int_equal(bitmap_weight(map, BITS), BITS);
}

/* --- as text ---------------------------------------------------------------------------------- */

static void lists_that_are_taken(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"", ""},
        {"\n", ""},
        {"0", "0"},
        {"5\n", "5"},
        {"0-3,5", "0-3,5"},
        {"5,0-3", "0-3,5"},
        {"0,1,2,64", "0-2,64"},
        {"3-3", "3"},
        {"1-4,2-6", "1-6"},
        {"62-65,299", "62-65,299"},
        {"7,", "7"},
    };
    char text[64];
    struct buffer_sink out;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        memset(map, 0xff, sizeof(map));
        assert_int_equal(bitmap_parse_list(cases[i].text, map, BITS), 0);
        buffer_sink_init(&out, text, sizeof(text));
        bitmap_print_list(&out.sink, map, BITS);
        assert_string_equal(text, cases[i].printed);
    }
}

static void lists_that_are_refused(void **state)
{
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"300", -ERANGE},  {"0-300", -ERANGE}, {"99999999999999999999999", -ERANGE},
        {"a", -EINVAL},    {"-1", -EINVAL},    {"1-", -EINVAL},
        {"3-1", -EINVAL},  {"1 2", -EINVAL},   {",1", -EINVAL},
        {"1,,2", -EINVAL}, {"1-2-3", -EINVAL}, {"0x1", -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (bitmap_parse_list(cases[i].text, map, BITS) != cases[i].error)
            fail_msg("\"%s\"", cases[i].text);
}

static void what_is_printed_is_read(void **state)
{
    static char text[2048];
    uint64_t again[BITMAP_WORDS(BITS)];
    struct buffer_sink out;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        change();
        buffer_sink_init(&out, text, sizeof(text));
        bitmap_print_list(&out.sink, map, BITS);
        assert_true(out.len < sizeof(text));
        assert_int_equal(bitmap_parse_list(text, again, BITS), 0);
        assert_memory_equal(again, map, sizeof(map));
    }
}

/* --- masks ------------------------------------------------------------------------------------ */

static void masks(void **state)
{
    hartmask_t m = {0};
    unsigned i, seen = 0;
    (void)state;
    assert_true(mask_empty(&m));
    assert_int_equal(mask_first(&m), 64);
    for_each_in_mask(i, &m)
        fail_msg("nothing is in an empty mask, but %u", i);
    mask_set(&m, 0);
    mask_set(&m, 5);
    mask_set(&m, 63);
    assert_int_equal(mask_weight(&m), 3);
    assert_true(mask_test(&m, 5));
    assert_false(mask_test(&m, 6));
    assert_int_equal(mask_first(&m), 0);
    assert_int_equal(mask_next(&m, 0), 5);
    assert_int_equal(mask_next(&m, 5), 63);
    assert_int_equal(mask_next(&m, 63), 64);
    for_each_in_mask(i, &m)
        seen = seen * 100 + i;
    assert_int_equal(seen, 563);
    mask_clear(&m, 5);
    assert_int_equal(mask_weight(&m), 2);
}

static void masks_as_bytes(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        nodemask_t m = {rng_next(&rng) & rng_next(&rng) & rng_next(&rng)};
        unsigned i, at = 0;
        for_each_in_mask(i, &m) {
            for (; at < i; at++)
                assert_false(mask_test(&m, at));
            assert_true(mask_test(&m, at));
            at++;
        }
        for (; at < 64; at++)
            assert_false(mask_test(&m, at));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(as_bytes, begin),
        cmocka_unit_test_setup(searching_beyond_the_end, begin),
        cmocka_unit_test_setup(lists_that_are_taken, begin),
        cmocka_unit_test_setup(lists_that_are_refused, begin),
        cmocka_unit_test_setup(what_is_printed_is_read, begin),
        cmocka_unit_test_setup(masks, begin),
        cmocka_unit_test_setup(masks_as_bytes, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
