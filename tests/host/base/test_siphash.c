/* SPDX-License-Identifier: MIT */
/*
 * test_siphash.c - the vectors of the SipHash paper's reference, and bytes taken in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"

static const uint64_t key[2] = {0x0706050403020100UL, 0x0f0e0d0c0b0a0908UL};

/* The message is the bytes 0, 1, 2, ...; taken @step at a time. */
static uint64_t hash_of(unsigned length, unsigned step)
{
    struct siphash s;
    uint8_t bytes[64];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    siphash_init(&s, key);
    for (unsigned at = 0; at < length; at += step)
        siphash_add(&s, bytes + at, length - at < step ? length - at : step);
    return siphash_end(&s);
}

static void known_vectors(void **state)
{
    (void)state;
    assert_int_equal(hash_of(0, 1), 0x726fdb47dd0e0e31UL);
    assert_int_equal(hash_of(1, 1), 0x74f839c593dc67fdUL);
    assert_int_equal(hash_of(8, 8), 0x93f5f5799a932462UL);
    assert_int_equal(hash_of(15, 15), 0xa129ca6149be45e5UL);
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (unsigned length = 0; length <= 64; length++)
        for (unsigned step = 1; step <= 9; step++)
            assert_int_equal(hash_of(length, step), hash_of(length, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(pieces_make_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
