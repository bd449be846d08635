/* SPDX-License-Identifier: MIT */
/*
 * test_crc32.c - the checksum: known answers, and in pieces as in one go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/random.h"

static void known_answers(void **state)
{
    static const struct {
        const char *text;
        uint32_t crc;
    } cases[] = {
        {"", 0},
        {"a", 0xe8b7be43},
        {"123456789", 0xcbf43926}, /* the check value that catalogues of CRCs give */
        {"The quick brown fox jumps over the lazy dog", 0x414fa339},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(crc32(0, cases[i].text, strlen(cases[i].text)), cases[i].crc);
}

static void pieces_are_as_the_whole(void **state)
{
    struct rng r;
    unsigned char data[512];
    (void)state;
    rng_seed(&r, 1);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)rng_next(&r);
    uint32_t whole = crc32(0, data, sizeof(data));
    for (int round = 0; round < 200; round++) {
        uint32_t crc = 0;
        for (size_t at = 0; at < sizeof(data);) {
            size_t n = 1 + rng_below(&r, sizeof(data) - at);
            crc = crc32(crc, data + at, n);
            at += n;
        }
        assert_int_equal(crc, whole);
    }
}

static void each_bit_counts(void **state)
{
    unsigned char data[64] = {0};
    (void)state;
    uint32_t zeros = crc32(0, data, sizeof(data));
    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        assert_int_not_equal(crc32(0, data, sizeof(data)), zeros);
        data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(pieces_are_as_the_whole),
        cmocka_unit_test(each_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
