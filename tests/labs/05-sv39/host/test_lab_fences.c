/* SPDX-License-Identifier: MIT */
/*
 * test_lab_fences.c - step 6: who must forget, and by which fence.
 *
 *      hart 0: changes an entry and flushes      its TLB, and those of harts 1 and 2, are
 *      hart 1, hart 2: run a space, or did       support/mmu.c's: they keep what nobody takes away
 */
#include "tables.h"

#include "arch/barrier.h"
#include "phys/vmstat.h"
#include "virt/tlb.h"

#define VA GIB(1)
#define PAGES 100
#define OLD MIB(16)
#define NEW GIB(2)

static struct tlb_space space, other;

static int set_up_fences(void **state)
{
    set_up(state);
    mmu_reset(8);
    tlb_init();
    tlb_space_init(&space);
    tlb_space_init(&other);
    for (unsigned i = 0; i < PAGES; i++)
        hand_leaf(VA + i * PAGE_SIZE, 0, OLD + i * PAGE_SIZE, PTE_R | PTE_U | PTE_A);
    return 0;
}

/** All of it as another hart. */
#define AS(hart, statement)           \
    do {                              \
        uint32_t was_ = hart_index(); \
        host_become(hart);            \
        statement;                    \
        host_become(was_);            \
    } while (0)

static void run(struct tlb_space *s)
{
    tlb_switch(s, pt_root_paddr(&pt));
}

/** The calling hart learns the pages that it does not know. */
static void touch(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        (void)mmu_access(VA + i * PAGE_SIZE);
}

static void change(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        pte_store(hand_entry(VA + i * PAGE_SIZE, 0),
                  pte_make(paddr_to_pfn(mk_paddr(NEW + i * PAGE_SIZE)), PTE_R | PTE_U | PTE_A));
}

static void flush_pages(unsigned first, unsigned n)
{
    tlb_flush_range(&space, mk_vaddr(VA + first * PAGE_SIZE),
                    mk_vaddr(VA + (first + n) * PAGE_SIZE));
}

static void expect_fresh(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        expect_equal(pte_pfn(mmu_access(VA + i * PAGE_SIZE)).v, NEW / PAGE_SIZE + i,
                     "frame of page %u for hart %u: it uses an old translation", i, hart_index());
}

static struct mmu_counts since(const struct mmu_counts *before)
{
    struct mmu_counts now = mmu_counts;
    now.walks -= before->walks;
    now.pages -= before->pages;
    now.spaces -= before->spaces;
    now.remote -= before->remote;
    return now;
}

/* --- this hart -------------------------------------------------------------------------------- */

static void flush_a_page_here(void **state)
{
    (void)state;
    run(&space);
    touch(0, 8);
    change(3, 1);
    struct mmu_counts before = mmu_counts;
    uint64_t events = vm_event_sum(TLB_LOCAL_FLUSH_ONE);
    tlb_flush_page(&space, mk_vaddr(VA + 3 * PAGE_SIZE + 40));
    expect_fresh(3, 1);
    touch(0, 8);
    struct mmu_counts c = since(&before);
    expect_equal(c.pages, 1, "fences of one page");
    expect_equal(c.spaces, 0, "fences of more than a page");
    expect_equal(c.remote, 0, "remote fences: no other hart runs it");
    expect_equal(c.walks, 1, "pages that this hart had to look up again");
    expect_equal(vm_event_sum(TLB_LOCAL_FLUSH_ONE), events + 1, "the event TLB_LOCAL_FLUSH_ONE");
}

static void flush_a_range_page_by_page(void **state)
{
    (void)state;
    run(&space);
    touch(0, PAGES);
    change(10, 64);
    struct mmu_counts before = mmu_counts;
    flush_pages(10, 64);
    expect_fresh(10, 64);
    expect_equal(since(&before).spaces, 0, "fences of the whole space for 64 pages");
    expect_equal(since(&before).walks, 64, "pages that this hart had to look up again");
}

static void flush_the_space_when_it_is_much(void **state)
{
    (void)state;
    run(&other);
    touch(0, 4);
    run(&space);
    touch(0, PAGES);
    change(0, 65);
    struct mmu_counts before = mmu_counts;
    uint64_t events = vm_event_sum(TLB_LOCAL_FLUSH_ALL);
    flush_pages(0, 65);
    expect_equal(since(&before).pages + since(&before).spaces, 1, "fences for 65 pages");
    expect_equal(vm_event_sum(TLB_LOCAL_FLUSH_ALL), events + 1, "the event TLB_LOCAL_FLUSH_ALL");
    expect_fresh(0, 65);
    change(0, PAGES);
    tlb_flush_space(&space);
    expect_fresh(0, PAGES);
    before = mmu_counts;
    run(&other);
    touch(0, 4);
    expect_equal(since(&before).walks, 0, "translations of another space that had to go, too");
}

static void flush_without_asids(void **state)
{
    (void)state;
    mmu_reset(0);
    tlb_init();
    run(&space);
    AS(1, run(&space));
    for (unsigned n = 1; n < PAGES; n += PAGES - 2) {
        touch(0, PAGES);
        AS(1, touch(0, PAGES));
        change(0, n);
        flush_pages(0, n);
        expect_fresh(0, n);
        AS(1, expect_fresh(0, n));
        expect_equal(mmu_counts.remote_asid, 0, "the ASID of the remote fence: there is none");
    }
}

/* --- other harts ------------------------------------------------------------------------------ */

