/* SPDX-License-Identifier: MIT */
/*
 * test_tlb.c - no hart ever uses what a finished flush took away.
 *
 *      3 harts            switch, access, change an entry and flush, in any order
 *      6 spaces           a root and two tables each; 7 ASIDs, so that generations come and go
 *      the TLBs           support/mmu.c: they remember all that they are not told to forget
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "support/fake_machine.h"
#include "support/host.h"
#include "support/interleave.h"
#include "support/mmu.h"
#include "virt/kernel_map.h"
#include "virt/pgtable.h"
#include "virt/tlb.h"

#define HARTS 3u
#define SPACES 6u
#define PAGES 80u /* more than are flushed one by one */
#define BASE 0x40000000UL

struct pgtable kernel_pgtable;

static struct space {
    struct tlb_space tlb;
    struct pgtable pgt;
} spaces[SPACES];
static struct space *running[HARTS];
static uint64_t next_frame;

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static void space_init(struct space *s)
{
    tlb_space_init(&s->tlb);
    assert_int_equal(pt_create(&s->pgt, -1), 0);
}

static void begin(unsigned asid_bits)
{
    static pte_t root[PT_ENTRIES];
    fake_begin();
    fake_memory(0, 0, MIB(16));
    for (unsigned i = 0; i < HARTS; i++)
        fake_hart(0);
    fake_boot("");
    kernel_pgtable.root = root;
    for (uint32_t i = 0; i < HARTS; i++) { /* from the last machine's spaces */
        host_become(i);
        tlb_switch_kernel();
        running[i] = NULL;
    }
    host_become(0);
    mmu_reset(asid_bits);
    tlb_init();
    for (unsigned i = 0; i < SPACES; i++)
        space_init(&spaces[i]);
}

static pte_t *entry_of(struct space *s, unsigned page)
{
    pte_t *pte = pt_walk_alloc(&s->pgt, mk_vaddr(addr_of(page)), 0);
    assert_non_null(pte);
    return pte;
}

/* Another frame, or none; the entry is changed first, then it is flushed. */
static void change(struct space *s, unsigned page)
{
    uint64_t frame = ++next_frame;
    pte_store(entry_of(s, page),
              frame % 8 ? pte_make(mk_pfn(frame), PTE_R | PTE_U | PTE_A) : mk_pte(0));
}

static void switch_to(struct space *s)
{
    if (s)
        tlb_switch(&s->tlb, pt_root_paddr(&s->pgt));
    else
        tlb_switch_kernel();
    running[hart_index()] = s;
}

static void access_is_right(unsigned page)
{
    struct space *s = running[hart_index()];
    if (s)
        assert_int_equal(mmu_access(addr_of(page)).v, pte_load(entry_of(s, page)).v);
}

static void step(struct rng *rng)
{
    struct space *s = &spaces[rng_below(rng, SPACES)];
    unsigned page = (unsigned)rng_below(rng, PAGES), n;
    host_become((uint32_t)rng_below(rng, HARTS));
    switch (rng_below(rng, 8)) {
    case 0:
        switch_to(rng_below(rng, 4) ? s : NULL);
        break;
    case 1:
        change(s, page);
        tlb_flush_page(&s->tlb, mk_vaddr(addr_of(page) + 8));
        break;
    case 2:
        n = 1 + (unsigned)rng_below(rng, PAGES - page);
        for (unsigned i = page; i < page + n; i++)
            change(s, i);
        tlb_flush_range(&s->tlb, mk_vaddr(addr_of(page)), mk_vaddr(addr_of(page + n)));
        break;
    case 3:
        change(s, page);
        change(s, (page + 1) % PAGES);
        tlb_flush_space(&s->tlb);
        break;
    default:
        access_is_right(page);
    }
}

static void harts_switch_and_tables_change(unsigned asid_bits, uint64_t generations)
{
    struct rng rng;
    begin(asid_bits);
    rng_seed(&rng, 1);
    for (unsigned i = 0; i < 60000; i++) {
        step(&rng);
        for (unsigned page = 0; i % 64 == 0 && page < PAGES; page++)
            access_is_right(page);
        if (i % 97 == 0) { /* an end, and a new one */
            struct space *s = &spaces[i / 97 % SPACES];
            for (uint32_t h = 0; h < HARTS; h++) {
                host_become(h);
                if (running[h] == s)
                    switch_to(NULL);
            }
            tlb_space_init(&s->tlb);
        }
    }
    assert_true(tlb_generation() >= generations);
}

static void without_asids(void **state)
{
    (void)state;
    harts_switch_and_tables_change(0, 1);
    assert_int_equal(tlb_asid_bits(), 0);
}

static void with_few_asids(void **state)
{
    (void)state;
    harts_switch_and_tables_change(3, 50);
    assert_int_equal(tlb_asid_bits(), 3);
}

static void with_many_asids(void **state)
{
    (void)state;
    harts_switch_and_tables_change(16, 1);
    assert_int_equal(tlb_asid_bits(), 12);
}

/* --- in between ------------------------------------------------------------------------------- */

static void flush_it(void *arg)
{
    struct space *s = arg;
    tlb_flush_page(&s->tlb, mk_vaddr(addr_of(0)));
}

static void come_to_run_it(void *arg)
{
    host_become(1);
    switch_to(arg);
    host_become(0);
}

/* The other hart knew the page, ran something else, and comes back while the page is flushed. */
static void whoever_comes_is_fenced_or_marked(void **state)
{
    static void (*const mine[])(void *) = {flush_it, come_to_run_it};
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        begin(12);
        bool came = true;
        for (unsigned n = 0; came; n++) {
            host_become(1);
            switch_to(&spaces[0]);
            (void)mmu_access(addr_of(0));
            switch_to(n % 2 ? NULL : &spaces[1]);
            host_become(0);
            change(&spaces[0], 0);
            came = interleave(mine[turn], mine[!turn], &spaces[0], n);
            if (!came)
                mine[!turn](&spaces[0]);
            host_become(1);
            access_is_right(0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_asids),
        cmocka_unit_test(with_few_asids),
        cmocka_unit_test(with_many_asids),
        cmocka_unit_test(whoever_comes_is_fenced_or_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
