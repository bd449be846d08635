/* SPDX-License-Identifier: MIT */
/*
 * mm_check.c - does an address space's page table agree with everything that was counted?
 *
 *      each entry lies in a VMA;  its page is of the right type, has a reference and a mapcount,
 *      and the rmap finds the entry from the page;  the sums are what the counters say
 *
 * Locks: mmap_lock for writing, so that nothing is faulted in meanwhile; page_table_lock only while
 * a table is copied, because looking for a page's mappers takes RANK_RMAP, which comes first.
 * Linux's counterpart: check_mm(), and CONFIG_DEBUG_VM.
 */
#include "base/errno.h"
#include "phys/page.h"
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"

#define CHUNK 64 /* entries that are looked at in one go */

struct tally {
    struct mm_struct *mm;
    struct sink *out;
    int64_t pages[NR_MM_COUNTERS];
    unsigned faults;
};

static void complain(struct tally *t, uint64_t addr, pte_t e, const char *what)
{
    print(t->out, "pid %u, %#lx: entry %#lx %s\n", t->mm->owner.pid, addr, e.v, what);
    t->faults++;
}

struct search {
    const struct mm_struct *mm;
    uint64_t addr;
    bool found;
};

static bool is_it(const struct rmap_entry *entry, void *arg)
{
    struct search *s = arg;
    s->found = entry->vma->vm_mm == s->mm && entry->addr == s->addr;
    return !s->found;
}

static void check_page(struct tally *t, const struct vm_area_struct *vma, uint64_t addr, pte_t e)
{
    struct page *page = pfn_to_page(pte_pfn(e));
    struct search s = {t->mm, addr, false};
    if (page->type == PAGE_ANON || page->type == PAGE_FILE)
        t->pages[mm_counter_of(page)]++;
    else
        complain(t, addr, e, "maps a page that is neither anonymous nor a file's");
    if (page_count(page) < 1 || load_relaxed(&page->mapcount) < 1)
        complain(t, addr, e, "maps a page that does not count it");
    if (pte_present(e) && (e.v & (PTE_R | PTE_W | PTE_X) & ~vma->vm_prot))
        complain(t, addr, e, "allows more than its range");
    rmap_walk(page, is_it, &s);
    if (!s.found)
        complain(t, addr, e, "is not found from its page");
}

static void check_entry(struct tally *t, const struct vm_area_struct *vma, uint64_t addr, pte_t e)
{
    if (pte_none(e))
        return;
    if (pte_is_migration(e)) {
        const struct page *moving = pfn_to_page(mk_pfn(pte_offset(e)));
        t->pages[mm_counter_of(moving)]++;
    } else if (!pte_maps_page(e)) {
        complain(t, addr, e, "is of an unknown kind");
    } else if (pte_special(e)) {
        if (pte_present(e) && pte_writable(e))
            complain(t, addr, e, "lets the page of zeros be written");
    } else if (!pfn_valid(pte_pfn(e))) {
        complain(t, addr, e, "maps a frame that is no memory");
    } else {
        check_page(t, vma, addr, e);
    }
}

/* How many entries from addr on were copied; 0: there is no table. */
static unsigned copy_entries(struct mm_struct *mm, uint64_t addr, uint64_t end, pte_t *to)
{
    unsigned n = 0;
    spin_lock(&mm->page_table_lock);
    const pte_t *pte = mm_find_pte(mm, addr);
    for (; pte && n < CHUNK && addr < end; addr += PAGE_SIZE)
        to[n++] = pte_load(pte++);
    spin_unlock(&mm->page_table_lock);
    return n;
}

static void check_vma(struct tally *t, const struct vm_area_struct *vma)
{
    pte_t entries[CHUNK];
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end;) {
        uint64_t table_end = ALIGN_DOWN(addr, TABLE_SPAN) + TABLE_SPAN;
        uint64_t end = MIN(table_end, vma->vm_end);
        unsigned n = copy_entries(t->mm, addr, end, entries);
        for (unsigned i = 0; i < n; i++, addr += PAGE_SIZE)
            check_entry(t, vma, addr, entries[i]);
        if (!n)
            addr = end;
    }
}

unsigned mm_check(struct mm_struct *mm, struct sink *out)
{
    struct tally t = {.mm = mm, .out = out};
    struct vm_area_struct *vma;
    int64_t pages = 0;
    mmap_write_lock(mm);
    vma_start_write_all(mm);
    t.faults += vma_check(mm, out);
    for_each_vma(mm, vma) {
        pages += (int64_t)vma_pages(vma);
        check_vma(&t, vma);
        t.faults += i_mmap_check(vma, out);
    }
    if ((uint64_t)pages != mm->total_vm) {
        print(out, "pid %u: total_vm is %lu pages, its ranges have %ld\n", mm->owner.pid,
              mm->total_vm, pages);
        t.faults++;
    }
    for (int c = 0; c < NR_MM_COUNTERS; c++) {
        if (t.pages[c] == mm->rss[c])
            continue;
        print(out, "pid %u: rss[%d] says %ld pages, found are %ld\n", mm->owner.pid, c, mm->rss[c],
              t.pages[c]);
        t.faults++;
    }
    mmap_write_unlock(mm);
    return t.faults;
}
