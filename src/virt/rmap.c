/* SPDX-License-Identifier: MIT */
/*
 * rmap.c - counting a page's entries.
 *
 *      mapcount   0 --first entry--> 1 --fork--> 2 --exit--> 1 --last entry gone--> 0
 *                   NR_*_MAPPED + 1                            NR_*_MAPPED - 1
 *
 * The node's counters say how many pages are mapped at all, not by how many entries.
 *
 * Locks: mapcount is atomic; the page_table_lock of the entry's mm is held. Finding the entries:
 * rmap_walk.c. Linux's counterpart: folio_add_anon_rmap_ptes(), folio_remove_rmap_ptes().
 */
#include "virt/rmap.h"

#include "phys/node.h"

/* Every first touch comes by here: the hart's own difference is changed without a call. */
static inline void count_mapped(const struct page *page, enum node_stat item, int delta)
{
    pg_data_t *pgdat = page_pgdat(page);
    int8_t *diff = &pgdat->stat_diff[hart_index()].diff[item];
    int changed = *diff + delta;
    if (likely(changed > -STAT_THRESHOLD && changed < STAT_THRESHOLD))
        *diff = (int8_t)changed;
    else
        mod_node_state(pgdat, item, delta);
}

void page_add_new_anon_rmap(struct page *page, struct vm_area_struct *vma, uint64_t addr)
{
    page_set_type(page, PAGE_ANON);
    page->mapping = vma->anon_vma;
    page->index = vma_index(vma, addr);
    page->mapcount = 1;
    count_mapped(page, NR_ANON_MAPPED, 1);
}

void page_add_anon_rmap(struct page *page)
{
    if (fetch_add_relaxed(&page->mapcount, 1) == 0)
        count_mapped(page, NR_ANON_MAPPED, 1);
}

void page_add_file_rmap(struct page *page)
{
    if (fetch_add_relaxed(&page->mapcount, 1) == 0)
        count_mapped(page, NR_FILE_MAPPED, 1);
}

void page_remove_rmap(struct page *page)
{
    int32_t before = fetch_sub(&page->mapcount, 1);
    ASSERT(before > 0);
    if (before == 1)
        count_mapped(page, page->type == PAGE_ANON ? NR_ANON_MAPPED : NR_FILE_MAPPED, -1);
}

/* Who moves the page holds its lock and a reference to its anon_vma: then that stays. */
void page_move_anon_rmap(struct page *page, struct vm_area_struct *vma)
{
    if (!trylock_page(page))
        return;
    store_relaxed(&page->mapping, (void *)vma->anon_vma);
    unlock_page(page);
}
