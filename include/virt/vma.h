/* SPDX-License-Identifier: MIT */
/*
 * vma.h - the ranges of an address space, and the tree that finds them.
 *
 *      list:   [text] -> [data] -> [heap] ......... [mmap] -> [stack]      by address
 *
 *      tree:             (heap)                 each node knows the gap before its own range,
 *                       /      \                and the largest such gap below it:
 *                  (data)       (stack)           finding a hole of a given size goes down one
 *                  /            /                 path, O(log n)
 *               (text)       (mmap)
 *
 *      | gap | text | data |   gap   | heap |       gap      | mmap |  gap  | stack | gap |
 *            vm_start     vm_end
 *
 * The last gap, up to USER_TOP, belongs to no node; the search looks at it by itself.
 *
 * Addresses here are all virtual, so they are plain numbers.
 *
 * Locks: the mmap_lock of the mm; changing anything needs it for writing, and vma_start_write()
 * first, as page faults may hold only the VMA's own lock (vma_lock.h). vm_start, vm_end and
 * vm_pgoff are also read by rmap walks, so they change under the anon_vma's and i_mmap's locks too.
 * Invariants: ranges are page-aligned, not empty, do not overlap; vma_check().
 * Linux's counterpart: mm/mmap.c before the maple tree.
 */
#ifndef PAGODA_VIRT_VMA_H
#define PAGODA_VIRT_VMA_H

#include "base/format.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/types.h"

struct address_space;
struct anon_vma;
struct mempolicy;
struct mm_struct;
struct userfault;

/* vm_flags, with Linux's values. */
#define VM_READ 0x1UL
#define VM_WRITE 0x2UL
#define VM_EXEC 0x4UL
#define VM_SHARED 0x8UL
#define VM_MAYREAD 0x10UL
#define VM_MAYWRITE 0x20UL
#define VM_MAYEXEC 0x40UL
#define VM_MAYSHARE 0x80UL
#define VM_GROWSDOWN 0x100UL
#define VM_UFFD_MISSING 0x200UL
#define VM_LOCKED 0x2000UL
#define VM_SEQ_READ 0x8000UL
#define VM_RAND_READ 0x10000UL
#define VM_DONTCOPY 0x20000UL
#define VM_DONTEXPAND 0x40000UL
#define VM_LOCKONFAULT 0x80000UL
#define VM_ACCOUNT 0x100000UL
#define VM_NORESERVE 0x200000UL
#define VM_WIPEONFORK 0x2000000UL
#define VM_DONTDUMP 0x4000000UL
#define VM_MERGEABLE 0x80000000UL
#define VM_HUGEPAGE 0x20000000UL
#define VM_NOHUGEPAGE 0x40000000UL
#define VM_SEALED (1UL << 63)

#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_MAY_ALL (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

struct vm_area_struct {
    uint64_t vm_readers;  /* (a) see vma_lock.h */
    uint64_t vm_lock_seq; /* (mm->vma_lock) the same */
    uint64_t vm_start;    /* first byte */
    uint64_t vm_end;      /* one past the last */
    uint64_t vm_flags;
    uint64_t vm_pgoff; /* page number of vm_start: in the file, or for private memory linear */
    uint64_t vm_prot;  /* vm_flags as PTE_U|R|W|X */
    struct mm_struct *vm_mm;
    struct rb_node rb;
    struct list_head list;            /* neighbours by address; the head is mm->mmap */
    uint64_t gap;                     /* bytes between the range before and this one */
    uint64_t subtree_gap;             /* largest gap in the subtree */
    struct anon_vma *anon_vma;        /* of the pages that were made here; NULL: none yet */
    struct list_head anon_vma_chain;  /* all anon_vmas whose pages may be mapped here */
    struct address_space *vm_mapping; /* what is mapped, or NULL: anonymous memory */
    struct rb_node i_mmap_rb;         /* (vm_mapping->i_mmap_lock) see rmap_file.c */
    uint64_t i_mmap_last;             /* (vm_mapping->i_mmap_lock) last page below in the tree */
    struct mempolicy *vm_policy;      /* by mbind, or NULL: the mm's */
    struct userfault *vm_userfault;   /* who fills what is missing, or NULL: the monitor */
    const char *vm_name;              /* "[stack]" and the like, or NULL */
};

/** Each VMA of the mm, in order of addresses. */
#define for_each_vma(mm, vma) list_for_each_entry(vma, &(mm)->mmap, list)

static inline uint64_t vma_pages(const struct vm_area_struct *vma)
{
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
    return !vma->vm_mapping;
}

