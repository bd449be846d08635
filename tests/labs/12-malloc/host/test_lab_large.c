/* SPDX-License-Identifier: MIT */
/*
 * test_lab_large.c - mappings and their thresholds, calloc, and blocks that get another size.
 */
#include "fake.h"

static size_t pages_for(size_t request)
{
    return (request + CHUNK_HEAD + HEAP_PAGE - 1) / HEAP_PAGE * HEAP_PAGE;
}

/* --- step 5: mappings ------------------------------------------------------------------------- */

static void from_the_threshold_on_it_is_mapped(void **state)
{
    (void)state;
    void *below = take(MMAP_THRESHOLD - CHUNK_TAG - CHUNK_ALIGN);
    expect_equal(fake.maps, 0, "mappings for a chunk of MMAP_THRESHOLD - 16 bytes");
    expect_true(in_heap(below), "it lies in the heap");
    take(chunk_size(heap_look()->top) - 2 * CHUNK_MIN);
    void *at = take(MMAP_THRESHOLD - CHUNK_TAG);
    expect_equal(fake.maps, 1, "mappings for a chunk of MMAP_THRESHOLD bytes");
    expect_true(!in_heap(at), "it lies outside of the heap");
    sound();
}

static void a_mapping_has_whole_pages(void **state)
{
    (void)state;
    for (size_t request = 200 * KIB - 20; request < 200 * KIB + 20; request++) {
        void *mem = take(request);
        expect_equal(fake.mapped, pages_for(request), "bytes mapped for a request of %zu", request);
        expect_true(is_mmapped(chunk_of(mem)), "its chunk has IS_MMAPPED");
        expect_equal(chunk_size(chunk_of(mem)), fake.mapped, "its chunk's size");
        expect_equal(heap_usable_size(mem), fake.mapped - CHUNK_HEAD, "bytes that may be used");
        fill(mem, heap_usable_size(mem), 1);
        heap_begin(&fake_system); /* as if nothing had been learnt */
        fake_unmap(chunk_of(mem), fake.mapped);
    }
}

static void a_freed_mapping_goes_back(void **state)
{
    (void)state;
    void *mem = take(3 * MIB), *other = take(5 * MIB);
    heap_free(mem);
    expect_equal(fake.unmaps, 1, "calls of unmap()");
    expect_equal(fake.mapped, pages_for(5 * MIB), "bytes that are mapped");
    heap_free(other);
    expect_equal(fake.mapped, 0, "bytes that are mapped");
    expect_true(fake.brk == fake.start, "the heap itself has not grown");
}

static void the_thresholds_follow_what_is_freed(void **state)
{
    (void)state;
    void *large = take(1 * MIB), *less = take(300 * KIB);
    heap_free(large);
    expect_equal(heap_look()->mmap_threshold, pages_for(1 * MIB), "mmap_threshold: what was freed");
    expect_equal(heap_look()->trim_threshold, 2 * pages_for(1 * MIB), "trim_threshold: twice that");
    heap_free(less);
    expect_equal(heap_look()->mmap_threshold, pages_for(1 * MIB),
                 "mmap_threshold after a smaller one");
    expect_true(in_heap(take(1 * MIB)), "the next block of 1 MiB lies in the heap");
    expect_equal(fake.maps, 2, "mappings that were made");
    expect_true(!in_heap(take(2 * MIB)), "one of 2 MiB does not");
    sound();
}

static void the_trim_follows_too(void **state)
{
    (void)state;
    heap_free(take(1 * MIB));
    unsigned rises = 0;
    for (unsigned i = 0; i < 10; i++) {
        heap_free(take(1 * MIB));
        if (i == 0)
            rises = fake.rises;
    }
    expect_equal(fake.rises, rises, "calls of grow() after the first round: the top stays");
    expect_equal(fake.falls, 0, "calls that let the break fall");
    sound();
}

static void the_largest_teach_nothing(void **state)
{
    (void)state;
    heap_free(take(MMAP_THRESHOLD_MAX));
    expect_equal(heap_look()->mmap_threshold, MMAP_THRESHOLD,
                 "mmap_threshold after a block of more than MMAP_THRESHOLD_MAX");
    expect_equal(heap_look()->trim_threshold, TRIM_THRESHOLD, "trim_threshold");
    heap_free(take(MMAP_THRESHOLD_MAX - CHUNK_HEAD));
    expect_equal(heap_look()->mmap_threshold, MMAP_THRESHOLD_MAX,
                 "mmap_threshold after a mapping of MMAP_THRESHOLD_MAX");
    expect_equal(fake.mapped, 0, "bytes that are mapped");
}

