/* SPDX-License-Identifier: MIT */
/*
 * test_lab_family.c - who is chained to what after a fork.
 *
 *      space 0 --fork--> space 1 --fork--> space 2       pages of each; some exit; family.h
 */
#include "labs/09-rmap/host/mappers.h"

/* --- step 2: forks ---------------------------------------------------------------------------- */

static void begin(unsigned s)
{
    spaces[s].mm = fake_mm();
    map(s, 0, 8);
}

static void leave_all(void)
{
    for (unsigned s = 0; s < SPACES; s++)
        leave(s);
    expect_equal(objects_out, 0, "VMAs, chains and anon_vmas that are left when all have exited");
}

static struct anon_vma *own_of(unsigned s)
{
    return vma_at(s, 0)->anon_vma;
}

static void fork_keeps_old_pages_findable(void **state)
{
    (void)state;
    begin(0);
    touch(0, 1);
    expect_true(fork_into(1, 0) && fork_into(2, 1) && fork_into(3, 0), "forks");
    expect_found(page_at(0, 1), "0:1 1:1 2:1 3:1", "a page from before all forks");
    touch(1, 2);
    expect_true(fork_into(4, 1), "a fork");
    expect_found(page_at(1, 2), "1:2 4:2", "a page that the child has made before it forked");
    audit();
    leave_all();
}

static void fork_gives_the_child_its_own(void **state)
{
    (void)state;
    begin(0);
    touch(0, 1);
    expect_true(fork_into(1, 0), "a fork");
    struct anon_vma *a = own_of(0), *b = own_of(1);
    expect_true(a != b, "the child has an anon_vma of its own");
    expect_true(b->parent == a && b->root == a, "its parent and its root are the first one");
    expect_equal(a->num_children, 1, "num_children of the parent's");
    expect_equal(b->num_active_vmas, 1, "num_active_vmas of the child's");
    touch(1, 2);
    looked = 0;
    expect_found(page_at(1, 2), "1:2", "a page that the child has made");
    expect_equal(looked, 1, "entries looked at for it: nobody else can have it");
    audit();
    leave_all();
}

static void fork_of_a_range_without_pages_does_nothing(void **state)
{
    (void)state;
    begin(0);
    expect_true(fork_into(1, 0), "a fork");
    expect_true(!own_of(1), "the child's range has no anon_vma either");
    expect_true(list_empty(&vma_at(1, 0)->anon_vma_chain), "and no chains");
    leave_all();
}

/* What the first has made, the last may still map, though all between are gone. */
static void fork_reaches_back_to_the_first(void **state)
{
    (void)state;
    begin(0);
    for (unsigned s = 0; s < 5; s++) {
        touch(s, s);
        expect_true(fork_into(s + 1, s), "a fork");
    }
    for (unsigned s = 1; s < 5; s++)
        leave(s);
    for (unsigned i = 0; i < 5; i++) {
        char want[32];
        snprintf(want, sizeof(want), i ? "5:%u" : "0:0 5:0", i);
        expect_found(page_at(5, i), want, "a page that an ancestor has made");
    }
    audit();
    leave_all();
}

static void fork_takes_over_what_nobody_has(void **state)
{
    (void)state;
    begin(0);
    touch(0, 0);
    struct anon_vma *first = own_of(0);
    expect_true(fork_into(1, 0), "a fork");
    touch(1, 1);
    leave(0); /* the first one is nobody's own now, and has one child */
    expect_true(fork_into(2, 1), "a fork");
    expect_true(own_of(2) == first, "the child takes the first one over and makes none");
    expect_equal(first->num_active_vmas, 1, "num_active_vmas of what was taken over");
    audit();
    leave_all();
}

static void fork_takes_over_nothing_that_is_used(void **state)
{
    (void)state;
    begin(0);
    touch(0, 0);
    expect_true(fork_into(1, 0), "a fork");
    expect_true(own_of(1) != own_of(0), "one that is the parent's own is not taken over");
    expect_true(fork_into(2, 0), "a fork");
    leave(0); /* two children share it: pages of one would be looked for in the other */
    expect_true(fork_into(3, 1), "a fork");
    expect_true(own_of(3)->parent == own_of(1), "one that two children share is not taken over");
    audit();
    leave_all();
}

static void fork_after_fork_does_not_grow_the_chains(void **state)
{
    (void)state;
    begin(0);
    for (unsigned n = 0; n < 60; n++) {
        unsigned s = n % 2;
        touch(s, n % 8);
        expect_true(fork_into(!s, s), "a fork");
        leave(s);
        expect_true(objects_out <= 5,
                    "%ld objects after %u forks; a range, two chains and two "
                    "anon_vmas are enough",
                    objects_out, n + 1);
    }
    audit();
    leave_all();
}

/* Every object that a fork needs is missing once. */
static void fork_that_fails_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned alone = 0; alone < 2; alone++) {
        begin(0);
        touch(0, 0);
        expect_true(fork_into(1, 0), "a fork");
        touch(1, 1);
        if (alone)
            leave(0); /* so the next one takes over */
        long before = objects_out, enough = 0;
        for (bool done = false; !done && enough < 20; enough++) {
            objects_left = enough;
            done = fork_into(2, 1);
            objects_left = LONG_MAX;
            if (!done)
                expect_equal(objects_out, before, "objects after a fork without memory");
            audit();
        }
        expect_true(enough < 20, "a fork of one range needs less than 20 objects");
        leave_all();
    }
}

static void random_step(void)
{
    unsigned s = below(SPACES), n = 1 + below(8), first = below(PAGES - n + 1), what = below(100);
    if (!spaces[s].mm)
        spaces[s].mm = fake_mm();
    objects_left = below(6) ? LONG_MAX : below(8);
    if (what < 15)
        map(s, first, n);
    else if (what < 20)
        unmap(s, first, n);
    else if (what < 28)
        protect(s, first, n, below(2) ? RW : VM_READ);
    else if (what < 42)
        (void)fork_into((s + 1 + below(SPACES - 1)) % SPACES, s);
    else if (what < 50)
        leave(s);
    else
        touch(s, first);
    objects_left = LONG_MAX;
}

static void fork_at_random_adds_up(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned i = 0; i < 6000; i++) {
        random_step();
        if (i % 4 == 0)
            audit();
    }
    leave_all();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fork_keeps_old_pages_findable),
        TEST(fork_gives_the_child_its_own),
        TEST(fork_of_a_range_without_pages_does_nothing),
        TEST(fork_reaches_back_to_the_first),
        TEST(fork_takes_over_what_nobody_has),
        TEST(fork_takes_over_nothing_that_is_used),
        TEST(fork_after_fork_does_not_grow_the_chains),
        TEST(fork_that_fails_leaves_nothing),
        TEST(fork_at_random_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
