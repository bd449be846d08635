/* SPDX-License-Identifier: MIT */
/*
 * test_mm.c - mmap, munmap, mprotect, mremap, brk and madvise, against an array with a byte a page.
 *
 *      model[page]: 0 free, else the PROT_* + 1 of what is mapped there
 *
 * The calls are those that system calls make; there are no pages, only ranges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/commit.h"
#include "virt/fake_mm.h"

#include "base/errno.h"
#include "base/random.h"
#include "fault/mmap.h"

#define PAGES 512u
#define BASE MMAP_MIN_ADDR
#define TOP (BASE + PAGES * PAGE_SIZE)

#define MADV_DONTNEED 4
#define MADV_DONTFORK 10

struct world {
    struct mm_struct *mm;
    struct rng rng;
    uint8_t model[PAGES];
};

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static unsigned page_of(int64_t addr)
{
    return (unsigned)(((uint64_t)addr - BASE) / PAGE_SIZE);
}

static int64_t map(struct mm_struct *mm, uint64_t addr, uint64_t len, uint64_t prot, uint64_t flags)
{
    struct mmap_request req = {
        .addr = addr, .len = len, .prot = prot, .flags = flags | MAP_PRIVATE | MAP_ANONYMOUS};
    return do_mmap(mm, &req);
}

/* How many of n pages from `first` are mapped. */
static unsigned mapped(const struct world *w, unsigned first, unsigned n)
{
    unsigned count = 0;
    for (unsigned i = first; i < first + n; i++)
        count += w->model[i] != 0;
    return count;
}

/* The kinds, that is prot + 1, of the model stay those of the ranges. */
static void compare(struct world *w)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        struct vm_area_struct *vma = vma_lookup(w->mm, addr_of(i));
        assert_int_equal(vma != NULL, w->model[i] != 0);
        if (vma)
            assert_int_equal(vma->vm_flags & VM_ACCESS_FLAGS, prot_to_vm_flags(w->model[i] - 1));
        pages += vma != NULL;
    }
    assert_int_equal(w->mm->total_vm, pages);
    assert_int_equal(vma_check(w->mm, &stderr_sink), 0);
}

/* --- one step of each ------------------------------------------------------------------------- */

static void step_fixed(struct world *w, unsigned first, unsigned n, uint64_t prot)
{
    uint64_t addr = addr_of(first);
    assert_int_equal(map(w->mm, addr, n * PAGE_SIZE, prot, MAP_FIXED), addr);
    memset(w->model + first, (int)prot + 1, n);
}

static void step_noreplace(struct world *w, unsigned first, unsigned n, uint64_t prot)
{
    uint64_t addr = addr_of(first);
    int64_t got = map(w->mm, addr, n * PAGE_SIZE, prot, MAP_FIXED_NOREPLACE);
    assert_int_equal(got, mapped(w, first, n) ? -EEXIST : (int64_t)addr);
    if (got > 0)
        memset(w->model + first, (int)prot + 1, n);
}

static void step_anywhere(struct world *w, unsigned n, uint64_t prot)
{
    int64_t got = map(w->mm, 0, n * PAGE_SIZE - 1, prot, 0);
    if (got < 0 || (uint64_t)got >= TOP) /* full up to the mmap base: above it */
        return;
    unsigned first = page_of(got);
    assert_int_equal(mapped(w, first, n), 0);
    memset(w->model + first, (int)prot + 1, n);
}

static void step_unmap(struct world *w, unsigned first, unsigned n)
{
    assert_int_equal(do_munmap(w->mm, addr_of(first), n * PAGE_SIZE), 0);
    memset(w->model + first, 0, n);
}

static void step_protect(struct world *w, unsigned first, unsigned n, uint64_t prot)
{
    int err = do_mprotect(w->mm, addr_of(first), n * PAGE_SIZE, prot);
    assert_int_equal(err, mapped(w, first, n) == n ? 0 : -ENOMEM);
    if (!err)
        memset(w->model + first, (int)prot + 1, n);
}

static void step_madvise(struct world *w, unsigned first, unsigned n)
{
    int advice = rng_below(&w->rng, 2) ? MADV_DONTNEED : MADV_DONTFORK;
    int err = do_madvise(w->mm, addr_of(first), n * PAGE_SIZE, advice);
    assert_int_equal(err, mapped(w, first, n) == n ? 0 : -ENOMEM);
}

/* One range in one VMA, to a fixed place that it does not overlap. */
static void step_remap(struct world *w, unsigned first, unsigned n)
{
    const struct vm_area_struct *vma = vma_lookup(w->mm, addr_of(first));
    unsigned to = (unsigned)rng_below(&w->rng, PAGES - 20),
             len = 1 + (unsigned)rng_below(&w->rng, 20);
    uint8_t kind = w->model[first];
    bool whole = vma && addr_of(first + n) <= vma->vm_end;
    bool overlap = first < to + len && to < first + n;
    int64_t got = do_mremap(w->mm, addr_of(first), n * PAGE_SIZE, len * PAGE_SIZE,
                            MREMAP_MAYMOVE | MREMAP_FIXED, addr_of(to));
    if (overlap && vma) {
        assert_int_equal(got, -EINVAL);
    } else if (!whole) {
        assert_int_equal(got, -EFAULT);
    } else {
        assert_int_equal(got, addr_of(to));
        memset(w->model + first, 0, n);
        memset(w->model + to, kind, len);
    }
}

