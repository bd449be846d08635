/* SPDX-License-Identifier: MIT */
/*
 * test_lab_oom_reap.c - what the reaper frees, what it leaves, and how it comes to an end.
 */
#include "guests.h"

#include "phys/pcp.h"

static uint64_t pages_free(void)
{
    lru_add_drain_all();
    drain_all_pages(NULL);
    return nr_free_pages();
}

/* --- mm_reap() -------------------------------------------------------------------------------- */

static void reap_frees_private_pages(void **state)
{
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    map_private(mm, AREA, 64);
    map_private(mm, GIB(2), 600);
    touch(mm, AREA, 20, 0);
    touch(mm, GIB(2) + 500 * PAGE_SIZE, 30, 1);
    uint64_t before = pages_free();
    expect_equal(mm_reap(mm), 50, "pages that were freed: what mm_reap() returns");
    expect_equal(mm->rss[MM_ANONPAGES], 0, "resident private pages");
    expect_equal(pages_free() - before, 50, "pages that are free now");
    expect_sane(mm);
    expect_true(mm_flag(mm, MMF_UNSTABLE), "MMF_UNSTABLE: what it had reads as zeros now");
}

static void reap_frees_copies_of_a_files_pages(void **state)
{
    struct address_space *file = shmem_create(MIB(1), false);
    struct mm_struct *mm = guest(1, 0);
    uint64_t value = 1;
    (void)state;
    map(mm, AREA, 16, file, MAP_PRIVATE);
    touch(mm, AREA, 6, 0); /* each a copy */
    expect_true(mm_reap(mm) >= 6, "the guest's own copies are freed");
    expect_equal(mm->rss[MM_ANONPAGES], 0, "resident private pages");
    expect_equal(space_load(mm, AREA, &value), FAULT_DONE, "a fault on one of them");
    expect_equal(value, 0, "what it finds: the file, where nothing was written");
}

static void reap_leaves_shared_pages(void **state)
{
    struct address_space *file = shmem_create(MIB(1), false);
    struct mm_struct *mm = guest(1, 0), *other = guest(2, 0);
    struct pt_mapping m;
    uint64_t value = 0;
    (void)state;
    map(mm, AREA, 16, file, MAP_SHARED);
    map(other, AREA, 16, file, MAP_SHARED);
    map_private(mm, GIB(2), 5);
    touch(mm, AREA, 10, 0);
    touch(mm, GIB(2), 5, 0);
    expect_equal(mm_reap(mm), 5, "pages freed of 5 private ones and 10 shared ones");
    expect_equal(mm->rss[MM_SHMEMPAGES] + mm->rss[MM_FILEPAGES], 10,
                 "resident shared pages: others see them, and nothing would be won");
    expect_true(pt_lookup(&mm->pgt, mk_vaddr(AREA + 3 * PAGE_SIZE), &m), "they are mapped still");
    expect_equal(space_load(other, AREA + 3 * PAGE_SIZE, &value), FAULT_DONE, "another's fault");
    expect_sane(mm);
    expect_equal(value, AREA + 3, "what another guest reads there");
}

static void reap_leaves_a_childs_pages(void **state)
{
    struct mm_struct *mm = guest(1, 0), *child = guest(2, 0);
    uint64_t value = 0;
    (void)state;
    map_private(mm, AREA, 16);
    touch(mm, AREA, 16, 0);
    expect_equal(dup_mmap(child, mm), 0, "the fork");
    expect_true(mm_reap(mm) >= 0, "mm_reap() did it");
    expect_equal(child->rss[MM_ANONPAGES], 16, "resident pages of the child");
    for (unsigned i = 0; i < 16; i++) {
        expect_equal(space_load(child, AREA + i * PAGE_SIZE, &value), FAULT_DONE, "its fault");
        expect_equal(value, AREA + i, "what the child reads in page %u", i);
    }
}

static void reap_does_not_wait(void **state)
{
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    map_private(mm, AREA, 8);
    touch(mm, AREA, 8, 0);
    mmap_write_lock(mm);
    expect_equal(mm_reap(mm), -EAGAIN, "mm_reap() while mmap_lock cannot be had");
    expect_equal(mm->rss[MM_ANONPAGES], 8, "resident pages: nothing was freed");
    mmap_write_unlock(mm);
    expect_equal(mm_reap(mm), 8, "mm_reap() when it can");
    expect_true(down_write_trylock(&mm->mmap_lock), "mmap_lock is free again behind it");
    mmap_write_unlock(mm);
}

