/* SPDX-License-Identifier: MIT */
/*
 * tables.h - a page table whose pages are counted, and what these tests themselves know of Sv39.
 *
 *      pool [ table ][ table ][ table ] ...   --alloc_table()-->   reachable from pt.root
 *           ^                                                       |
 *           `--------------------- free_table() -------------------'
 *
 *      out of the pool  ==  reachable  ==  pt.nr_tables            (nothing leaks, nothing is lost)
 *
 * hand_leaf() and look() go their own way through the tables, so the tests of a step need no other.
 */
#ifndef LAB_TABLES_H
#define LAB_TABLES_H

#include "labs/wire/expect.h"

#include <string.h>

#include "base/errno.h"
#include "base/random.h"
#include "phys/alloc.h"
#include "support/fake_machine.h"
#include "support/host.h"
#include "support/interleave.h"
#include "support/mmu.h"
#include "virt/kernel_map.h"
#include "virt/pgtable.h"

#define POOL 64
#define MIB2 MIB(2)
#define ALL_BITS (PTE_R | PTE_W | PTE_U | PTE_G | PTE_A | PTE_D)

struct pgtable kernel_pgtable;

static struct pgtable pt;
static struct page *pool[POOL];
static long in_pool, tables_left;
static int asked_nid;

static struct page *pool_alloc(struct pgtable *of, int nid)
{
    (void)of;
    asked_nid = nid;
    if (!tables_left || !in_pool)
        return NULL;
    tables_left--;
    return pool[__atomic_sub_fetch(&in_pool, 1, __ATOMIC_RELAXED)]; /* another hart may be next */
}

static void pool_free(struct pgtable *of, struct page *table)
{
    (void)of;
    for (long i = 0; i < in_pool; i++)
        expect_true(pool[i] != table, "a table is freed once");
    memset(page_address(table), 0, PAGE_SIZE);
    pool[in_pool++] = table;
}

static const struct pt_ops pool_ops = {pool_alloc, pool_free};

/** A new machine with three harts, and an empty table. */
static inline int set_up(void **state)
{
    static pte_t root[PT_ENTRIES];
    (void)state;
    fake_begin();
    fake_memory(0, 0, MIB(16));
    for (unsigned i = 0; i < 3; i++)
        fake_hart(0);
    fake_boot("");
    kernel_pgtable.root = root;
    for (in_pool = 0; in_pool < POOL; in_pool++) {
        pool[in_pool] = alloc_page(GFP_KERNEL | __GFP_ZERO);
        page_set_type(pool[in_pool], PAGE_TABLE);
    }
    tables_left = POOL;
    pt = (struct pgtable){.format = &pt_sv39, .ops = &pool_ops, .nid = -1, .nr_tables = 1};
    pt.root = page_address(pool_alloc(&pt, -1));
    return 0;
}

/* --- Sv39 as these tests know it -------------------------------------------------------------- */

static inline pte_t *slot(pte_t *table, uint64_t va, unsigned level)
{
    return table + (va >> (12 + 9 * level) & 511);
}

static inline pte_t *below(pte_t e)
{
    return phys_to_virt(mk_paddr(e.v >> 10 << 12));
}

static inline bool is_table(pte_t e)
{
    return (e.v & 15) == 1;
}

/** The place of an entry; tables above it are made. */
static inline pte_t *hand_entry(uint64_t va, unsigned level)
{
    pte_t *table = pt.root;
    for (unsigned l = 2; l > level; l--) {
        pte_t *entry = slot(table, va, l);
        if (!entry->v) {
            entry->v = page_to_pfn(pool_alloc(&pt, -1)).v << 10 | 1;
            pt.nr_tables++;
        }
        table = below(*entry);
    }
    return slot(table, va, level);
}

/** Map by one leaf. */
static inline pte_t *hand_leaf(uint64_t va, unsigned level, uint64_t pa, uint64_t bits)
{
    pte_t *entry = hand_entry(va, level);
    entry->v = pa >> 12 << 10 | bits | PTE_V;
    return entry;
}

/** Where a walk of hardware ends: the entry, and its level. */
struct found {
    pte_t *entry;
    unsigned level;
};

static inline struct found look(uint64_t va)
{
    struct found f = {slot(pt.root, va, 2), 2};
    while (is_table(*f.entry) && f.level) {
        f.level--;
        f.entry = slot(below(*f.entry), va, f.level);
    }
    return f;
}

/** Is [va, va + size) mapped to [pa, ...) with exactly these bits, page for page? */
static inline void expect_mapped(uint64_t va, uint64_t size, uint64_t pa, uint64_t bits)
{
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        struct found f = look(va + at);
        uint64_t inside = (va + at) & (pt_level_size(f.level) - 1);
        expect_equal(f.entry->v & 0x3ff, bits | PTE_V, "bits of the entry for va 0x%lx", va + at);
        expect_equal((f.entry->v >> 10 << 12) + inside, pa + at, "address that va 0x%lx means",
                     va + at);
    }
}

static inline void expect_unmapped(uint64_t va, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE_SIZE)
        expect_equal(look(va + at).entry->v, 0, "entry of va 0x%lx, where nothing is", va + at);
}

/* --- counting --------------------------------------------------------------------------------- */

struct count {
    long tables, leaves[3];
};

static inline void count_below(const pte_t *table, unsigned level, struct count *c)
{
    c->tables++;
    for (unsigned i = 0; i < 512; i++) {
        if (is_table(table[i])) {
            expect_true(level, "an entry of the last level that points to a table");
            count_below(below(table[i]), level - 1, c);
        } else if (table[i].v & PTE_V) {
            c->leaves[level]++;
        }
    }
}

static inline struct count count(void)
{
    struct count c = {0};
    count_below(pt.root, 2, &c);
    return c;
}

/** So many tables are there, as many as are counted, and no other is out of the pool. */
static inline void expect_tables(long n)
{
    expect_equal(count().tables, n, "tables that can be reached, the root included");
    expect_equal(pt.nr_tables, n, "nr_tables");
    expect_equal(POOL - in_pool, n, "tables that were taken from alloc_table() and not given back");
}

static inline void expect_leaves(long small, long large, long huge)
{
    struct count c = count();
    expect_equal(c.leaves[0], small, "leaves of 4 KiB");
    expect_equal(c.leaves[1], large, "leaves of 2 MiB");
    expect_equal(c.leaves[2], huge, "leaves of 1 GiB");
}

/** Forget everything that is mapped, tables too. */
static inline void forget_all(pte_t *table, unsigned level)
{
    for (unsigned i = 0; i < 512; i++) {
        if (level && is_table(table[i])) {
            forget_all(below(table[i]), level - 1);
            pool_free(&pt, virt_to_page(below(table[i])));
        }
        table[i].v = 0;
    }
    if (level == 2) {
        pt.nr_tables = 1;
        tables_left = POOL;
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

#endif