static void what_is_free_comes_before_a_mapping(void **state)
{
    (void)state;
    void *a = take(100 * KIB), *b = take(100 * KIB);
    take(10);
    heap_free(a);
    heap_free(b);
    expect_true(take(150 * KIB) == a, "the free chunk of 200 KiB is used");
    expect_equal(fake.maps, 0, "mappings");
    sound();
}

static void without_mappings_the_heap_grows(void **state)
{
    (void)state;
    fake.no_map = true;
    void *mem = take(1 * MIB);
    expect_true(in_heap(mem), "a block of 1 MiB, when the system maps nothing");
    fill(mem, 1 * MIB, 3);
    heap_free(mem);
    sound();
    fake.no_grow = true;
    expect_true(!heap_malloc(4 * MIB), "malloc() is NULL when the system has nothing at all");
    sound();
}

static void calloc_clears(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        char *mem = heap_calloc(7, 100);
        expect_true(mem, "calloc(7, 100) gives a block");
        for (unsigned i = 0; i < 700; i++)
            expect_equal(mem[i], 0, "byte %u of what calloc() gives", i);
        memset(mem, 1, 700);
        heap_free(mem);
    }
}

static void calloc_multiplies_with_care(void **state)
{
    (void)state;
    expect_true(!heap_calloc(SIZE_MAX / 16 + 2, 16), "calloc(SIZE_MAX / 16 + 2, 16) is NULL");
    expect_true(!heap_calloc(1UL << 32, 1UL << 32), "calloc(2^32, 2^32) is NULL");
    expect_true(!heap_calloc(1UL << 32, (1UL << 32) + 1), "calloc(2^32, 2^32 + 1) is NULL");
    expect_true(heap_calloc(0, SIZE_MAX), "calloc(0, SIZE_MAX) gives a block of no bytes");
    sound();
}

static void calloc_leaves_fresh_mappings_alone(void **state)
{
    (void)state;
    fake.only_head = true; /* touching more of it ends the test with a fault */
    expect_true(heap_calloc(1, 4 * MIB), "calloc() of 4 MiB, without touching it");
    expect_equal(fake.maps, 1, "mappings");
}

/* --- step 6: another size --------------------------------------------------------------------- */

static void shrinks_where_it_is(void **state)
{
    (void)state;
    char *mem = take(1000), *after = take(10);
    fill(mem, 100, 5);
    expect_true(heap_realloc(mem, 100) == mem, "a smaller block stays where it is");
    expect_equal(chunk_size(chunk_of(mem)), 112, "bytes of the chunk for 100");
    expect_equal(chunks_kept(), 1, "chunks in the bins: what it had over");
    expect_equal(intact(mem, 100, 5), 100, "bytes that were kept");
    sound();
    expect_true(heap_realloc(mem, 90) == mem && chunk_size(chunk_of(mem)) == 112,
                "16 bytes over are no chunk: nothing changes");
    sound();
    (void)after;
}

static void what_it_had_over_joins(void **state)
{
    (void)state;
    char *mem = take(1000), *after = take(500);
    take(10);
    heap_free(after);
    expect_true(heap_realloc(mem, 100) == mem, "a smaller block stays where it is");
    expect_equal(chunks_kept(), 1, "chunks in the bins: its rest and its free neighbour are one");
    sound();
    char *last = take(50 * KIB);
    expect_true(heap_realloc(last, 100) == last, "the same before the top");
    expect_equal(chunks_kept(), 1, "chunks in the bins: its rest joined the top");
    sound();
}

static void grows_into_what_is_free_behind(void **state)
{
    (void)state;
    char *mem = take(100), *after = take(1000);
    take(10);
    fill(mem, 100, 6);
    heap_free(after);
    expect_true(heap_realloc(mem, 500) == mem, "a block grows into the free one behind");
    expect_equal(chunk_size(chunk_of(mem)), 512, "bytes of the chunk for 500");
    expect_equal(chunks_kept(), 1, "chunks in the bins: the rest");
    sound();
    expect_true(heap_realloc(mem, 112 + 1008 - 8) == mem, "and takes all of it");
    expect_equal(chunks_kept(), 0, "chunks in the bins");
    expect_equal(intact(mem, 100, 6), 100, "bytes that were kept");
    sound();
}

