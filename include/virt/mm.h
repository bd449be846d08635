/* SPDX-License-Identifier: MIT */
/*
 * mm.h - an address space.
 *
 *      0 .......... text data  heap -> ............. <- mmap area  ... stack ... USER_TOP
 *                              ^brk                  ^mmap_base   ^start_stack
 *
 *      struct mm_struct
 *      +-- VMAs: what may be touched     (vma.h)      under mmap_lock
 *      +-- page table: what is there     (pgtable.h)  under page_table_lock
 *      +-- rss, total_vm, ...: counted as it changes
 *      `-- tlb: on which harts its translations may live (tlb.h)
 *
 * Two counts keep it: `users` those that run in it or look into its memory (mmget/mmput: the last
 * one unmaps everything), `count` those that hold the struct (mmgrab/mmdrop).
 *
 * The owner is told as plain facts, so that floors between here and the task floor (reclaim, OOM)
 * can name, judge and kill without knowing what a task is.
 *
 * Locks: letters beside the fields: (m) mmap_lock, writing; (t) page_table_lock; (a) atomic;
 * (l) mm_list_lock; (b) set before the space is used.
 * Linux's counterpart: struct mm_struct.
 */
#ifndef PAGODA_VIRT_MM_H
#define PAGODA_VIRT_MM_H

#include "base/bitmap.h"
#include "base/format.h"
#include "kern/lock.h"
#include "kern/rwsem.h"
#include "kern/wait.h"
#include "phys/alloc.h"
#include "virt/mempolicy.h"
#include "virt/pgtable.h"
#include "virt/tlb.h"
#include "virt/vma.h"

enum mm_counter {
    MM_FILEPAGES,  /* resident pages of files */
    MM_ANONPAGES,  /* resident private pages */
    MM_SWAPENTS,   /* entries that name a swap slot */
    MM_SHMEMPAGES, /* resident pages of shared memory */
    NR_MM_COUNTERS
};

/* Bits of mm->flags. */
enum mm_flag {
    MMF_OOM_VICTIM,          /* chosen by the killer: waited for, not chosen again */
    MMF_OOM_SKIP,            /* reaped, or not worth reaping: the killer may choose another */
    MMF_EXITING,             /* being torn down */
    MMF_UNSTABLE,            /* reaped: its anonymous memory reads as zero now */
    MMF_HAS_MDWE,            /* what may be written never becomes executable: PR_SET_MDWE */
    MMF_HAS_MDWE_NO_INHERIT, /* ... and a copy of the space is free of that */
};

struct mm_struct;

struct mm_owner_ops {
    /** Send SIGKILL to all that run in the space. Any context that may take RANK_GUEST locks. */
    void (*kill)(struct mm_struct *mm);
};

struct mm_owner {
    const struct mm_owner_ops *ops; /* (b) NULL: nobody's (a space of the monitor) */
    uint32_t pid;                   /* (b) of the guest that it was made for */
    uint32_t uid;                   /* (b) */
    int16_t oom_score_adj;          /* (a) -1000 .. 1000 */
    char name[16];                  /* set at exec */
};

struct mm_struct {
    struct spinlock vma_lock; /* the tree and the ends of VMAs, for who has no mmap_lock */
    struct rwsem mmap_lock;
    struct rb_root mm_rb;            /* (m) VMAs by address */
    struct list_head mmap;           /* (m) VMAs, a list in order */
    struct vm_area_struct *vmacache; /* (a) found last; cleared when VMAs change */
    uint64_t mm_lock_seq;         /* (m) (vma_lock) VMAs that have this number are write-locked */
    struct wait_queue vma_writer; /* who waits for a VMA's readers; it has mmap_lock */
    uint32_t map_count;           /* (m) how many VMAs */
    struct spinlock page_table_lock;
    struct pgtable pgt;  /* (t) below the root; the root is constant */
    uint64_t last_table; /* (a) the table that was used last, see mm_find_pte; 0: none */
    struct tlb_space tlb;
    int64_t rss[NR_MM_COUNTERS];                    /* (t) pages */
    uint64_t hiwater_rss, hiwater_vm;               /* (t) (m) pages */
    uint64_t minflt, majflt;                        /* (a) relaxed: may lose a tick */
    uint64_t total_vm;                              /* (m) pages mapped */
    uint64_t locked_vm, data_vm, exec_vm, stack_vm; /* (m) pages, of these */
    uint64_t def_flags;                             /* (m) VM_LOCKED after mlockall(MCL_FUTURE) */
    uint64_t start_code, end_code, start_data, end_data; /* (b) */
    uint64_t start_brk, brk, start_stack;                /* (m) */
    uint64_t arg_start, arg_end, env_start, env_end;     /* (b) */
    uint64_t auxv_start, auxv_end;                       /* (b) */
    uint64_t mmap_base;  /* (b) the mmap area grows down from here, or up: */
    bool mmap_bottom_up; /* (b) as it did before Linux 2.6.7, see vm.legacy_va_layout */
    uint64_t stack_limit, data_limit, as_limit, memlock_limit; /* (a) RLIMIT_* in bytes */
    struct mempolicy *policy; /* (m) default of its faults; never NULL */
    uint64_t flags;           /* (a) enum mm_flag */
    uint32_t users;           /* (a) */
    uint32_t count;           /* (a) */
    struct mm_owner owner;
    struct list_head mm_list; /* (l) */
};

