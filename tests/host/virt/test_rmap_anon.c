/* SPDX-License-Identifier: MIT */
/*
 * test_rmap_anon.c - anon_vmas of random families of spaces, counted anew after each few steps.
 *
 *      entries of all spaces:  0:0 a, 0:1 b, 1:0 a      rmap_walk(a) must find 0:0 and 1:0
 *      chains of all VMAs:     A: 0, 1   B: 1           A and B must say the same of themselves
 *
 * Spaces fork, exit, map, unmap, change rights and write (family.h), and now and then there is no
 * memory for the next few objects. There must be no object that is not found from a VMA: so neither
 * a failed step nor an exit leaves anything. That data, tables and faults go along is shown by
 * test_space.c; here there are none, so that many more families are seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/family.h"

#define STEPS 12000u

/* --- what pages find -------------------------------------------------------------------------- */

static bool seen[SPACES][PAGES];

static bool see(const struct rmap_entry *e, void *arg)
{
    unsigned s = space_of(e->vma->vm_mm), i = index_of(e->addr);
    assert_ptr_equal(page_at(s, i), e->page);
    assert_false(seen[s][i]); /* told twice */
    seen[s][i] = true;
    ++*(int32_t *)arg;
    return true;
}

static void every_page_finds_its_entries(void)
{
    memset(seen, 0, sizeof(seen));
    for (unsigned s = 0; s < SPACES; s++) {
        for (unsigned i = 0; i < PAGES; i++) {
            struct page *page = page_at(s, i);
            int32_t found = 0;
            if (!page)
                continue;
            if (!seen[s][i])
                rmap_walk(page, see, &found);
            assert_true(seen[s][i]);
            assert_true(!found || found == page->mapcount);
        }
    }
}

/* --- what anon_vmas say of themselves --------------------------------------------------------- */

static struct known {
    const struct anon_vma *av;
    uint32_t chains, active, children, children_in_use;
} known[1024];
static unsigned nr_known;

/* The line of av, which is new if this is the first that is heard of it; and so its ancestors. */
static struct known *know(const struct anon_vma *av)
{
    for (unsigned i = 0; i < nr_known; i++)
        if (known[i].av == av)
            return &known[i];
    assert_true(nr_known < ARRAY_SIZE(known));
    struct known *k = &known[nr_known++];
    *k = (struct known){.av = av};
    if (av->parent) {
        struct known *parent = know(av->parent);
        parent->children++;
        parent->children_in_use += !list_empty(&av->chains);
    }
    return k;
}

static uint32_t chains_of(const struct anon_vma *av)
{
    const struct anon_vma_chain *avc;
    uint32_t n = 0;
    list_for_each_entry(avc, &av->chains, same_anon_vma) {
        assert_ptr_equal(avc->anon_vma, av);
        n++;
    }
    return n;
}

/* Count what the VMA holds; how many objects it is with its chains. */
static long count_vma(const struct vm_area_struct *vma)
{
    const struct anon_vma_chain *avc;
    bool chained = false;
    long objects = 1;
    list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
        assert_ptr_equal(avc->vma, vma);
        assert_ptr_equal(avc->anon_vma->root, vma->anon_vma->root); /* one family, one lock */
        know(avc->anon_vma)->chains++;
        chained |= avc->anon_vma == vma->anon_vma;
        objects++;
    }
    assert_int_equal(chained, vma->anon_vma != NULL);
    if (chained)
        know(vma->anon_vma)->active++;
    return objects;
}

static void anon_vmas_add_up(void)
{
    struct vm_area_struct *vma;
    long objects = 0;
    nr_known = 0;
    for (unsigned s = 0; s < SPACES; s++) {
        if (!spaces[s].mm)
            continue;
        assert_int_equal(vma_check(spaces[s].mm, &stderr_sink), 0);
        for_each_vma(spaces[s].mm, vma)
            objects += count_vma(vma);
    }
    for (unsigned i = 0; i < nr_known; i++) {
        const struct known *k = &known[i];
        const struct anon_vma *av = k->av;
        assert_int_equal(chains_of(av), k->chains);
        assert_int_equal(av->num_active_vmas, k->active);
        assert_int_equal(av->num_children, k->children_in_use);
        assert_int_equal(av->refcount, k->chains + k->children);
        assert_ptr_equal(av->root, av->parent ? av->parent->root : av);
    }
    assert_int_equal(objects_out, objects + nr_known);
}

static void audit(void)
{
    every_page_finds_its_entries();
    anon_vmas_add_up();
}

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