static void grows_into_the_top(void **state)
{
    (void)state;
    char *mem = take(100);
    fill(mem, 100, 7);
    expect_true(heap_realloc(mem, 50 * KIB) == mem, "the last block grows into the top");
    expect_equal(fake.rises, 1, "calls of grow()");
    expect_equal(intact(mem, 100, 7), 100, "bytes that were kept");
    sound();
    fill(mem, 50 * KIB, 8);
    mem = heap_realloc(mem, 120 * KIB + 4000); /* the top is left with next to nothing */
    expect_true(mem, "realloc() gives a block");
    expect_equal(intact(mem, 50 * KIB, 8), 50 * KIB, "bytes that were kept");
    sound();
}

static void moves_where_there_is_no_room(void **state)
{
    (void)state;
    char *mem = take(200), *after = take(100);
    take(10);
    heap_free(after); /* 112 bytes: too few */
    fill(mem, 200, 9);
    char *to = heap_realloc(mem, 2000);
    expect_true(to && to != mem, "the block moves");
    expect_equal(intact(to, 200, 9), 200, "bytes that were kept");
    sound();
    expect_equal(chunks_kept(), 1, "chunks in the bins: where it was joined what was free behind");
}

static void a_refused_realloc_changes_nothing(void **state)
{
    (void)state;
    char *mem = take(200);
    take(chunk_size(heap_look()->top) - 2 * CHUNK_MIN);
    fill(mem, 200, 10);
    fake.no_grow = fake.no_map = true;
    expect_true(!heap_realloc(mem, 5000), "realloc() is NULL when there is no memory");
    expect_true(!heap_realloc(mem, SIZE_MAX), "realloc(mem, SIZE_MAX) is NULL");
    expect_equal(intact(mem, 200, 10), 200, "bytes of the block, which is still there");
    expect_true(in_use(chunk_of(mem)), "it is still in use");
    sound();
}

static void a_mapping_is_remapped(void **state)
{
    (void)state;
    char *mem = take(1 * MIB);
    fill(mem, 1 * MIB, 11);
    mem = heap_realloc(mem, 3 * MIB);
    expect_true(mem, "realloc() to 3 MiB gives a block");
    expect_equal(fake.remaps, 1, "calls of remap()");
    expect_equal(fake.mapped, pages_for(3 * MIB), "bytes that are mapped");
    expect_equal(chunk_size(chunk_of(mem)), fake.mapped, "the chunk's size");
    expect_equal(intact(mem, 1 * MIB, 11), 1 * MIB, "bytes that were kept");
    fill(mem, 3 * MIB, 12);
    expect_true(heap_realloc(mem, 3 * MIB + 100) == mem, "the same pages: the same block");
    expect_equal(fake.remaps, 1, "calls of remap(): none for the same size");
    mem = heap_realloc(mem, 500 * KIB);
    expect_equal(fake.mapped, pages_for(500 * KIB), "bytes that are mapped, of a smaller one");
    expect_equal(intact(mem, 500 * KIB, 12), 500 * KIB, "bytes that were kept");
    heap_free(mem);
    expect_equal(fake.mapped, 0, "bytes that are mapped");
}

static void a_mapping_that_must_stay_is_copied(void **state)
{
    (void)state;
    char *mem = take(1 * MIB);
    fill(mem, 1 * MIB, 13);
    fake.no_remap = true;
    mem = heap_realloc(mem, 2 * MIB);
    expect_true(mem, "realloc() gives a block when remap() refuses");
    expect_equal(intact(mem, 1 * MIB, 13), 1 * MIB, "bytes that were kept");
    fill(mem, 2 * MIB, 14);
    expect_equal(fake.unmaps, 1, "calls of unmap(): the old one is gone");
    fake.no_map = fake.no_grow = true;
    expect_true(!heap_realloc(mem, 9 * MIB), "NULL when there is nothing at all");
    expect_equal(intact(mem, 2 * MIB, 14), 2 * MIB, "bytes of the block, which is still there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_the_threshold_on_it_is_mapped),
        TEST(a_mapping_has_whole_pages),
        TEST(a_freed_mapping_goes_back),
        TEST(the_thresholds_follow_what_is_freed),
        TEST(the_trim_follows_too),
        TEST(the_largest_teach_nothing),
        TEST(what_is_free_comes_before_a_mapping),
        TEST(without_mappings_the_heap_grows),
        TEST(calloc_clears),
        TEST(calloc_multiplies_with_care),
        TEST(calloc_leaves_fresh_mappings_alone),
        TEST(shrinks_where_it_is),
        TEST(what_it_had_over_joins),
        TEST(grows_into_what_is_free_behind),
        TEST(grows_into_the_top),
        TEST(moves_where_there_is_no_room),
        TEST(a_refused_realloc_changes_nothing),
        TEST(a_mapping_is_remapped),
        TEST(a_mapping_that_must_stay_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
