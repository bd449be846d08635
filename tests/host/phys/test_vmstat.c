/* SPDX-License-Identifier: MIT */
/*
 * test_vmstat.c - counters that harts hold back for a while, and their sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/vmstat.h"
#include "support/fake_machine.h"
#include "support/host.h"

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    return 0;
}

static void small_changes_stay_with_the_hart(void **state)
{
    (void)state;
    pg_data_t *pgdat = NODE_DATA(0);
    mod_node_state(pgdat, NR_ANON_MAPPED, STAT_THRESHOLD);
    assert_int_equal(pgdat->vm_stat[NR_ANON_MAPPED], 0);
    assert_int_equal(node_state(pgdat, NR_ANON_MAPPED), STAT_THRESHOLD);
    mod_node_state(pgdat, NR_ANON_MAPPED, 1);
    assert_int_equal(pgdat->vm_stat[NR_ANON_MAPPED], STAT_THRESHOLD + 1);
    assert_int_equal(pgdat->stat_diff[0].diff[NR_ANON_MAPPED], 0);
    assert_int_equal(node_state(pgdat, NR_ANON_MAPPED), STAT_THRESHOLD + 1);
}

static void harts_may_differ_in_sign(void **state)
{
    (void)state;
    pg_data_t *pgdat = NODE_DATA(1);
    mod_node_state(pgdat, NR_PAGETABLE, 30);
    host_become(1);
    mod_node_state(pgdat, NR_PAGETABLE, -29);
    assert_int_equal(node_state(pgdat, NR_PAGETABLE), 1);
    mod_node_state(pgdat, NR_PAGETABLE, -29);
    assert_int_equal(node_state(pgdat, NR_PAGETABLE), 0); /* never negative to the eye */
    host_become(0);
    mod_node_state(pgdat, NR_PAGETABLE, 1000);
    assert_int_equal(global_node_state(NR_PAGETABLE), 972);
}

static void zones_and_nodes_are_summed(void **state)
{
    (void)state;
    mod_zone_state(zones[0], NR_MLOCK, 5);
    mod_zone_state(zones[1], NR_MLOCK, 70);
    assert_int_equal(zone_state(zones[0], NR_MLOCK), 5);
    assert_int_equal(zone_state(zones[1], NR_MLOCK), 70);
    assert_int_equal(global_zone_state(NR_MLOCK), 75);
    mod_node_state(NODE_DATA(0), NR_VMALLOC, 3);
    mod_node_state(NODE_DATA(1), NR_VMALLOC, 4);
    assert_int_equal(global_node_state(NR_VMALLOC), 7);
}

static void events_are_summed_over_harts(void **state)
{
    (void)state;
    uint64_t before = vm_event_sum(PGFAULT);
    count_vm_event(PGFAULT);
    host_become(1);
    count_vm_events(PGFAULT, 10);
    host_become(0);
    assert_int_equal(vm_event_sum(PGFAULT), before + 11);
}

static void free_pages_are_exact(void **state)
{
    (void)state;
    uint64_t free = nr_free_pages();
    assert_int_equal(free, zones[0]->nr_free_pages + zones[1]->nr_free_pages);
    assert_int_equal(nr_free_pages_with_pcp(), free);
    struct page *page = alloc_pages(GFP_KERNEL, 6);
    assert_int_equal(nr_free_pages(), free - 64);
    __free_pages(page, 6);
}

/* Random changes by both harts, against plain sums. */
static void sums_hold_under_random_changes(void **state)
{
    int64_t sum[NR_NODE_STATS] = {0};
    uint32_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        seed = seed * 1664525 + 1013904223;
        enum node_stat item = (enum node_stat)((seed >> 8) % NR_NODE_STATS);
        int64_t delta = (int64_t)(seed >> 20) % 90 - 40;
        if (sum[item] + delta < 0)
            delta = -delta;
        host_become(seed >> 31);
        mod_node_state(NODE_DATA(0), item, delta);
        sum[item] += delta;
    }
    host_become(0);
    for (unsigned i = 0; i < NR_NODE_STATS; i++)
        assert_int_equal(node_state(NODE_DATA(0), (enum node_stat)i), sum[i]);
}

static void every_counter_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NR_ZONE_STATS; i++)
        assert_non_null(zone_stat_names[i]);
    for (unsigned i = 0; i < NR_NODE_STATS; i++)
        assert_non_null(node_stat_names[i]);
    for (unsigned i = 0; i < NR_VM_EVENTS; i++)
        assert_non_null(vm_event_names[i]);
    assert_string_equal(vm_event_names[OOM_KILL], "oom_kill");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(small_changes_stay_with_the_hart, set_up),
        cmocka_unit_test_setup(harts_may_differ_in_sign, set_up),
        cmocka_unit_test_setup(zones_and_nodes_are_summed, set_up),
        cmocka_unit_test_setup(events_are_summed_over_harts, set_up),
        cmocka_unit_test_setup(free_pages_are_exact, set_up),
        cmocka_unit_test_setup(sums_hold_under_random_changes, set_up),
        cmocka_unit_test_setup(every_counter_has_a_name, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
