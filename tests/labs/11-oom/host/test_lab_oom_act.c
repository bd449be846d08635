/* SPDX-License-Identifier: MIT */
/*
 * test_lab_oom_act.c - killing, and the rung of the ladder: when, when not, and what it says.
 */
#include "guests.h"

/* --- step 4: killing -------------------------------------------------------------------------- */

static struct relief_request request;

static void kill_it(struct mm_struct *mm)
{
    request = request_on(NULL);
    struct oom_control oc = {.request = &request, .total_pages = 10000, .chosen = mm};
    mmget(mm);
    oom_kill_process(&oc);
}

static void a_victim_is_marked_and_then_killed(void **state)
{
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    kill_it(mm);
    expect_equal(kills, 1, "calls of owner.ops->kill()");
    expect_true(killed[0] == mm, "it gets the victim's space");
    expect_true(marked_before[0], "MMF_OOM_VICTIM is set before: nobody may find no one dying");
    expect_true(!mm_flag(mm, MMF_OOM_SKIP), "its memory is still to come: no MMF_OOM_SKIP");
    run_reaper();
}

static void a_victim_is_counted(void **state)
{
    uint64_t before = vm_event_sum(OOM_KILL);
    (void)state;
    kill_it(guest(1, 0));
    expect_equal(vm_event_sum(OOM_KILL), before + 1, "the event OOM_KILL");
    run_reaper();
}

static void a_victim_is_handed_on(void **state)
{
    struct mm_struct *mm = guest(1, 0);
    (void)state;
    uint32_t count = load_relaxed(&mm->count);
    kill_it(mm);
    expect_equal(users_of(mm), 1, "users of the victim: the reference of the choice is given back");
    expect_equal(count_then[0], count,
                 "holders of its struct when it is killed: the reaper comes "
                 "after that, or it would take memory from who still runs");
    expect_equal(load_relaxed(&mm->count), count + 1, "holders of its struct: the reaper is one");
    run_reaper();
}

/* --- step 5: the rung ------------------------------------------------------------------------- */

static void relieve_kills_the_worst(void **state)
{
    (void)state;
    weigh(guest(1, 0), 100);
    weigh(guest(2, 0), 900);
    request = request_on(NULL);
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says");
    expect_equal(kills, 1, "guests killed");
    expect_true(killed[0] == guests[1], "the worst is killed");
    for (unsigned i = 0; i < 2; i++)
        expect_equal(users_of(guests[i]), 1, "users of guest %u", i + 1);
    run_reaper();
}

static void relieve_kills_one_at_a_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        weigh(guest(i + 1, 0), 100);
    request = request_on(NULL);
    for (unsigned i = 0; i < 5; i++)
        expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says while one dies");
    expect_equal(kills, 1, "guests killed while the first has not gone");
    run_reaper();
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says when memory is short again");
    expect_equal(kills, 2, "guests killed when nothing more is to come from the first");
    expect_true(killed[0] != killed[1], "not the same one again");
    run_reaper();
}

/* The victim's last user goes: while its pages are given back somebody asks again. */
static void ask_meanwhile(struct mm_struct *mm)
{
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says while a victim is torn down");
    exit_mmap(mm);
}

static void relieve_waits_for_who_leaves(void **state)
{
    (void)state;
    weigh(guest(1, 0), 100);
    map_private(guest(2, 0), AREA, 128);
    touch(guests[1], AREA, 120, 0);
    request = request_on(NULL);
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says");
    expect_true(kills == 1 && killed[0] == guests[1], "guest 2 is killed");
    mm_set_teardown(ask_meanwhile);
    nr_guests--;
    mmput(guests[1]);
    mm_set_teardown(exit_mmap);
    expect_equal(kills, 1, "guests killed, though no walk finds who is being torn down");
    run_reaper();
}

static void relieve_has_nobody(void **state)
{
    (void)state;
    weigh(guest(1, -1000), 900);
    request = request_on(NULL);
    expect_equal(ask(&request), RELIEF_NONE,
                 "what the rung says when nobody may be killed: whoever "
                 "asks would come again for ever");
    expect_equal(kills, 0, "guests killed");
}

static void relieve_leaves_one_node_alone(void **state)
{
    (void)state;
    weigh(guest(1, 0), 900);
    request = request_on(NULL);
    request.gfp |= __GFP_THISNODE;
    expect_equal(ask(&request), RELIEF_NONE, "what the rung says to who can ask elsewhere");
    expect_equal(kills, 0, "guests killed");
}

static void relieve_lets_the_dying_have_the_reserves(void **state)
{
    (void)state;
    weigh(guest(1, 0), 900);
    request = request_on(NULL);
    fake_thread()->killed = 1;
    enum relief_result result = ask(&request);
    fake_thread()->killed = 0;
    bool reserves = thread_set_memalloc(false);
    expect_equal(result, RELIEF_PROGRESS, "what the rung says to who is on its own way out");
    expect_equal(kills, 0, "guests killed for it");
    expect_true(reserves, "thread_set_memalloc(): it may take the last reserves");
}

