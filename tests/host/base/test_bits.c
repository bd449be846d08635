/* SPDX-License-Identifier: MIT */
/*
 * test_bits.c - what compilers call by name: counting bits, and atomic bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

int __ctzdi2(uint64_t x);
int __clzdi2(uint64_t x);
int __popcountdi2(uint64_t x);

/* By other names, as the compiler would put instructions in place of its own. */
uint8_t our_fetch_or(volatile void *p, uint8_t value, int order) __asm__("__atomic_fetch_or_1");
uint8_t our_fetch_and(volatile void *p, uint8_t value, int order) __asm__("__atomic_fetch_and_1");

static void check_counts(uint64_t x)
{
    int low = 0, high = 0, ones = 0;
    while (!(x >> low & 1))
        low++;
    while (!(x << high >> 63))
        high++;
    for (int i = 0; i < 64; i++)
        ones += (int)(x >> i & 1);
    assert_int_equal(__ctzdi2(x), low);
    assert_int_equal(__clzdi2(x), high);
    assert_int_equal(__popcountdi2(x), ones);
}

static void bits_are_counted(void **state)
{
    struct rng r;
    (void)state;
    rng_seed(&r, 3);
    for (int i = 0; i < 64; i++) {
        check_counts(1UL << i);
        check_counts(~0UL << i);
        check_counts(~0UL >> i);
    }
    for (int i = 0; i < 20000; i++)
        check_counts(rng_next(&r) >> rng_below(&r, 64) | 1UL << rng_below(&r, 64));
    assert_int_equal(__popcountdi2(0), 0);
}

static void bytes_change_alone(void **state)
{
    _Alignas(8) uint8_t bytes[8], model[8];
    struct rng r;
    (void)state;
    rng_seed(&r, 4);
    for (int i = 0; i < 8; i++)
        bytes[i] = model[i] = (uint8_t)rng_next(&r);
    for (int i = 0; i < 2000; i++) {
        size_t at = rng_below(&r, 8);
        uint8_t value = (uint8_t)rng_next(&r), before = model[at];
        if (rng_below(&r, 2)) {
            assert_int_equal(our_fetch_or(&bytes[at], value, __ATOMIC_SEQ_CST), before);
            model[at] |= value;
        } else {
            assert_int_equal(our_fetch_and(&bytes[at], value, __ATOMIC_SEQ_CST), before);
            model[at] &= value;
        }
        assert_memory_equal(bytes, model, sizeof(bytes));
        if (model[at] == 0 || model[at] == 0xff)
            bytes[at] = model[at] = (uint8_t)rng_next(&r);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_counted),
        cmocka_unit_test(bytes_change_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
