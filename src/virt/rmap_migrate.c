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

/* lab rmap: begin 3 */
static bool set_migration_entry(const struct rmap_entry *entry, void *arg)
{
    struct page *page = entry->page;
    struct mm_struct *mm = entry->vma->vm_mm;
    pte_t e = pte_load(entry->pte);
    (void)arg;
    if (pte_is_migration(e))
        return true;
    enum pte_type type =
        pte_present(e) && pte_writable(e) ? PTE_TYPE_MIGRATION_WRITE : PTE_TYPE_MIGRATION_READ;
    e = pte_exchange(entry->pte, pte_make_absent(type, page_to_pfn(page).v, 0));
    tlb_flush_page(&mm->tlb, mk_vaddr(entry->addr));
    if (pte_dirty(e))
        page_set_flag(page, PG_dirty);
    page_remove_rmap(page);
    put_page(page); /* not the last: the mover has one */
    return true;
}
/* lab rmap: end */

bool try_to_migrate(struct page *page)
{
    /* lab rmap: begin 3 */
    rmap_walk(page, set_migration_entry, NULL);
    return !page_mapped(page);
    /* lab rmap: stub lab_missing("rmap", 3, page); */
    /* lab rmap: end */
}

/* lab rmap: begin 4 */
static bool unset_migration_entry(const struct rmap_entry *entry, void *arg)
{
    struct page *new = arg;
    pte_t e = pte_load(entry->pte);
    if (!pte_is_migration(e))
        return true;
    uint64_t prot = entry->vma->vm_prot;
    if (pte_type(e) != PTE_TYPE_MIGRATION_WRITE)
        prot &= ~PTE_W;
    get_page(new);
    if (new->type == PAGE_ANON)
        page_add_anon_rmap(new);
    else
        page_add_file_rmap(new);
    /* born dirty: what was written through the old entry must not be forgotten */
    pte_store(entry->pte, prot & (PTE_R | PTE_W | PTE_X)
                              ? pte_make(page_to_pfn(new), prot | PTE_A | PTE_D)
                              : pte_make_absent(PTE_TYPE_PROT_NONE, page_to_pfn(new).v, 0));
    return true;
}
/* lab rmap: end */

void remove_migration_ptes(struct page *old, struct page *new)
{
    /* lab rmap: begin 4 */
    rmap_walk_held(old, unset_migration_entry, new); /* old still has its mapping and index */
    wake_up_all(queue_of(page_to_pfn(old).v));
    /* lab rmap: stub lab_missing("rmap", 4, old, new); */
    /* lab rmap: end */
}

void migration_entry_wait(pte_t *pte)
{
    pte_t e = pte_load(pte);
    if (!pte_is_migration(e))
        return;
    wait_event(queue_of(pte_offset(e)),
               !pte_is_migration(pte_load(pte)) || pte_offset(pte_load(pte)) != pte_offset(e));
}
