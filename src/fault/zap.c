/* SPDX-License-Identifier: MIT */
/*
 * zap.c - unmapping pages, many at a time. zap.h has the picture.
 *
 * The walk goes table by table: where a table is missing, 2 MiB are skipped at once. Tables
 * themselves stay; they go when the whole range they cover is unmapped (munmap.c, exit).
 *
 * Locks: page_table_lock while a table is walked; given up to flush and free.
 * Linux's counterpart: zap_pte_range(), struct mmu_gather.
 */
#include "fault/zap.h"

#include "virt/lru.h"
#include "virt/rmap.h"
#include "virt/tlb.h"

struct zap {
    struct mm_struct *mm;
    struct tlb_gather gather;
};

static void zap_init(struct zap *z, struct mm_struct *mm)
{
    z->mm = mm;
    tlb_gather_init(&z->gather, &mm->tlb, release_pages);
}

/* Take one entry out; true when the batch is full. page_table_lock held. */
static bool zap_entry(struct zap *z, pte_t *pte, pte_t e, uint64_t addr)
{
    struct mm_struct *mm = z->mm;
    if (pte_is_migration(e)) { /* counted as resident, but no reference and no mapcount */
        struct page *moving = pfn_to_page(mk_pfn(pte_offset(e)));
        mm_count(mm, mm_counter_of(moving), -1);
        pte_store(pte, mk_pte(0));
        return false;
    }
    e = pte_exchange(pte, mk_pte(0));
    if (pte_special(e))
        return tlb_gather_add(&z->gather, addr, NULL);
    struct page *page = pfn_to_page(pte_pfn(e));
    mm_count(mm, mm_counter_of(page), -1);
    page_remove_rmap(page);
    return tlb_gather_add(&z->gather, addr, page);
}

/* From start to end, within one table. Where it stopped: end, or earlier with the batch full. */
static uint64_t zap_table(struct zap *z, uint64_t start, uint64_t end)
{
    spin_lock(&z->mm->page_table_lock);
    pte_t *first = mm_find_pte(z->mm, start), *pte = first;
    pte_t *last = first ? first + (end - start) / PAGE_SIZE : NULL;
    uint64_t addr = end;
    for (; pte < last; pte++) {
        pte_t e = pte_load(pte);
        if (pte_none(e))
            continue;
        uint64_t here = start + (uint64_t)(pte - first) * PAGE_SIZE;
        if (zap_entry(z, pte, e, here)) {
            addr = here + PAGE_SIZE;
            break;
        }
    }
    spin_unlock(&z->mm->page_table_lock);
    return addr;
}

static void zap_range(struct zap *z, uint64_t start, uint64_t end)
{
    z->mm->hiwater_rss = MAX(z->mm->hiwater_rss, mm_rss(z->mm));
    while (start < end) {
        uint64_t table_end = ALIGN_DOWN(start, TABLE_SPAN) + TABLE_SPAN;
        start = zap_table(z, start, MIN(end, table_end));
        if (tlb_gather_full(&z->gather)) {
            tlb_gather_flush(&z->gather);
            cond_resched();
        }
    }
}

void zap_page_range(struct vm_area_struct *vma, uint64_t start, uint64_t end)
{
    struct zap z;
    zap_init(&z, vma->vm_mm);
    zap_range(&z, start, end);
    tlb_gather_flush(&z.gather);
}

void exit_mmap(struct mm_struct *mm)
{
    struct vm_area_struct *vma, *next;
    struct zap z;
    zap_init(&z, mm);
    mmap_write_lock(mm); /* the reaper may be at work */
    mm_test_and_set_flag(mm, MMF_EXITING);
    mm->tlb.harts.bits = 0; /* no hart will ever use what it may still remember: no fences */
    for_each_vma(mm, vma)
        zap_range(&z, vma->vm_start, vma->vm_end);
    tlb_gather_flush(&z.gather);
    list_for_each_entry_safe(vma, next, &mm->mmap, list) {
        mm_account_vma(mm, vma->vm_flags, vma_is_anonymous(vma), -(int64_t)vma_pages(vma));
        vma_remove(mm, vma);
        unlink_anon_vmas(vma);
        struct pt_gap gap = {vma->vm_start, vma->vm_end, 0,
                             list_empty(&mm->mmap) ? USER_TOP : next->vm_start};
        mm_free_tables(mm, &gap);
        vma_free(vma);
    }
    mmap_write_unlock(mm);
}
