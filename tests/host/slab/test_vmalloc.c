/* SPDX-License-Identifier: MIT */
/*
 * test_vmalloc.c - areas, their guards, what is behind them, and kernel stacks.
 */
#include <stdlib.h>

#include "slab/fake_map.h"

#include "kern/thread.h"
#include "slab/vmalloc_area.h"

static void each_page_is_mapped_and_no_guard(void **state)
{
    char *p = vmalloc(3 * PAGE_SIZE - 5);
    (void)state;
    assert_non_null(p);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t frame = fake_frame(p + i * PAGE_SIZE);
        assert_true(frame);
        assert_int_equal(paddr_to_page(mk_paddr(frame))->type, PAGE_VMALLOC);
    }
    assert_int_equal(fake_frame(p - PAGE_SIZE), 0);
    assert_int_equal(fake_frame(p + 3 * PAGE_SIZE), 0);
    assert_true(vmalloc_contains((uint64_t)p + 2 * PAGE_SIZE));
    assert_false(vmalloc_contains((uint64_t)p + 3 * PAGE_SIZE));
    assert_int_equal(global_node_state(NR_VMALLOC), 3);
    vmalloc_audit();
    uint64_t fences = fake_fences;
    vfree(p);
    assert_int_equal(fake_fences, fences + 1);
    assert_int_equal(fake_mapped_pages, 0);
    assert_int_equal(global_node_state(NR_VMALLOC), 0);
    vfree(NULL);
    vmalloc_audit();
}

static void holes_are_used_lowest_first(void **state)
{
    char *p[6];
    (void)state;
    for (unsigned i = 0; i < 6; i++)
        p[i] = vmalloc((i + 1) * PAGE_SIZE);
    for (unsigned i = 1; i < 6; i++)
        assert_ptr_equal(p[i], p[i - 1] + (i + 1) * PAGE_SIZE); /* one guard between */
    vfree(p[1]);
    vfree(p[3]); /* holes of 2 and of 4 pages, a guard each */
    vmalloc_audit();
    char *three = vmalloc(3 * PAGE_SIZE), *one = vmalloc(PAGE_SIZE);
    assert_ptr_equal(three, p[3]);
    assert_ptr_equal(one, p[1]);
    char *rest = vmalloc(PAGE_SIZE); /* what is left of a hole of 3 holds no page with a guard */
    assert_true(rest > p[5]);
    vfree(p[2]);
    char *joined = vmalloc(4 * PAGE_SIZE); /* with the rest before it */
    assert_ptr_equal(joined, one + 2 * PAGE_SIZE);
    vmalloc_audit();
    vfree(p[0]), vfree(p[4]), vfree(p[5]);
    vfree(three), vfree(one), vfree(rest), vfree(joined);
    assert_int_equal(fake_mapped_pages, 0);
}

static void zeroed_and_on_a_node(void **state)
{
    static const char zeros[PAGE_SIZE];
    char *p = vzalloc(2 * PAGE_SIZE), *q = vmalloc_node(2 * PAGE_SIZE, 1);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        paddr_t frame = mk_paddr(fake_frame(p + i * PAGE_SIZE));
        assert_memory_equal(phys_to_virt(frame), zeros, PAGE_SIZE);
        assert_int_equal(paddr_to_page(mk_paddr(fake_frame(q + i * PAGE_SIZE)))->nid, 1);
    }
    vfree(p);
    vfree(q);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    assert_null(vmalloc(0));
    assert_null(vmalloc(VMALLOC_SIZE + 1));
    assert_null(vmalloc(VMALLOC_SIZE - PAGE_SIZE)); /* no room for the guards */
    assert_null(vmalloc(GIB(1)));                   /* room, but no memory */
    assert_null(ioremap(mk_paddr(0), 0));
    assert_null(ioremap(mk_paddr(0), UINT64_MAX));
    assert_int_equal(fake_mapped_pages, 0);
    vmalloc_audit();
}

static void a_failed_mapping_leaves_nothing(void **state)
{
    uint64_t free_before = nr_free_pages();
    (void)state;
    fake_maps_left = 2;
    assert_null(vmalloc(5 * PAGE_SIZE));
    fake_maps_left = 2;
    assert_null(ioremap(mk_paddr(0x10000000), 5 * PAGE_SIZE));
    fake_maps_left = 0;
    assert_null(stack_alloc(0));
    fake_maps_left = UINT64_MAX;
    assert_int_equal(fake_mapped_pages, 0);
    assert_true(nr_free_pages() + 16 >= free_before); /* but for slabs */
    vmalloc_audit();
}

static void devices(void **state)
{
    char *uart = ioremap(mk_paddr(0x10000004), 0x100);
    char *wide = ioremap(mk_paddr(0x0c000ff8), 16); /* over the end of a page */
    (void)state;
    assert_int_equal((uintptr_t)uart % PAGE_SIZE, 4);
    assert_int_equal(fake_frame(uart - 4), 0x10000000);
    assert_int_equal(fake_mapped_pages, 3);
    assert_int_equal(fake_frame(wide + 8), 0x0c001000);
    iounmap(uart);
    iounmap(wide);
    assert_int_equal(fake_mapped_pages, 0);
    vmalloc_audit();
}

static void only_beginnings_are_freed(void **state)
{
    char *p = vmalloc(2 * PAGE_SIZE);
    (void)state;
    assert_true(PANICS(vfree(p + PAGE_SIZE)));
    assert_true(PANICS(vfree(p + 64 * PAGE_SIZE)));
    assert_null(vmalloc_area_find((void *)VMALLOC_BASE));
    vfree(p);
}

