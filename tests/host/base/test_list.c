/* SPDX-License-Identifier: MIT */
/*
 * test_list.c - rings of links against plain arrays.
 *
 *      lists[0]:  head <-> 3 <-> 7 <-> 1        model[0] = { 3, 7, 1 }
 *      lists[1]:  head <-> 5                    model[1] = { 5 }
 *
 * Each item is on one of a few lists or on none; random operations go to both sides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/random.h"

enum { ITEMS = 24, LISTS = 3, ROUNDS = 20000, NOWHERE = -1 };

struct item {
    int id;
    struct list_head link;
};

static struct item items[ITEMS];
static struct list_head lists[LISTS];
static struct {
    int n, ids[ITEMS];
} model[LISTS];
static int place[ITEMS]; /* which list */
static struct rng rng;

/* --- the model -------------------------------------------------------------------------------- */

static void model_insert(int list, int at, int id)
{
    int *ids = model[list].ids;
    memmove(ids + at + 1, ids + at, (size_t)(model[list].n++ - at) * sizeof(*ids));
    ids[at] = id;
    place[id] = list;
}

static int model_index(int id)
{
    int i = 0;
    while (model[place[id]].ids[i] != id)
        i++;
    return i;
}

static void model_remove(int id)
{
    int list = place[id], at = model_index(id), *ids = model[list].ids;
    memmove(ids + at, ids + at + 1, (size_t)(--model[list].n - at) * sizeof(*ids));
    place[id] = NOWHERE;
}

/* Move all of @from into @to at @at. */
static void model_splice(int from, int to, int at)
{
    while (model[from].n) {
        int id = model[from].ids[0];
        model_remove(id);
        model_insert(to, at++, id);
    }
}

/* --- each step -------------------------------------------------------------------------------- */

static void add_somewhere(int id, int list)
{
    if (rng_below(&rng, 2)) {
        list_add(&items[id].link, &lists[list]);
        model_insert(list, 0, id);
    } else {
        list_add_tail(&items[id].link, &lists[list]);
        model_insert(list, model[list].n, id);
    }
}

static void take_or_move(int id, int list)
{
    model_remove(id);
    switch (rng_below(&rng, 4)) {
    case 0:
        list_del(&items[id].link);
        assert_null(items[id].link.next);
        assert_null(items[id].link.prev);
        break;
    case 1:
        list_del_init(&items[id].link);
        assert_true(list_empty(&items[id].link));
        break;
    case 2:
        list_move(&items[id].link, &lists[list]);
        model_insert(list, 0, id);
        break;
    default:
        list_move_tail(&items[id].link, &lists[list]);
        model_insert(list, model[list].n, id);
        break;
    }
}

static void splice_or_cut(int from, int to, int id)
{
    switch (rng_below(&rng, 3)) {
    case 0:
        list_splice_init(&lists[from], &lists[to]);
        model_splice(from, to, 0);
        break;
    case 1:
        list_splice_tail_init(&lists[from], &lists[to]);
        model_splice(from, to, model[to].n);
        break;
    default:
        if (model[to].n) /* what is cut off overwrites a list, so it must be empty */
            break;
        if (place[id] == from) {
            int cut = model_index(id) + 1;
            list_cut_position(&lists[to], &lists[from], &items[id].link);
            for (int i = 0; i < cut; i++) {
                int moved = model[from].ids[0];
                model_remove(moved);
                model_insert(to, i, moved);
            }
        } else {
            list_cut_position(&lists[to], &lists[from], &lists[from]);
        }
        break;
    }
}

static void compare(int list)
{
    const int *ids = model[list].ids, n = model[list].n;
    struct item *item, *next;
    struct list_head *link;
    int i = 0;
    assert_true(list_check(&lists[list], ITEMS));
    assert_int_equal(list_empty(&lists[list]), n == 0);
    assert_int_equal(list_is_singular(&lists[list]), n == 1);
    list_for_each_entry(item, &lists[list], link)
        assert_int_equal(item->id, ids[i++]);
    assert_int_equal(i, n);
    list_for_each_entry_reverse(item, &lists[list], link)
        assert_int_equal(item->id, ids[--i]);
    assert_int_equal(i, 0);
    list_for_each(link, &lists[list])
        assert_int_equal(list_entry(link, struct item, link)->id, ids[i++]);
    list_for_each_entry_safe(item, next, &lists[list], link)
        assert_true(i-- > 0);
    assert_int_equal(i, 0);
    item = list_first_entry_or_null(&lists[list], struct item, link);
    assert_ptr_equal(item, n ? &items[ids[0]] : NULL);
    if (n)
        assert_int_equal(list_last_entry(&lists[list], struct item, link)->id, ids[n - 1]);
    if (n > 1) {
        assert_int_equal(list_next_entry(item, link)->id, ids[1]);
        assert_ptr_equal(list_prev_entry(list_next_entry(item, link), link), item);
    }
}

static void as_arrays(void **state)
{
    (void)state;
    rng_seed(&rng, 51);
    for (int i = 0; i < LISTS; i++)
        INIT_LIST_HEAD(&lists[i]);
    for (int i = 0; i < ITEMS; i++) {
        items[i].id = i;
        place[i] = NOWHERE;
    }
    for (int round = 0; round < ROUNDS; round++) {
        int id = (int)rng_below(&rng, ITEMS), list = (int)rng_below(&rng, LISTS);
        if (place[id] == NOWHERE)
            add_somewhere(id, list);
        else if (rng_below(&rng, 4))
            take_or_move(id, list);
        else
            splice_or_cut(list, (int)(list + 1 + rng_below(&rng, LISTS - 1)) % LISTS, id);
        for (int i = 0; i < LISTS; i++)
            compare(i);
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void safe_walks_outlive_what_they_take(void **state)
{
    LIST_HEAD(head);
    struct item *item, *next;
    (void)state;
    for (int i = 0; i < ITEMS; i++)
        list_add_tail(&items[i].link, &head);
    list_for_each_entry_safe(item, next, &head, link)
        if (item->id % 2)
            list_del(&item->link);
    int expected = 0;
    list_for_each_entry(item, &head, link) {
        assert_int_equal(item->id, expected);
        expected += 2;
    }
    assert_int_equal(expected, ITEMS);
}

static void faults_are_found(void **state)
{
    LIST_HEAD(head);
    (void)state;
    for (int i = 0; i < 4; i++)
        list_add_tail(&items[i].link, &head);
    assert_true(list_check(&head, 4));
    assert_false(list_check(&head, 3));
    items[2].link.prev = &items[0].link; /* a link that only one side knows */
    assert_false(list_check(&head, 4));
    items[2].link.prev = &items[1].link;
    items[3].link.next = &items[1].link; /* a ring that does not come back to the head */
    assert_false(list_check(&head, 100));
    items[3].link.next = NULL; /* on the list although it was deleted */
    assert_false(list_check(&head, 4));
    items[3].link.next = &head;
    assert_true(list_check(&head, 4));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_arrays),
        cmocka_unit_test(safe_walks_outlive_what_they_take),
        cmocka_unit_test(faults_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
