/* SPDX-License-Identifier: MIT */
/*
 * test_lab_heap.c - anything in any order, against an array of what was asked for.
 */
#include "fake.h"

#define BLOCKS 400

static struct {
    char *mem;
    size_t size;
    unsigned tag;
} block[BLOCKS];
static size_t live, peak_live;

static size_t any_size(void)
{
    unsigned dice = (unsigned)draw() % 100;
    if (dice < 70)
        return draw() % 600;
    return dice < 97 ? draw() % (20 * KIB) : draw() % (600 * KIB);
}

/* The ends of a large block are enough to look at. */
static size_t looked_at(size_t size)
{
    return size < 2000 ? size : 2000;
}

static void write_block(unsigned i, char *mem, size_t size)
{
    live += size - block[i].size;
    block[i].mem = mem;
    block[i].size = size;
    block[i].tag = (unsigned)draw();
    if (!mem)
        return;
    expect_equal((uintptr_t)mem % CHUNK_ALIGN, 0, "an address modulo 16");
    expect_true(heap_usable_size(mem) >= size, "a block of %zu bytes may be used whole", size);
    fill(mem, looked_at(size), block[i].tag);
    if (size)
        mem[size - 1] = (char)(size > 2000 ? block[i].tag : (unsigned char)mem[size - 1]);
    if (live > peak_live)
        peak_live = live;
}

static void read_block(const char *mem, unsigned i, size_t size)
{
    size_t look = looked_at(size < block[i].size ? size : block[i].size);
    expect_equal(intact(mem, look, block[i].tag), look,
                 "bytes of a block of %zu that are as they "
                 "were written",
                 block[i].size);
    if (size >= block[i].size && size > 2000 && block[i].size > 2000)
        expect_equal((unsigned char)mem[block[i].size - 1], (unsigned char)block[i].tag,
                     "the last byte of a block of %zu", block[i].size);
}

static void one_step(unsigned i)
{
    size_t size = any_size();
    if (!block[i].mem) {
        write_block(i, draw() % 4 ? heap_malloc(size) : heap_calloc(1, size), size);
        if (!block[i].mem)
            write_block(i, NULL, 0);
    } else if (draw() % 4 == 0 && size) {
        char *mem = heap_realloc(block[i].mem, size);
        read_block(mem ? mem : block[i].mem, i, mem ? size : block[i].size);
        if (mem)
            write_block(i, mem, size);
    } else {
        read_block(block[i].mem, i, block[i].size);
        heap_free(block[i].mem);
        write_block(i, NULL, 0);
    }
}

static void run(unsigned steps)
{
    memset(block, 0, sizeof(block));
    live = peak_live = 0;
    for (unsigned step = 0; step < steps; step++) {
        one_step((unsigned)draw() % BLOCKS);
        if (step % 100 == 0)
            sound();
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (block[i].mem) {
            read_block(block[i].mem, i, block[i].size);
            heap_free(block[i].mem);
        }
    }
    sound();
    expect_equal(chunks_kept(), 0, "chunks in the bins when all was freed");
    expect_equal(fake.mapped, 0, "bytes in mappings when all was freed");
}

static void anything_in_any_order(void **state)
{
    (void)state;
    run(30000);
    const struct heap *heap = heap_look();
    expect_true(fake.brk - fake.start < (long)(heap->trim_threshold + HEAP_PAGE),
                "%ld bytes of the heap are left when all was freed", fake.brk - fake.start);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    run(30000);
    /* ours needs 1.07 to 1.53 times as much, by what was drawn */
    expect_true(fake.peak <= peak_live * 2,
                "%zu bytes were held at most for %zu in use: twice as much is the bound", fake.peak,
                peak_live);
}

static void a_system_that_often_refuses(void **state)
{
    (void)state;
    fake.refuse_one_in = 3;
    run(30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(anything_in_any_order),
        TEST(memory_is_bounded),
        TEST(a_system_that_often_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
