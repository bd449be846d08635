/* SPDX-License-Identifier: MIT */
/*
 * test_sort.c - heapsort: sorted, nothing lost, for every size of array and element.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/sort.h"

#define MOST 300

static unsigned swaps;

static int by_number(const void *a, const void *b)
{
    uint32_t x, y; /* elements may lie anywhere */
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void counted_swap(void *a, void *b, size_t size)
{
    uint32_t t = *(uint32_t *)a;
    assert_int_equal(size, sizeof(t));
    *(uint32_t *)a = *(uint32_t *)b;
    *(uint32_t *)b = t;
    swaps++;
}

static void sorts_as_the_library_does(void **state)
{
    uint32_t ours[MOST], theirs[MOST];
    struct rng r;
    (void)state;
    rng_seed(&r, 11);
    for (size_t n = 0; n <= MOST; n++) {
        uint64_t spread = 1 + rng_below(&r, 1000); /* small spreads make equal keys */
        for (size_t i = 0; i < n; i++)
            ours[i] = theirs[i] = (uint32_t)rng_below(&r, spread);
        sort(ours, n, sizeof(*ours), by_number, n % 2 ? counted_swap : NULL);
        qsort(theirs, n, sizeof(*theirs), by_number);
        assert_memory_equal(ours, theirs, n * sizeof(*ours));
    }
    assert_true(swaps > 0);
}

static void order_that_was_there(void **state)
{
    uint32_t up[MOST], down[MOST];
    (void)state;
    for (uint32_t i = 0; i < MOST; i++) {
        up[i] = i;
        down[i] = MOST - 1 - i;
    }
    sort(up, MOST, sizeof(*up), by_number, NULL);
    sort(down, MOST, sizeof(*down), by_number, NULL);
    for (uint32_t i = 0; i < MOST; i++) {
        assert_int_equal(up[i], i);
        assert_int_equal(down[i], i);
    }
}

/* Elements of odd sizes, told apart by what they carry behind the key. */
static void elements_move_whole(void **state)
{
    struct {
        uint32_t key;
        char cargo[9];
    } __attribute__((packed)) a[64];
    bool seen[64] = {false};
    struct rng r;
    (void)state;
    rng_seed(&r, 12);
    for (size_t i = 0; i < 64; i++) {
        a[i].key = (uint32_t)rng_below(&r, 16);
        memset(a[i].cargo, (int)i, sizeof(a[i].cargo));
    }
    sort(a, 64, sizeof(a[0]), by_number, NULL);
    for (size_t i = 0; i < 64; i++) {
        unsigned char id = (unsigned char)a[i].cargo[0];
        for (size_t b = 1; b < sizeof(a[i].cargo); b++)
            assert_int_equal(a[i].cargo[b], id);
        assert_false(seen[id]);
        seen[id] = true;
        assert_true(i == 0 || a[i - 1].key <= a[i].key);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_as_the_library_does),
        cmocka_unit_test(order_that_was_there),
        cmocka_unit_test(elements_move_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
