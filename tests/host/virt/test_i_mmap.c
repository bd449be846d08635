/* SPDX-License-Identifier: MIT */
/*
 * test_i_mmap.c - the interval tree of who maps a file, against a list of all VMAs.
 *
 *      model[i]: VMA or NULL, and when it came
 *
 * VMAs come, go and are resized at random; asked is who holds pages first..last. Many begin at the
 * same page, as forks make them: those must be told in the order in which they came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/fake_mm.h"

#include "base/random.h"
#include "virt/mapping.h"

#define SLOTS 200u
#define FILE_PAGES 256u
#define STEPS 20000u
#define APART (2 * FILE_PAGES * PAGE_SIZE) /* each slot has its own piece of the address space */

static struct world {
    struct mm_struct *mm;
    struct address_space file;
    struct rng rng;
    struct {
        struct vm_area_struct *vma;
        uint64_t came;
    } model[SLOTS];
    uint64_t clock;
} w;

static const struct address_space_ops no_ops;

static uint64_t below(uint64_t n)
{
    return rng_below(&w.rng, n);
}

/* --- the operations, on both ------------------------------------------------------------------ */

static void come(unsigned slot)
{
    uint64_t pages = below(8) ? 1 + below(12) : 1 + below(FILE_PAGES);
    uint64_t start = (slot + 1) * APART + below(FILE_PAGES) * PAGE_SIZE;
    struct vm_area_struct *vma = vma_alloc(w.mm, start, start + pages * PAGE_SIZE, VM_READ);
    vma->vm_pgoff = below(4) ? below(FILE_PAGES) : below(4);
    vma->vm_mapping = &w.file;
    vma_insert(w.mm, vma);
    w.model[slot].vma = vma;
    w.model[slot].came = w.clock++;
}

static void go(unsigned slot)
{
    vma_remove(w.mm, w.model[slot].vma);
    vma_free(w.model[slot].vma);
    w.model[slot].vma = NULL;
}

/* Cut or grow at either end; vm_pgoff moves with the start, which must not pass page 0. */
static void resize(unsigned slot)
{
    struct vm_area_struct *vma = w.model[slot].vma;
    uint64_t start = vma->vm_start, end = vma->vm_end, by = below(6) * PAGE_SIZE;
    switch (below(4)) {
    case 0:
        start += MIN(by, end - start - PAGE_SIZE);
        break;
    case 1:
        start -= MIN(by, vma->vm_pgoff << PAGE_SHIFT);
        break;
    case 2:
        end -= MIN(by, end - start - PAGE_SIZE);
        break;
    default:
        end += by;
    }
    if (end > (slot + 2) * APART || start < (slot + 1) * APART)
        return;
    vma_set_range(vma, start, end);
    w.model[slot].came = w.clock++;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool holds(const struct vm_area_struct *vma, uint64_t first, uint64_t last)
{
    return vma && vma->vm_pgoff <= last && vma->vm_pgoff + vma_pages(vma) - 1 >= first;
}

static uint64_t came(const struct vm_area_struct *vma)
{
    return w.model[vma->vm_start / APART - 1].came;
}

static void ask(uint64_t first, uint64_t last)
{
    unsigned wanted = 0, found = 0;
    struct vm_area_struct *vma, *before = NULL;
    for (unsigned i = 0; i < SLOTS; i++)
        wanted += holds(w.model[i].vma, first, last);
    spin_lock(&w.file.i_mmap_lock);
    for_each_i_mmap(vma, &w.file, first, last) {
        assert_true(holds(vma, first, last));
        if (before) {
            assert_true(before->vm_pgoff <= vma->vm_pgoff);
            assert_true(before->vm_pgoff < vma->vm_pgoff || came(before) < came(vma));
        }
        before = vma;
        found++;
    }
    spin_unlock(&w.file.i_mmap_lock);
    assert_int_equal(found, wanted);
}

static void check_all(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (w.model[i].vma)
            assert_int_equal(i_mmap_check(w.model[i].vma, &stderr_sink), 0);
}

static void step(unsigned n)
{
    unsigned slot = (unsigned)below(SLOTS);
    if (!w.model[slot].vma)
        come(slot);
    else if (below(3))
        resize(slot);
    else
        go(slot);
    uint64_t page = below(2 * FILE_PAGES);
    ask(page, page);
    ask(page, page + below(20));
    if (n % 256 == 0)
        check_all();
}

static void the_tree_finds_what_a_list_finds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        memset(&w, 0, sizeof(w));
        w.rng.state = seed;
        w.mm = fake_mm();
        address_space_init(&w.file, &no_ops, NULL, 0);
        for (unsigned i = 0; i < STEPS; i++)
            step(i);
        ask(0, UINT64_MAX);
        for (unsigned i = 0; i < SLOTS; i++)
            if (w.model[i].vma)
                go(i);
        assert_null(w.file.i_mmap.node);
        fake_mm_free(w.mm);
        assert_int_equal(objects_out, 0);
    }
}

