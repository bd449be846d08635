/* SPDX-License-Identifier: MIT */
/*
 * test_lab_malloc.c - blocks of the heap: taken, given back, joined; the break rises and falls.
 */
#include "fake.h"

/* What the handout says a chunk for a request has. */
static size_t chunk_for(size_t request)
{
    size_t size = (request + 8 + 15) / 16 * 16;
    return size < 32 ? 32 : size;
}

/* Make a block free as step 4 would, but without joining it to anything. */
static void free_by_hand(void *mem)
{
    set_free(chunk_of(mem));
    bins_put(chunk_of(mem));
}

/* --- step 3: taking --------------------------------------------------------------------------- */

static void the_first_request_raises_the_break(void **state)
{
    (void)state;
    char *mem = take(100);
    const struct heap *heap = heap_look();
    expect_equal(fake.rises, 1, "calls of grow() for the first block");
    expect_equal(fake.brk - fake.start, 132 * KIB,
                 "bytes of the heap: the chunk, CHUNK_MIN and TOP_PAD, in whole pages");
    expect_true((char *)heap->first == fake.start, "heap.first is the start of the heap");
    expect_true(mem == (char *)mem_of(heap->first), "the block lies in the first chunk");
    sound();
}

static void sizes_are_as_they_should(void **state)
{
    (void)state;
    for (size_t request = 0; request < 3000; request += request < 100 ? 1 : 37) {
        void *mem = take(request);
        expect_equal(chunk_size(chunk_of(mem)), chunk_for(request), "bytes of the chunk for %zu",
                     request);
        expect_true(in_use(chunk_of(mem)), "the chunk is in use");
    }
    sound();
}

static void blocks_do_not_overlap(void **state)
{
    char *mem[200];
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        mem[i] = take(8 * i);
        fill(mem[i], heap_usable_size(mem[i]), i);
    }
    for (unsigned i = 0; i < 200; i++)
        expect_equal(intact(mem[i], heap_usable_size(mem[i]), i), heap_usable_size(mem[i]),
                     "bytes of block %u that nobody wrote over", i);
    sound();
}

static void growing_goes_on_where_it_was(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        take(1000);
    expect_true(fake.rises <= 26, "%u calls of grow() for 3 MB, TOP_PAD more each time",
                fake.rises);
    expect_true(fake.brk - fake.start <= (long)(3000 * 1008 + 136 * KIB),
                "%ld bytes of the heap for 3024000 bytes of chunks", fake.brk - fake.start);
    sound();
}

static void the_top_stays_a_chunk(void **state)
{
    (void)state;
    take(100);
    size_t top = chunk_size(heap_look()->top);
    take(top - CHUNK_MIN - CHUNK_TAG); /* exactly so much that CHUNK_MIN is left */
    expect_equal(chunk_size(heap_look()->top), CHUNK_MIN, "bytes of the top");
    expect_equal(fake.rises, 1, "calls of grow(): the top had enough");
    sound();
    take(1);
    expect_equal(fake.rises, 2, "calls of grow(): the top is never used up");
    sound();
}

static void too_much_is_refused(void **state)
{
    (void)state;
    take(100);
    expect_true(!heap_malloc(SIZE_MAX), "malloc(SIZE_MAX) is NULL");
    expect_true(!heap_malloc(SIZE_MAX - 15), "malloc(SIZE_MAX - 15) is NULL");
    expect_true(!heap_malloc((size_t)PTRDIFF_MAX + 1), "malloc(PTRDIFF_MAX + 1) is NULL");
    expect_true(!heap_malloc((size_t)REQUEST_MOST + 1), "malloc(REQUEST_MOST + 1) is NULL");
    expect_equal(fake.rises, 1, "calls of grow()");
    sound();
}

static void a_refused_growth_changes_nothing(void **state)
{
    (void)state;
    fake.no_grow = true;
    expect_true(!heap_malloc(100), "malloc() is NULL when the system has no memory");
    sound();
    fake.no_grow = false;
    take(100);
    fake.no_grow = true;
    for (unsigned i = 0; i < 1000 && heap_malloc(1000); i++)
        ;
    expect_true(!heap_malloc(1000), "malloc() is NULL when the top is too small");
    sound();
    fake.no_grow = false;
    take(1000);
    sound();
}

static void what_is_free_is_used_first(void **state)
{
    (void)state;
    void *hole = take(1000);
    take(10);
    free_by_hand(hole);
    sound();
    expect_true(take(1000) == hole, "the block of 1000 bytes that was free is taken again");
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    sound();
}

static void the_rest_stays_free(void **state)
{
    (void)state;
    char *hole = take(1000), *used = take(10);
    size_t first = chunk_for(300), rest = chunk_for(1000) - first;
    fill(used, 10, 1);
    free_by_hand(hole);
    char *mem = take(300);
    expect_true(mem == hole, "the first bytes of the free chunk are handed out");
    expect_equal(chunk_size(chunk_of(mem)), first, "bytes of the chunk for 300");
    expect_equal(chunks_kept(), 1, "chunks in the bins: the rest");
    sound();
    expect_true(take(rest - CHUNK_TAG) == hole + first, "the rest, of %zu bytes, is taken", rest);
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    expect_equal(intact(used, 10, 1), 10, "bytes of the block behind, unchanged");
    sound();
}

static void a_rest_that_is_no_chunk_is_not_cut_off(void **state)
{
    (void)state;
    void *hole = take(56), *after = take(56);
    take(10);
    free_by_hand(hole);
    void *mem = take(40); /* 48 of 64 bytes: 16 would be left */
    expect_true(mem == hole, "the free chunk is taken");
    expect_equal(chunk_size(chunk_of(mem)), 64,
                 "bytes of the chunk: what is left is less than "
                 "CHUNK_MIN, and stays with it");
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    free_by_hand(after);
    take(24); /* 32 of 64 bytes: the rest is just large enough */
    expect_equal(chunks_kept(), 1, "chunks in the bins: a rest of CHUNK_MIN is one");
    sound();
}

