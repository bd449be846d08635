/* SPDX-License-Identifier: MIT */
/*
 * test_rmap_anon.c - anon_vmas of random families of spaces, counted anew after each few steps.
 *
 *      map, write, fork, write, unmap, exit, fork ...   and then family_audit.h
 *
 * Spaces fork, exit, map, unmap, change rights and write (family.h), and now and then there is no
 * memory for the next few objects. That data, tables and faults go along is shown by test_space.c;
 * here there are none, so that many more families are seen.
 */
#include "virt/family_audit.h"

#define STEPS 12000u

static void leave_all(void)
{
    for (unsigned s = 0; s < SPACES; s++)
        leave(s);
    assert_int_equal(objects_out, 0);
    assert_int_equal(global_node_state(NR_ANON_MAPPED), 0);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void step(void)
{
    unsigned s = below(SPACES), n = 1 + below(8), first = below(PAGES - n + 1), what = below(100);
    if (!spaces[s].mm)
        spaces[s].mm = fake_mm();
    objects_left = below(6) ? LONG_MAX : below(8);
    if (what < 15)
        map(s, first, n);
    else if (what < 20)
        unmap(s, first, n);
    else if (what < 30)
        protect(s, first, n, below(2) ? RW : VM_READ);
    else if (what < 40)
        (void)fork_into((s + 1 + below(SPACES - 1)) % SPACES, s);
    else if (what < 46)
        leave(s);
    else
        touch(s, first);
    objects_left = LONG_MAX;
}

static void random_families_add_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rng_seed(&rng, seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
            if (i % 4 == 0)
                audit();
        }
        leave_all();
    }
}

/* A fork that lacks the k-th object leaves all as it was, though its child had taken one over. */
static void a_failed_fork_leaves_nothing(void **state)
{
    (void)state;
    long enough = 0;
    spaces[0].mm = fake_mm();
    map(0, 0, 4);
    touch(0, 0);
    assert_true(fork_into(1, 0));
    touch(1, 1);
    leave(0); /* what it had is nobody's own now */
    for (bool done = false; !done; enough++) {
        objects_left = enough;
        done = fork_into(2, 1);
        objects_left = LONG_MAX;
        audit();
    }
    /* for 0 to 3 objects: the VMA's, and for two anon_vmas a chain each. None was made */
    assert_int_equal(enough, 4);
    assert_ptr_equal(vma_at(2, 0)->anon_vma, vma_at(1, 0)->anon_vma->parent);
    leave_all();
}

/* With a child taking it over, the pages of that child would be looked for in the other too. */
static void what_two_children_share_is_not_taken_over(void **state)
{
    (void)state;
    spaces[0].mm = fake_mm();
    map(0, 0, 4);
    touch(0, 0);
    const struct anon_vma *av = vma_at(0, 0)->anon_vma;
    assert_true(fork_into(1, 0) && fork_into(2, 0));
    leave(0);
    assert_true(fork_into(3, 1));
    assert_ptr_equal(vma_at(3, 0)->anon_vma->parent, vma_at(1, 0)->anon_vma);
    leave(3);
    leave(2);
    assert_true(fork_into(3, 1)); /* now it is the only child's */
    assert_ptr_equal(vma_at(3, 0)->anon_vma, av);
    audit();
    leave_all();
}

static bool note(const struct rmap_entry *e, void *arg)
{
    char **end = arg;
    *(*end)++ = (char)('0' + space_of(e->vma->vm_mm));
    return true;
}

/* Who takes entries away one by one must not meet a child's before its parent's. */
static void parents_are_seen_before_their_children(void **state)
{
    (void)state;
    char order[SPACES + 1] = "", *end = order;
    spaces[4].mm = fake_mm();
    map(4, 0, 4);
    touch(4, 1);
    assert_true(fork_into(2, 4) && fork_into(5, 2) && fork_into(1, 4) && fork_into(3, 5));
    rmap_walk(page_at(4, 1), note, &end);
    assert_string_equal(order, "42513");
    leave_all();
}

/* Each generation writes, has a child and exits. The last one must not carry all its ancestors. */
static void fork_after_fork_does_not_grow_the_chains(void **state)
{
    (void)state;
    spaces[0].mm = fake_mm();
    map(0, 0, PAGES);
    for (unsigned generation = 0; generation < 500; generation++) {
        unsigned s = generation % 2;
        touch(s, generation % PAGES);
        assert_true(fork_into(!s, s));
        leave(s);
        audit();
        assert_true(nr_known <= 2);
        assert_true(objects_out <= 5); /* a VMA, two chains, two anon_vmas */
    }
    leave_all();
}

/* And neither must a parent whose children exit before it. */
static void children_that_exit_are_forgotten(void **state)
{
    (void)state;
    spaces[0].mm = fake_mm();
    map(0, 0, PAGES);
    touch(0, 0);
    for (unsigned child = 0; child < 500; child++) {
        unsigned s = 1 + child % (SPACES - 1);
        assert_true(fork_into(s, 0));
        touch(s, child % PAGES);
        assert_int_equal(vma_at(0, 0)->anon_vma->num_children, MIN(child + 1, SPACES - 1));
        audit();
    }
    leave_all();
}

/* Neighbours that differ by their rights alone share one, so that they can be joined later. */
static void neighbours_share_so_that_they_can_merge(void **state)
{
    (void)state;
    for (unsigned forked = 0; forked < 2; forked++) {
        spaces[0].mm = fake_mm();
        map(0, 0, 6);
        protect(0, 2, 2, VM_READ);
        touch(0, 2);
        if (forked) {
            assert_true(fork_into(1, 0));
            leave(0);
        }
        unsigned s = forked;
        touch(s, 0); /* beside one that has two chains nobody may hang on the same */
        touch(s, 5);
        assert_int_equal(vma_at(s, 0)->anon_vma == vma_at(s, 2)->anon_vma, !forked);
        assert_int_equal(vma_at(s, 5)->anon_vma == vma_at(s, 2)->anon_vma, !forked);
        protect(s, 2, 2, RW);
        assert_int_equal(spaces[s].mm->map_count, forked ? 3 : 1);
        audit();
        leave_all();
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(64));
    fake_walk = find_entry;
    vma_init();
    rmap_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_families_add_up),
        cmocka_unit_test(a_failed_fork_leaves_nothing),
        cmocka_unit_test(what_two_children_share_is_not_taken_over),
        cmocka_unit_test(parents_are_seen_before_their_children),
        cmocka_unit_test(fork_after_fork_does_not_grow_the_chains),
        cmocka_unit_test(children_that_exit_are_forgotten),
        cmocka_unit_test(neighbours_share_so_that_they_can_merge),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