/** Caches and lists. Boot only, after slab_init and the kernel map. */
void mm_init(void);

/** An empty address space with one user. NULL when out of memory. May block. */
struct mm_struct *mm_alloc(void);

/** One more who runs in it or looks at its memory. mmget_not_zero: unless it is being torn down. */
static inline void mmget(struct mm_struct *mm)
{
    fetch_add_relaxed(&mm->users, 1);
}
bool mmget_not_zero(struct mm_struct *mm);

/** One less; the last one tears the space down. May block for long. */
void mmput(struct mm_struct *mm);

/**
 * How many victims of the OOM killer are just being torn down: mm_next() finds them no more, but
 * their pages are still to come. Ask after the walk, or one that leaves meanwhile is missed.
 */
uint32_t mm_victims_leaving(void);

static inline void mmgrab(struct mm_struct *mm)
{
    fetch_add_relaxed(&mm->count, 1);
}
void mmdrop(struct mm_struct *mm);

/**
 * What mmput() calls to unmap all VMAs and free their pages and tables: registered by the fault
 * floor, which knows how. Boot only.
 */
void mm_set_teardown(void (*exit_mmap)(struct mm_struct *mm));

/**
 * Walk over all spaces: mm_next(NULL) is the first; each is returned with mmget() done and the
 * one before is put. Stop early: mmput() the last.
 */
struct mm_struct *mm_next(struct mm_struct *prev);

static inline bool mm_flag(const struct mm_struct *mm, enum mm_flag f)
{
    return (load_relaxed(&mm->flags) >> f) & 1;
}

/** Set; was it set before? */
static inline bool mm_test_and_set_flag(struct mm_struct *mm, enum mm_flag f)
{
    return fetch_or(&mm->flags, 1UL << f) & (1UL << f);
}

/** A copy of the space, or the next program's, begins with these flags of it. */
static inline uint64_t mm_flags_inherited(const struct mm_struct *mm)
{
    bool mdwe = mm_flag(mm, MMF_HAS_MDWE) && !mm_flag(mm, MMF_HAS_MDWE_NO_INHERIT);
    return mdwe ? 1UL << MMF_HAS_MDWE : 0;
}

/** Would a VMA whose flags go from old to new (a new one: both are its) break PR_SET_MDWE? */
static inline bool mm_denies_exec(const struct mm_struct *mm, uint64_t old, uint64_t new)
{
    return mm_flag(mm, MMF_HAS_MDWE) && (new &VM_EXEC) && ((new &VM_WRITE) || !(old & VM_EXEC));
}

/** What a mapped page counts as. */
static inline enum mm_counter mm_counter_of(const struct page *page)
{
    if (page->type == PAGE_ANON)
        return MM_ANONPAGES;
    return page_flag(page, PG_swapbacked) ? MM_SHMEMPAGES : MM_FILEPAGES;
}

/* --- mmap_lock for writing, and with it the locks of VMAs: see vma_lock.h --------------------- */

/** As vma_start_write() for each VMA: no fault is at work in the space, and none comes. */
void vma_start_write_all(struct mm_struct *mm);

/** Faults may go by all VMAs again. The unlocking functions do so. */
void vma_end_write_all(struct mm_struct *mm);

