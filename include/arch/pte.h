/* SPDX-License-Identifier: MIT */
/*
 * pte.h - one Sv39 page-table entry, and what we keep in entries that map nothing.
 *
 *      63       54 53                            10 9   8  7 6 5 4 3 2 1 0
 *      [ reserved ][ frame number               ] [RSW ] D A G U X W R V      present
 *      [ 0        ][ frame number or swap offset] [RSW ] D A [ type    ] 0      not present
 *
 * V W=1 R=0 is reserved by the architecture; V with R=W=X=0 points to the next table. Hence a page
 * that must not be accessed at all (mprotect(PROT_NONE)) is a not-present entry of its own type
 * that still names its frame, as is one whose page is just being migrated.
 *
 * A and D: hardware either sets them (Svadu, QEMU's default) or faults when they would have to be
 * set; pte_fault_sets() tells whether that is all that a fault was about. So all code works on
 * both: it may clear A at any time, and finds D set before any store has gone through.
 *
 * Locks: none here; entries belong to their table's lock. Hardware writes A and D behind our back,
 * so a present entry is changed with pte_exchange() or pte_compare_exchange(), not a plain store.
 * Linux's counterpart: <asm/pgtable-bits.h>, <linux/swapops.h>.
 */
#ifndef PAGODA_ARCH_PTE_H
#define PAGODA_ARCH_PTE_H

#include "arch/csr.h"
#include "base/format.h"
#include "base/types.h"

#define PTE_V (1UL << 0)
#define PTE_R (1UL << 1)
#define PTE_W (1UL << 2)
#define PTE_X (1UL << 3)
#define PTE_U (1UL << 4)
#define PTE_G (1UL << 5)
#define PTE_A (1UL << 6)
#define PTE_D (1UL << 7)
#define PTE_SPECIAL (1UL << 8) /* ours: a frame without rmap and reference, the zero page */
#define PTE_SOFT (1UL << 9)    /* ours: free for the owner of the mapping */

#define PTE_PFN_SHIFT 10
#define PTE_PFN_BITS 44
#define PTE_PFN_MASK (((1UL << PTE_PFN_BITS) - 1) << PTE_PFN_SHIFT)
#define PTE_RESERVED (~0UL << 54)
#define PTE_PROT_MASK (PTE_R | PTE_W | PTE_X | PTE_U | PTE_G)

/* Usual protections. Kernel ones are global and born accessed and dirty: nobody ages them. */
#define PTE_KERNEL_RW (PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D)
#define PTE_KERNEL_RO (PTE_V | PTE_R | PTE_G | PTE_A)
#define PTE_KERNEL_RX (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A)

/* The tree: level 0 maps 4 KiB, 1 maps 2 MiB, 2 (the root) maps 1 GiB. */
#define PT_LEVELS 3
#define PT_ENTRIES 512
#define TABLE_SPAN (PT_ENTRIES * PAGE_SIZE) /* what a table of the last level maps */
#define PT_INDEX_BITS 9

/** How many bytes an entry of a level covers. */
static inline uint64_t pt_level_size(unsigned level)
{
    return PAGE_SIZE << (PT_INDEX_BITS * level);
}

/** Which entry of a table of this level belongs to the address. */
static inline unsigned pt_index(vaddr_t va, unsigned level)
{
    return (unsigned)(va.v >> (PAGE_SHIFT + PT_INDEX_BITS * level)) & (PT_ENTRIES - 1);
}

/* --- making and taking apart --------------------------------------------------------------- */

static inline pte_t mk_pte(uint64_t v)
{
    return (pte_t){v};
}

/** An entry that points to the next table. */
static inline pte_t pte_make_table(pfn_t pfn)
{
    return mk_pte((pfn.v << PTE_PFN_SHIFT) | PTE_V);
}

