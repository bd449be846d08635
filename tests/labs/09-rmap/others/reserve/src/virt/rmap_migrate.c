/* SPDX-License-Identifier: MIT */
/*
 * rmap_migrate.c - taking all mappings of a page away for a moment, and giving them back.
 *
 *      try_to_migrate(old)             the mover copies            remove_migration_ptes(old, new)
 *      PTE: old  -> [migration old]    old ......> new             [migration old] -> PTE: new
 *                       ^
 *                       a guest that touches it sleeps here until the entry is gone
 *
 * A migration entry holds no reference and is not counted in mapcount, but stays in the counts of
 * its mm. A fork may copy one meanwhile: the child's VMA is behind its parent's in every list that
 * is walked, so the walk that mends the parent's entry also finds the child's.
 *
 * Waiters sleep in queues hashed by the frame that moves, and look at the entry, not at the page:
 * they hold no reference, so they are never in the mover's way.
 *
 * Locks: the mover holds the page lock and keeps the page's anon_vma.
 * Linux's counterpart: try_to_migrate(), remove_migration_ptes(), migration_entry_wait().
 */
#include "base/hash.h"
#include "kern/wait.h"
#include "virt/mapping.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/rmap_lock.h"

#define WAIT_BITS 5

static struct wait_queue moved[1u << WAIT_BITS];

void rmap_migrate_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(moved); i++)
        wait_queue_init(&moved[i]);
}

static struct wait_queue *queue_of(uint64_t pfn)
{
    return &moved[hash_64(pfn, WAIT_BITS)];
}

struct taking {
    unsigned left; /* entries that mapped the page when we began */
};

static bool take_away(const struct rmap_entry *entry, void *arg)
{
    struct taking *taking = arg;
    struct page *page = entry->page;
    pte_t seen = pte_load(entry->pte), instead;
    if (pte_is_migration(seen))
        return true;
    do { /* hardware may set A and D between */
        bool writable = (seen.v & (PTE_V | PTE_W)) == (PTE_V | PTE_W);
        instead = pte_make_absent(writable ? PTE_TYPE_MIGRATION_WRITE : PTE_TYPE_MIGRATION_READ,
                                  page_to_pfn(page).v, 0);
    } while (!pte_compare_exchange(entry->pte, &seen, instead));
    tlb_flush_page(&entry->vma->vm_mm->tlb, mk_vaddr(entry->addr));
    if (pte_dirty(seen) && !page_flag(page, PG_dirty))
        page_set_flag(page, PG_dirty);
    page_remove_rmap(page);
    put_page(page);
    taking->left--;
    return true;
}

bool try_to_migrate(struct page *page)
{
    struct taking taking = {(unsigned)load_relaxed(&page->mapcount)};
    rmap_walk(page, take_away, &taking);
    return load_relaxed(&page->mapcount) == 0;
}

static pte_t entry_for(const struct vm_area_struct *vma, const struct page *page, bool writable)
{
    uint64_t prot = writable ? vma->vm_prot : vma->vm_prot & ~PTE_W;
    if ((prot & (PTE_R | PTE_W | PTE_X)) == 0)
        return pte_make_absent(PTE_TYPE_PROT_NONE, page_to_pfn(page).v, 0);
    return pte_mkdirty(pte_mkyoung(pte_make(page_to_pfn(page), prot)));
}

static bool bring_back(const struct rmap_entry *entry, void *arg)
{
    struct page *page = arg;
    bool writable = false;
    switch (pte_type(pte_load(entry->pte))) {
    case PTE_TYPE_MIGRATION_WRITE:
        writable = true;
        break;
    case PTE_TYPE_MIGRATION_READ:
        break;
    default:
        return true;
    }
    switch (page_type(page)) {
    case PAGE_ANON:
        page_add_anon_rmap(page);
        break;
    default:
        page_add_file_rmap(page);
    }
    get_page(page);
    pte_store(entry->pte, entry_for(entry->vma, page, writable));
    return true;
}

void remove_migration_ptes(struct page *old, struct page *new)
{
    struct wait_queue *waiters = queue_of(page_to_pfn(old).v);
    rmap_walk_held(old, bring_back, new);
    wake_up_all(waiters);
}

void migration_entry_wait(pte_t *pte)
{
    pte_t e = pte_load(pte);
    if (!pte_is_migration(e))
        return;
    wait_event(queue_of(pte_offset(e)),
               !pte_is_migration(pte_load(pte)) || pte_offset(pte_load(pte)) != pte_offset(e));
}