static inline void mmap_write_lock(struct mm_struct *mm)
{
    down_write(&mm->mmap_lock);
}
static inline void mmap_write_unlock(struct mm_struct *mm)
{
    vma_end_write_all(mm);
    up_write(&mm->mmap_lock);
}
static inline void mmap_write_downgrade(struct mm_struct *mm)
{
    vma_end_write_all(mm);
    downgrade_write(&mm->mmap_lock);
}

/** Change a count. page_table_lock held. */
static inline void mm_count(struct mm_struct *mm, enum mm_counter c, int64_t n)
{
    store_relaxed(&mm->rss[c], mm->rss[c] + n);
}

/** alloc_page_vma() for those who have asked for a policy. */
struct page *alloc_page_by_policy(const struct mempolicy *pol, gfp_t gfp,
                                  struct vm_area_struct *vma, uint64_t addr);

/** A page for the address by the policies of VMA and mm; its content is undefined. May block. */
static inline struct page *alloc_page_vma(gfp_t gfp, struct vm_area_struct *vma, uint64_t addr)
{
    const struct mempolicy *pol = vma->vm_policy ? vma->vm_policy : vma->vm_mm->policy;
    if (likely(pol == &default_policy))
        return alloc_pages_mask(numa_node_id(), gfp, 0, NULL);
    return alloc_page_by_policy(pol, gfp, vma, addr);
}

/* --- the hot ends of finding: most touches are near the last one ------------------------------ */

/** find_vma() where the VMA found last is not it. */
struct vm_area_struct *find_vma_in_tree(struct mm_struct *mm, uint64_t addr);

/** The first VMA that ends above addr, or NULL. addr may lie before its start. mmap_lock held. */
static inline struct vm_area_struct *find_vma(struct mm_struct *mm, uint64_t addr)
{
    struct vm_area_struct *last = load_relaxed(&mm->vmacache);
    if (likely(last && addr - last->vm_start < last->vm_end - last->vm_start))
        return last;
    return find_vma_in_tree(mm, addr);
}

/**
 * Touches come in runs, and 512 entries share a table. So the last table is kept in one word, which
 * is read and written as a whole: frame number in the low half, which 2 MiB it covers in the high.
 * It is forgotten before tables are freed, when nobody walks.
 */
static inline pte_t *mm_cached_pte(const struct mm_struct *mm, uint64_t addr)
{
    uint64_t last = load_relaxed(&mm->last_table);
    if (unlikely(!last || last >> 32 != addr >> (PAGE_SHIFT + PT_INDEX_BITS)))
        return NULL;
    pte_t *table = phys_to_virt(pfn_to_paddr(mk_pfn(last & UINT32_MAX)));
    return &table[pt_index(mk_vaddr(addr), 0)];
}

pte_t *mm_walk(struct mm_struct *mm, uint64_t addr);
pte_t *mm_walk_alloc(struct mm_struct *mm, uint64_t addr);

/**
 * The entry of an address, NULL when its table is missing. mmap_lock, or page_table_lock held: what
 * the entry says may change under the former alone.
 */
static inline pte_t *mm_find_pte(struct mm_struct *mm, uint64_t addr)
{
    pte_t *pte = mm_cached_pte(mm, addr);
    return likely(pte != NULL) ? pte : mm_walk(mm, addr);
}

/** The same, making the tables that are missing; NULL when out of memory. mmap_lock held. */
static inline pte_t *mm_make_pte(struct mm_struct *mm, uint64_t addr)
{
    pte_t *pte = mm_cached_pte(mm, addr);
    return likely(pte != NULL) ? pte : mm_walk_alloc(mm, addr);
}

/** Free the tables that only what has gone from the gap needed. mmap_lock held for writing. */
void mm_free_tables(struct mm_struct *mm, const struct pt_gap *gap);

/** Resident pages, all kinds. A reading without lock. */
uint64_t mm_rss(const struct mm_struct *mm);

/** Bytes of page tables, the root included. */
uint64_t mm_pgtables_bytes(const struct mm_struct *mm);

/** A VMA came (pages > 0) or went: total_vm and the rest. mmap_lock held for writing. */
void mm_account_vma(struct mm_struct *mm, uint64_t flags, bool anonymous, int64_t pages);

/**
 * Compare page table, VMAs, mapcounts and counters of one space; mmap_lock is taken for writing.
 * Prints what is wrong and returns the number of faults.
 */
unsigned mm_check(struct mm_struct *mm, struct sink *out);

#endif