static void step(struct world *w)
{
    unsigned n = 1 + (unsigned)rng_below(&w->rng, 20);
    unsigned first = (unsigned)rng_below(&w->rng, PAGES - n);
    uint64_t prot = rng_below(&w->rng, 8);
    switch (rng_below(&w->rng, 8)) {
    case 0:
        step_fixed(w, first, n, prot);
        break;
    case 1:
        step_noreplace(w, first, n, prot);
        break;
    case 2:
        step_anywhere(w, n, prot);
        break;
    case 3:
        step_madvise(w, first, n);
        break;
    case 4:
        step_protect(w, first, n, prot);
        break;
    case 5:
        step_remap(w, first, n);
        break;
    default:
        step_unmap(w, first, n);
    }
}

static void random_calls_match_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world w = {.mm = fake_mm(), .rng = {seed}};
        w.mm->mmap_base = TOP;
        w.mm->map_count = 0;
        for (unsigned i = 0; i < 4000; i++) {
            step(&w);
            /* what did not fit below the base went above it: not modelled */
            assert_int_equal(do_munmap(w.mm, TOP, MIB(1)), 0);
            if (i % 16 == 0)
                compare(&w);
        }
        compare(&w);
        fake_mm_free(w.mm);
        assert_int_equal(objects_out, 0);
    }
}

static void brk_moves_by_bytes(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    mm->start_brk = mm->brk = BASE;
    mm->mmap_base = TOP;
    assert_int_equal(do_brk(mm, 0), BASE);
    assert_int_equal(do_brk(mm, BASE + 100), BASE + 100);
    assert_int_equal(mm->total_vm, 1);
    assert_int_equal(do_brk(mm, BASE + 3 * PAGE_SIZE), BASE + 3 * PAGE_SIZE);
    assert_int_equal(mm->map_count, 1);
    assert_int_equal(map(mm, BASE + 6 * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_FIXED),
                     BASE + 6 * PAGE_SIZE);
    /* a page must stay free in between */
    assert_int_equal(do_brk(mm, BASE + 6 * PAGE_SIZE), BASE + 3 * PAGE_SIZE);
    assert_int_equal(do_brk(mm, BASE + 5 * PAGE_SIZE), BASE + 5 * PAGE_SIZE);
    assert_int_equal(do_brk(mm, BASE), BASE);
    assert_int_equal(mm->total_vm, 1);
    fake_mm_free(mm);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    mm->mmap_base = TOP;
    mm->as_limit = 4 * PAGE_SIZE;
    assert_int_equal(map(mm, BASE, 5 * PAGE_SIZE, PROT_READ, MAP_FIXED), -ENOMEM);
    assert_int_equal(map(mm, BASE, 4 * PAGE_SIZE, PROT_READ, MAP_FIXED), BASE);
    assert_int_equal(do_mremap(mm, BASE, 4 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -ENOMEM);
    fake_mm_free(mm);
}

static void wrong_words_get_the_right_errno(void **state)
{
    (void)state;
    struct mm_struct *mm = fake_mm();
    mm->mmap_base = TOP;
    struct mmap_request shared = {.len = PAGE_SIZE, .flags = MAP_SHARED | MAP_ANONYMOUS};
    struct mmap_request typeless = {.len = PAGE_SIZE, .flags = MAP_ANONYMOUS};
    assert_int_equal(map(mm, 0, 0, PROT_READ, 0), -EINVAL);
    assert_int_equal(map(mm, 0, UINT64_MAX, PROT_READ, 0), -ENOMEM);
    assert_int_equal(map(mm, BASE + 1, PAGE_SIZE, PROT_READ, MAP_FIXED), -EINVAL);
    assert_int_equal(map(mm, 0, PAGE_SIZE, PROT_READ, MAP_FIXED), -EPERM);
    assert_int_equal(map(mm, UINT64_MAX & PAGE_MASK, PAGE_SIZE, PROT_READ, MAP_FIXED), -ENOMEM);
    assert_int_equal(do_mmap(mm, &typeless), -EINVAL);
    (void)shared;
    assert_int_equal(do_munmap(mm, BASE + 1, PAGE_SIZE), -EINVAL);
    assert_int_equal(do_munmap(mm, BASE, 0), -EINVAL);
    assert_int_equal(do_munmap(mm, UINT64_MAX & PAGE_MASK, PAGE_SIZE), -EINVAL);
    assert_int_equal(do_mprotect(mm, BASE, PAGE_SIZE, 0x40), -EINVAL);
    assert_int_equal(do_mprotect(mm, BASE, 0, PROT_READ), 0);
    assert_int_equal(do_mprotect(mm, BASE, PAGE_SIZE, PROT_READ), -ENOMEM);
    assert_int_equal(do_madvise(mm, BASE, PAGE_SIZE, 77), -EINVAL);
    assert_int_equal(do_madvise(mm, BASE, PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(do_mremap(mm, BASE, PAGE_SIZE, 0, MREMAP_MAYMOVE, 0), -EINVAL);
    assert_int_equal(do_mremap(mm, BASE, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, 0), -EINVAL);
    assert_int_equal(do_mremap(mm, BASE, PAGE_SIZE, PAGE_SIZE, 0, 0), -EFAULT);
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
    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS; /* there is no machine to ask for more */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_match_the_model),
        cmocka_unit_test(brk_moves_by_bytes),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(wrong_words_get_the_right_errno),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
