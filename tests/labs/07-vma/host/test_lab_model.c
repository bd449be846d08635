/* SPDX-License-Identifier: MIT */
/*
 * test_lab_model.c - all of it at random, as system calls use it, against an array of pages.
 *
 *      model[page]    rights, page of the file, and the anon_vma of what was touched there
 *
 *      exact      nothing is touched and memory never ends: a VMA for each run of equal pages
 *      touched    private pages are made: each is found from its anon_vma as long as it is there
 *      starved    now and then there is memory for a few objects only: what fails loses nothing
 *
 * The seed is the grading's. Objects, page tables and pages are fake (virt/fake_mm.h).
 */
#include "labs/07-vma/host/pieces.h"

#include "base/random.h"
#include "fault/mmap.h"
#include "virt/commit.h"

#define PAGES 160u
#define STEPS 2500u

enum mode { EXACT, TOUCHED, STARVED };

static struct model_page {
    bool mapped;
    uint8_t prot;
    uint32_t file; /* 1 + page of the file; 0: anonymous */
    const struct anon_vma *av;
} model[PAGES];

static struct mm_struct *mm;
static struct rng rng;
static enum mode mode;
static unsigned step_number;

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static unsigned count_mapped(unsigned first, unsigned n)
{
    unsigned found = 0;
    for (unsigned i = first; i < first + n; i++)
        found += model[i].mapped;
    return found;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool goes_on(unsigned i)
{
    const struct model_page *p = &model[i], *before = &model[i ? i - 1 : 0];
    return i && p->mapped && before->mapped && p->prot == before->prot &&
           !p->file == !before->file && (!p->file || p->file == before->file + 1);
}

static void compare_page(unsigned i, const char *after)
{
    const struct model_page *p = &model[i];
    const struct vm_area_struct *vma = vma_lookup(mm, addr_of(i));
    expect_equal(vma != NULL, p->mapped, "is page %u mapped? after %s, step %u, seed %lu", i, after,
                 step_number, lab_seed());
    if (!vma)
        return;
    expect_equal(vma->vm_flags & VM_ACCESS_FLAGS, prot_to_vm_flags(p->prot),
                 "rights of page %u after %s, step %u, seed %lu", i, after, step_number,
                 lab_seed());
    expect_equal(vma_index(vma, addr_of(i)), p->file ? p->file - 1 : addr_of(i) >> PAGE_SHIFT,
                 "page number at page %u after %s, step %u, seed %lu", i, after, step_number,
                 lab_seed());
    expect_true((vma->vm_mapping == &files[0]) == !!p->file,
                "what page %u maps, after %s, step %u, seed %lu", i, after, step_number,
                lab_seed());
    expect_true(!p->av || vma->anon_vma == p->av,
                "page %u is found from the anon_vma it was touched with, after %s, step %u, "
                "seed %lu",
                i, after, step_number, lab_seed());
}

static void compare(const char *after)
{
    unsigned runs = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        compare_page(i, after);
        runs += model[i].mapped && !goes_on(i);
    }
    if (mode == EXACT)
        expect_equal(mm->map_count, runs, "VMAs after %s, step %u, seed %lu", after, step_number,
                     lab_seed());
    expect_equal(mm->total_vm, count_mapped(0, PAGES), "total_vm after %s, step %u, seed %lu",
                 after, step_number, lab_seed());
    expect_counted(mm, after);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void note(unsigned first, unsigned n, struct model_page page)
{
    for (unsigned i = first; i < first + n; i++) {
        model[i] = page;
        page.file += !!page.file;
    }
}

static void step_map(unsigned first, unsigned n, uint8_t prot)
{
    bool of_file = below(2), anywhere = !below(4);
    uint32_t index = below(4) ? first : below(PAGES);
    struct mmap_request req = {
        .addr = anywhere ? 0 : addr_of(first),
        .len = n * PAGE_SIZE,
        .prot = prot,
        .flags = MAP_PRIVATE | MAP_NORESERVE | (anywhere ? 0 : MAP_FIXED) |
                 (of_file ? 0 : MAP_ANONYMOUS),
        .mapping = of_file ? &files[0] : NULL,
        .pgoff = of_file ? index : 0,
    };
    int64_t got = do_mmap(mm, &req);
    if (got == -ENOMEM && mode == STARVED) {
        /* the old pages may have gone, but then all of them */
        if (!anywhere && !find_vma_intersection(mm, addr_of(first), addr_of(first + n)))
            note(first, n, (struct model_page){0});
        return;
    }
    expect_true(got > 0, "do_mmap() of %u pages: %ld, step %u", n, (long)got, step_number);
    if ((uint64_t)got < BASE || (uint64_t)got >= addr_of(PAGES)) { /* no hole among the pages */
        objects_left = LONG_MAX;
        expect_equal(do_munmap(mm, (uint64_t)got, n * PAGE_SIZE), 0, "do_munmap() of elsewhere");
        return;
    }
    first = (unsigned)(((uint64_t)got - BASE) / PAGE_SIZE);
    expect_true(!anywhere || !count_mapped(first, n), "%u pages from page %u on were free", n,
                first);
    note(first, n, (struct model_page){true, prot, of_file ? index + 1 : 0, NULL});
}

static void step_unmap(unsigned first, unsigned n)
{
    int err = do_munmap(mm, addr_of(first), n * PAGE_SIZE);
    expect_true(!err || (mode == STARVED && err == -ENOMEM), "do_munmap(): %d", err);
    if (!err)
        note(first, n, (struct model_page){0});
}

static void step_protect(unsigned first, unsigned n, uint8_t prot)
{
    bool whole = count_mapped(first, n) == n;
    int err = do_mprotect(mm, addr_of(first), n * PAGE_SIZE, prot);
    expect_true(mode == STARVED ? !err || err == -ENOMEM : err == (whole ? 0 : -ENOMEM),
                "do_mprotect(): %d", err);
    for (unsigned i = first; whole && i < first + n; i++) {
        const struct vm_area_struct *vma = vma_lookup(mm, addr_of(i));
        if (!err || (vma && (vma->vm_flags & VM_ACCESS_FLAGS) == prot_to_vm_flags(prot)))
            model[i].prot = prot; /* what fails half-way has changed a part */
    }
}

static void step_touch(unsigned page)
{
    struct vm_area_struct *vma = vma_lookup(mm, addr_of(page));
    if (vma && !anon_vma_prepare(vma))
        model[page].av = vma->anon_vma;
}

static const char *step(void)
{
    unsigned n = 1 + below(12), first = below(PAGES - n);
    uint8_t prot = (uint8_t)(below(3) ? PROT_READ | PROT_WRITE : below(2) ? PROT_READ : PROT_NONE);
    objects_left = mode == STARVED && below(2) ? (long)below(4) : LONG_MAX;
    switch (below(mode == EXACT ? 4 : 5)) {
    case 0:
        step_unmap(first, n);
        return "munmap";
    case 1:
        step_protect(first, n, prot);
        return "mprotect";
    case 4:
        step_touch(first);
        return "a touch";
    default:
        step_map(first, n, prot);
        return "mmap";
    }
}

static void run(enum mode how)
{
    mode = how;
    rng_seed(&rng, lab_seed() + how);
    memset(model, 0, sizeof(model));
    mm = fake_mm();
    mm->mmap_base = addr_of(PAGES);
    for (step_number = 0; step_number < STEPS; step_number++) {
        const char *what = step();
        objects_left = LONG_MAX;
        compare(what);
    }
    expect_no_leak(mm);
}

static void model_of_runs(void **state)
{
    (void)state;
    run(EXACT);
}

static void model_with_touched_pages(void **state)
{
    (void)state;
    run(TOUCHED);
}

static void model_without_memory(void **state)
{
    (void)state;
    run(STARVED);
}

int main(void)
{
    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS; /* there is no machine to ask for more */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_of_runs),
        cmocka_unit_test(model_with_touched_pages),
        cmocka_unit_test(model_without_memory),
    };
    return cmocka_run_group_tests(tests, pieces_set_up, NULL);
}
