/* SPDX-License-Identifier: MIT */
/*
 * test_pressure.c - the ladder: who is asked, in which order, how often, and what is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/buddy.h"
#include "phys/pressure.h"
#include "support/fake_machine.h"
#include "support/host.h"

/* Rungs stay registered for the life of the process; what they do is up to the test. */
static enum relief_result (*on_wake)(struct relief_request *),
    (*on_compact)(struct relief_request *), (*on_kill)(struct relief_request *);
static char asked[256];

static enum relief_result ask(char letter, enum relief_result (*fn)(struct relief_request *),
                              struct relief_request *request)
{
    size_t n = strlen(asked);
    if (n + 1 < sizeof(asked)) {
        asked[n] = letter;
        asked[n + 1] = '\0';
    }
    return fn ? fn(request) : RELIEF_NONE;
}

static enum relief_result wake(struct relief_request *request)
{
    return ask('w', on_wake, request);
}
static enum relief_result compact(struct relief_request *request)
{
    return ask('c', on_compact, request);
}
static enum relief_result shrink(struct relief_request *request)
{
    return ask('s', NULL, request);
}
static enum relief_result kill(struct relief_request *request)
{
    return ask('k', on_kill, request);
}

static struct relief rungs[] = {
    {.name = "kill", .rank = RELIEF_RANK_KILL, .relieve = kill},
    {.name = "wake", .rank = RELIEF_RANK_WAKE, .relieve = wake},
    {.name = "shrink", .rank = RELIEF_RANK_SHRINK, .relieve = shrink},
    {.name = "compact", .rank = RELIEF_RANK_COMPACT, .relieve = compact},
};

static int register_rungs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rungs); i++)
        relief_register(&rungs[i]);
    return 0;
}

static struct page *taken; /* linked by private */

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    on_wake = on_compact = on_kill = NULL;
    taken = NULL;
    struct page *page;
    while ((page = alloc_page(GFP_NOWAIT)) != NULL) {
        page->private = (uint64_t)taken;
        taken = page;
    }
    asked[0] = '\0';
    return 0;
}

static void free_some(unsigned n)
{
    while (n-- && taken) {
        struct page *page = taken;
        taken = (struct page *)page->private;
        __free_page(page);
    }
}

static enum relief_result relieved(struct relief_request *request)
{
    (void)request;
    free_some(100);
    return RELIEF_PROGRESS;
}

static enum relief_result promises(struct relief_request *request)
{
    (void)request;
    return RELIEF_PROGRESS;
}

static void note_name(const struct relief *relief, void *arg)
{
    strcat(arg, relief->name);
    strcat(arg, " ");
}

static void rungs_are_ordered_by_rank(void **state)
{
    char names[64] = "";
    (void)state;
    relief_each(note_name, names);
    assert_string_equal(names, "wake compact shrink kill ");
}

static void who_cannot_wait_only_wakes(void **state)
{
    (void)state;
    assert_null(alloc_page(GFP_NOWAIT));
    assert_string_equal(asked, "w");
    asked[0] = '\0';
    assert_null(alloc_page(__GFP_NOWARN)); /* not even that */
    assert_string_equal(asked, "");
}

static void the_ladder_is_climbed_to_its_end(void **state)
{
    (void)state;
    uint64_t stalls = vm_event_sum(ALLOCSTALL);
    assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
    assert_string_equal(asked, "wcsk");
    assert_int_equal(vm_event_sum(ALLOCSTALL), stalls + 1);
    assert_false(thread_on_ladder());
}

static void relief_is_used(void **state)
{
    (void)state;
    on_compact = relieved;
    struct page *page = alloc_page(GFP_KERNEL);
    assert_non_null(page);
    assert_string_equal(asked, "wc");
    __free_page(page);
    fake_check();
}

static void the_killer_is_the_last_resort(void **state)
{
    (void)state;
    on_kill = relieved;
    assert_non_null(alloc_page(GFP_KERNEL));
    assert_string_equal(asked, "wcsk");
}

static void some_must_not_kill(void **state)
{
    (void)state;
    on_kill = relieved;
    assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
    assert_null(strchr(asked, 'k'));
    assert_null(alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN));
    assert_null(strchr(asked, 'k'));
    assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 4)); /* a big block is worth no life */
    assert_null(strchr(asked, 'k'));
}

static void empty_promises_end(void **state)
{
    (void)state;
    on_compact = promises;
    assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
    assert_in_range(strlen(asked), 2, 40);
    asked[0] = '\0';
    assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
    assert_string_equal(asked, "wc");
}

static enum relief_result relieved_late(struct relief_request *request)
{
    (void)request;
    return strlen(asked) > 60 ? relieved(request) : RELIEF_NONE;
}

