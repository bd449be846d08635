/* SPDX-License-Identifier: MIT */
/*
 * test_page_debug.c - misuse of pages is noticed, and the report tells who did it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/page_debug.h"
#include "support/fake_machine.h"
#include "support/host.h"

static int set_up(void **state)
{
    (void)state;
    fake_simple(MIB(32));
    return 0;
}

static int set_up_poison(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(32));
    fake_hart(0);
    fake_boot("page_poison=1");
    return 0;
}

static void expect_panic_about(const char *what)
{
    if (!strstr(host_panic_text, what))
        fail_msg("panicked with \"%s\", expected \"%s\"", host_panic_text, what);
}

static void double_free(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    __free_page(page);
    assert_true(PANICS(__free_page(page)));
    expect_panic_about("freed twice");
    struct page *block = alloc_pages(GFP_KERNEL, 5);
    __free_pages(block, 5);
    assert_true(PANICS(__free_pages(block, 5)));
    expect_panic_about("freed twice");
}

static void a_page_that_was_never_allocated(void **state)
{
    (void)state;
    struct page *reserved = virt_to_page(NODE_DATA(0));
    assert_true(PANICS(__free_page(reserved)));
    struct page *block = alloc_pages(GFP_KERNEL, 2);
    block[1].refcount = 1; /* as if somebody had taken a reference of a tail */
    assert_true(PANICS(__free_page(block + 1)));
    expect_panic_about("never allocated");
}

static void wrong_order(void **state)
{
    (void)state;
    struct page *block = alloc_pages(GFP_KERNEL, 2);
    assert_true(PANICS(__free_pages(block, 1)));
    expect_panic_about("another order");
}

static void still_mapped_locked_or_listed(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    page->mapcount = 1;
    assert_true(PANICS(__free_page(page)));
    expect_panic_about("while mapped");
    page = alloc_page(GFP_KERNEL);
    page_set_flag(page, PG_locked);
    assert_true(PANICS(__free_page(page)));
    expect_panic_about("locked");
    page = alloc_page(GFP_KERNEL);
    page_set_flag(page, PG_lru);
    assert_true(PANICS(__free_page(page)));
    expect_panic_about("LRU");
}

static void a_list_of_pages_with_references(void **state)
{
    LIST_HEAD(list);
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    list_add(&page->lru, &list);
    assert_true(PANICS(free_page_list(&list)));
    expect_panic_about("referenced");
}

static void a_free_page_that_is_in_use(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    __free_page(page);
    page->refcount = 1; /* through a stale pointer */
    assert_true(PANICS(assert_null(alloc_page(GFP_KERNEL))));
    expect_panic_about("allocated while in use");
}

static void a_write_after_free(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    char *bytes = page_address(page);
    __free_page(page);
    assert_true(page_flag(page, PG_poisoned));
    assert_ptr_equal(alloc_page(GFP_KERNEL), page); /* untouched: nothing to complain of */
    assert_false(page_flag(page, PG_poisoned));
    __free_page(page);
    bytes[1000] = 0;
    assert_true(PANICS(assert_null(alloc_page(GFP_KERNEL))));
    expect_panic_about("written to after");
}

static void take_all_of_order(unsigned order)
{
    while (alloc_pages(GFP_KERNEL | __GFP_NOWARN, order))
        continue;
}

static void a_write_into_the_middle_of_a_free_block(void **state)
{
    (void)state;
    struct page *block = alloc_pages(GFP_KERNEL, 4);
    char *bytes = page_address(block);
    __free_pages(block, 4);
    bytes[7 * PAGE_SIZE] = 1;
    assert_true(PANICS(take_all_of_order(4)));
    expect_panic_about("written to after");
    assert_non_null(strstr(host_panic_text, "pfn"));
}

static void poison_is_off_unless_asked_for(void **state)
{
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    char *bytes = page_address(page);
    bytes[5] = 'x';
    __free_page(page);
    assert_int_equal(bytes[5], 'x');
    assert_false(page_flag(page, PG_poisoned));
}

static void the_report_names_both_stacks(void **state)
{
    char text[1024];
    struct buffer_sink out;
    (void)state;
    struct page *page = alloc_page(GFP_KERNEL);
    buffer_sink_init(&out, text, sizeof(text));
    page_debug_print(&out.sink, page);
    assert_non_null(strstr(text, "last allocated by:\n"));
    __free_page(page);
    buffer_sink_init(&out, text, sizeof(text));
    page_debug_print(&out.sink, page);
    assert_non_null(strstr(text, "last allocated by:\n"));
    assert_non_null(strstr(text, "last freed by:\n"));
    buffer_sink_init(&out, text, sizeof(text));
    page_debug_print(&out.sink, fake_page(MIB(20))); /* nobody yet */
    assert_non_null(strstr(text, "unknown"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(double_free, set_up),
        cmocka_unit_test_setup(a_page_that_was_never_allocated, set_up),
        cmocka_unit_test_setup(wrong_order, set_up),
        cmocka_unit_test_setup(still_mapped_locked_or_listed, set_up),
        cmocka_unit_test_setup(a_list_of_pages_with_references, set_up),
        cmocka_unit_test_setup(a_free_page_that_is_in_use, set_up),
        cmocka_unit_test_setup(a_write_after_free, set_up_poison),
        cmocka_unit_test_setup(a_write_into_the_middle_of_a_free_block, set_up_poison),
        cmocka_unit_test_setup(poison_is_off_unless_asked_for, set_up),
        cmocka_unit_test_setup(the_report_names_both_stacks, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
