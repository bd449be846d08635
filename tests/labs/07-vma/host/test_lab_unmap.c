/* SPDX-License-Identifier: MIT */
/*
 * test_lab_unmap.c - a range goes, with its pages; what is beside it stays.
 *
 *      page     0   1   2   3   4   5   6   7   8   9
 *               [ A ................... ]   [ B ..... ]      every page holds its number
 *      unmap                |<------------------->|
 *               [ A ....... ]                     [ B ]
 *
 * VMAs, tables, pages and faults are real ones (virt/space.h).
 */
#include "labs/wire/expect.h"

#include "virt/space.h"

#include "arch/layout.h"

#define BASE GIB(1)
#define RW (PROT_READ | PROT_WRITE)

static long at_first; /* objects that were out when the test began */
static struct mm_struct *mm;

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static void map_at(uint64_t addr, unsigned n, uint64_t prot)
{
    struct mmap_request req = {.addr = addr,
                               .len = n * PAGE_SIZE,
                               .prot = prot,
                               .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
    expect_equal(do_mmap(mm, &req), addr, "do_mmap() of %u pages", n);
}

/* Mapped, and each page holds its number. */
static void map(unsigned first, unsigned n)
{
    map_at(addr_of(first), n, RW);
    for (unsigned i = first; i < first + n; i++)
        expect_equal(space_store(mm, addr_of(i), i), FAULT_DONE, "a store to page %u", i);
}

static int unmap(unsigned first, unsigned n)
{
    return do_munmap(mm, addr_of(first), n * PAGE_SIZE);
}

/* Are pages first..end-1 there, with what was written to them; or not? */
static void expect_there(unsigned first, unsigned end, bool there)
{
    for (unsigned i = first; i < end; i++) {
        uint64_t value = ~0UL;
        enum fault_result got = space_load(mm, addr_of(i), &value);
        expect_equal(got == FAULT_MAPERR, !there, "page %u is to be %s", i,
                     there ? "mapped" : "gone");
        if (there)
            expect_equal(value, i, "what page %u holds", i);
    }
}

/* Everything that the kernel knows of the space agrees, and so many VMAs and pages are left. */
static void expect_left(unsigned vmas, unsigned pages)
{
    lru_add_drain();
    expect_equal(mm->map_count, vmas, "VMAs that are left");
    expect_equal(mm->total_vm, pages, "pages that are mapped: total_vm");
    expect_equal(mm->rss[MM_ANONPAGES], pages, "pages that are resident");
    expect_equal(global_node_state(NR_ANON_MAPPED), pages, "pages in use on the machine");
    expect_equal(mm_check(mm, &stderr_sink), 0, "faults that mm_check() finds");
}

/* The space goes. Not after a failure: the test may have left it locked. */
static void finish(void)
{
    mmput(mm);
    mm = NULL;
}

/* --- what goes -------------------------------------------------------------------------------- */

static void unmap_a_whole_range(void **state)
{
    (void)state;
    map(0, 6);
    map(8, 2);
    expect_equal(unmap(0, 6), 0, "do_munmap() of pages 0..5");
    expect_there(0, 8, false);
    expect_there(8, 10, true);
    expect_left(1, 2);
    finish();
}

static void unmap_the_head_or_the_tail(void **state)
{
    (void)state;
    map(0, 10);
    expect_equal(unmap(0, 3), 0, "do_munmap() of the first 3 of 10 pages");
    expect_there(0, 3, false);
    expect_there(3, 10, true);
    expect_left(1, 7);
    expect_equal(unmap(8, 2), 0, "do_munmap() of the last 2");
    expect_there(3, 8, true);
    expect_there(8, 10, false);
    expect_left(1, 5);
    finish();
}

static void unmap_the_middle(void **state)
{
    (void)state;
    map(0, 10);
    expect_equal(unmap(4, 3), 0, "do_munmap() of pages 4..6 of 10");
    expect_there(0, 4, true);
    expect_there(4, 7, false);
    expect_there(7, 10, true);
    expect_left(2, 7);
    finish();
}

static void unmap_over_several(void **state)
{
    (void)state;
    map(0, 6);
    map(7, 1);
    map(9, 1);
    map(12, 4);
    expect_equal(unmap(3, 11), 0, "do_munmap() of pages 3..13: parts of two, two wholly, holes");
    expect_there(0, 3, true);
    expect_there(3, 14, false);
    expect_there(14, 16, true);
    expect_left(2, 5);
    finish();
}

static void unmap_stops_at_its_end(void **state)
{
    (void)state;
    map_at(addr_of(0), 3, RW);
    map_at(addr_of(3), 3, PROT_READ); /* right behind, a VMA of its own */
    map_at(addr_of(6), 3, RW);
    expect_equal(unmap(3, 3), 0, "do_munmap() of pages 3..5");
    expect_equal(mm->map_count, 2, "0..2 and 6..8 are left whole");
    expect_true(vma_range_is_mapped(mm, addr_of(0), addr_of(3)), "pages 0..2 are mapped");
    expect_true(vma_range_is_mapped(mm, addr_of(6), addr_of(9)), "pages 6..8 are mapped");
    expect_true(!find_vma_intersection(mm, addr_of(3), addr_of(6)), "pages 3..5 are gone");
    finish();
}

static void unmap_what_is_not_there(void **state)
{
    (void)state;
    map(4, 2);
    expect_equal(unmap(0, 4), 0, "a range without a VMA: nothing to do, and no error");
    expect_equal(unmap(6, 5), 0, "the hole behind: nothing to do, and no error");
    expect_there(4, 6, true);
    expect_left(1, 2);
    expect_equal(unmap(0, 100), 0, "a range with more hole than memory");
    expect_left(0, 0);
    finish();
}

static void unmap_counts_by_pages(void **state)
{
    (void)state;
    map(0, 8);
    expect_equal(do_munmap(mm, addr_of(0), 1), 0, "do_munmap() of one byte: the page goes");
    expect_there(0, 1, false);
    expect_left(1, 7);
    expect_equal(do_munmap(mm, addr_of(1), PAGE_SIZE + 1), 0, "a page and a byte: two pages go");
    expect_there(1, 3, false);
    expect_left(1, 5);
    finish();
}

/* Every page, table and object comes back, also from what was split before. */
static void unmap_gives_all_back(void **state)
{
    (void)state;
    map(0, 64);
    for (unsigned i = 1; i < 64; i += 2)
        expect_equal(unmap(i, 1), 0, "do_munmap() of page %u", i);
    expect_left(32, 32);
    expect_equal(unmap(0, 64), 0, "do_munmap() of all");
    expect_left(0, 0);
    expect_equal(objects_out, at_first, "VMAs, anon_vmas and chains that are still in use");
    expect_equal(global_node_state(NR_PAGETABLE), 1, "page tables: only the root");
    finish();
}

/* --- what is refused -------------------------------------------------------------------------- */

static void unmap_refuses_nonsense(void **state)
{
    (void)state;
    static const struct {
        uint64_t addr, len;
        const char *what;
    } calls[] = {
        {BASE + 1, PAGE_SIZE, "an address inside of a page"},
        {BASE, 0, "no bytes"},
        {USER_TOP, PAGE_SIZE, "the first page above the user's half"},
        {USER_TOP - PAGE_SIZE, 2 * PAGE_SIZE, "a range that ends above it"},
        {BASE, UINT64_MAX, "all bytes there are"},
        {BASE, UINT64_MAX - BASE + 1 + 2 * PAGE_SIZE, "a range that wraps around to page 2"},
        {UINT64_MAX & PAGE_MASK, PAGE_SIZE, "the last page of the monitor's half"},
        {UINT64_MAX & PAGE_MASK, 2 * PAGE_SIZE, "a range that wraps around to page 1"},
    };
    map(0, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
        expect_equal(do_munmap(mm, calls[i].addr, calls[i].len), -EINVAL, "do_munmap() of %s",
                     calls[i].what);
    expect_there(0, 4, true);
    expect_left(1, 4);
    finish();
}

static void unmap_the_last_page_of_all(void **state)
{
    (void)state;
    map_at(USER_TOP - 2 * PAGE_SIZE, 2, RW);
    expect_equal(do_munmap(mm, USER_TOP - PAGE_SIZE, PAGE_SIZE), 0, "the last page below USER_TOP");
    expect_equal(mm->total_vm, 1, "pages that are mapped: the one before it");
    expect_equal(do_munmap(mm, PAGE_SIZE, USER_TOP - PAGE_SIZE), 0, "all of the user's half");
    expect_left(0, 0);
    finish();
}

static void unmap_a_sealed_range(void **state)
{
    (void)state;
    map(0, 6);
    map(8, 2);
    expect_equal(do_mseal(mm, addr_of(8), 2 * PAGE_SIZE), 0, "do_mseal()");
    expect_equal(unmap(2, 7), -EPERM, "do_munmap() of a range of which a part is sealed");
    expect_there(0, 6, true);
    expect_there(8, 10, true);
    expect_left(2, 8);
    finish();
}

/* How near to the limit it goes is its affair; but what it refuses it has not begun either. */
static void unmap_at_the_limit_changes_nothing(void **state)
{
    (void)state;
    map(0, 10);
    map(20, 2);
    for (sysctl_max_map_count = 2; sysctl_max_map_count < 4; sysctl_max_map_count++) {
        int err = unmap(4, 2);
        if (!err)
            break;
        expect_equal(err, -ENOMEM, "a hole in the middle of one of 2 VMAs; max_map_count is %u",
                     sysctl_max_map_count);
        expect_there(0, 10, true);
        expect_left(2, 12);
    }
    expect_true(sysctl_max_map_count > 2, "3 VMAs where max_map_count is 2");
    sysctl_max_map_count = 65530;
    expect_equal(unmap(4, 2), 0, "do_munmap() of pages 4 and 5, when there may be many VMAs");
    expect_left(3, 10);
    finish();
}

/* With memory for no object, for one, for two ...: until it succeeds nothing is lost. */
static void unmap_without_memory_loses_nothing(void **state)
{
    (void)state;
    map(0, 10);
    map(12, 4);
    for (long there = 0; there < 8; there++) {
        objects_left = there;
        int err = unmap(4, 10); /* splits both */
        objects_left = LONG_MAX;
        if (!err) {
            expect_true(there >= 2, "two splits need two VMAs; there was memory for %ld", there);
            expect_there(0, 4, true);
            expect_there(4, 14, false);
            expect_there(14, 16, true);
            expect_left(2, 6);
            finish();
            return;
        }
        expect_equal(err, -ENOMEM, "do_munmap() with memory for %ld objects", there);
        expect_there(0, 10, true);
        expect_there(12, 16, true);
        expect_left(mm->map_count, 14);
        expect_true(mm->map_count <= 3, "at most one VMA has become two; there are %u",
                    mm->map_count);
    }
    fail_msg("do_munmap() fails though there is memory");
}

/* --- a file's references ---------------------------------------------------------------------- */

static uint32_t file_users;

static void file_get(struct address_space *m)
{
    (void)m;
    file_users++;
}

static void file_put(struct address_space *m)
{
    (void)m;
    file_users--;
}

static void unmap_counts_the_files_users(void **state)
{
    (void)state;
    static const struct address_space_ops ops = {
        .get_page = shmem_get_page, .get = file_get, .put = file_put};
    static struct address_space file;
    address_space_init(&file, &ops, NULL, 16 * PAGE_SIZE);
    file_users = 0;
    struct mmap_request req = {.addr = BASE,
                               .len = 10 * PAGE_SIZE,
                               .prot = RW,
                               .flags = MAP_SHARED | MAP_FIXED,
                               .mapping = &file,
                               .pgoff = 3};
    expect_equal(do_mmap(mm, &req), BASE, "do_mmap() of a file");
    for (unsigned i = 0; i < 10; i++)
        expect_equal(space_store(mm, addr_of(i), i), FAULT_DONE, "a store to page %u", i);
    expect_equal(unmap(4, 2), 0, "do_munmap() of the middle");
    expect_equal(file_users, 2, "VMAs that refer to the file");
    expect_there(0, 4, true);
    expect_there(6, 10, true);
    expect_equal(mm_check(mm, &stderr_sink), 0, "faults that mm_check() finds");
    expect_equal(unmap(0, 10), 0, "do_munmap() of all");
    expect_equal(file_users, 0, "VMAs that refer to the file");
    expect_true(!file.i_mmap.node, "nobody is in the file's i_mmap");
    shmem_drop_pages(&file, 0, UINT64_MAX);
    page_tree_destroy(&file.pages);
    finish();
}

static int boot(void **state)
{
    (void)state;
    space_boot(1);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    mm = space_new(USER_TOP);
    at_first = objects_out;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unmap_a_whole_range),
        TEST(unmap_the_head_or_the_tail),
        TEST(unmap_the_middle),
        TEST(unmap_over_several),
        TEST(unmap_stops_at_its_end),
        TEST(unmap_what_is_not_there),
        TEST(unmap_counts_by_pages),
        TEST(unmap_gives_all_back),
        TEST(unmap_refuses_nonsense),
        TEST(unmap_the_last_page_of_all),
        TEST(unmap_a_sealed_range),
        TEST(unmap_at_the_limit_changes_nothing),
        TEST(unmap_without_memory_loses_nothing),
        TEST(unmap_counts_the_files_users),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
