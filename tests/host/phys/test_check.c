/* SPDX-License-Identifier: MIT */
/*
 * test_check.c - the audit finds what is broken, and says where.
 *
 * Each test breaks one invariant by hand; a sound machine has no findings (fake_check() elsewhere).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/check.h"
#include "phys/memblock.h"
#include "phys/pageblock.h"
#include "phys/pcp.h"
#include "support/fake_machine.h"

static struct zone *zone;
static char findings[8192];

static int set_up(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    fake_memory(1, MIB(16), MIB(16));
    fake_hart(0);
    fake_boot("");
    zone = zones[0];
    return 0;
}

static unsigned long audit(void)
{
    struct buffer_sink out;
    buffer_sink_init(&out, findings, sizeof(findings));
    return phys_check(&out.sink);
}

static void expect_finding(const char *text)
{
    assert_true(audit() > 0);
    if (!strstr(findings, text))
        fail_msg("expected \"%s\", found:\n%s", text, findings);
}

/* A free block of a movable list. */
static struct page *free_block(unsigned order)
{
    for (; order < NR_ORDERS; order++) {
        struct page *page = list_first_entry_or_null(
            &zone->free_area[order].free_list[MIGRATE_MOVABLE], struct page, buddy_list);
        if (page)
            return page;
    }
    return NULL;
}

static void a_sound_machine_has_no_faults(void **state)
{
    (void)state;
    assert_int_equal(audit(), 0);
    assert_string_equal(findings, "");
}

static void a_broken_link(void **state)
{
    (void)state;
    free_block(3)->buddy_list.prev = &free_block(MAX_ORDER)->buddy_list;
    expect_finding("is broken");
}

static void a_wrong_count_of_blocks(void **state)
{
    (void)state;
    zone->free_area[MAX_ORDER].nr_free++;
    expect_finding("nr_free says");
}

static void a_wrong_count_of_pages(void **state)
{
    (void)state;
    zone->nr_free_pages--;
    expect_finding("nr_free_pages says");
}

static void a_free_page_with_an_owner(void **state)
{
    (void)state;
    free_block(0)->refcount = 1;
    expect_finding("is free and in use");
}

static void a_wrong_order(void **state)
{
    (void)state;
    free_block(2)->order ^= 1;
    expect_finding("freelist of another order");
}

static void the_list_of_another_type(void **state)
{
    (void)state;
    struct page *page = free_block(5);
    list_move(&page->buddy_list, &zone->free_area[page->order].free_list[MIGRATE_UNMOVABLE]);
    expect_finding("another migratetype");
}

static void the_list_of_another_zone(void **state)
{
    (void)state;
    struct page *page = free_block(5);
    list_move(&page->buddy_list, &zones[1]->free_area[page->order].free_list[MIGRATE_MOVABLE]);
    expect_finding("freelist of another zone");
}

static void a_tail_without_a_head(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    page->type = PAGE_TAIL;
    expect_finding("tail without a head");
}

static void a_head_inside_of_a_block(void **state)
{
    (void)state;
    struct page *page = alloc_pages(GFP_KERNEL, 4);
    page[5].type = PAGE_SLAB;
    expect_finding("state of its own");
}

static void buddies_that_did_not_merge(void **state)
{
    (void)state;
    struct page *page = free_block(4);
    unsigned order = page->order;
    list_del(&page->buddy_list);
    zone->free_area[order].nr_free--;
    for (unsigned half = 0; half < 2; half++) {
        struct page *p = page + (half << (order - 1));
        p->type = PAGE_BUDDY;
        p->order = (uint8_t)(order - 1);
        list_add(&p->buddy_list, &zone->free_area[order - 1].free_list[MIGRATE_MOVABLE]);
        zone->free_area[order - 1].nr_free++;
    }
    expect_finding("not merged");
}

static void a_used_page_without_references(void **state)
{
    (void)state;
    alloc_page(GFP_KERNEL)->refcount = 0;
    expect_finding("reference count");
}

static void a_stranger_in_a_pageset(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL), *next = alloc_page(GFP_KERNEL);
    __free_page(page);
    /* an audit drains the pagesets first, so the harts that it cannot reach are looked at */
    zone_pcp(zone)->stacks[1][MIGRATE_MOVABLE] = next;
    next->pcp_next = NULL;
    next->order = 1;
    harts_online.bits = 0;
    expect_finding("on a pageset and not marked so");
    assert_non_null(strstr(findings, "a pageset's count"));
}

static void isolated_pages_are_counted(void **state)
{
    (void)state;
    zone->nr_isolated_free = 3;
    expect_finding("isolated free pages");
}

static void ram_that_is_lost(void **state)
{
    (void)state;
    zone->present_pages++;
    expect_finding("present_pages");
    zone->present_pages--;
    zone->managed_pages--;
    expect_finding("managed_pages");
}

static void ranges_of_memblock_are_looked_at(void **state)
{
    (void)state;
    memblock.memory.total++;
    assert_true(audit() > 0);
    memblock.memory.total--;
}

static void only_the_first_findings_are_printed(void **state)
{
    (void)state;
    struct page *block = alloc_pages(GFP_KERNEL, 8);
    for (unsigned i = 0; i < 256; i++)
        block[i].order = 0, block[i].type = PAGE_KERNEL;
    unsigned long faults = audit();
    assert_true(faults >= 255);
    unsigned lines = 0;
    for (const char *p = findings; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 20);
}

static void a_census_adds_up(void **state)
{
    struct page_census all, one;
    (void)state;
    struct page *page = alloc_pages(GFP_KERNEL, 4);
    page_set_type(page, PAGE_TABLE);
    page_census(-1, &all);
    uint64_t sum = 0;
    for (unsigned i = 0; i < NR_PAGE_TYPES; i++)
        sum += all.pages[i];
    assert_int_equal(sum, MIB(32) / PAGE_SIZE);
    assert_int_equal(all.pages[PAGE_TABLE], 16);
    assert_int_equal(all.pages[PAGE_TAIL], 0);
    page_census(1, &one);
    assert_int_equal(one.pages[PAGE_TABLE], 0);
    assert_true(one.pages[PAGE_BUDDY] > 3000);
    __free_pages(page, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_machine_has_no_faults, set_up),
        cmocka_unit_test_setup(a_broken_link, set_up),
        cmocka_unit_test_setup(a_wrong_count_of_blocks, set_up),
        cmocka_unit_test_setup(a_wrong_count_of_pages, set_up),
        cmocka_unit_test_setup(a_free_page_with_an_owner, set_up),
        cmocka_unit_test_setup(a_wrong_order, set_up),
        cmocka_unit_test_setup(the_list_of_another_type, set_up),
        cmocka_unit_test_setup(the_list_of_another_zone, set_up),
        cmocka_unit_test_setup(a_tail_without_a_head, set_up),
        cmocka_unit_test_setup(a_head_inside_of_a_block, set_up),
        cmocka_unit_test_setup(buddies_that_did_not_merge, set_up),
        cmocka_unit_test_setup(a_used_page_without_references, set_up),
        cmocka_unit_test_setup(a_stranger_in_a_pageset, set_up),
        cmocka_unit_test_setup(isolated_pages_are_counted, set_up),
        cmocka_unit_test_setup(ram_that_is_lost, set_up),
        cmocka_unit_test_setup(ranges_of_memblock_are_looked_at, set_up),
        cmocka_unit_test_setup(only_the_first_findings_are_printed, set_up),
        cmocka_unit_test_setup(a_census_adds_up, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