static void nofail_does_not_fail(void **state)
{
    (void)state;
    on_kill = relieved_late;
    assert_non_null(alloc_page(GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN));
    assert_true(strlen(asked) > 60);
}

static bool climbed_inside;
static enum relief_result allocates(struct relief_request *request)
{
    (void)request;
    assert_true(thread_on_ladder());
    size_t n = strlen(asked);
    struct page *page = alloc_page(GFP_KERNEL); /* from the reserves, without climbing */
    climbed_inside = strlen(asked) > n + 1;     /* waking is allowed */
    assert_non_null(page);
    __free_page(page);
    return RELIEF_NONE;
}

static void nobody_climbs_twice(void **state)
{
    (void)state;
    on_compact = allocates;
    assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
    assert_false(climbed_inside);
    assert_string_equal(asked, "wcwsk");
}

static enum relief_result captures(struct relief_request *request)
{
    struct capture_control capture = {request->order, MIGRATE_UNMOVABLE, NULL};
    struct zone *zone = zones[0];
    zone->capture = &capture;
    while (!capture.page && taken) {
        struct page *page = taken;
        taken = (struct page *)page->private;
        page->refcount = 0;
        spin_lock(&zone->lock);
        page->type = PAGE_TAIL;
        buddy_free_locked(zone, page, 0, MIGRATE_UNMOVABLE);
        spin_unlock(&zone->lock);
    }
    zone->capture = NULL;
    request->captured = capture.page;
    return RELIEF_CAPTURED;
}

static void a_captured_block_is_handed_out(void **state)
{
    (void)state;
    on_compact = captures;
    struct page *page = alloc_pages(GFP_KERNEL, 3);
    assert_non_null(page);
    assert_int_equal(page->type, PAGE_KERNEL);
    assert_int_equal(page->order, 3);
    assert_int_equal(page_count(page), 1);
    assert_int_equal(zones[0]->nr_isolated_free, 0);
    __free_pages(page, 3);
    fake_check();
}

static void the_killed_do_not_linger(void **state)
{
    (void)state;
    on_compact = promises;
    fake_thread()->killed = true;
    assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
    assert_string_equal(asked, "wc");
    fake_thread()->killed = false;
}

static void the_dying_use_the_reserve_before_they_ask(void **state)
{
    (void)state;
    (void)thread_set_memalloc(true);
    assert_non_null(alloc_page(GFP_KERNEL));
    (void)thread_set_memalloc(false);
    assert_string_equal(asked, "w");
}

static enum relief_result lets_in(struct relief_request *request)
{
    (void)request;
    (void)thread_set_memalloc(true);
    return RELIEF_PROGRESS;
}

static void the_dying_are_let_in_at_once(void **state)
{
    (void)state;
    on_kill = lets_in;
    assert_non_null(alloc_page(GFP_KERNEL | __GFP_NOWARN)); /* the one that asked */
    (void)thread_set_memalloc(false);
    assert_string_equal(asked, "wcsk");
}

static void a_boost_is_spent_by_waking(void **state)
{
    (void)state;
    zones[0]->watermark_boost = 1000;
    assert_null(alloc_page(GFP_NOWAIT));
    assert_int_equal(zones[0]->watermark_boost, 500);
}

static void failures_are_told_now_and_then(void **state)
{
    (void)state;
    assert_null(alloc_page(GFP_KERNEL));
    assert_null(alloc_page(GFP_KERNEL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rungs_are_ordered_by_rank, set_up),
        cmocka_unit_test_setup(who_cannot_wait_only_wakes, set_up),
        cmocka_unit_test_setup(the_ladder_is_climbed_to_its_end, set_up),
        cmocka_unit_test_setup(relief_is_used, set_up),
        cmocka_unit_test_setup(the_killer_is_the_last_resort, set_up),
        cmocka_unit_test_setup(some_must_not_kill, set_up),
        cmocka_unit_test_setup(empty_promises_end, set_up),
        cmocka_unit_test_setup(nofail_does_not_fail, set_up),
        cmocka_unit_test_setup(nobody_climbs_twice, set_up),
        cmocka_unit_test_setup(a_captured_block_is_handed_out, set_up),
        cmocka_unit_test_setup(the_killed_do_not_linger, set_up),
        cmocka_unit_test_setup(the_dying_use_the_reserve_before_they_ask, set_up),
        cmocka_unit_test_setup(the_dying_are_let_in_at_once, set_up),
        cmocka_unit_test_setup(a_boost_is_spent_by_waking, set_up),
        cmocka_unit_test_setup(failures_are_told_now_and_then, set_up),
    };
    return cmocka_run_group_tests(tests, register_rungs, NULL);
}