/* --- step 4: giving back ---------------------------------------------------------------------- */

static void a_freed_block_is_kept(void **state)
{
    (void)state;
    void *before = take(100), *mem = take(200), *after = take(100);
    heap_free(NULL);
    heap_free(mem);
    expect_equal(chunks_kept(), 1, "chunks in the bins");
    sound();
    expect_true(take(200) == mem, "what was freed is taken again");
    sound();
    (void)before, (void)after;
}

static void neighbours_join(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (unsigned o = 0; o < 6; o++) {
        void *mem[3] = {take(500), take(600), take(700)};
        void *end = take(10);
        for (unsigned i = 0; i < 3; i++) {
            heap_free(mem[orders[o][i]]);
            sound();
        }
        expect_equal(chunks_kept(), 1, "chunks in the bins: three neighbours are one");
        expect_true(take(512 + 608 + 704 - 8) == mem[0], "the three are taken as one");
        heap_free(mem[0]);
        heap_free(end);
        sound();
    }
}

static void the_last_joins_the_top(void **state)
{
    (void)state;
    void *first = take(100), *middle = take(200), *last = take(300);
    size_t top = chunk_size(heap_look()->top);
    heap_free(last);
    expect_equal(chunk_size(heap_look()->top), top + chunk_for(300), "bytes of the top");
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    sound();
    heap_free(first);
    heap_free(middle); /* between a free one and the top */
    expect_equal(chunk_size(heap_look()->top), fake.brk - fake.start,
                 "bytes of the top: all of the heap");
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    sound();
}

static void freed_in_any_order_all_is_top(void **state)
{
    void *mem[300];
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        mem[i] = take(draw() % 600);
    for (unsigned n = 300; n;) {
        unsigned i = draw() % n;
        heap_free(mem[i]);
        mem[i] = mem[--n];
        if (n % 10 == 0)
            sound();
    }
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    expect_true((char *)heap_look()->top == fake.start, "the top is all of the heap");
}

static void the_same_again_takes_no_more(void **state)
{
    void *mem[100];
    long before = 0;
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 100; i++)
            mem[i] = take(50 + 13 * ((i * 37) % 100));
        for (unsigned i = 0; i < 100; i++)
            heap_free(mem[(i * 53) % 100]);
        if (round == 0)
            before = fake.brk - fake.start;
        expect_equal(fake.brk - fake.start, before, "bytes of the heap in round %u", round);
    }
    sound();
}

/* --- step 4: the break falls ------------------------------------------------------------------ */

static void a_large_top_is_trimmed(void **state)
{
    void *mem[1000];
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        mem[i] = take(1000);
    for (unsigned i = 0; i < 1000; i++)
        heap_free(mem[i]);
    size_t top = chunk_size(heap_look()->top);
    expect_true(top >= TOP_PAD && top <= TOP_PAD + CHUNK_MIN + HEAP_PAGE,
                "%zu bytes are left of the top: TOP_PAD, CHUNK_MIN and less than a page", top);
    expect_equal(fake.falls, 1, "calls that let the break fall: the last block freed all");
    sound();
}

static void a_top_below_the_threshold_stays(void **state)
{
    (void)state;
    void *mem = take(100 * KIB);
    heap_free(mem); /* 232 KiB of top at most */
    expect_equal(fake.falls, 0, "calls that let the break fall");
    expect_true(chunk_size(heap_look()->top) < TRIM_THRESHOLD, "the top is small");
    sound();
}

static void trims_are_few(void **state)
{
    static void *mem[4000];
    (void)state;
    for (unsigned i = 0; i < 4000; i++)
        mem[i] = take(1000);
    for (unsigned i = 4000; i-- > 0;)
        heap_free(mem[i]);
    expect_true(fake.falls >= 20 && fake.falls <= 33,
                "%u calls for 4 MB: one each time that the top reaches the threshold", fake.falls);
    expect_true(chunk_size(heap_look()->top) < TRIM_THRESHOLD, "the top is trimmed");
    sound();
}

static void a_refused_trim_changes_nothing(void **state)
{
    void *mem[1000];
    (void)state;
    fake.no_trim = true;
    for (unsigned i = 0; i < 1000; i++)
        mem[i] = take(1000);
    for (unsigned i = 0; i < 1000; i++)
        heap_free(mem[i]);
    sound();
    fake.no_trim = false;
    heap_free(take(10));
    expect_true(chunk_size(heap_look()->top) < TRIM_THRESHOLD, "the next free() trims");
    sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_request_raises_the_break),
        TEST(sizes_are_as_they_should),
        TEST(blocks_do_not_overlap),
        TEST(growing_goes_on_where_it_was),
        TEST(the_top_stays_a_chunk),
        TEST(too_much_is_refused),
        TEST(a_refused_growth_changes_nothing),
        TEST(what_is_free_is_used_first),
        TEST(the_rest_stays_free),
        TEST(a_rest_that_is_no_chunk_is_not_cut_off),
        TEST(a_freed_block_is_kept),
        TEST(neighbours_join),
        TEST(the_last_joins_the_top),
        TEST(freed_in_any_order_all_is_top),
        TEST(the_same_again_takes_no_more),
        TEST(a_large_top_is_trimmed),
        TEST(a_top_below_the_threshold_stays),
        TEST(trims_are_few),
        TEST(a_refused_trim_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