/* Page 9 of a file that 1000 guests map a page each of, and two map whole. */
static void one_page_is_found_among_a_thousand(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma, *whole[2];
    address_space_init(&w.file, &no_ops, NULL, 0);
    for (uint64_t i = 0; i < 1002; i++) {
        uint64_t start = (i + 1) * GIB(1), pages = i < 2 ? 1000 : 1;
        vma = vma_alloc(mm, start, start + pages * PAGE_SIZE, VM_READ);
        vma->vm_pgoff = i < 2 ? 0 : i - 2;
        vma->vm_mapping = &w.file;
        vma_insert(mm, vma);
        if (i < 2)
            whole[i] = vma;
    }
    spin_lock(&w.file.i_mmap_lock);
    vma = i_mmap_first(&w.file, 9, 9);
    assert_ptr_equal(vma, whole[0]);
    vma = i_mmap_next(vma, 9, 9);
    assert_ptr_equal(vma, whole[1]);
    vma = i_mmap_next(vma, 9, 9);
    assert_int_equal(vma->vm_start, 12 * GIB(1));
    assert_null(i_mmap_next(vma, 9, 9));
    spin_unlock(&w.file.i_mmap_lock);
    for_each_vma(mm, vma)
        vma->vm_flags |= VM_SHARED;
    assert_false(mapping_is_writable(&w.file));
    whole[1]->vm_flags |= VM_MAYWRITE;
    assert_true(mapping_is_writable(&w.file));
    fake_mm_free(mm);
    assert_int_equal(objects_out, 0);
}

static void discard(struct sink *self, const char *bytes, size_t n)
{
    (void)self, (void)bytes, (void)n;
}

/* What the audit is for: a VMA changed behind the tree's back, or that is in no tree. */
static void the_check_finds_damage(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    struct vm_area_struct *vma[3];
    struct sink none = {discard};
    address_space_init(&w.file, &no_ops, NULL, 0);
    for (uint64_t i = 0; i < 3; i++) {
        vma[i] = vma_alloc(mm, GIB(1) * (i + 1), GIB(1) * (i + 1) + 4 * PAGE_SIZE, VM_READ);
        vma[i]->vm_pgoff = 10 * i;
        vma[i]->vm_mapping = &w.file;
        vma_insert(mm, vma[i]);
        assert_int_equal(i_mmap_check(vma[i], &none), 0);
    }
    vma[2]->vm_end += PAGE_SIZE;
    assert_true(i_mmap_check(vma[0], &none) > 0);
    vma[2]->vm_end -= PAGE_SIZE;
    vma[2]->vm_pgoff = 5;
    assert_true(i_mmap_check(vma[0], &none) > 0);
    vma[2]->vm_pgoff = 20;
    assert_int_equal(i_mmap_check(vma[0], &none), 0);
    i_mmap_remove(vma[1]);
    vma[1]->i_mmap_rb.parent = NULL;
    assert_int_equal(i_mmap_check(vma[1], &none), 1);
    i_mmap_insert(vma[1]);
    fake_mm_free(mm);
}

static int set_up(void **state)
{
    (void)state;
    fake_node(1 << 20);
    vma_init();
    rmap_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_finds_what_a_list_finds),
        cmocka_unit_test(one_page_is_found_among_a_thousand),
        cmocka_unit_test(the_check_finds_damage),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