static void relieve_kills_where_memory_is_short(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        map_private(guest(i + 1, 0), AREA, 128);
    touch(guests[0], AREA, 100, 0);
    touch(guests[1], AREA, 30, 1);
    touch(guests[2], AREA, 60, 0);
    touch(guests[2], AREA + 60 * PAGE_SIZE, 8, 1);
    request = request_on(&node1);
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says");
    expect_equal(kills, 1, "guests killed");
    expect_true(killed[0] == guests[1], "30 pages on node 1 are worse than 8 there, and than none");
    run_reaper();
}

/* What adj is worth depends on what the request could have used: all nodes, or node 1. */
static void relieve_scales_by_what_could_be_used(void **state)
{
    uint64_t all = zones[0]->managed_pages + zones[1]->managed_pages;
    int64_t ten = 10 * (int64_t)(all / 1000);
    (void)state;
    weigh(guest(1, 10), 100);
    weigh(guest(2, 0), 100 + ten - ten / 4); /* less than guest 1; more, if half of it counted */
    request = request_on(NULL);
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says");
    expect_true(kills == 1 && killed[0] == guests[0],
                "oom_score_adj 10 is worth %ld pages, a hundredth of all nodes", (long)ten);
    run_reaper();
}

static enum relief_result second;

static void ask_too(struct mm_struct *mm)
{
    struct relief_request other = request_on(NULL);
    struct thread *me = this_hart()->current;
    struct thread another = {.name = "another"};
    (void)mm;
    while_killing = NULL;
    this_hart()->current = &another;
    second = ask(&other);
    this_hart()->current = me;
}

static void relieve_for_two_at_once(void **state)
{
    (void)state;
    weigh(guest(1, 0), 100);
    weigh(guest(2, 0), 100);
    while_killing = ask_too;
    request = request_on(NULL);
    expect_equal(ask(&request), RELIEF_PROGRESS, "what the rung says to the first");
    expect_equal(second, RELIEF_PROGRESS, "what it says to another thread, meanwhile");
    expect_equal(kills, 1, "guests killed for both");
    run_reaper();
}

/* Did the rung panic, by this setting? Its locks stay held then: a test does no more. */
static bool panics(int setting, const nodemask_t *nodes)
{
    map_private(guest(1, 0), AREA, 8);
    touch(guests[0], AREA, 8, 1);
    request = request_on(nodes);
    sysctl_panic_on_oom = setting;
    bool panicked = PANICS((void)ask(&request));
    sysctl_panic_on_oom = 0;
    expect_equal(kills, !panicked, "guests killed");
    return panicked;
}

static void relieve_or_panic_as_it_is_set(void **state)
{
    expect_true(!panics(0, NULL), "panic_on_oom 0: no panic");
    no_guests(state);
    run_reaper();
    expect_true(!panics(1, &node1), "panic_on_oom 1: no panic while other nodes have memory");
    run_reaper();
}

static void relieve_or_panic_when_all_is_short(void **state)
{
    (void)state;
    expect_true(panics(1, NULL), "panic_on_oom 1: a panic when all is short");
}

static void relieve_or_panic_with_nobody_to_kill(void **state)
{
    (void)state;
    weigh(guest(1, -1000), 900);
    request = request_on(NULL);
    sysctl_panic_on_oom = 1;
    bool panicked = PANICS((void)ask(&request));
    sysctl_panic_on_oom = 0;
    expect_true(panicked, "panic_on_oom 1: a panic also when nobody may be killed");
}

static void relieve_or_panic_when_one_node_is(void **state)
{
    (void)state;
    expect_true(panics(2, &node1), "panic_on_oom 2: a panic when one node is short");
}

static void relieve_or_panic_but_not_by_hand(void **state)
{
    (void)state;
    weigh(guest(1, 0), 900);
    sysctl_panic_on_oom = 2;
    bool panicked = PANICS((void)!oom_kill_one());
    sysctl_panic_on_oom = 0;
    expect_true(!panicked && kills == 1, "who kills by hand has not run out of memory");
    run_reaper();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_victim_is_marked_and_then_killed),
        TEST(a_victim_is_counted),
        TEST(a_victim_is_handed_on),
        TEST(relieve_kills_the_worst),
        TEST(relieve_kills_one_at_a_time),
        TEST(relieve_waits_for_who_leaves),
        TEST(relieve_has_nobody),
        TEST(relieve_leaves_one_node_alone),
        TEST(relieve_lets_the_dying_have_the_reserves),
        TEST(relieve_kills_where_memory_is_short),
        TEST(relieve_scales_by_what_could_be_used),
        TEST(relieve_for_two_at_once),
        TEST(relieve_or_panic_but_not_by_hand),
        TEST(relieve_or_panic_as_it_is_set),
        TEST(relieve_or_panic_when_all_is_short),
        TEST(relieve_or_panic_when_one_node_is),
        TEST(relieve_or_panic_with_nobody_to_kill),
    };
    return cmocka_run_group_tests(tests, machine_of_guests, NULL);
}
