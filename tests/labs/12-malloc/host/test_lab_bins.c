/* SPDX-License-Identifier: MIT */
/*
 * test_lab_bins.c - keeping free chunks, and finding the smallest that fits.
 *
 * The chunks here are 64 bytes of an array whatever their heads say, so that chunks of a terabyte
 * can be kept too: the bins have no business with more than the first 32 bytes of a chunk of 32.
 */
#include "labs/wire/expect.h"

#include <string.h>

#include "malloc/bins.h"

#define CHUNKS 600

static union {
    struct chunk c;
    char bytes[64];
} room[CHUNKS];
static bool model[CHUNKS]; /* which of them are kept */
static unsigned seen[CHUNKS];
static uint64_t random_state;

static unsigned draw(void)
{
    random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(random_state >> 33);
}

static int set_up(void **state)
{
    (void)state;
    memset(room, 0, sizeof(room));
    memset(model, 0, sizeof(model));
    random_state = lab_seed();
    bins_begin();
    return 0;
}

static void put(unsigned i, size_t size)
{
    room[i].c.prev_size = 0x1234;
    room[i].c.head = size | PREV_INUSE;
    bins_put(&room[i].c);
    model[i] = true;
}

static void drop(unsigned i)
{
    bins_remove(&room[i].c);
    model[i] = false;
}

static void see(struct chunk *c, void *context)
{
    size_t i = (size_t)((char *)c - (char *)room) / sizeof(room[0]);
    expect_true(i < CHUNKS && c == &room[i].c, "what is kept are the chunks that were put");
    expect_true(seen[i] == 0, "a chunk of %zu bytes is kept twice", chunk_size(c));
    seen[i]++;
    ++*(unsigned *)context;
}

/* The bins keep what the model says. */
static void same_as_model(void)
{
    unsigned n = 0;
    memset(seen, 0, sizeof(seen));
    bins_each(see, &n);
    for (unsigned i = 0; i < CHUNKS; i++) {
        expect_equal(seen[i], model[i], "is the chunk of %zu bytes kept?", chunk_size(&room[i].c));
        if (model[i])
            expect_equal(room[i].c.prev_size, 0x1234,
                         "prev_size of a chunk that is kept; it "
                         "belongs to the chunk before");
    }
}

/* --- step 1 ----------------------------------------------------------------------------------- */

static void what_is_put_is_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        put(i, 32 + 16 * (size_t)i);
    for (unsigned i = 0; i < 31; i++)
        put(200 + i, (size_t)4096 << i);
    same_as_model();
}

static void many_of_one_size_are_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        put(i, 48);
        put(50 + i, 5000 / 16 * 16);
    }
    same_as_model();
}

static void the_first_the_last_one_between(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (unsigned o = 0; o < 6; o++) {
        for (unsigned i = 0; i < 3; i++)
            put(i, 4096);
        for (unsigned i = 0; i < 3; i++) {
            drop(orders[o][i]);
            same_as_model();
        }
    }
}

static void put_and_removed_in_any_order(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 5000; step++) {
        unsigned i = draw() % 100;
        if (model[i])
            drop(i);
        else
            put(i, 32 + 16 * (size_t)(draw() % (draw() % 2 ? 20 : 2000)));
        if (step % 50 == 0)
            same_as_model();
    }
    same_as_model();
}

/* --- step 2 ----------------------------------------------------------------------------------- */

/* Take, and compare with what the model has: the smallest that is large enough. */
static void take(size_t wanted)
{
    size_t best = 0;
    for (unsigned i = 0; i < CHUNKS; i++) {
        size_t size = chunk_size(&room[i].c);
        if (model[i] && size >= wanted && (!best || size < best))
            best = size;
    }
    struct chunk *c = bins_take(wanted);
    expect_equal(c ? chunk_size(c) : 0, best, "size of the chunk for %zu bytes; 0: none", wanted);
    if (c) {
        size_t i = (size_t)((char *)c - (char *)room) / sizeof(room[0]);
        expect_true(i < CHUNKS && model[i], "the chunk that was taken had been kept");
        model[i] = false;
    }
}

static void the_right_size_is_taken(void **state)
{
    (void)state;
    put(0, 64);
    put(1, 96);
    put(2, 128);
    take(96);
    same_as_model();
}

static void the_next_larger_one_is_taken(void **state)
{
    (void)state;
    put(0, 64);
    put(1, 208);
    put(2, 4096);
    take(80);
    take(80);
    same_as_model();
    put(3, (size_t)1 << 40);
    take(112);
    take(32);
}

static void the_best_of_a_bin_is_taken(void **state)
{
    static const size_t sizes[] = {2064, 2240, 2128, 2192, 2096, 2272};
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 6; i++)
            put(i, sizes[round ? 5 - i : i]);
        take(2112);
        take(2256);
        take(2048);
        take(2144);
        take(2160);
        take(2048);
        same_as_model();
    }
}

static void too_small_ones_of_the_same_bin_are_passed_over(void **state)
{
    (void)state;
    put(0, 1040);
    put(1, 1056);
    put(2, 9008);
    take(1072);
    same_as_model();
    put(2, ((size_t)1 << 40) - 16);
    put(3, (size_t)1 << 41);
    take((size_t)1 << 40);
    take((size_t)1 << 42);
}

static void nothing_fits(void **state)
{
    (void)state;
    take(32);
    put(0, 32);
    put(1, 512);
    take(528);
    take((size_t)1 << 40);
    same_as_model();
    drop(1);
    take(48);
    drop(0);
    take(32);
}

static void taken_as_a_list_would(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = draw() % CHUNKS;
        size_t size = 32 + 16 * (size_t)(draw() % (1U << draw() % 16));
        unsigned dice = draw() % 10;
        if (dice < 5 && !model[i])
            put(i, size);
        else if (dice < 7 && model[i])
            drop(i);
        else
            take(size);
        if (step % 1000 == 0)
            same_as_model();
    }
    same_as_model();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_kept),
        TEST(many_of_one_size_are_kept),
        TEST(the_first_the_last_one_between),
        TEST(put_and_removed_in_any_order),
        TEST(the_right_size_is_taken),
        TEST(the_next_larger_one_is_taken),
        TEST(the_best_of_a_bin_is_taken),
        TEST(too_small_ones_of_the_same_bin_are_passed_over),
        TEST(nothing_fits),
        TEST(taken_as_a_list_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
