/* SPDX-License-Identifier: MIT */
/*
 * test_lab_guests.c - the whole with the real mover: guests whose pages are moved under them.
 *
 *      a guest    [ page 0 ][ page 1 ][ page 2 ] ...   each holds its own number
 *      frames     #.#..###.#.#   --compact-->   ......######      the same numbers are read
 *
 * Nothing of the virt floor is replaced: page tables, faults, rmap and migration are the monitor's.
 */
#include "virt/space.h"

#include "labs/wire/expect.h"

#include "base/random.h"
#include "phys/pcp.h"
#include "pressure/compaction.h"

#define PAGES 6000u
#define FILE_PAGES 500u
#define BASE GIB(1)
#define FILE_BASE (BASE + PAGES * PAGE_SIZE)
#define TOP (FILE_BASE + FILE_PAGES * PAGE_SIZE)

#define MADV_DONTNEED 4

static struct rng rng;
static struct address_space file;
static const struct address_space_ops file_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
};
static uint64_t want[2][PAGES + FILE_PAGES]; /* what each guest should read; 0: was given back */

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static struct mm_struct *guest(void)
{
    struct mm_struct *mm = space_new(TOP);
    struct mmap_request anonymous = {.addr = BASE,
                                     .len = PAGES * PAGE_SIZE,
                                     .prot = PROT_READ | PROT_WRITE,
                                     .flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS};
    struct mmap_request shared = {.addr = FILE_BASE,
                                  .len = FILE_PAGES * PAGE_SIZE,
                                  .prot = PROT_READ | PROT_WRITE,
                                  .flags = MAP_FIXED | MAP_SHARED,
                                  .mapping = &file};
    expect_equal(do_mmap(mm, &anonymous), BASE, "the test maps memory");
    expect_equal(do_mmap(mm, &shared), FILE_BASE, "the test maps a file");
    return mm;
}

static void write_page(struct mm_struct *mm, unsigned who, unsigned page, uint64_t value)
{
    expect_true(space_store(mm, addr_of(page), value) <= FAULT_MAJOR, "the test writes a page");
    want[who][page] = value;
}

static void forget_page(struct mm_struct *mm, unsigned page)
{
    expect_equal(do_madvise(mm, addr_of(page), PAGE_SIZE, MADV_DONTNEED), 0, "madvise");
    want[0][page] = 0;
}

/* A guest that has given back about half of its pages. */
static struct mm_struct *fragmented(void)
{
    rng_seed(&rng, lab_seed());
    memset(want, 0, sizeof(want));
    address_space_init(&file, &file_ops, NULL, FILE_PAGES * PAGE_SIZE);
    struct mm_struct *mm = guest();
    for (unsigned i = 0; i < PAGES + FILE_PAGES; i++)
        write_page(mm, 0, i, rng_next(&rng) | 1);
    for (unsigned i = 0; i < PAGES; i++)
        if (rng_below(&rng, 2))
            forget_page(mm, i);
    return mm;
}

static void reads_what_it_wrote(struct mm_struct *mm, unsigned who)
{
    uint64_t value;
    for (unsigned i = 0; i < PAGES + FILE_PAGES; i++) {
        if (!want[who][i])
            continue;
        expect_true(space_load(mm, addr_of(i), &value) <= FAULT_MAJOR, "guest %u reads its page %u",
                    who, i);
        expect_equal(value, want[who][i], "what guest %u reads in its page %u", who, i);
    }
}

static uint64_t big(void)
{
    return zones[0]->free_area[9].nr_free + 2 * zones[0]->free_area[10].nr_free;
}

static void audit(void)
{
    if (lru_check(&stderr_sink))
        fail_msg("the LRU lists are not in order");
    fake_check();
    expect_equal(zones[0]->nr_isolated_free, 0, "free pages that are isolated after the run");
    expect_equal(global_node_state(NR_ISOLATED_ANON) + global_node_state(NR_ISOLATED_FILE), 0,
                 "guests' pages that are isolated after the run");
}

static void end(struct mm_struct *a, struct mm_struct *b)
{
    mmput(a);
    if (b)
        mmput(b);
    shmem_drop_pages(&file, 0, UINT64_MAX);
    page_tree_destroy(&file.pages);
    lru_add_drain();
    expect_equal(global_node_state(NR_ANON_MAPPED), 0, "pages mapped when all guests have ended");
    fake_check();
}

static void guests_keep_their_content(void **state)
{
    (void)state;
    struct mm_struct *mm = fragmented();
    uint64_t before = big(), moved = vm_event_sum(PGMIGRATE_SUCCESS);
    compact_node(0);
    expect_true(vm_event_sum(PGMIGRATE_SUCCESS) > moved + 500, "%lu pages were moved",
                (unsigned long)(vm_event_sum(PGMIGRATE_SUCCESS) - moved));
    expect_true(big() > before, "%lu free pageblocks before, %lu after", (unsigned long)before,
                (unsigned long)big());
    audit();
    reads_what_it_wrote(mm, 0);
    compact_all_nodes();
    audit();
    reads_what_it_wrote(mm, 0);
    end(mm, NULL);
}

static void families_share_what_is_moved(void **state)
{
    (void)state;
    struct mm_struct *mm = fragmented(), *child = space_new(TOP);
    expect_equal(dup_mmap(child, mm), 0, "the test forks");
    memcpy(want[1], want[0], sizeof(want[1]));
    for (unsigned i = 0; i < PAGES; i++) /* some are copied, the others stay shared */
        if (want[1][i] && !rng_below(&rng, 8))
            write_page(child, 1, i, rng_next(&rng) | 1);
    compact_node(0);
    audit();
    reads_what_it_wrote(mm, 0);
    reads_what_it_wrote(child, 1);
    end(mm, child);
}

/* What a request is for: a block that is not there is made, and nobody else gets it. */
static void a_block_is_made_for_who_asks(void **state)
{
    (void)state;
    struct mm_struct *mm = fragmented();
    struct compact_control cc = {
        .zone = zones[0], .order = 5, .migratetype = MIGRATE_MOVABLE, .mode = MIGRATE_ASYNC};
    while (alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY, 5))
        ; /* kept to the end */
    drain_all_pages(NULL);
    expect_equal(compact_zone(&cc), COMPACT_SUCCESS, "result for order 5, half being free");
    expect_true(cc.capture.page != NULL, "the block was captured");
    expect_true(IS_ALIGNED(page_to_pfn(cc.capture.page).v, 32), "the block is aligned");
    reads_what_it_wrote(mm, 0);
}

static int set_up(void **state)
{
    (void)state;
    space_boot(2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(guests_keep_their_content, set_up),
        cmocka_unit_test_setup(families_share_what_is_moved, set_up),
        cmocka_unit_test_setup(a_block_is_made_for_who_asks, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