/* --- the thread ------------------------------------------------------------------------------- */

static struct mm_struct *victim(void)
{
    struct mm_struct *mm = guest(1, 0);
    map_private(mm, AREA, 8);
    touch(mm, AREA, 8, 0);
    return mm;
}

static void expect_let_go(const struct mm_struct *mm, uint32_t count)
{
    expect_equal(users_of(mm), 1, "users of the victim behind the reaper");
    expect_equal(load_relaxed(&mm->count), count, "holders of its struct behind the reaper");
    expect_true(mm_flag(mm, MMF_OOM_SKIP), "MMF_OOM_SKIP: the killer may choose another one");
}

static void the_reaper_frees_and_lets_go(void **state)
{
    struct mm_struct *mm = victim();
    uint32_t count = load_relaxed(&mm->count);
    (void)state;
    reaper_queue(mm);
    run_reaper();
    expect_equal(mm->rss[MM_ANONPAGES], 0, "resident private pages");
    expect_equal(sleeps, 0, "pauses of the reaper");
    expect_let_go(mm, count);
}

static void unlock_at_third(unsigned n)
{
    if (n == 3)
        mmap_write_unlock(guests[0]);
}

static void the_reaper_tries_again(void **state)
{
    struct mm_struct *mm = victim();
    uint32_t count = load_relaxed(&mm->count);
    (void)state;
    reaper_queue(mm);
    mmap_write_lock(mm);
    while_asleep = unlock_at_third;
    run_reaper();
    expect_equal(sleeps, 3, "pauses of the reaper, when mmap_lock is to be had in the third");
    expect_equal(mm->rss[MM_ANONPAGES], 0, "resident private pages");
    expect_let_go(mm, count);
}

static void nobody_is_held(unsigned n)
{
    (void)n;
    expect_equal(users_of(guests[0]), 1, "users of the victim while the reaper sleeps: it may go");
}

static void the_reaper_gives_up(void **state)
{
    struct mm_struct *mm = victim();
    uint32_t count = load_relaxed(&mm->count);
    (void)state;
    reaper_queue(mm);
    mmap_write_lock(mm);
    while_asleep = nobody_is_held;
    run_reaper();
    mmap_write_unlock(mm);
    expect_true(sleeps >= 9 && sleeps <= 10, "%u pauses between ten tries", sleeps);
    expect_equal(mm->rss[MM_ANONPAGES], 8, "resident private pages");
    expect_let_go(mm, count);
}

static void the_reaper_leaves_what_is_torn_down(void **state)
{
    struct mm_struct *mm = victim();
    (void)state;
    reaper_queue(mm);
    mmgrab(mm);
    nr_guests--;
    mmput(mm); /* its last user: everything goes */
    run_reaper();
    expect_equal(mm->users, 0, "users of a space that was torn down before");
    expect_equal(mm->count, 1, "holders of its struct: this test");
    expect_equal(sleeps, 0, "pauses of the reaper: there is nothing to wait for");
    mmdrop(mm);
}

static void leave_at_second(unsigned n)
{
    if (n != 2)
        return;
    mmap_write_unlock(guests[0]);
    mmput(guests[0]);
    nr_guests--;
}

static void the_reaper_lets_it_die_meanwhile(void **state)
{
    struct mm_struct *mm = victim();
    (void)state;
    reaper_queue(mm);
    mmgrab(mm);
    mmap_write_lock(mm);
    while_asleep = leave_at_second;
    run_reaper();
    expect_equal(sleeps, 2, "pauses of the reaper, when the victim is gone after two");
    expect_equal(mm->users, 0, "users of the victim, gone while the reaper slept");
    expect_equal(mm->count, 1, "holders of its struct: this test");
    mmdrop(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reap_frees_private_pages),
        TEST(reap_frees_copies_of_a_files_pages),
        TEST(reap_leaves_shared_pages),
        TEST(reap_leaves_a_childs_pages),
        TEST(reap_does_not_wait),
        TEST(the_reaper_frees_and_lets_go),
        TEST(the_reaper_tries_again),
        TEST(the_reaper_gives_up),
        TEST(the_reaper_leaves_what_is_torn_down),
        TEST(the_reaper_lets_it_die_meanwhile),
    };
    return cmocka_run_group_tests(tests, machine_of_guests, NULL);
}