static void flush_on_all_that_run_it(void **state)
{
    (void)state;
    run(&space);
    AS(1, run(&space); touch(0, 8));
    AS(2, run(&space); touch(0, 8));
    change(2, 3);
    struct mmu_counts before = mmu_counts;
    uint64_t events = vm_event_sum(TLB_REMOTE_FLUSH);
    flush_pages(2, 3);
    AS(1, expect_fresh(2, 3));
    AS(2, expect_fresh(2, 3));
    expect_equal(since(&before).remote, 1, "calls of fence_harts() for two harts");
    expect_equal(mmu_counts.remote_harts, 6, "the harts that it names: 1 and 2");
    expect_equal(mmu_counts.remote_asid, mmu_asid(), "the ASID that it names");
    expect_equal(vm_event_sum(TLB_REMOTE_FLUSH), events + 1, "the event TLB_REMOTE_FLUSH");
    before = mmu_counts;
    AS(1, touch(0, 8));
    expect_equal(since(&before).walks, 0, "other pages that hart 1 had to look up again");
}

static void flush_by_a_mark_where_it_ran_once(void **state)
{
    (void)state;
    run(&space);
    AS(1, run(&space); touch(0, 8); run(&other));
    AS(2, run(&space); touch(0, 8); tlb_switch_kernel());
    change(0, 4);
    struct mmu_counts before = mmu_counts;
    flush_pages(0, 4);
    expect_equal(since(&before).remote, 0, "remote fences: nobody else runs it");
    expect_equal(space.stale.bits & 6, 6, "harts 1 and 2, which are marked");
    AS(1, run(&space); expect_fresh(0, 4));
    AS(2, run(&space); expect_fresh(0, 4));
    expect_equal(space.stale.bits & 6, 0, "marks that are left after both have run it again");
}

static void flush_nothing_where_it_never_ran(void **state)
{
    (void)state;
    run(&space);
    AS(1, run(&other); touch(0, 8));
    change(0, 8);
    struct mmu_counts before = mmu_counts;
    flush_pages(0, 8);
    expect_equal(since(&before).remote, 0, "remote fences: hart 1 never ran it");
    expect_equal(space.stale.bits & 2, 0, "the mark of hart 1, which never ran it");
    AS(1, touch(0, 8));
    expect_equal(since(&before).walks, 0, "translations of another space that had to go, too");
}

/* The monitor's thread changes a guest's table, as reclaim does, on a hart that does not run it. */
static void flush_from_outside(void **state)
{
    (void)state;
    run(&space);
    touch(0, 8);
    AS(1, run(&space); touch(0, 8));
    tlb_switch_kernel();
    change(0, 8);
    struct mmu_counts before = mmu_counts;
    flush_pages(0, 8);
    AS(1, expect_fresh(0, 8));
    expect_equal(since(&before).pages + since(&before).spaces, 0, "fences of this hart");
    expect_equal(mmu_counts.remote_harts, 2, "the harts that are fenced: 1");
    expect_equal(space.stale.bits & 1, 1, "the mark of this hart");
    run(&space);
    expect_fresh(0, 8);
}

static void flush_much_on_others(void **state)
{
    (void)state;
    AS(1, run(&other); touch(0, 4); run(&space); touch(0, PAGES));
    change(0, PAGES);
    flush_pages(0, PAGES);
    AS(1, expect_fresh(0, PAGES));
    change(0, 1);
    hand_leaf(VA, 0, OLD, PTE_R);
    AS(1, touch(0, 1));
    change(0, 1);
    tlb_flush_space(&space);
    AS(1, expect_fresh(0, 1));
    struct mmu_counts before = mmu_counts;
    AS(1, run(&other); touch(0, 4));
    expect_equal(since(&before).walks, 0, "translations of another space that had to go, too");
}

/* --- somebody comes in between ---------------------------------------------------------------- */

static void flush_it(void *arg)
{
    (void)arg;
    tlb_flush_page(&space, mk_vaddr(VA));
}

static void come(void *arg)
{
    (void)arg;
    AS(1, run(&space));
}

static void come_and_look(void *arg)
{
    (void)arg;
    AS(1, run(&space); touch(0, 1));
}

/* Hart 1 knew the page, runs something else, and comes back while the page is flushed. */
static void flush_while_it_comes(void (*it)(void *))
{
    bool came = true;
    for (unsigned n = 0; came; n += 2) {
        hand_leaf(VA, 0, OLD, PTE_R);
        AS(1, run(&space); sfence_all(); touch(0, 1); run(&other));
        change(0, 1);
        came = interleave(flush_it, it, NULL, n);
        if (!came)
            it(NULL);
        AS(1, expect_fresh(0, 1));
    }
}

static void flush_while_another_hart_comes(void **state)
{
    (void)state;
    flush_it(NULL);
    flush_while_it_comes(come);
    flush_while_it_comes(come_and_look);
}

int main(void)
{
#define FENCES(name) cmocka_unit_test_setup(name, set_up_fences)
    const struct CMUnitTest tests[] = {
        FENCES(flush_a_page_here),
        FENCES(flush_a_range_page_by_page),
        FENCES(flush_the_space_when_it_is_much),
        FENCES(flush_without_asids),
        FENCES(flush_on_all_that_run_it),
        FENCES(flush_by_a_mark_where_it_ran_once),
        FENCES(flush_nothing_where_it_never_ran),
        FENCES(flush_from_outside),
        FENCES(flush_much_on_others),
        FENCES(flush_while_another_hart_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
