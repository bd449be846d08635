/* SPDX-License-Identifier: MIT */
/*
 * pagemap.c - /proc/PID/pagemap, /proc/kpagecount, /proc/kpageflags: 64 bits a page, for programs.
 *
 *      pagemap     63 present | 62 swapped | 61 file or shared | 56 mapped once | 54..0 frame
 *      kpagecount  how many entries map the frame
 *      kpageflags  what the frame is: Linux's KPF_* bits
 *
 * Offset / 8 is the page of the address space, or the frame. These files are as long as what they
 * describe, so they are read in pieces and never printed.
 *
 * Locks: mmap_lock for reading. Linux's counterpart: Documentation/admin-guide/mm/pagemap.rst.
 */
#include "base/errno.h"
#include "base/string.h"
#include "view/guest_view.h"
#include "view/view.h"

#define PM_PRESENT (1UL << 63)
#define PM_SWAP (1UL << 62)
#define PM_FILE (1UL << 61)
#define PM_EXCLUSIVE (1UL << 56)
#define PM_PFN_MASK ((1UL << 55) - 1)

enum kpf {
    KPF_LOCKED = 0,
    KPF_REFERENCED = 2,
    KPF_UPTODATE = 3,
    KPF_DIRTY = 4,
    KPF_LRU = 5,
    KPF_ACTIVE = 6,
    KPF_SLAB = 7,
    KPF_BUDDY = 10,
    KPF_MMAP = 11,
    KPF_ANON = 12,
    KPF_SWAPBACKED = 14,
    KPF_COMPOUND_TAIL = 16,
    KPF_UNEVICTABLE = 18,
    KPF_NOPAGE = 20,
    KPF_ZERO_PAGE = 24,
    KPF_PGTABLE = 26,
};

/* Read 64-bit words made by @word: the common part of the three files. */
static pagoda_ssize_t read_words(char *buf, size_t n, uint64_t at, uint64_t limit,
                                 uint64_t (*word)(uint64_t index, void *arg), void *arg)
{
    size_t done = 0;
    if (at % sizeof(uint64_t) || n % sizeof(uint64_t))
        return -EINVAL;
    for (uint64_t i = at / sizeof(uint64_t); done < n && i < limit; i++) {
        uint64_t value = word(i, arg);
        memcpy(buf + done, &value, sizeof(value));
        done += sizeof(value);
    }
    return (pagoda_ssize_t)done;
}

/* --- pagemap ---------------------------------------------------------------------------------- */

static uint64_t pagemap_word(uint64_t index, void *arg)
{
    struct mm_struct *mm = arg;
    pte_t *entry = mm_find_pte(mm, index << PAGE_SHIFT);
    pte_t e = entry ? pte_load(entry) : mk_pte(0);
    if (pte_is_swap(e))
        return PM_SWAP;
    if (!pte_maps_page(e) || !pfn_valid(pte_pfn(e)))
        return 0;
    struct page *page = pfn_to_page(pte_pfn(e));
    uint64_t value = PM_PRESENT | (pte_pfn(e).v & PM_PFN_MASK);
    if (page->type == PAGE_FILE)
        value |= PM_FILE;
    if (load_relaxed(&page->mapcount) == 1)
        value |= PM_EXCLUSIVE;
    return value;
}

static pagoda_ssize_t read_pagemap(char *buf, size_t n, uint64_t at, const struct view_args *args)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    struct mm_struct *mm = guest_mm(g);
    guest_put(g);
    if (!mm)
        return 0;
    down_read(&mm->mmap_lock);
    pagoda_ssize_t got = read_words(buf, n, at, USER_TOP >> PAGE_SHIFT, pagemap_word, mm);
    up_read(&mm->mmap_lock);
    mmput(mm);
    return got;
}

/* --- frames ----------------------------------------------------------------------------------- */

static uint64_t count_word(uint64_t pfn, void *arg)
{
    (void)arg;
    return pfn_valid(mk_pfn(pfn)) ? (uint64_t)load_relaxed(&pfn_to_page(mk_pfn(pfn))->mapcount) : 0;
}

static uint64_t bit_if(bool yes, enum kpf bit)
{
    return yes ? 1UL << bit : 0;
}

static uint64_t flags_word(uint64_t pfn, void *arg)
{
    (void)arg;
    if (!pfn_valid(mk_pfn(pfn)))
        return 1UL << KPF_NOPAGE;
    const struct page *p = pfn_to_page(mk_pfn(pfn));
    return bit_if(page_flag(p, PG_locked), KPF_LOCKED) |
           bit_if(page_flag(p, PG_referenced), KPF_REFERENCED) |
           bit_if(page_flag(p, PG_uptodate), KPF_UPTODATE) |
           bit_if(page_flag(p, PG_dirty), KPF_DIRTY) | bit_if(page_flag(p, PG_lru), KPF_LRU) |
           bit_if(page_flag(p, PG_active), KPF_ACTIVE) | bit_if(p->type == PAGE_SLAB, KPF_SLAB) |
           bit_if(p->type == PAGE_BUDDY, KPF_BUDDY) | bit_if(p->mapcount > 0, KPF_MMAP) |
           bit_if(p->type == PAGE_ANON, KPF_ANON) | bit_if(p->type == PAGE_ANON, KPF_SWAPBACKED) |
           bit_if(p->type == PAGE_TAIL, KPF_COMPOUND_TAIL) |
           bit_if(page_flag(p, PG_unevictable), KPF_UNEVICTABLE) |
           bit_if(p->type == PAGE_ZERO, KPF_ZERO_PAGE) | bit_if(p->type == PAGE_TABLE, KPF_PGTABLE);
}

static pagoda_ssize_t read_kpagecount(char *buf, size_t n, uint64_t at,
                                      const struct view_args *args)
{
    (void)args;
    return read_words(buf, n, at, max_pfn.v, count_word, NULL);
}

static pagoda_ssize_t read_kpageflags(char *buf, size_t n, uint64_t at,
                                      const struct view_args *args)
{
    (void)args;
    return read_words(buf, n, at, max_pfn.v, flags_word, NULL);
}

static const struct view views[] = {
    {.path = "/proc/%p/pagemap", .read_at = read_pagemap},
    {.path = "/proc/kpagecount", .read_at = read_kpagecount},
    {.path = "/proc/kpageflags", .read_at = read_kpageflags},
};

void view_pagemap_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