static void the_region_fills_up(void **state)
{
    struct vmalloc_area *last = NULL, *area;
    uint64_t n = 0;
    (void)state;
    while ((area = vmalloc_area_create(GIB(1) - MIB(1), VMALLOC_DEVICE, GFP_KERNEL))) {
        last = area;
        n++;
    }
    assert_int_equal(n, 4);
    assert_null(vmalloc_area_create(MIB(5), VMALLOC_DEVICE, GFP_KERNEL));
    vmalloc_area_remove(last);
    assert_non_null(last = vmalloc_area_create(MIB(5), VMALLOC_DEVICE, GFP_KERNEL));
    for (uint64_t at = VMALLOC_BASE; n; at += PAGE_SIZE) {
        area = vmalloc_area_find((void *)at);
        if (!area)
            continue;
        vmalloc_area_remove(area);
        n--;
    }
    vmalloc_audit();
}

/* --- stacks ----------------------------------------------------------------------------------- */

static void stacks_are_kept_for_the_next(void **state)
{
    void *stacks[24];
    (void)state;
    for (unsigned i = 0; i < 24; i++)
        assert_non_null(stacks[i] = stack_alloc(i % 2));
    assert_int_equal(global_node_state(NR_KERNEL_STACK), 24 * THREAD_STACK_SIZE / PAGE_SIZE);
    assert_int_equal(fake_frame((char *)stacks[0] - PAGE_SIZE), 0);
    for (unsigned i = 0; i < 24; i++)
        stack_free(stacks[i]);
    assert_int_equal(global_node_state(NR_KERNEL_STACK), 0);
    assert_int_equal(fake_mapped_pages, 16 * THREAD_STACK_SIZE / PAGE_SIZE);
    uint64_t mapped = fake_mapped_pages;
    void *again = stack_alloc(1);
    assert_int_equal(fake_mapped_pages, mapped); /* a spare one, of the right node */
    assert_int_equal(paddr_to_page(mk_paddr(fake_frame(again)))->nid, 1);
    stack_free(again);
    vmalloc_audit();
}

static void spare_stacks_go_when_memory_is_short(void **state)
{
    struct page *page, *all = NULL;
    (void)state;
    assert_true(fake_mapped_pages > 0);
    while ((page = alloc_pages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN | __GFP_NORETRY, 0))) {
        page->private = (uint64_t)all;
        all = page;
    }
    assert_int_equal(fake_mapped_pages, 0);
    for (; all; all = page) {
        page = (struct page *)all->private;
        __free_page(all);
    }
    vmalloc_audit();
}

/* --- the audit -------------------------------------------------------------------------------- */

static void sum_sizes(const struct vmalloc_area *area, void *arg)
{
    *(uint64_t *)arg += area->size;
}

static unsigned faults(void)
{
    char text[512];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    return vmalloc_check(&out.sink);
}

static void the_audit_sees_what_is_wrong(void **state)
{
    char *p = vmalloc(PAGE_SIZE), *q = vmalloc(2 * PAGE_SIZE);
    struct vmalloc_area *area = vmalloc_area_find(q);
    uint64_t sum = 0;
    (void)state;
    vmalloc_each(sum_sizes, &sum);
    assert_int_equal(sum, 3 * PAGE_SIZE);
    area->gap += PAGE_SIZE;
    assert_int_equal(faults(), 1);
    area->gap -= PAGE_SIZE;
    area->pages[1]->type = PAGE_KERNEL;
    assert_int_equal(faults(), 1);
    area->pages[1]->type = PAGE_VMALLOC;
    area->node.parent = &area->node;
    assert_int_equal(faults(), 1); /* and it comes to an end */
    area->node.parent = &vmalloc_area_find(p)->node;
    vfree(p);
    vfree(q);
    vmalloc_audit();
}

/* --- against a model -------------------------------------------------------------------------- */

#define MODEL_AREAS 200
#define MODEL_STEPS 60000

static uint64_t chance = 88172645463325252UL;

static uint64_t below(uint64_t n)
{
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return chance % n;
}

static void any_order_of_making_and_freeing(void **state)
{
    static struct {
        char *p;
        uint64_t pages;
    } model[MODEL_AREAS];
    uint64_t pages = 0;
    (void)state;
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        uint64_t i = below(MODEL_AREAS);
        if (model[i].p) {
            vfree(model[i].p);
            pages -= model[i].pages;
            model[i].p = NULL;
        } else {
            model[i].pages = 1 + below(12);
            model[i].p = vmalloc(model[i].pages * PAGE_SIZE);
            assert_non_null(model[i].p);
            assert_int_equal(fake_frame(model[i].p - PAGE_SIZE), 0);
            assert_int_equal(fake_frame(model[i].p + model[i].pages * PAGE_SIZE), 0);
            pages += model[i].pages;
        }
        assert_int_equal(fake_mapped_pages, pages);
        if (step % 1000 == 0)
            vmalloc_audit();
    }
    for (unsigned i = 0; i < MODEL_AREAS; i++)
        vfree(model[i].p);
    assert_int_equal(fake_mapped_pages, 0);
    vmalloc_audit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_is_mapped_and_no_guard),
        cmocka_unit_test(holes_are_used_lowest_first),
        cmocka_unit_test(zeroed_and_on_a_node),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(a_failed_mapping_leaves_nothing),
        cmocka_unit_test(devices),
        cmocka_unit_test(only_beginnings_are_freed),
        cmocka_unit_test(the_region_fills_up),
        cmocka_unit_test(stacks_are_kept_for_the_next),
        cmocka_unit_test(spare_stacks_go_when_memory_is_short),
        cmocka_unit_test(the_audit_sees_what_is_wrong),
        cmocka_unit_test(any_order_of_making_and_freeing),
    };
    return cmocka_run_group_tests(tests, vmalloc_machine, vmalloc_machine_end);
}
