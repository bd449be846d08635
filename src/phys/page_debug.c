/* SPDX-License-Identifier: MIT */
/*
 * page_debug.c - debug builds: who allocated a page, who freed it, and is it used after that?
 *
 *      page->alloc_stack = 17 --> depot[17]: hash 0x5e.., 6 return addresses
 *      page->free_stack  = 42 --> depot[42]: ...
 *
 * Many pages share few call chains, so chains are kept once, in a table that is searched by hash,
 * and a page holds only two numbers. When the table is full new chains get number 0, "unknown".
 *
 * With page_poison=1 a free page is filled with POISON, and whoever allocates it looks whether the
 * pattern is still there: a store through a stale pointer is caught, though late.
 *
 * Locks: `lock` (RANK_STACK_DEPOT) for adding; entries never change once added.
 * Linux's counterpart: lib/stackdepot.c, mm/page_owner.c, mm/page_poison.c.
 */
#include "phys/page_debug.h"

#include "arch/backtrace.h"
#include "base/hash.h"
#include "base/string.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "phys/bootargs.h"

#define DEPTH 8
#define DEPOT_SIZE (CONFIG_DEBUG ? 1024 : 1)
#define POISON 0xaaaaaaaaaaaaaaaaUL

struct stack {
    uint64_t hash; /* 0: empty */
    uint64_t pcs[DEPTH];
};

static struct stack depot[DEPOT_SIZE];
static struct spinlock lock = SPINLOCK_INIT("stack depot", RANK_STACK_DEPOT);
static bool poisoning;

void page_debug_init(void)
{
    poisoning = CONFIG_DEBUG && bootarg_flag("page_poison");
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* The number of the present call chain. */
static uint32_t stack_number(void)
{
    uint64_t pcs[DEPTH] = {0}, hash = 1;
    size_t n = backtrace_capture(pcs, DEPTH);
    for (size_t i = 0; i < n; i++)
        hash = hash_64(hash ^ pcs[i], 64) | 1;
    uint32_t number = (uint32_t)(hash_64(hash, 32) % DEPOT_SIZE);
    for (unsigned tries = 0; tries < 16; tries++, number = (number + 1) % DEPOT_SIZE) {
        if (!number)
            continue;
        if (load_acquire(&depot[number].hash) == hash)
            return number;
        if (load_relaxed(&depot[number].hash))
            continue;
        spin_lock(&lock);
        bool mine = !depot[number].hash;
        if (mine) {
            memcpy(depot[number].pcs, pcs, sizeof(pcs));
            store_release(&depot[number].hash, hash);
        }
        spin_unlock(&lock);
        if (mine)
            return number;
    }
    return 0;
}

static void stack_print(struct sink *out, const char *what, uint32_t number)
{
    if (!number || number >= DEPOT_SIZE) {
        print(out, "%s: unknown\n", what);
        return;
    }
    size_t n = 0;
    while (n < DEPTH && depot[number].pcs[n])
        n++;
    print(out, "%s:\n", what);
    backtrace_print_pcs(out, depot[number].pcs, n);
}

void page_debug_print(struct sink *out, const struct page *page)
{
    if (!CONFIG_DEBUG)
        return;
    stack_print(out, "last allocated by", page->alloc_stack);
    stack_print(out, "last freed by", page->free_stack);
}

/* --- reports ---------------------------------------------------------------------------------- */

noreturn void bad_page(const struct page *page, const char *what)
{
    struct log_sink report;
    log_sink_init(&report, LOG_EMERG);
    print(&report.sink,
          "BUG: Bad page state: %s\n"
          "page pfn 0x%llx type %s order %u node %u zone %u refcount %d mapcount %d flags 0x%x "
          "mapping %p\n",
          what, (unsigned long long)page_to_pfn(page).v, page_type_name((enum page_type)page->type),
          page->order, page->nid, page->zone_id, page->refcount, page->mapcount, page->flags,
          page->mapping);
    page_debug_print(&report.sink, page);
    log_sink_flush(&report);
    panic("bad page: %s, pfn 0x%llx, node %u, zone %u", what,
          (unsigned long long)page_to_pfn(page).v, page->nid, page->zone_id);
}

/* --- poison ----------------------------------------------------------------------------------- */

static void poison(struct page *page, unsigned order)
{
    uint64_t *words = page_address(page);
    for (size_t i = 0; i < (PAGE_SIZE << order) / sizeof(*words); i++)
        words[i] = POISON;
    for (size_t i = 0; i < 1UL << order; i++)
        page[i].flags |= 1u << PG_poisoned;
}

static void unpoison(struct page *page, unsigned order)
{
    for (size_t i = 0; i < 1UL << order; i++) {
        const uint64_t *words = page_address(page + i);
        if (!page_flag(page + i, PG_poisoned))
            continue;
        for (size_t w = 0; w < PAGE_SIZE / sizeof(*words); w++)
            if (words[w] != POISON)
                bad_page(page + i, "written to after it was freed");
        page[i].flags &= ~(1u << PG_poisoned);
    }
}

void page_debug_alloc(struct page *page, unsigned order)
{
    if (page->refcount || page->mapcount || page->mapping)
        bad_page(page, "allocated while in use");
    unpoison(page, order);
    page->alloc_stack = stack_number();
}

void page_debug_free(struct page *page, unsigned order)
{
    if (page_is_free(page))
        bad_page(page, "freed twice");
    if (page->type == PAGE_TAIL || page->type == PAGE_RESERVED)
        bad_page(page, "freed, but it was never allocated");
    if (page->order != order)
        bad_page(page, "freed with another order than it was allocated with");
    if (page->mapcount)
        bad_page(page, "freed while mapped");
    if (page->mapping)
        bad_page(page, "freed while it belongs to a mapping or a slab");
    if (page->refcount)
        bad_page(page, "freed while referenced");
    if (page->flags & ((1u << PG_locked) | (1u << PG_lru)))
        bad_page(page, "freed while locked or on an LRU list");
    page->free_stack = stack_number();
    page->flags = 0;
    if (poisoning)
        poison(page, order);
}
