/* SPDX-License-Identifier: MIT */
/*
 * mm.c - address spaces as objects: made, counted, let go. mm.h has the picture.
 *
 * Locks: mm_list_lock (RANK_MM_LIST) for the list of all spaces.
 * Linux's counterpart: mm_alloc(), mmput(), mmdrop() of kernel/fork.c.
 */
#include "virt/mm.h"

#include "base/string.h"
#include "slab/cache.h"
#include "virt/lru.h"
#include "virt/commit.h"
#include "virt/page_tree.h"
#include "virt/rmap.h"

static struct spinlock mm_list_lock = SPINLOCK_INIT("mm list", RANK_MM_LIST);
static LIST_HEAD(mm_list);
static struct kmem_cache *mm_cache;
static void (*teardown)(struct mm_struct *mm);
static uint32_t victims_leaving; /* (a) */

void mm_init(void)
{
    mm_cache = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0, 0, NULL);
    BUG_ON(!mm_cache);
    vma_init();
    page_tree_boot();
    rmap_init();
    rmap_migrate_init();
    mempolicy_init();
    lru_init();
}

void mm_set_teardown(void (*exit_mmap)(struct mm_struct *mm))
{
    teardown = exit_mmap;
}

struct mm_struct *mm_alloc(void)
{
    struct mm_struct *mm = kmem_cache_alloc(mm_cache, GFP_KERNEL | __GFP_ZERO);
    if (!mm)
        return NULL;
    if (pt_create(&mm->pgt, -1)) {
        kmem_cache_free(mm_cache, mm);
        return NULL;
    }
    tlb_space_init(&mm->tlb);
    rwsem_init(&mm->mmap_lock);
    spin_init(&mm->page_table_lock, "page table", RANK_PAGE_TABLE);
    spin_init(&mm->vma_lock, "vma tree", RANK_VMA);
    wait_queue_init(&mm->vma_writer);
    mm->mm_lock_seq = 1;
    INIT_LIST_HEAD(&mm->mmap);
    mm->policy = &default_policy;
    mm->stack_limit = mm->data_limit = mm->as_limit = mm->memlock_limit = UINT64_MAX;
    mm->users = mm->count = 1;
    spin_lock(&mm_list_lock);
    list_add_tail(&mm->mm_list, &mm_list);
    spin_unlock(&mm_list_lock);
    return mm;
}

bool mmget_not_zero(struct mm_struct *mm)
{
    uint32_t n = load_relaxed(&mm->users);
    while (n) {
        if (cmpxchg(&mm->users, &n, n + 1))
            return true;
    }
    return false;
}

/* The last user has gone. */
static void tear_down(struct mm_struct *mm)
{
    spin_lock(&mm_list_lock);
    list_del(&mm->mm_list);
    spin_unlock(&mm_list_lock);
    teardown(mm);
    mpol_put(mm->policy);
    mm->policy = &default_policy;
}

void mmput(struct mm_struct *mm)
{
    assert_no_locks();
    /* counted before it can vanish from the list, so that it is always seen in one of them */
    bool victim = mm_flag(mm, MMF_OOM_VICTIM) && !mm_flag(mm, MMF_OOM_SKIP);
    if (victim)
        fetch_add(&victims_leaving, 1);
    bool last = fetch_sub(&mm->users, 1) == 1;
    if (last)
        tear_down(mm);
    if (victim)
        fetch_sub(&victims_leaving, 1);
    if (last)
        mmdrop(mm);
}

uint32_t mm_victims_leaving(void)
{
    return load_acquire(&victims_leaving);
}

void mmdrop(struct mm_struct *mm)
{
    if (fetch_sub(&mm->count, 1) != 1)
        return;
    pt_destroy(&mm->pgt);
    kmem_cache_free(mm_cache, mm);
}

struct mm_struct *mm_next(struct mm_struct *prev)
{
    struct mm_struct *found = NULL;
    spin_lock(&mm_list_lock);
    /* a space with a user is on the list: prev still is */
    struct list_head *pos = prev ? prev->mm_list.next : mm_list.next;
    for (; pos != &mm_list && !found; pos = pos->next) {
        struct mm_struct *mm = list_entry(pos, struct mm_struct, mm_list);
        if (mmget_not_zero(mm))
            found = mm;
    }
    spin_unlock(&mm_list_lock);
    if (prev)
        mmput(prev);
    return found;
}

/* --- the page table --------------------------------------------------------------------------- */

pte_t *mm_walk(struct mm_struct *mm, uint64_t addr)
{
    return pt_walk(&mm->pgt, mk_vaddr(addr), 0);
}

pte_t *mm_walk_alloc(struct mm_struct *mm, uint64_t addr)
{
    pte_t *pte = pt_walk_alloc(&mm->pgt, mk_vaddr(addr), 0);
    if (pte) {
        uint64_t pfn = paddr_to_pfn(virt_to_phys(pte)).v;
        store_relaxed(&mm->last_table, pfn | addr >> (PAGE_SHIFT + PT_INDEX_BITS) << 32);
    }
    return pte;
}

void mm_free_tables(struct mm_struct *mm, const struct pt_gap *gap)
{
    LIST_HEAD(unlinked);
    spin_lock(&mm->page_table_lock);
    store_relaxed(&mm->last_table, 0);
    pt_unlink_tables(&mm->pgt, gap, &unlinked);
    spin_unlock(&mm->page_table_lock);
    /* harts may have cached the way through the tables that went: only then are they pages again */
    if (list_empty(&unlinked))
        return;
    tlb_flush_space(&mm->tlb);
    pt_release_tables(&mm->pgt, &unlinked);
}

/* --- counting --------------------------------------------------------------------------------- */

uint64_t mm_rss(const struct mm_struct *mm)
{
    int64_t pages = load_relaxed(&mm->rss[MM_FILEPAGES]) + load_relaxed(&mm->rss[MM_ANONPAGES]) +
                    load_relaxed(&mm->rss[MM_SHMEMPAGES]);
    return pages > 0 ? (uint64_t)pages : 0;
}

uint64_t mm_pgtables_bytes(const struct mm_struct *mm)
{
    return load_relaxed(&mm->pgt.nr_tables) * PAGE_SIZE;
}

void mm_account_vma(struct mm_struct *mm, uint64_t flags, bool anonymous, int64_t pages)
{
    uint64_t n = (uint64_t)pages; /* unsigned arithmetic wraps: adding a negative number is right */
    mm->total_vm += n;
    if (flags & VM_ACCOUNT)
        vm_acct_memory(pages);
    if (flags & VM_GROWSDOWN)
        mm->stack_vm += n;
    else if ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
        mm->data_vm += n;
    else if ((flags & (VM_EXEC | VM_WRITE)) == VM_EXEC && !anonymous)
        mm->exec_vm += n;
    if (flags & VM_LOCKED)
        mm->locked_vm += n;
    mm->hiwater_vm = MAX(mm->hiwater_vm, mm->total_vm);
}