static inline pfn_t pte_pfn(pte_t e)
{
    return mk_pfn((e.v & PTE_PFN_MASK) >> PTE_PFN_SHIFT);
}
static inline bool pte_none(pte_t e)
{
    return e.v == 0;
}
static inline bool pte_present(pte_t e)
{
    return e.v & PTE_V;
}
static inline bool pte_leaf(pte_t e)
{
    return (e.v & PTE_V) && (e.v & (PTE_R | PTE_W | PTE_X));
}
static inline bool pte_table(pte_t e)
{
    return (e.v & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V;
}
static inline bool pte_readable(pte_t e)
{
    return e.v & PTE_R;
}
static inline bool pte_writable(pte_t e)
{
    return e.v & PTE_W;
}
static inline bool pte_executable(pte_t e)
{
    return e.v & PTE_X;
}
static inline bool pte_user(pte_t e)
{
    return e.v & PTE_U;
}
static inline bool pte_young(pte_t e)
{
    return e.v & PTE_A;
}
static inline bool pte_dirty(pte_t e)
{
    return e.v & PTE_D;
}
static inline bool pte_special(pte_t e)
{
    return e.v & PTE_SPECIAL;
}

static inline pte_t pte_mkyoung(pte_t e)
{
    return mk_pte(e.v | PTE_A);
}
static inline pte_t pte_mkold(pte_t e)
{
    return mk_pte(e.v & ~PTE_A);
}
static inline pte_t pte_mkdirty(pte_t e)
{
    return mk_pte(e.v | PTE_D);
}
static inline pte_t pte_mkclean(pte_t e)
{
    return mk_pte(e.v & ~PTE_D);
}
static inline pte_t pte_mkwrite(pte_t e)
{
    return mk_pte(e.v | PTE_W | PTE_R);
}
static inline pte_t pte_wrprotect(pte_t e)
{
    return mk_pte(e.v & ~PTE_W);
}
static inline pte_t pte_mkspecial(pte_t e)
{
    return mk_pte(e.v | PTE_SPECIAL);
}

/** The same frame, A, D and software bits with another protection (PTE_R|W|X|U|G). */
static inline pte_t pte_modify(pte_t e, uint64_t prot)
{
    return mk_pte((e.v & ~PTE_PROT_MASK) | prot);
}

/* --- reading and changing an entry that hardware may be writing --------------------------- */

static inline pte_t pte_load(const pte_t *p)
{
    return mk_pte(__atomic_load_n(&p->v, __ATOMIC_RELAXED));
}

/**
 * As pte_load(), of an entry that is then followed: what was stored before it is seen behind it.
 * RISC-V orders a load after the one its address comes from (RVWMO, rule 9); a host needs a word.
 */
static inline pte_t pte_load_followed(const pte_t *p)
{
#ifdef __riscv
    return pte_load(p);
#else
    return mk_pte(__atomic_load_n(&p->v, __ATOMIC_ACQUIRE));
#endif
}

/** Store where nothing present was, or where nobody can be walking. Earlier stores come first. */
static inline void pte_store(pte_t *p, pte_t e)
{
    __atomic_store_n(&p->v, e.v, __ATOMIC_RELEASE);
}

/** Take out what was there, together with the last A and D that hardware set. */
static inline pte_t pte_exchange(pte_t *p, pte_t e)
{
    return mk_pte(__atomic_exchange_n(&p->v, e.v, __ATOMIC_ACQ_REL));
}

/** Change only if nobody did since `*old` was read; else *old is what is there now. */
static inline bool pte_compare_exchange(pte_t *p, pte_t *old, pte_t e)
{
    return __atomic_compare_exchange_n(&p->v, &old->v, e.v, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/** Clear A; was it set? */
static inline bool pte_test_and_clear_young(pte_t *p)
{
    return __atomic_fetch_and(&p->v, ~PTE_A, __ATOMIC_RELAXED) & PTE_A;
}

/** Take away W and keep what hardware writes meanwhile; returns the entry as it was. */
static inline pte_t pte_test_and_wrprotect(pte_t *p)
{
    return mk_pte(__atomic_fetch_and(&p->v, ~PTE_W, __ATOMIC_ACQ_REL));
}

/** The permission that an access with this scause needs: PTE_R, PTE_W or PTE_X. */
static inline uint64_t pte_cause_access(uint64_t cause)
{
    if (cause == CAUSE_STORE_PAGE || cause == CAUSE_STORE_ACCESS)
        return PTE_W;
    return cause == CAUSE_FETCH_PAGE || cause == CAUSE_FETCH_ACCESS ? PTE_X : PTE_R;
}

/** May a user access of the kind (PTE_R, PTE_W or PTE_X) go through this entry? */
static inline bool pte_permits(pte_t e, uint64_t access)
{
    return pte_leaf(e) && (e.v & PTE_U) && (e.v & access);
}

/**
 * Where hardware does not set A and D it faults instead. Given that the entry permits the access:
 * the bits whose absence made it fault, 0 if it was a stale translation that caused the fault.
 */
static inline uint64_t pte_fault_sets(pte_t e, uint64_t access)
{
    uint64_t wanted = access == PTE_W ? PTE_A | PTE_D : PTE_A;
    return wanted & ~e.v;
}

/** Set A and D bits (of pte_fault_sets) unless the entry was changed since it was read. */
static inline bool pte_set_accessed(pte_t *p, pte_t seen, uint64_t bits)
{
    return pte_compare_exchange(p, &seen, mk_pte(seen.v | bits));
}

/* --- entries that are not present ----------------------------------------------------------- */

enum pte_type {
    PTE_TYPE_NONE = 0,        /* with offset 0: nothing at all */
    PTE_TYPE_MIGRATION_READ,  /* offset is the frame that is being moved; was not writable */
    PTE_TYPE_MIGRATION_WRITE, /* the same, was writable */
    PTE_TYPE_PROT_NONE,       /* offset is the frame; it may not be touched */
    PTE_TYPE_HWPOISON,        /* offset is a frame that is broken */
    PTE_TYPE_SWAP = 8,        /* and up: swap device type - PTE_TYPE_SWAP, offset its slot */
    PTE_TYPE_MAX = 31
};

#define PTE_TYPE_SHIFT 1
#define PTE_TYPE_MASK 0x3eUL

/** keep: A, D and software bits that should survive. */
static inline pte_t pte_make_absent(enum pte_type type, uint64_t offset, uint64_t keep)
{
    return mk_pte((offset << PTE_PFN_SHIFT) | ((uint64_t)type << PTE_TYPE_SHIFT) | keep);
}

/**
 * A leaf: prot is PTE_R|W|X|U|G with A and D as wanted; V is added. Without R, W and X that would
 * be a pointer to a table: it is an entry that names the frame and may not be touched.
 */
static inline pte_t pte_make(pfn_t pfn, uint64_t prot)
{
    if (unlikely(!(prot & (PTE_R | PTE_W | PTE_X))))
        return pte_make_absent(PTE_TYPE_PROT_NONE, pfn.v, prot & (PTE_A | PTE_D | PTE_SPECIAL));
    return mk_pte((pfn.v << PTE_PFN_SHIFT) | prot | PTE_V);
}

/** What a not-present entry is; PTE_TYPE_NONE for present ones too. */
static inline enum pte_type pte_type(pte_t e)
{
    if (e.v & PTE_V)
        return PTE_TYPE_NONE;
    return (enum pte_type)((e.v & PTE_TYPE_MASK) >> PTE_TYPE_SHIFT);
}

/** Frame or swap slot of a not-present entry. */
static inline uint64_t pte_offset(pte_t e)
{
    return (e.v & PTE_PFN_MASK) >> PTE_PFN_SHIFT;
}

static inline bool pte_is_migration(pte_t e)
{
    enum pte_type t = pte_type(e);
    return t == PTE_TYPE_MIGRATION_READ || t == PTE_TYPE_MIGRATION_WRITE;
}
static inline bool pte_is_prot_none(pte_t e)
{
    return pte_type(e) == PTE_TYPE_PROT_NONE;
}
static inline bool pte_is_swap(pte_t e)
{
    return pte_type(e) >= PTE_TYPE_SWAP;
}

/** Does the entry hold a reference to a frame, present or PROT_NONE? Then pte_pfn() is it. */
static inline bool pte_maps_page(pte_t e)
{
    return pte_leaf(e) || pte_is_prot_none(e);
}

/* --- satp ----------------------------------------------------------------------------------- */

/** The register's value for a root table and an address-space number. */
static inline uint64_t satp_make(paddr_t root, uint64_t asid)
{
    return ((uint64_t)SATP_MODE_SV39 << SATP_MODE_SHIFT) | (asid << SATP_ASID_SHIFT) |
           (root.v >> PAGE_SHIFT);
}

static inline uint64_t satp_asid(uint64_t satp)
{
    return (satp >> SATP_ASID_SHIFT) & SATP_ASID_MASK;
}

/* --- for people --------------------------------------------------------------------------- */

/**
 * What an entry of the level says, on one line without its end:
 * "leaf 4K pfn 0x80512 rw-u-ad", "table pfn 0x8041f", "migration-write pfn 0x80333", "none".
 */
void pte_describe(struct sink *out, pte_t e, unsigned level);

#endif