static inline bool vma_is_shared(const struct vm_area_struct *vma)
{
    return vma->vm_flags & VM_SHARED;
}

/** The page number of an address, as page->index has it. */
static inline uint64_t vma_index(const struct vm_area_struct *vma, uint64_t addr)
{
    return ((addr - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}

/** Caches. Boot only. */
void vma_init(void);

/** A zeroed VMA for the range, in no tree. NULL when out of memory. */
struct vm_area_struct *vma_alloc(struct mm_struct *mm, uint64_t start, uint64_t end,
                                 uint64_t flags);

/** Give back one that is in no tree, with its references to the mapping and the policy. */
void vma_free(struct vm_area_struct *vma);

/** The VMA that holds addr, or NULL. */
struct vm_area_struct *vma_lookup(struct mm_struct *mm, uint64_t addr);

/** The first VMA that overlaps start..end, or NULL. */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, uint64_t start, uint64_t end);

/** Is all of start..end mapped, without a hole? */
bool vma_range_is_mapped(struct mm_struct *mm, uint64_t start, uint64_t end);

/** Neighbours by address, or NULL. */
struct vm_area_struct *vma_next(const struct vm_area_struct *vma);
struct vm_area_struct *vma_prev(const struct vm_area_struct *vma);

/** The last VMA that ends at or below addr, however far below, or NULL: what lies in front. */
struct vm_area_struct *find_vma_before(struct mm_struct *mm, uint64_t addr);

/** Put a VMA into list and tree, and into the i_mmap of what it maps. The range is free. */
void vma_insert(struct mm_struct *mm, struct vm_area_struct *vma);

/** Take it out again; it is not freed. */
void vma_remove(struct mm_struct *mm, struct vm_area_struct *vma);

/** Only into list and tree: it is in the i_mmap of what it maps already, or maps nothing. */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma);

/** Only out of list and tree: walks over a file's mappers still find it. */
void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma);

/** Move its ends (and vm_pgoff along with vm_start); they stay between the neighbours. */
void vma_set_range(struct vm_area_struct *vma, uint64_t start, uint64_t end);

/**
 * The VMA is about to change: wait for the faults that are in it, and let no more in until
 * mmap_write_unlock(). All functions here that change a VMA do so. mmap_lock held for writing, no
 * spinlock; may sleep.
 */
void vma_start_write(struct vm_area_struct *vma);

/**
 * Two VMAs out of one, the second beginning at addr, which lies inside. -ENOMEM, also for more
 * than max_map_count.
 */
int vma_split(struct vm_area_struct *vma, uint64_t addr) must_check;

/** Split off what lies outside of start..end: *vma is the part within then. 0 or -ENOMEM. */
int vma_carve(struct vm_area_struct **vma, uint64_t start, uint64_t end) must_check;

/**
 * A VMA was inserted or its attributes were changed: join it with the neighbours that are now
 * like it, as Linux does. Returns the VMA that covers its range now; the others are freed.
 */
struct vm_area_struct *vma_merge(struct vm_area_struct *vma);

/**
 * Instead of inserting a new VMA: grow a neighbour, where it has the same attributes. Returns the
 * neighbour that now covers start..end, or NULL.
 */
struct vm_area_struct *vma_merge_new(struct mm_struct *mm, uint64_t start, uint64_t end,
                                     uint64_t flags, struct address_space *mapping, uint64_t pgoff);

/**
 * A hole of len bytes within low..high: the highest one (top-down) or the lowest. Address, or
 * -ENOMEM.
 */
int64_t vma_find_hole_topdown(struct mm_struct *mm, uint64_t len, uint64_t low, uint64_t high);
int64_t vma_find_hole_bottomup(struct mm_struct *mm, uint64_t len, uint64_t low, uint64_t high);

/** The hole for a range whose place is left to us, by the layout of the mm. Address, or -ENOMEM. */
int64_t vma_find_hole(struct mm_struct *mm, uint64_t len);

/** How far below its start nobody else may be mapped: the guard gap of a stack. */
uint64_t vma_guard_gap(const struct vm_area_struct *vma);

/** Order, gaps, colours, counts. Prints each fault found and returns their number. */
unsigned vma_check(struct mm_struct *mm, struct sink *out);

/** Lowest address that may be mapped: vm.mmap_min_addr. */
#define MMAP_MIN_ADDR PAGE_SIZE

/** Set by vm.max_map_count. */
extern uint32_t sysctl_max_map_count;

/** In pages, Linux's stack_guard_gap= boot argument. */
extern uint64_t stack_guard_gap;

#endif
