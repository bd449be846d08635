/* SPDX-License-Identifier: MIT */
/*
 * test_rng.c - the seeded sequence, and the hash that spreads numbers over buckets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/random.h"

static void known_sequence(void **state)
{
    /* splitmix64 from this seed, as its authors' program prints it */
    static const uint64_t expected[] = {6457827717110365317UL, 3203168211198807973UL,
                                        9817491932198370423UL, 4593380528125082431UL,
                                        16408922859458223821UL};
    struct rng r;
    (void)state;
    rng_seed(&r, 1234567);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_true(rng_next(&r) == expected[i]);
}

static void a_seed_repeats(void **state)
{
    struct rng a, b;
    (void)state;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_next(&a) == rng_next(&b));
    rng_seed(&b, 43);
    assert_true(rng_next(&a) != rng_next(&b));
}

static void below_is_even(void **state)
{
    enum { FACES = 6, THROWS = 60000 };
    unsigned seen[FACES] = {0};
    struct rng r;
    (void)state;
    rng_seed(&r, 7);
    for (int i = 0; i < THROWS; i++) {
        uint64_t n = rng_below(&r, FACES);
        assert_true(n < FACES);
        seen[n]++;
    }
    for (int i = 0; i < FACES; i++)
        assert_in_range(seen[i], THROWS / FACES * 9 / 10, THROWS / FACES * 11 / 10);
    assert_true(rng_below(&r, 1) == 0);
}

/* Frame numbers come in rows, pointers in strides of 64: neither may crowd a bucket. */
static void hash_spreads_rows(void **state)
{
    enum { BITS = 8, BUCKETS = 1 << BITS, EACH = 16 };
    (void)state;
    for (uint64_t stride = 1; stride <= 4096; stride *= 64) {
        unsigned seen[BUCKETS] = {0};
        for (uint64_t i = 0; i < BUCKETS * EACH; i++) {
            uint64_t h = hash_64(0x80000 + i * stride, BITS);
            assert_true(h < BUCKETS);
            seen[h]++;
        }
        for (int i = 0; i < BUCKETS; i++)
            assert_in_range(seen[i], 1, 3 * EACH);
    }
}

static void hash_has_the_bits_that_are_asked_for(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits < 64; bits++)
        assert_true(hash_64(UINT64_MAX, bits) < 1UL << bits);
    assert_true(hash_64(1, 64) == 0x9e3779b97f4a7c15UL);
    assert_true(hash_ptr((void *)1, 64) == hash_64(1, 64));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sequence),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(hash_spreads_rows),
        cmocka_unit_test(hash_has_the_bits_that_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
